// SPDX-License-Identifier: Apache-2.0
// The only list of files in a project that programs outside execute later.
//
// A command that may write to a project can leave such a file, and a person who works there later
// runs it, outside. Files that run merely because they exist matter most.

internal import Linux
internal import SystemPackage
public import Text

/// A file, or a directory with all that is in it, that a program executes.
public struct ExecutedLater: Sendable {
  /// What makes a program execute it.
  public enum Occasion: Sendable {
    /// A version control program runs anywhere in the directory, perhaps from a shell's prompt.
    case versionControl
    /// A shell or a program is started in the directory.
    case presence
    /// An editor opens the directory or a file in it.
    case editing
    /// The project is built, tested or installed.
    case building
  }

  /// The name, in any directory of the project, or a path from there.
  public let name: ByteString
  /// What makes a program execute it.
  public let occasion: Occasion
  /// The program.
  public let program: String

  private init(_ name: ByteString, _ occasion: Occasion, _ program: String) {
    (self.name, self.occasion, self.program) = (name, occasion, program)
  }

  /// All of them.
  public static let all: [ExecutedLater] = [
    // Settings name programs: core.fsmonitor, core.hooksPath, filters, aliases.
    ExecutedLater(".git", .versionControl, "git"),
    ExecutedLater(".gitmodules", .versionControl, "git"),
    ExecutedLater(".hg", .versionControl, "hg"),
    ExecutedLater(".jj", .versionControl, "jj"),
    ExecutedLater(".svn", .versionControl, "svn"),
    ExecutedLater(".bzr", .versionControl, "brz"),
    ExecutedLater("_darcs", .versionControl, "darcs"),
    ExecutedLater(".envrc", .presence, "direnv"),
    ExecutedLater(".mise.toml", .presence, "mise"),
    ExecutedLater("mise.toml", .presence, "mise"),
    ExecutedLater(".autoenv", .presence, "autoenv"),
    ExecutedLater(".gdbinit", .presence, "gdb"),
    ExecutedLater(".lldbinit", .presence, "lldb"),
    ExecutedLater("sitecustomize.py", .presence, "python"),
    ExecutedLater("usercustomize.py", .presence, "python"),
    ExecutedLater(".venv", .presence, "python"),
    ExecutedLater("venv", .presence, "python"),
    // Some of these ask before they execute anything. People answer yes for their own projects.
    ExecutedLater(".claude", .presence, "a coding agent"),
    ExecutedLater(".cursor", .presence, "a coding agent"),
    ExecutedLater(".gemini", .presence, "a coding agent"),
    ExecutedLater(".codex", .presence, "a coding agent"),
    ExecutedLater(".mcp.json", .presence, "a coding agent"),
    ExecutedLater(".devcontainer", .editing, "VS Code"),
    ExecutedLater(".zed", .editing, "Zed"),
    ExecutedLater(".helix", .editing, "Helix"),
    ExecutedLater(".lvimrc", .editing, "vim"),
    ExecutedLater(".vscode", .editing, "VS Code"),
    ExecutedLater(".idea", .editing, "IntelliJ"),
    ExecutedLater(".exrc", .editing, "vi"),
    ExecutedLater(".vimrc", .editing, "vim"),
    ExecutedLater(".nvimrc", .editing, "nvim"),
    ExecutedLater(".nvim.lua", .editing, "nvim"),
    ExecutedLater(".dir-locals.el", .editing, "emacs"),
    ExecutedLater(".eslintrc.js", .editing, "eslint"),
    ExecutedLater(".prettierrc.js", .editing, "prettier"),
    ExecutedLater("Makefile", .building, "make"),
    ExecutedLater("GNUmakefile", .building, "make"),
    ExecutedLater("makefile", .building, "make"),
    ExecutedLater("CMakeLists.txt", .building, "cmake"),
    ExecutedLater("meson.build", .building, "meson"),
    ExecutedLater("configure", .building, "the build"),
    ExecutedLater("package.json", .building, "npm"),
    ExecutedLater(".npmrc", .building, "npm"),
    ExecutedLater(".husky", .building, "husky"),
    ExecutedLater(".pre-commit-config.yaml", .building, "pre-commit"),
    ExecutedLater("build.rs", .building, "cargo"),
    ExecutedLater(".cargo", .building, "cargo"),
    ExecutedLater("setup.py", .building, "pip"),
    ExecutedLater("pyproject.toml", .building, "pip"),
    ExecutedLater("conftest.py", .building, "pytest"),
    ExecutedLater("Rakefile", .building, "rake"),
    ExecutedLater("build.gradle", .building, "gradle"),
    ExecutedLater("build.gradle.kts", .building, "gradle"),
    ExecutedLater("gradlew", .building, "gradle"),
    ExecutedLater("pom.xml", .building, "mvn"),
    ExecutedLater(".mvn", .building, "mvn"),
    ExecutedLater("Package.swift", .building, "swift"),
  ]

  /// The entry with this name, if there is one.
  public static func named(_ name: ByteString) -> ExecutedLater? { all.first { $0.name == name } }

  /// Whether git takes the entry `name` of its directory as data alone: whatever else is there, such
  /// as settings and hooks, may name programs.
  public static func isData(inGit name: ByteString) -> Bool {
    [
      "objects", "refs", "logs", "index", "HEAD", "ORIG_HEAD", "FETCH_HEAD", "packed-refs",
      "COMMIT_EDITMSG", "description",
    ].contains(name)
  }
}
