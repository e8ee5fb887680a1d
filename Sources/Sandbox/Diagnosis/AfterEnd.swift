// SPDX-License-Identifier: Apache-2.0
// Explains the failure of an executed command, if the sandbox caused it.

internal import Linux
internal import Seccomp
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
    if ResolvedSandbox.isBadSystemCall(ending.termination) {
      return sandbox.filters.isEmpty && policy == nil
        ? [] : explanationOfBadSystemCall(ending.termination, line: words)
    }
    guard ResolvedSandbox.isWorthALook(ending.termination) else { return [] }
    return BoundedLook.lines { LibrarySearch.explanation(of: plan(), line: words) }
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
    termination == .exited(127) || isBadSystemCall(termination)
  }

  /// Whether a filter ended the command, or the command of a shell that says so.
  private static func isBadSystemCall(_ termination: Termination) -> Bool {
    termination == .signaled(.badSystemCall)
      || termination == .exited(128 + UInt8(Signal.badSystemCall.rawValue))
  }

  /// What to do about the calls that the policy kills for.
  private func explanationOfBadSystemCall(
    _ termination: Termination, line words: [ByteString]
  ) -> [String] {
    let runs32Bit = sandbox.policy?.permits32Bit ?? true
    if !runs32Bit, let command = sandbox.command.first, plan().is32Bit {
      var line = TypedLine(words, command: sandbox.command)
      line.insert(["--seccomp-policy", "desktop"])
      return [
        "a seccomp filter killed the command (SIGSYS): \(command.quoted) is a 32-bit program, and the "
          + "policy permits none", Remedy.line(line.text).text,
      ]
    }
    let table = sandbox.policy.map {
      ", and nestbox --seccomp-explain \($0.name.quotedForShell) lists what the policy does with each"
    }
    // The command may also choose that status.
    let isCertain = termination == .signaled(.badSystemCall)
    let cause =
      (isCertain
        ? "a seccomp filter killed the command (SIGSYS)"
        : "status 159 often means that a seccomp filter killed a program (SIGSYS)")
      + ": the kernel's log names the system call (journalctl -k --grep SECCOMP)" + (table ?? "")
    return runs32Bit
      ? [cause] : [cause, Remedy.advice("32-bit programs need --seccomp-policy desktop").text]
  }
}

extension Plan {
  /// Whether the command's file, which the command cannot have written, is for the 32-bit mode of this
  /// machine.
  fileprivate var is32Bit: Bool {
    guard let file = command.host, !mayHaveWritten(file) else { return false }
    return ELFFile(at: file).map { !$0.is64Bit } ?? false
  }
}
