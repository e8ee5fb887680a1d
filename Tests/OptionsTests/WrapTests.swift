// SPDX-License-Identifier: Apache-2.0
// Wrappers as values: what goes into them, and how entries of menus are read and written.

import Linux
import Sandbox
import Testing

@testable import Options
import Text

@Suite("Wrappers")
struct WrapTests {
  private func request(_ words: ByteString...) throws -> WrapRequest {
    try WrapRequest(words, Surroundings(workingDirectory: "/work"))
  }

  // Red: a wrapper makes a different sandbox than typed, or is written to another place.
  @Test func `Options about the wrapper stay out of the script`() throws {
    let request = try request(
      "--unshare-all", "--wrap", "tool", "--setenv", "A", "--wrap", "--output", "bin", "--profile",
      "./own", "--profile", "desktop", "--desktop-file", "--overwrite")
    #expect(request.program == "tool")
    #expect(request.output == "bin")
    #expect(request.desktopFile == "")
    #expect(request.overwrites)
    #expect(
      request.options == [
        ["--unshare-all"], ["--setenv", "A", "--wrap"], ["--profile", "/work/own"],
        ["--profile", "desktop"],
      ])
  }

  // Red: each click starts another sandbox, or a wrapper has a name that cannot be registered.
  @Test func `A wrapper with --single has a name`() throws {
    let options: [[ByteString]] = [["--name", "tool"], ["--single"]]
    #expect(try request("--wrap", "/bin/tool", "--single").options == options)
    #expect(
      try request("--single", "--wrap", "/bin/tool", "--name", "own").options
        == [["--single"], ["--name", "own"]])
    #expect(throws: UsageError.self) { try request("--wrap", "g++", "--single") }
  }

  private func replaced(_ lines: String, by path: ByteString = "/w") throws -> String {
    let entry = DesktopEntry(Array("[Desktop Entry]\n\(lines)\n".utf8))
    let wrapped = try entry.replacing({ $0 == "tool" || $0 == "/a b" }, with: path)
    let names = wrapped.leftOut.map { "!" + $0.text }
    let lines = String(decoding: wrapped.text, as: UTF8.self).split(separator: "\n").dropFirst(2)
    return (names + lines.map(String.init)).joined(separator: "\n")
  }

  // Red: a menu starts something else, or with other arguments.
  @Test(
    "The program is found and replaced in its written form",
    arguments: [
      ("Exec=tool", "Exec=/w"), ("Exec =  tool %U\t", "Exec =  /w %U\t"),
      ("Exec=\"tool\" \"a b\"", "Exec=/w \"a b\""), ("Exec=\"/a b\"", "Exec=/w"),
      ("Exec=/a\\\\ b", "Exec=/w"), ("Exec=env A=\"b c\" tool x", "Exec=env A=\"b c\" /w x"),
      ("Exec=tool tool", "Exec=/w tool"), ("TryExec=/a b\nExec=tool", "TryExec=/w\nExec=/w"),
      ("Exec=tool\nTryExec=other", "Exec=/w\nTryExec=other"),
      (
        "Exec=tool\n[Desktop Action a]\nExec=\"to\\\\ol\" a",
        "Exec=/w\n[Desktop Action a]\nExec=/w a"
      ),
      ("Exec=tool\n[New Shortcut Group]\nExec=tool", "Exec=/w\n[New Shortcut Group]\nExec=/w"),
      ("Exec=tool\n[Other]\nName=tool", "Exec=/w\n[Other]\nName=tool"),
      ("#Exec=tool\nExec=tool\nDBusActivatable=true", "#Exec=tool\nExec=/w"),
    ])
  func replacement(_ line: String, _ expected: String) throws {
    #expect(try replaced(line) == expected)
  }

  // Red: a menu's action starts a program outside of the sandbox.
  @Test(
    "An action that starts another program is left out and named",
    arguments: [
      "Exec=other", "Exec=sh -c \"tool a\"", "Exec=other tool", "Exec=env -S \"sh -c x\" tool",
      "Exec=env sh tool", "Exec=/opt/env tool", " Exec = other", "Exec[$e]=$HOME/x",
      "Exec[de]=other", "Name=tool\nExec=tool\nExec=other", "Exec=tools",
    ])
  func otherActions(_ line: String) throws {
    #expect(
      try replaced(
        """
        Actions=new;a;b
        Exec=tool
        [Desktop Action new]
        Exec=tool -n
          [Desktop Action a]
        \(line)
        [Desktop Action b]
        Name=b
        """) == """
          !Desktop Action a
          Actions=new;b;
          Exec=/w
          [Desktop Action new]
          Exec=/w -n
          [Desktop Action b]
          Name=b
          """)
  }

  // Red: an entry that no menu understands.
  @Test(
    "A path is quoted as an entry demands",
    arguments: [
      ("/a-b_c.d", "/a-b_c.d"), ("/a b", "\"/a b\""), ("/100%", "/100%%"), ("/é", "/é"),
      ("/a\"b", #""/a\\"b""#), ("/$a`", #""/\\$a\\`""#), (#"/a\b"#, #""/a\\\\b""#),
      ("/a\nb", #""/a\nb""#),
    ])
  func quoting(_ path: String, _ expected: String) throws {
    #expect(try replaced("Exec=tool x", by: ByteString(path)) == "Exec=\(expected) x")
  }

  // Red: the program is started past its wrapper, or an entry is broken.
  @Test(
    "A program that cannot be wrapped is refused",
    arguments: [
      ("Exec=other", "/w"), ("Name=tool", "/w"), ("Exec=\"tool", "/w"),
      ("Exec=sh -c 'tool a'", "/w"), ("Exec=other tool", "/w"), ("Exec=tool\nExec=other", "/w"),
      ("Exec=tool\n[Desktop Action a]\nExec=\"other", "/w"), ("Exec=tool", "/a=b"),
    ])
  func refusal(_ line: String, _ path: String) {
    #expect(throws: UsageError.self) { try replaced(line, by: ByteString(path)) }
  }
}
