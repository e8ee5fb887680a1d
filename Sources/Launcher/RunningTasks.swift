// SPDX-License-Identifier: Apache-2.0
// --list and --inspect.

internal import Linux
internal import Options
internal import Running
internal import Sandbox
internal import Text

/// What people ask about running sandboxes.
enum RunningTasks {
  /// The list, for people or for programs.
  static func list(asJSON: Bool) throws(UsageError) -> String {
    let list = SandboxList(try survey(for: "--list"))
    return asJSON ? list.json.text : list.text(width: Terminal.columns(of: 1))
  }

  /// All there is to know of the sandbox that `word` names.
  static func inspect(_ word: ByteString, asJSON: Bool) throws(UsageError) -> String {
    let survey = try survey(for: "--inspect")
    let list = SandboxList(survey)
    guard let found = list.entry(named: word) else {
      throw UsageError(
        "--inspect: no running sandbox is called \(word.quoted), and no process of that number is "
          + "in one; --list shows those that are running")
    }
    let inspection = Inspection(found, in: list, survey)
    return asJSON ? inspection.json.text : inspection.text
  }

  private static func survey(for option: String) throws(UsageError) -> Survey {
    do throws(SystemCallError) {
      return try Survey.take()
    } catch {
      throw UsageError("\(option): can't read /proc: \(error.reason)")
    }
  }
}
