// SPDX-License-Identifier: Apache-2.0
// What the program says: answers on standard output, everything else on standard error.

internal import Linux
internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// Writes an answer to standard output.
  /// - Returns: The status to exit with.
  func print(_ text: String, _ draft: Draft) -> UInt8 { write(Array(text.utf8), draft) }

  func write(_ bytes: [UInt8], _ draft: Draft) -> UInt8 {
    do throws(SystemCallError) {
      try Output.standardOutput(bytes)
      return 0
    } catch {
      tell(.error, "Can't write to standard output: \(error.reason)", draft)
      return persona.failure
    }
  }

  /// Tells a mistake, because of which nothing starts, and reports it to a program.
  /// - Returns: The status to exit with.
  func fail(_ error: UsageError, _ draft: Draft) -> UInt8 {
    let message = error.message(asBubblewrap: persona.isBubblewrap)
    tell(.error, message, draft)
    notify(message, draft)
    // Another failure to report can only be told as well. If the descriptor is the mistake, it has been.
    if draft.task == nil, let report = draft.sandbox.channels.report?.value,
      (try? Descriptors.isWritable(report)) == true,
      let failure = EndReport(mistake: message).write(to: report)
    {
      tell(.error, failure, draft)
    }
    return persona.failure
  }

  func tell(_ error: LaunchError, _ sandbox: ResolvedSandbox, _ draft: Draft) {
    let text = persona.isBubblewrap ? error.messageOfBubblewrap(of: sandbox) : nil
    tell(.error, text ?? error.message, draft)
    notify(text ?? error.message, draft)
  }

  /// Shows why nothing was started, if nobody reads standard error.
  func notify(_ message: String, _ draft: Draft) {
    guard draft.notifies, Terminal.path(of: 2) == nil else { return }
    DesktopNotification.show(message, environment)
  }

  func tell(_ level: Level, _ message: String, _ draft: Draft) {
    Output.standardError(prefix(level, draft) + message + "\n")
  }

  /// Prints a line of --explain; one for programs as it is.
  func tellExplanation(_ text: String, _ draft: Draft) {
    if draft.isJSON { Output.standardError(text + "\n") } else { tell(.warning, text, draft) }
  }

  /// Why the watcher's report is not there.
  static var lackOfReport: String {
    "the list of what the command looked for did not come whole within \(String(Ending.secondsForReport)) "
      + "seconds, or is too long, and nestbox does not use half of one"
  }
  /// What to do about that.
  static let ifReportLacks =
    "; run it again when the machine is less busy, or with a command that does less"

  /// Tells that there is no report of --explain.
  func tellLackOfReport(_ draft: Draft) {
    guard draft.isJSON else {
      return tell(.warning, "--explain: " + Launcher.lackOfReport + Launcher.ifReportLacks, draft)
    }
    Output.standardError(
      JSON.object([
        .init("version", .number(1)), .init("calls", .number(0)), .init("findings", .array([])),
        .init("complete", .boolean(false)),
      ]).line)
  }

  func prefix(_ level: Level, _ draft: Draft) -> String {
    draft.hasLevelPrefix ? level.rawValue + persona.prefix : persona.prefix
  }

  /// Priorities of syslog(3) in the form of sd-daemon(3).
  enum Level: String {
    case error = "<3>"
    case warning = "<4>"
    case step = "<7>"
  }
}
