// SPDX-License-Identifier: Apache-2.0
// The only list of files in a project or a home directory that programs outside execute later.
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
    /// The directory is a home, and its user logs in or starts a shell or a program.
    case session
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
    // In a home directory.
    ExecutedLater(".bashrc", .session, "bash"),
    ExecutedLater(".bash_profile", .session, "bash"),
    ExecutedLater(".bash_login", .session, "bash"),
    ExecutedLater(".bash_logout", .session, "bash"),
    ExecutedLater(".bash_aliases", .session, "bash"),
    ExecutedLater(".profile", .session, "the shell"),
    ExecutedLater(".zshrc", .session, "zsh"),
    ExecutedLater(".zshenv", .session, "zsh"),
    ExecutedLater(".zprofile", .session, "zsh"),
    ExecutedLater(".zlogin", .session, "zsh"),
    ExecutedLater(".zlogout", .session, "zsh"),
    ExecutedLater(".kshrc", .session, "ksh"),
    ExecutedLater(".cshrc", .session, "csh"),
    ExecutedLater(".tcshrc", .session, "csh"),
    ExecutedLater(".login", .session, "csh"),
    ExecutedLater(".config/fish", .session, "fish"),
    ExecutedLater(".inputrc", .session, "the shell"),
    ExecutedLater(".ssh", .session, "ssh"),
    ExecutedLater(".gitconfig", .session, "git"),
    ExecutedLater(".config/git", .session, "git"),
    ExecutedLater(".hgrc", .session, "hg"),
    ExecutedLater(".gnupg", .session, "gpg"),
    ExecutedLater(".emacs", .session, "emacs"),
    ExecutedLater(".emacs.d", .session, "emacs"),
    ExecutedLater(".config/emacs", .session, "emacs"),
    ExecutedLater(".vim", .session, "vim"),
    ExecutedLater(".config/nvim", .session, "nvim"),
    ExecutedLater(".tmux.conf", .session, "tmux"),
    ExecutedLater(".config/tmux", .session, "tmux"),
    ExecutedLater(".screenrc", .session, "screen"),
    ExecutedLater(".pythonrc", .session, "python"),
    ExecutedLater(".xinitrc", .session, "the desktop"),
    ExecutedLater(".xsession", .session, "the desktop"),
    ExecutedLater(".xsessionrc", .session, "the desktop"),
    ExecutedLater(".xprofile", .session, "the desktop"),
    ExecutedLater(".config/nestbox", .session, "nestbox"),
    ExecutedLater(".local/state/nestbox", .session, "nestbox"),
    ExecutedLater(".config/autostart", .session, "the desktop"),
    ExecutedLater(".config/environment.d", .session, "systemd"),
    ExecutedLater(".config/systemd", .session, "systemd"),
    ExecutedLater(".local/share/systemd", .session, "systemd"),
    ExecutedLater(".local/share/applications", .session, "the desktop"),
    ExecutedLater(".local/share/dbus-1", .session, "the session bus"),
    ExecutedLater(".local/bin", .session, "the shell"),
    ExecutedLater(".forward", .session, "the mail server"),
    ExecutedLater(".procmailrc", .session, "the mail server"),
  ]

  /// The entry for the file or directory that `path` ends with, if there is one.
  public static func named(_ path: ByteString) -> ExecutedLater? { ending(path.bytes) }

  /// The same for bytes of a path.
  public static func ending(_ path: ArraySlice<UInt8>) -> ExecutedLater? {
    all.first { file in
      let name = file.name.bytes
      guard path.count >= name.count, path.suffix(name.count) == name else { return false }
      return path.count == name.count
        || path[path.endIndex - name.count - 1] == UInt8(ascii: "/")
    }
  }

  /// Whether git takes the entry `name` of its directory as data alone: whatever else is there, such
  /// as settings and hooks, may name programs.
  public static func isData(inGit name: ByteString) -> Bool {
    [
      "objects", "refs", "logs", "index", "HEAD", "ORIG_HEAD", "FETCH_HEAD", "packed-refs",
      "COMMIT_EDITMSG", "description",
    ].contains(name)
  }
}
