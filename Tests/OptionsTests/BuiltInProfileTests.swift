// SPDX-License-Identifier: Apache-2.0
// The profiles that are built in, compared with the files that they are made from;
// UPDATE_GOLDENS=1 makes them again.

import Foundation
import Linux
import Sandbox
import Testing

@testable import Options
import Text

@Suite("Built-in profiles")
struct BuiltInProfileTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let generated = root.appending(
    path: "Sources/Options/Generated/BuiltInProfiles.swift")

  /// The files' names without their ending, and their texts.
  static let sources: [(name: String, text: String)] = {
    let directory = root.appending(path: "profiles")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return files.filter { $0.hasSuffix(".profile") }.sorted().compactMap { file in
      guard let text = try? String(contentsOf: directory.appending(path: file), encoding: .utf8)
      else { return nil }
      return (String(file.dropLast(".profile".count)), text)
    }
  }()

  // Red: without the variable, /share or /bin of the host's root is shown.
  @Test func `A variable without a value makes no line show a directory of the root`() {
    for (name, text) in Self.sources {
      for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        #expect(!line.contains(":-}/"), "\(name): \(line)")
      }
    }
  }

  // Red: an agent changes a file that an editor or a shell executes when its user opens the project.
  @Test func `The profile agent protects everything that editors and shells execute`() throws {
    let agent = try #require(Self.sources.first { $0.name == "agent" })
    let lines = agent.text.split(separator: "\n")
    for file in ExecutedLater.all where file.occasion == .presence || file.occasion == .editing {
      #expect(lines.contains("--ro-same-try ${PROJECT}/\(file.name.text)"))
    }
  }

  private static func source(_ profiles: [(name: String, text: String)]) -> String {
    // As the formatter has it: a comma behind the last one only where there are several.
    let names =
      profiles.map { "    \"\($0.name)\"" }.joined(separator: ",\n")
      + (profiles.count > 1 ? "," : "")
    var source = """
      // SPDX-License-Identifier: Apache-2.0
      // Made from profiles/*.profile by `make generate`. Change those instead.

      /// The profiles that come with the program.
      enum BuiltInProfiles {
        /// What they are called.
        static let names: [String] = [
      \(names)
        ]

        /// The text of the profile called `name`; nil where there is none.
        static func text(of name: String) -> String? {
          switch name {

      """
    for profile in profiles {
      source += "    case \"\(profile.name)\":\n      #\"\"\"\n"
      for line in profile.text.dropLast().components(separatedBy: "\n") {
        source += line.isEmpty ? "\n" : "      \(line)\n"
      }
      source += "      \"\"\"#\n"
    }
    return source + "    default: nil\n    }\n  }\n}\n"
  }

  // Red: the program knows other profiles than the files show; run `make generate`.
  @Test func `The built-in profiles equal their files`() throws {
    let wanted = BuiltInProfileTests.source(BuiltInProfileTests.sources)
    let file = BuiltInProfileTests.generated
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try wanted.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == wanted)
  }

  // Red: a list of profiles that says nothing about one, or too much for a line.
  @Test("A profile says in one line what it is for", arguments: sources.map(\.name))
  func summary(_ name: String) throws {
    let profile = try #require(Profile.builtIn(ByteString(name)))
    #expect(!profile.summary.isEmpty && profile.summary.hasSuffix("."))
    #expect(profile.summary.utf8.count <= 100)
  }

  // Red: a built-in profile is unusable, or contains a line that is not an option.
  @Test("A profile is one that the parser takes", arguments: sources.map(\.name))
  func parses(_ name: String) throws {
    var surroundings = Surroundings(
      environment: ["HOME=/home/user", "USER=user"], workingDirectory: "/home/user/project",
      user: 1000, group: 1000)
    surroundings.machineProfiles = "/nonexistent"
    var parser = Parser(surroundings)
    try parser.parse(["--profile", ByteString(name), "command"])
    #expect(parser.draft.warnings == [])
    var empty = Sandbox()
    empty.command = ["command"]
    #expect(parser.draft.sandbox != empty)
  }
}
