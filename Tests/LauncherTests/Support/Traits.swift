// SPDX-License-Identifier: Apache-2.0
// What a test needs of the machine; it is skipped, with the reason, where that is missing.

import Foundation
import Testing

extension Trait where Self == ConditionTrait {
  /// The test acts as root.
  static var asRoot: Self { .enabled(if: User.isRoot, "needs to be run as root") }

  /// The executable has to be static, as it is used where there are no libraries; with
  /// AddressSanitizer it is not.
  static var ofStaticExecutable: Self {
    .enabled(if: Program.isStatic, "needs the static executable")
  }

  /// The test runs a program of this machine.
  static func needs(_ program: String) -> Self {
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/\(program)")
        || FileManager.default.isExecutableFile(atPath: "/usr/sbin/\(program)"),
      "needs the program \(program)")
  }
}

extension Session {
  /// Writes a file into the session's directory.
  func write(_ name: String, _ text: String) throws {
    try text.write(to: directory.appending(path: name), atomically: false, encoding: .utf8)
  }

  /// Runs a Python program: the driver of tests that need more than a shell.
  func python(_ program: String, _ arguments: String...) throws -> Outcome {
    try write("driver.py", program)
    let words = arguments.map { "'" + $0.replacing("'", with: #"'\''"#) + "'" }
    return try run("exec /usr/bin/python3 driver.py " + words.joined(separator: " "))
  }
}
