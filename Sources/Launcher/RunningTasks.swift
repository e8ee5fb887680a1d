// SPDX-License-Identifier: Apache-2.0
// --list and --inspect.

internal import Linux
internal import Network
internal import Options
internal import Running
internal import Sandbox
internal import SystemPackage
internal import Text

/// What people ask about running sandboxes.
enum RunningTasks {
  /// The list, for people or for programs.
  static func list(_ registry: Registry, asJSON: Bool) throws(UsageError) -> String {
    var list = SandboxList(try survey(registry, for: "--list"))
    list.add(networks(registry))
    list.readWords()
    return asJSON ? list.json.text : list.text(width: Terminal.columns(of: 1))
  }

  /// A report on the sandbox that `word` names.
  static func inspect(
    _ word: ByteString, _ registry: Registry, asJSON: Bool
  ) throws(UsageError) -> String {
    let survey = try survey(registry, for: "--inspect")
    var list = SandboxList(survey)
    list.add(networks(registry))
    let last = registry.lastMessages(of: word)
    if !last.isEmpty, list.entry(named: word) == nil {
      throw UsageError(
        "--inspect: the sandbox \(word.quoted) has ended; the last messages of its launcher: "
          + last.map(\.quoted).joined(separator: "; "))
    }
    let found = try entry(word, in: list, for: "--inspect")
    var inspection = Inspection(found, in: list, survey)
    if let name = found.sandbox.name, let monitor = registry.record(of: name)?.openMonitor() {
      inspection.launch = LaunchRecord(heldBy: monitor).map { (lines: $0.lines, json: $0.json) }
      inspection.messages = registry.messages(of: name)
    }
    return asJSON ? inspection.json.text : inspection.text
  }

  /// Sends a signal to the command of the sandbox that `word` names.
  static func signal(
    _ signal: Signal, _ word: ByteString, _ registry: Registry
  ) throws(UsageError) {
    let list = SandboxList(try survey(registry, for: "--signal"))
    let sandbox = try entry(word, in: list, for: "--signal").sandbox
    do throws(SystemCallError) {
      try sandbox.signal(signal)
    } catch {
      throw UsageError("--signal: can't send it to \(word.quoted): \(error.reason)")
    }
  }

  /// Ends the sandbox that `word` names; it has `patience` milliseconds to end by itself.
  static func stop(
    _ word: ByteString, _ registry: Registry, patience: Int64
  ) throws(UsageError) {
    let list = SandboxList(try survey(registry, for: "--stop"))
    let sandbox = try entry(word, in: list, for: "--stop").sandbox
    let isGone: Bool
    do throws(SystemCallError) {
      let seconds = UInt64(max(0, patience)) / 1000
      isGone = try sandbox.stop(patience: seconds) { () throws(SystemCallError) in
        try Survey.take(registry)
      }
    } catch {
      throw UsageError("--stop: can't read /proc: \(error.reason)")
    }
    if !isGone {
      throw UsageError(
        "--stop: processes of \(word.quoted) still run, although nestbox killed them; "
          + "nestbox --inspect \(word.quotedForShell) shows them")
    }
  }

  /// Registers the name of a sandbox that is about to be launched.
  static func register(
    _ name: ByteString, isKept: Bool, _ registry: Registry
  ) throws(UsageError) -> Registration {
    do throws(RegistryError) {
      // A descriptor opened here must not be mistaken for the caller's standard input or output.
      try? Descriptors.occupyStandard()
      return try registry.register(name, isKept: isKept)
    } catch {
      throw UsageError(message(error, name, registry))
    }
  }

  static func message(
    _ error: RegistryError, _ name: ByteString, _ registry: Registry
  ) -> String {
    switch error {
    case .isInUse(let record):
      let holder = record.map { record in
        let age = ListedSandbox.duration(record.age)
        return " (by process \(String(record.monitor)), for \(age))"
      }
      return "--name: \(name.quoted) is in use\(holder ?? ""); to end that sandbox: "
        + "nestbox --stop \(name.quotedForShell)"
    case .unusable(let cause):
      let path = ByteString(registry.path).quoted
      let reason =
        cause.errno == .permissionDenied
        ? "it must be a directory that belongs to this user and is closed to all others; to use "
          + "another: export XDG_RUNTIME_DIR=$(mktemp -d)"
        : cause.reason
      return "--name: can't register \(name.quoted) in \(path): \(reason)"
    }
  }

  /// The networks that sandboxes share.
  private static func networks(_ registry: Registry) -> [SharedNetwork] {
    NamedNetworks(registry: registry.path).list().map { name, members in
      SharedNetwork(
        name: name,
        members: members.map {
          .init(name: $0.name, address: $0.address.text, launcher: $0.launcher)
        })
    }
  }

  static func entry(
    _ word: ByteString, in list: SandboxList, for option: String
  ) throws(UsageError) -> ListedSandbox {
    if let found = list.entry(named: word) { return found }
    throw UsageError("\(option): " + unknown(word, in: list))
  }

  /// Says that `word` names no sandbox of `list`, and which it may mean.
  static func unknown(_ word: ByteString, in list: SandboxList) -> String {
    let names = list.entries.compactMap { $0.sandbox.name?.text }
    let near = Suggestion.matches(for: word.text, among: names)
    return "no running sandbox has the name \(word.quoted) or a process with that number"
      + (near.isEmpty
        ? "; nestbox --list shows the running sandboxes" : Suggestion.question(near))
  }

  static func survey(_ registry: Registry, for option: String) throws(UsageError) -> Survey {
    do throws(SystemCallError) {
      return try Survey.take(registry)
    } catch {
      throw UsageError("\(option): can't read /proc: \(error.reason)")
    }
  }
}
