// SPDX-License-Identifier: Apache-2.0
// What a test needs of the machine. Where that is missing the test is skipped, and names it.

import Foundation
package import Testing

extension Trait where Self == ConditionTrait {
  /// The test acts as root.
  package static var asRoot: Self { .enabled(if: User.isRoot, "needs to be run as root") }

  /// The test needs the static executable of `make build`, because it runs without libraries or
  /// counts system calls.
  package static var ofStaticExecutable: Self {
    .enabled(if: Program.isStatic, "needs the static executable: make test, or NESTBOX=PATH")
  }

  /// The test runs a program of this machine.
  package static func needs(_ program: String) -> Self {
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/\(program)")
        || FileManager.default.isExecutableFile(atPath: "/usr/sbin/\(program)"),
      "needs the program \(program)")
  }
}
