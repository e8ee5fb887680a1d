// SPDX-License-Identifier: Apache-2.0
// How a launch ended and what it used, and the report of it, for programs and for people.

public import Linux
internal import Network
internal import SystemPackage
internal import Text

/// How a command ended.
public struct Ending: Sendable {
  /// How the command itself ended.
  public let termination: Termination
  /// The limit for which nestbox ended it, if it did.
  public internal(set) var limit: LimitHit?
  /// Whether the command was executed.
  var wasExecuted = false
  /// Whether a line that gives the command more was printed before that.
  var hasAdvised = false
  /// Whether the command has written to a working directory in memory.
  var hasDiscarded = false
  /// What it used, as far as that is known.
  var use: ResourceUse?
  /// The time by the clock, in microseconds.
  var wall: Int64?
  /// Why something may not have been counted.
  var incompleteness: String?
  /// What the control group counted.
  var groupUse: GroupUse?
  /// How many bytes of output were counted; nil if none are.
  var output: UInt64?
  /// The limits that the control group held; nil for the report of a launch that failed.
  var heldByGroup: [Limit] = []

  /// A limit that was reached.
  public enum LimitHit: String, Sendable {
    /// The time by the clock.
    case timeout
    /// The memory of all processes together.
    case memory
    /// What was written to standard output and error.
    case output
    /// The processor time of all processes together.
    case processorTime = "cpu-time"
  }

  /// What the sandbox kept from the command, in lines to print, if somebody asked.
  public internal(set) var explanation: [String] = []
  /// Whether the watcher's report did not come whole.
  public internal(set) var lacksReport = false
  /// What the run has shown that the command needs, if somebody asked.
  public internal(set) var learned: [LearnedItem] = []
  /// What the command could not reach because of the rules about the network.
  var refusals: [Refusal] = []
  /// Why the log of the network lacks what came later.
  var endOfLog: Errno?

  init(_ termination: Termination) { self.termination = termination }

  /// The status to exit with: the command's, or that of the limit, as timeout(1) chooses it.
  public var status: UInt8 {
    switch limit {
    case .timeout, .processorTime: 124
    // As of a process that the kernel kills.
    case .memory: 137
    // As of a process that writes too large a file: SIGXFSZ.
    case .output: 153
    case nil: termination.shellStatus
    }
  }

  /// The signal that ended the command; nil if it exited, or if nestbox ended it.
  public var signal: Signal? {
    guard limit == nil, case .signaled(let signal) = termination else { return nil }
    return signal
  }
}

// MARK: - For programs

/// The report of `--report`: one object for every kind of end.
public struct EndReport {
  private var members: [JSON.Member] = [.init("version", .number(1))]

  /// Reports how a command of `sandbox` ended.
  public init(_ ending: Ending, of sandbox: ResolvedSandbox) {
    switch (ending.limit, ending.termination) {
    case (let limit?, _): add("outcome", .string(limit.rawValue))
    case (nil, .exited): add("outcome", .string("exited"))
    case (nil, .signaled): add("outcome", .string("signaled"))
    }
    switch ending.termination {
    case .exited(let status): add("exit-code", .number(Int64(status)))
    case .signaled(let signal): add("signal", .number(Int64(signal.rawValue)))
    }
    if let wall = ending.wall { add("wall", .microseconds(wall)) }
    add(ending.use, ending.groupUse)
    if let output = ending.output { add("output", .unsigned(output)) }
    if sandbox.sandbox.network.option != nil {
      members.append(ending.refusedMember)
    }
    if let end = ending.endOfLog {
      add("net-log-ended-because", .string(Ending.reason(forEndOfLog: end)))
    }
    add("limits", .object(sandbox.limitMembers(heldByGroup: ending.heldByGroup)))
    let isCounted = ending.use != nil || ending.groupUse?.user != nil
    add("complete", .boolean(isCounted && ending.incompleteness == nil))
    if isCounted {
      add("counted-by", .string(ending.groupUse?.user != nil ? "control-group" : "parents"))
    }
    if let reason = ending.incompleteness { add("incomplete-because", .string(reason)) }
  }

  /// Reports that the command was not started, and why.
  public init(_ error: LaunchError, _ diagnosis: Diagnosis?, of sandbox: ResolvedSandbox) {
    add("outcome", .string("not-started"))
    var parts: [JSON.Member] = [.init("message", .string(error.message))]
    if let option = error.option { parts.append(.init("option", .string(option.name))) }
    parts.append(.init("call", .string(error.cause.call)))
    if let subject = error.subject ?? error.cause.subject {
      parts.append(.init("subject", .bytes(subject)))
    }
    parts.append(.init("reason", .string(error.cause.reason)))
    if let diagnosis {
      parts.append(.init("cause", .string(diagnosis.cause)))
      if let remedy = diagnosis.remedy { parts.append(.init("remedy", .string(remedy.words))) }
    }
    add("error", .object(parts))
    add(sandbox)
    add("complete", .boolean(true))
  }

