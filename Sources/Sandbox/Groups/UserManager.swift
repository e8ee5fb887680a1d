// SPDX-License-Identifier: Apache-2.0
// The user's systemd, which makes a scope for this process and delegates its group.
//
// It is asked by busctl(1), which every system with systemd has.

internal import Linux
internal import SystemPackage
internal import Text

/// The user's own systemd.
enum UserManager {
  /// How long it may take, in milliseconds.
  private static let patience: CInt = 5000

  /// Whether there is one, which takes this process's number for the same process.
  static func isReachable(_ environment: Environment) -> Bool {
    guard let directory = environment.value(of: "XDG_RUNTIME_DIR"),
      CurrentProcess.exists(ByteString(directory.bytes + Array("/systemd/private".utf8))),
      ProgramSearch.find("busctl", in: environment.value(of: "PATH")) != nil
    else { return false }
    // In another pid namespace than systemd's the number may be another process's.
    let first = try? ProcessDirectory(1).contents(of: "comm", limit: 64)
    return first == Array("systemd\n".utf8)
  }

  /// Moves this process to a new scope of its own, with a delegated group.
  static func makeScope(
    _ environment: Environment, _ mask: SignalMask?
  ) throws(SystemCallError) {
    let before = try GroupBase.own()
    let random = String(try CurrentProcess.randomNumber(), radix: 16)
    let number = String(CurrentProcess.number)
    let name = "nestbox-\(number)-\(random).scope"
    try run(
      [
        "busctl", "-q", "--user", "call", "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartTransientUnit",
        "ssa(sv)a(sa(sv))", ByteString(name), "fail", "4", "Description", "s", "nestbox", "PIDs",
        "au", "1", ByteString(number), "Delegate", "b", "true", "CollectMode", "s",
        "inactive-or-failed", "0",
      ], environment, mask)
    // systemd has only noted the request yet.
    let deadline = MonotonicClock.milliseconds + Int(patience)
    while try GroupBase.own() == before {
      guard MonotonicClock.milliseconds < deadline else {
        throw SystemCallError(call: "StartTransientUnit", subject: "busctl", errno: .timedOut)
      }
      CurrentProcess.sleep(milliseconds: 1)
    }
  }

  private static func run(
    _ words: [ByteString], _ environment: Environment, _ mask: SignalMask?
  ) throws(SystemCallError) {
    guard let child = try ChildProcess.clone() else {
      become(words, environment, mask)
    }
    guard try Descriptors.waitForInput(child.descriptor.rawValue, milliseconds: patience) else {
      try child.descriptor.send(.kill)
      _ = try child.wait()
      throw SystemCallError(call: "StartTransientUnit", subject: "busctl", errno: .timedOut)
    }
    guard try child.wait() == .exited(0) else {
      throw SystemCallError(call: "StartTransientUnit", subject: "busctl", errno: .notPermitted)
    }
  }

  private static func become(
    _ words: [ByteString], _ environment: Environment, _ mask: SignalMask?
  ) -> Never {
    do throws(SystemCallError) {
      try Descriptors.occupyStandard()
      let null = try OwnedDescriptor.open("/dev/null", .readingAndWriting)
      for number in CInt(0)...2 { try null.replace(number) }
      try Descriptors.closeAll(except: .standard)
      try mask?.restore()
      _ = Execution(file: words[0], words: words, name: nil, environment: environment).run()
    } catch {}
    CurrentProcess.exit(127)
  }
}
