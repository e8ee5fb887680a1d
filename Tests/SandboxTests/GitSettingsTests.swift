// SPDX-License-Identifier: Apache-2.0
// Git's settings, as far as they name files that git executes.

import SystemPackage
import Testing
import Text

@testable import Sandbox

@Suite("Settings of git")
struct GitSettingsTests {
  private static let lines: [(String, String, String, String)] = [
    ("[core]\n\tfsmonitor = tools/run\n", "core", "fsmonitor", "tools/run"),
    ("[Core]fsMonitor=tools/run # here", "core", "fsmonitor", "tools/run"),
    ("[filter \"a ] \\\" b\"]\nclean = \"a # b\" c ; d", "filter", "clean", "a # b c"),
    ("[filter.a]\r\nclean\t=  a\\\n  b \r\n", "filter", "clean", "a  b"),
    ("\u{feff}[alias]\n  s = !sh -c \\\"x\\\"\n", "alias", "s", "!sh -c \"x\""),
    ("; [no]\n# [no]\n[a]\nb = c", "a", "b", "c"),
    ("[a]\nb = \\n\\t\\q", "a", "b", "\n q"),
    ("[a]\nno\n[b]\nc=", "b", "c", ""),
  ]

  // Red: git finds a program where nestbox finds none, and the command replaces it.
  @Test(arguments: lines) func `A setting is read as git reads it`(
    _ text: String, _ section: String, _ name: String, _ value: String
  ) {
    let expected = GitSetting(section: section, name: name, value: ByteString(value))
    #expect(GitSettings(Array(text.utf8)).settings.last == expected)
  }

  private static let commands: [(String, [String])] = [
    ("tools/run", ["tools/run"]), ("sh tools/run %f", ["sh", "tools/run", "%f"]),
    ("!f() { 'tools/run' --x; }; f", ["f", "{", "tools/run", "}", "f"]),
    ("\"a\";b|c", ["a", "b", "c"]), ("", []),
  ]

  // Red: a program that a command starts is not protected.
  @Test(arguments: commands) func `The command of a setting is split into words`(
    _ value: String, _ words: [String]
  ) {
    let setting = GitSetting(section: "core", name: "fsmonitor", value: ByteString(value))
    #expect(setting.words.map(\.text) == words)
  }

  private static let files: [(String, String?)] = [
    ("gitdir: ../.git/worktrees/a\n", "../.git/worktrees/a"), ("gitdir: /a b\r\n", "/a b"),
    ("gitdir: /a\n/b\n", nil), ("gitdir: /a\0", nil), ("gitdir: \n", nil), ("gitdir:/a", nil),
    ("", nil), ("gitdir: /" + String(repeating: "a", count: 5000), nil),
  ]

  // Red: the file .git of a work tree leads elsewhere than git believes.
  @Test(arguments: files) func `The file .git names a directory`(_ text: String, _ path: String?) {
    #expect(GitFile.gitDirectory(Array(text.utf8)) == path.map { FilePath($0) })
  }

  private static let places: [(String, String?)] = [
    ("tools/run", "tools/run"), ("./a/../tools", "tools"), ("/home/p/tools", "tools"),
    ("~/p/tools", "tools"), ("../p/tools", "tools"), ("/usr/bin/x", nil), ("../x", nil),
    ("~/x", nil),
  ]

  // Red: a directory for hooks is not recognised as one of the project.
  @Test(arguments: places) func `A path is one of the project`(_ value: String, _ place: String?) {
    let files = GitSettingsFiles(paths: ProgramPaths("/home/p"), home: "/home")
    let setting = GitSetting(section: "core", name: "hookspath", value: ByteString(value))
    let paths = files.paths(of: setting, in: ".git/config", of: ".")
    #expect(paths.first?.isAbsolute == (place == nil))
    if let place { #expect(paths == [FilePath(place)]) }
  }
}