  /// Reports that `signal` ended the launch before the command was started.
  init(abortedBy signal: Signal, of sandbox: ResolvedSandbox) {
    add("outcome", .string("not-started"))
    add("signal", .number(Int64(signal.rawValue)))
    add(sandbox)
    add("complete", .boolean(true))
  }

  /// Reports that the options have a mistake, because of which there is no sandbox.
  public init(mistake message: String) {
    add("outcome", .string("not-started"))
    add("error", .object([.init("message", .string(message))]))
    add("complete", .boolean(true))
  }

  fileprivate static func refusal(_ refusal: Refusal) -> JSON {
    .object([
      .init("host", .string(refusal.host)),
      .init("port", refusal.port.map { .number(Int64($0.number)) } ?? .null),
      .init("transport", .optional(refusal.port.map { $0.transport == .udp ? "udp" : "tcp" })),
      .init("reason", .string(refusal.reason.word)),
      .init("address", .optional(refusal.address.isEmpty ? nil : refusal.address)),
    ])
  }

  private mutating func add(_ name: String, _ value: JSON) { members.append(.init(name, value)) }

  /// Adds what was used; the group has counted every process, also those that no process waited for.
  private mutating func add(_ use: ResourceUse?, _ group: GroupUse?) {
    func add(_ name: String, _ number: Int64?, _ value: (Int64) -> JSON = { .number($0) }) {
      if let number { members.append(.init(name, value(number))) }
    }
    add("user", group?.user ?? use?.user) { .microseconds($0) }
    add("system", group?.system ?? use?.system) { .microseconds($0) }
    add("max-rss", use?.largestProcess)
    add("memory-peak", group?.memoryPeak)
    add("processes-peak", group?.processesPeak)
    add("oom-kills", group?.kills)
    add("read", group?.read ?? use?.read)
    add("written", group?.written ?? use?.written)
    guard let use else { return }
    self.add(
      "faults",
      .object([
        .init("minor", .number(use.minorFaults)), .init("major", .number(use.majorFaults)),
      ]))
    self.add(
      "switches",
      .object([
        .init("voluntary", .number(use.voluntarySwitches)),
        .init("forced", .number(use.forcedSwitches)),
      ]))
  }

  private mutating func add(_ sandbox: ResolvedSandbox) {
    add("limits", .object(sandbox.limitMembers()))
  }

  /// Writes the report to the descriptor that the caller named for it, if there is one.
  /// - Returns: Why it could not be written.
  public func write(for sandbox: ResolvedSandbox) -> String? {
    write(to: sandbox.sandbox.channels.report?.value)
  }

  /// Writes the report to a descriptor, if there is one.
  /// - Returns: Why it could not be written.
  public func write(to number: CInt?) -> String? {
    guard let number else { return nil }
    // The caller's limit for file sizes is to be an error, not the launcher's end.
    SignalDisposition.ignoreFileSizeLimit()
    do throws(SystemCallError) {
      try Descriptors.write(JSON.object(members).lineBytes[...], to: number)
      return nil
    } catch {
      // A reader that has closed its end wants no report.
      if error.errno == .brokenPipe { return nil }
      return
        "Can't write the report to descriptor \(String(number)): \(error.reason) (--report, write)"
    }
  }
}

