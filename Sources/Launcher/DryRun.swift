// SPDX-License-Identifier: Apache-2.0
// --dry-run.

internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// The plan of a launch, as text or as JSON.
  /// - Parameters:
  ///   - sandbox: The sandbox.
  ///   - draft: What the command line says.
  ///   - displaced: The default profile, if options about files replaced it.
  /// - Returns: The plan.
  func dryRun(_ sandbox: ResolvedSandbox, _ draft: Draft, displaced: ByteString?) -> String {
    var plan = sandbox.plan()
    plan.explain(line: [persona.program] + words, displacedProfile: displaced)
    return draft.isJSON ? plan.json.text : plan.text
  }
}
