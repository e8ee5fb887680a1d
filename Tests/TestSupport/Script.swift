// SPDX-License-Identifier: Apache-2.0
// Tests that are shell scripts, in a directory Scripts beside the file that names them.

import Foundation
package import Testing

/// A script that is a test.
package enum Script {
  /// The exit status of a script that cannot run here; its last line then says why.
  private static let skipped: Int32 = 77

  /// Runs a script of the directory `Scripts` beside `file`, and fails or cancels the test as the
  /// script's status says.
  ///
  /// Root has to start it where the tests run as root, as only root can give a user a name; the
  /// script itself always runs as an ordinary user.
  package static func run(
    _ script: String, _ argument: String = "", file: String = #filePath,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let start = Workspace.repository.appending(path: "Tests/TestSupport/Scripts/start.sh")
    let script = URL(filePath: file).deletingLastPathComponent()
      .appending(path: "Scripts/\(script).sh")
    let outcome = try Session(as: .root).run(
      "export TMPDIR=\"$1\"; shift; exec bash \"$@\"", Workspace.root.path, start.path, script.path,
      argument, isMerged: true)
    if outcome.status == skipped {
      try Test.cancel("\(outcome.lines.last ?? "no reason given")", sourceLocation: sourceLocation)
    }
    if outcome.status != 0 {
      Issue.record("\(outcome.output)", sourceLocation: sourceLocation)
    }
  }
}
