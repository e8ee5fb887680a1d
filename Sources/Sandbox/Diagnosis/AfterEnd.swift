// SPDX-License-Identifier: Apache-2.0
// Explains the failure of an executed command, if the sandbox caused it.

internal import Linux
internal import SystemPackage
public import Text

extension ResolvedSandbox {
  /// Why the command ended, if the sandbox caused it, and the remedy, if there is one.
  /// - Parameters:
  ///   - ending: How it ended.
  ///   - words: The line that was typed.
  /// - Returns: The lines to print.
  public func explanation(of ending: Ending, line words: [ByteString]) -> [String] {
    if let text = limitExplanation(of: ending) { return [text] }
    guard ResolvedSandbox.isWorthALook(ending.termination) else { return [] }
    if case .signaled = ending.termination {
      guard !sandbox.filters.isEmpty || policy != nil else { return [] }
      return [
        "a seccomp filter killed the command (SIGSYS): the kernel's log names the system call "
          + "(journalctl -k --grep SECCOMP)"
          + (policy == nil ? "" : ", and --seccomp-explain lists what the policy does with each")
      ]
    }
    return BoundedLook.lines { LibrarySearch.explanation(of: plan(), line: words) }
  }

  /// What to type to see what the sandbox kept from a command that has failed; nil where nobody reads
  /// it, or where the status may be that of the last line typed into a shell.
  public func explanationHint(after ending: Ending, line words: [ByteString]) -> String? {
    guard case .exited(1...125) = ending.termination, ending.limit == nil, sandbox.explain == nil,
      sandbox.givesNotices, namespaces.contains(.pid), Terminal.path(of: 2) != nil,
      sandbox.keep == nil, sandbox.detach == nil, sandbox.single == nil,
      sandbox.command.count > 1 || Terminal.path(of: 0) == nil, !ending.hasAdvised,
      ending.refusals.isEmpty, !lacksWorkingDirectory
    else { return nil }
    var line = TypedLine(words, command: sandbox.command)
    line.insert(["--explain"], at: 1)
    return "the command failed; this line also says what the sandbox kept from it: " + line.text
  }

  /// Whether the command began in another directory than the caller's; then a line for that was
  /// printed.
  private var lacksWorkingDirectory: Bool {
    guard sandbox.workingDirectory == nil, let directory = workingDirectory else { return false }
    return plan().root.find(directory.path) == nil
  }

  /// The limit for which the command was ended, in words.
  private func limitExplanation(of ending: Ending) -> String? {
    if ending.limit == .timeout, let limit = sandbox.timeLimit {
      return
        "the command was ended after \(Ending.text(milliseconds: limit.value)) (\(limit.option.name))"
    }
    if ending.limit == .processorTime, let limit = sandbox.processorTimeLimit {
      return
        "the command was killed after \(Ending.text(milliseconds: limit.value / 1000)) of processor "
        + "time (\(limit.option.name))"
    }
    if ending.limit == .output, let limit = sandbox.outputLimit {
      return
        "the command was killed because it wrote more than \(String(limit.value)) bytes of output "
        + "(\(limit.option.name))"
    }
    return ending.limit == .memory ? memoryExplanation : nil
  }

  private var memoryExplanation: String {
    for setting in sandbox.limits {
      if case .memory(let bytes, _) = setting.value {
        return
          "the command was killed because it used more than \(Ending.size(Int64(clamping: bytes))) of "
          + "memory (\(setting.option.name))"
      }
    }
    return "the command was killed because memory ran out"
  }

  /// Whether the sandbox may have caused this end: if ld.so(8) cannot find a library, it exits with
  /// 127.
  static func isWorthALook(_ termination: Termination) -> Bool {
    termination == .exited(127) || termination == .signaled(.badSystemCall)
  }
}
