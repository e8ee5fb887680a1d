// SPDX-License-Identifier: Apache-2.0
// The pager, for long reports on a terminal.

internal import Linux
internal import Options
internal import Sandbox
internal import Text

/// The user's pager.
enum Pager {
  /// Shows `text`, which has no control characters, in $PAGER or less.
  /// - Returns: Whether it was shown.
  static func show(_ text: String, _ surroundings: Surroundings) -> Bool {
    let named = surroundings.variable("PAGER").flatMap { $0.isEmpty ? nil : $0 }
    // A line for the shell, by convention.
    let line: ByteString = named ?? "less"
    guard line != "cat", let pipe = try? Pipe(),
      named != nil || (try? ProgramSearch.find("less", in: surroundings.variable("PATH"))) != nil
    else { return false }
    var environment = surroundings.environment
    // To end at once where all fits the screen, as git has it.
    if surroundings.variable("LESS") == nil { environment.append("LESS=FRX") }
    guard
      let child = try? ChildProcess.start(
        "/bin/sh", ["sh", "-c", line], environment, replacing: [(0, pipe.readEnd.rawValue)])
    else { return false }
    _ = consume pipe.readEnd
    // A pager that ends early has shown enough.
    SignalDisposition.ignoreBrokenPipes()
    try? Descriptors.write(text, to: pipe.writeEnd.rawValue)
    _ = consume pipe.writeEnd
    guard case .exited(let status)? = try? child.waitForProcess() else { return true }
    return status != 127
  }
}
