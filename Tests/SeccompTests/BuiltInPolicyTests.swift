// SPDX-License-Identifier: Apache-2.0
// The policies that come with the program are those of `seccomp/`; UPDATE_GOLDENS=1 compiles them
// again.

import Foundation
import Linux
import Testing

@testable import Seccomp
import Text

/// This repository's policy files, and the policies compiled from them.
private enum Repository {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let policies = root.appending(path: "seccomp")
  static let generated = root.appending(path: "Sources/Seccomp/Generated")

  /// In the order in which people are told of them.
  static let names = ["default", "desktop", "strict", "compat"]
  /// The policies that nobody asks for by name: those of process 1, of the relay and of the holder of a
  /// network, and one in place of Landlock.
  static let own = ["init", "relay", "holder", "unixless"]
  /// Lines that policies include.
  static let parts = ["host", "sockets"]

  static func text(_ name: String) throws -> String {
    try String(contentsOf: policies.appending(path: name + ".policy"), encoding: .utf8)
  }

  /// The policies as the files have them now, regardless of the compiled ones.
  static func library() throws -> PolicyLibrary {
    var texts: [String: PolicyText] = [:]
    for name in names + parts + own { texts[name] = .builtIn(name + ".policy", try text(name)) }
    let policies = texts
    return PolicyLibrary(
      groups: .builtIn("groups.policy", try text("groups")), names: names,
      policy: { policies[$0] })
  }

  static func program(_ name: String, for architecture: Architecture) throws -> SeccompProgram {
    let library = try library()
    var reader = try PolicyReader(library, for: architecture)
    try reader.read(#require(library.policy(name)))
    return try reader.policy(name).compiled()
  }
}

/// The Swift files that are made of the policies.
private enum Generator {
  private static let head = """
    // SPDX-License-Identifier: Apache-2.0
    // Made from seccomp/ by `make generate`.
    // swift-format-ignore-file

    """

  /// Every file by its name.
  static func files() throws -> [String: String] {
    var files = ["Policies.swift": try list()]
    for name in Repository.names { files[name.capitalized + "Policy.swift"] = try policy(name) }
    for name in Repository.names + Repository.own {
      for (architecture, condition) in [("x86_64", "x86_64"), ("aarch64", "arm64")] {
        let file = "\(name.capitalized)Program-\(architecture).swift"
        files[file] = try program(name, architecture, condition)
      }
    }
    for (architecture, condition) in [("x86_64", "x86_64"), ("aarch64", "arm64")] {
      files["WatchList-\(architecture).swift"] = try watchList(architecture, condition)
    }
    return files
  }

  private static func list() throws -> String {
    let policies = Repository.names.map { "\($0)Policy" }.joined(separator: ", ")
    return head + """

      extension BuiltInPolicy {
        /// All of them, in the order in which people are told of them.
        public static let all: [BuiltInPolicy] = [\(policies)]

        /// The program of process 1.
        public static var initProgram: SeccompProgram { SeccompProgram(instructions: initInstructions) }

        /// The program of the relay between a sandbox and the network.
        public static var relayProgram: SeccompProgram { SeccompProgram(instructions: relayInstructions) }

        /// The program of the holder of a network between sandboxes.
        public static var holderProgram: SeccompProgram { SeccompProgram(instructions: holderInstructions) }

        /// The program that leaves no Unix socket to connect with.
        public static var unixlessProgram: SeccompProgram {
          SeccompProgram(instructions: unixlessInstructions)
        }

        /// Lines for policies to include, by name.
        static func part(_ name: String) -> StaticString? {
          switch name {
      \(try Repository.parts.map(part).joined(separator: "\n"))
          default: nil
          }
        }

        /// The groups that every policy knows.
        static let groups: StaticString = ##\"\"\"
      \(try Repository.text("groups"))\"\"\"##
      }

      """
  }

  private static func part(_ name: String) throws -> String {
    """
          case "\(name)":
            ##\"\"\"
    \(try Repository.text(name))\"\"\"##
    """
  }

  private static func policy(_ name: String) throws -> String {
    head + """

      extension BuiltInPolicy {
        static let \(name)Policy = BuiltInPolicy(
          name: "\(name)", text: \(name)Text, program: { \(name)Instructions })

        private static let \(name)Text: StaticString = ##\"\"\"
      \(try Repository.text(name))\"\"\"##
      }

      """
  }

  private static func program(
    _ name: String, _ architecture: String, _ condition: String
  ) throws -> String {
    let architecture = try #require(Architecture(named: architecture))
    let lines = lines(try Repository.program(name, for: architecture).instructions)
    return head + """

      #if arch(\(condition))
        extension BuiltInPolicy {
          static let \(name)Instructions: [UInt64] = [
      \(lines),
          ]
        }
      #endif

      """
  }

  private static func watchList(_ architecture: String, _ condition: String) throws -> String {
    let list = WatchList(for: try #require(Architecture(named: architecture)))
    return head.replacing("seccomp/", with: "WatchedCalls.swift") + """

      #if arch(\(condition))
        extension WatchList {
          static let compiledKeys: [UInt64] = [
      \(lines(list.keys)),
          ]
          static let compiledCalls: [UInt8] = [
      \(lines(list.calls)),
          ]
          static let compiledInstructions: [UInt64] = [
      \(lines(list.instructions)),
          ]
        }
      #endif

      """
  }

  private static func lines(_ numbers: [some BinaryInteger]) -> String {
    let words = numbers.map { "0x" + String($0, radix: 16) }
    return stride(from: 0, to: words.count, by: 6)
      .map { "      " + words[$0..<min($0 + 6, words.count)].joined(separator: ", ") }
      .joined(separator: ",\n")
  }
}

@Suite("Built-in policies")
struct BuiltInPolicyTests {
  // Red: the files of seccomp/ or the calls to watch changed, and the program still has the old ones.
  @Test
  func `What is compiled in is what the files of seccomp/ and the watched calls say`() throws {
    let files = try Generator.files()
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      for (name, text) in files {
        let file = Repository.generated.appending(path: name)
        try text.write(to: file, atomically: true, encoding: .utf8)
      }
    }
    for (name, text) in files {
      let file = Repository.generated.appending(path: name)
      #expect(try String(contentsOf: file, encoding: .utf8) == text, "\(name): make generate")
    }
    let present = try FileManager.default.contentsOfDirectory(atPath: Repository.generated.path)
    #expect(present.sorted() == files.keys.sorted())
  }
}
