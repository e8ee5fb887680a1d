// SPDX-License-Identifier: Apache-2.0
// Which ends of a command are failures, and the line to type after one of them.

internal import Linux
internal import SystemPackage
public import Text

extension ResolvedSandbox {
  /// What to type to see what the sandbox kept from a command that has failed; nil where nobody reads
  /// it, or where the sandbox is unlikely to be the cause.
  public func explanationHint(after ending: Ending, line words: [ByteString]) -> String? {
    guard hasFailed(ending), sandbox.explain == nil,
      sandbox.givesNotices, namespaces.contains(.pid), Terminal.path(of: 2) != nil,
      sandbox.keep == nil, sandbox.detach == nil, sandbox.single == nil,
      !isTypedInto, !ending.hasAdvised, ending.refusals.isEmpty, !lacksWorkingDirectory
    else { return nil }
    var line = TypedLine(words, command: sandbox.command)
    line.insert(["--explain"], at: 1)
    return "the command failed; this line also says what the sandbox kept from it: " + line.text
  }

  /// Whether the command itself has failed: neither a limit nor a signal from outside ended it, and its
  /// status is no answer.
  func hasFailed(_ ending: Ending) -> Bool {
    guard ending.limit == nil else { return false }
    switch ending.termination {
    case .signaled(let signal): return SignalSet.faults.isSuperset(of: SignalSet(signal))
    case .exited(0): return false
    case .exited(1): return !ResolvedSandbox.answering.contains(commandName)
    // Shells exit so if a signal ended their command.
    case .exited(129...159): return hasFaulted(ending.termination)
    case .exited: return true
    }
  }

  /// Whether a shell says that a fault ended its command.
  private func hasFaulted(_ termination: Termination) -> Bool {
    guard case .exited(let status) = termination else { return false }
    return SignalSet.faults.isSuperset(of: SignalSet(Signal(rawValue: CInt(status) - 128)))
  }

  /// Programs that answer a question by the status 1.
  private static let answering: Set<ByteString> = [
    "test", "[", "grep", "egrep", "fgrep", "diff", "cmp", "false", "expr",
  ]

  private static let shells: Set<ByteString> = [
    "sh", "bash", "dash", "zsh", "fish", "ksh", "tcsh", "csh", "ash",
  ]

  /// The last component of the command's name.
  var commandName: ByteString {
    let parts = sandbox.command.first?.bytes.split(separator: UInt8(ascii: "/")) ?? []
    return parts.last.map { ByteString($0) } ?? ""
  }

  /// Whether the command is a shell into which somebody types: its status is that of the last line.
  private var isTypedInto: Bool {
    guard Terminal.path(of: 0) != nil, ResolvedSandbox.shells.contains(commandName) else {
      return false
    }
    return sandbox.command.dropFirst().allSatisfy { word in
      guard word.bytes.first == UInt8(ascii: "-") else { return false }
      // As in -lc: then the next word is a line, after which the shell ends.
      return word.bytes.dropFirst().first == UInt8(ascii: "-")
        || !word.bytes.contains(UInt8(ascii: "c"))
    }
  }

  /// Whether the command began in another directory than the caller's; then a line for that was
  /// printed.
  private var lacksWorkingDirectory: Bool {
    guard sandbox.workingDirectory == nil, let directory = workingDirectory else { return false }
    return plan().root.find(directory.path) == nil
  }
}
