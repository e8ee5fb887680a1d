// SPDX-License-Identifier: Apache-2.0
// --dry-run.

internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// The plan of a launch, as text or as JSON.
  func dryRun(_ draft: Draft) -> String {
    let plan = draft.sandbox.plan(for: caller)
    return draft.isJSON ? plan.json.text : plan.text
  }
}
