// SPDX-License-Identifier: Apache-2.0
// What others install, without a compiler.

import Foundation
import TestSupport
import Testing

@Suite("Packages")
struct PackageTests {
  /// The exit status of a script that cannot run here.
  private static let skipped: Int32 = 77

  // Red: the package lacks a file, leaves one behind, or is another one when it is built again.
  @Test(.asRoot, .needs("dpkg-deb"))
  func `The package for Debian is installed, used, upgraded and removed`() throws {
    let script = Workspace.repository.appending(path: "Tests/ClientTests/Scripts/debian.sh")
    let outcome = try Session(as: .root).run(
      "bash \"$1\" \"$2/nestbox\" \"$3\" </dev/null", script.path, Program.directory.path,
      Workspace.repository.path, isMerged: true)
    if outcome.status == PackageTests.skipped {
      try Test.cancel("\(outcome.lines.last ?? "no reason given")")
    }
    #expect(outcome.status == 0, "\(outcome.output)")
  }
}