extension ResolvedSandbox {
  /// The limits in force, each with what holds it.
  /// - Parameter held: The limits that a control group holds; nil if it is not known yet.
  /// - Returns: Members by the names of the limits.
  func limitMembers(heldByGroup held: [Limit]? = nil) -> [JSON.Member] {
    func value(_ value: UInt64) -> JSON {
      value == Resource.unlimited ? .string("unlimited") : .unsigned(value)
    }
    var members: [JSON.Member] = []
    func addHeld(_ limit: Limit, _ unit: String, _ value: JSON) {
      if let held, !held.contains(limit) { return }
      let parts = [JSON.Member(unit, value), .init("by", .string("control-group"))]
      members.append(.init(limit.name, .object(parts)))
    }
    for setting in sandbox.limits {
      switch setting.value {
      case .resource(let resource, let soft, let hard):
        members.append(
          .init(
            resource.name,
            .object([
              .init("soft", value(soft)), .init("hard", value(hard)),
              .init("by", .string("process")),
            ])))
      case .processes(let number, _):
        guard countsProcesses else { continue }
        members.append(
          .init(
            "processes",
            .object([
              .init("number", .number(Int64(number))), .init("by", .string("user-namespace")),
            ])))
      case .time(let time):
        members.append(
          .init(
            "timeout",
            .object([
              .init("seconds", .milliseconds(time)), .init("grace", .milliseconds(sandbox.grace)),
              .init("by", .string("monitor")),
            ])))
      case .grace: continue
      case .output(let bytes):
        members.append(
          .init(
            "output", .object([.init("bytes", .unsigned(bytes)), .init("by", .string("monitor"))])))
      case .memory(let number, _), .swap(let number, _):
        addHeld(setting.value, "bytes", .unsigned(number))
      case .processors(let thousandths, _):
        addHeld(setting.value, "number", .milliseconds(Int64(thousandths)))
      case .processorTime(let time, _): addHeld(setting.value, "seconds", .microseconds(time))
      }
    }
    return members
  }
}

extension Ending {
  /// What the command could not reach because of the rules about the network, as a member of a report.
  var refusedMember: JSON.Member { .init("refused", .array(refusals.map(EndReport.refusal))) }
}

// MARK: - For people

extension Ending {
  /// Sentences about what the command could not reach, each with the rule that would allow it.
  ///
  /// A host that did not answer is told only if the command failed or `isWhole` is true: many programs
  /// try several hosts, and succeed with one of them. Whether somebody outside was served does not show in
  /// the command's status.
  public func refusalTexts(isWhole: Bool) -> [String] {
    refusals.filter { isWhole || status != 0 || !$0.reason.isAllowed || $0.reason == .unserved }
      .map(\.text)
      + (refusals.count < Refusal.most
        ? [] : ["only the first \(String(Refusal.most)) refusals are listed"])
      + (endOfLog.map { ["--net-log: the log is incomplete: " + Ending.reason(forEndOfLog: $0)] }
        ?? [])
  }

  fileprivate static func reason(forEndOfLog error: Errno) -> String {
    switch error {
    case Errno(rawValue: Refusal.logHasMost):
      "it has \(String(Refusal.mostLogged >> 20)) MiB, the most for a file; a pipe may get more"
    case Errno(rawValue: Refusal.callersHaveMost):
      "connections to published ports have filled their \(String(Refusal.mostLoggedOfCallers >> 20)) MiB of "
        + "a file; a pipe may get more"
    default: error.description
    }
  }

  /// What was used, in a line.
  public var useText: String? {
    guard let wall else { return nil }
    var parts = [Ending.seconds(wall) + " s by the clock"]
    if let user = groupUse?.user ?? use?.user, let system = groupUse?.system ?? use?.system {
      parts.append("\(Ending.seconds(user)) s user")
      parts.append("\(Ending.seconds(system)) s system")
    }
    if let peak = groupUse?.memoryPeak { parts.append("\(Ending.size(peak)) at most in all") }
    if let use {
      parts.append("\(Ending.size(use.largestProcess)) in the largest process")
      parts.append(
        "\(Ending.size(groupUse?.read ?? use.read)) read, "
          + "\(Ending.size(groupUse?.written ?? use.written)) written")
    }
    let reservation = incompleteness.map { " (incomplete: \($0))" } ?? ""
    return "used " + parts.joined(separator: ", ") + reservation
  }

  /// A time with a unit.
  static func text(milliseconds: Int64) -> String {
    milliseconds % 1000 == 0
      ? String(milliseconds / 1000) + " s" : String(milliseconds) + " ms"
  }

  /// A number of thousandths as a decimal fraction, without zeros at the end.
  static func text(thousandths: UInt32) -> String {
    var digits = Array(String(thousandths % 1000 + 1000).utf8.dropFirst())
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let whole = String(thousandths / 1000)
    return digits.isEmpty ? whole : whole + "." + String(decoding: digits, as: UTF8.self)
  }

  private static func seconds(_ microseconds: Int64) -> String {
    let hundredths = microseconds / 10_000
    let part = String(hundredths % 100)
    return String(hundredths / 100) + "." + (part.count < 2 ? "0" + part : part)
  }

  /// A size with a unit, cut to a whole number.
  static func size(_ bytes: Int64) -> String {
    for (unit, shift) in [("GB", Int64(30)), ("MB", 20), ("KB", 10)] where bytes >= 1 << shift {
      return String(bytes >> shift) + " " + unit
    }
    return String(bytes) + " B"
  }
}
