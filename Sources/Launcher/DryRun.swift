// SPDX-License-Identifier: Apache-2.0
// --dry-run.

internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// The plan of a launch, as text or as JSON.
  func dryRun(_ sandbox: ResolvedSandbox, _ draft: Draft) -> String {
    let plan = sandbox.plan()
    return draft.isJSON ? plan.json.text : plan.text
  }
}
