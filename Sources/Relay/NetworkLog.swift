// SPDX-License-Identifier: Apache-2.0
// The log of --net-log: a line of JSON for each look-up and each connection, also to published ports.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

/// What was decided about an address inside.
struct Decision {
  /// The name, or the address.
  let host: String
  /// The port inside.
  let port: Port
  /// Where it leads; empty if it leads nowhere.
  let endpoints: [Endpoint]
}

/// The log, if the caller asked for one.
final class NetworkLog {
  /// Where it is written; nil if nobody asked for it, or it has ended.
  private var number: CInt?
  private let notices: CInt
  /// Ends with the command; the relay closes it once it has set `endTime`.
  private let lifeline: CInt
  /// When nothing waits for the reader any more: it is known once the command has ended.
  var endTime = Int.max
  /// How many more bytes it may have: a command that connects in a loop is not to fill the disk.
  private var left = Int.max
  /// The same of lines about published ports: programs that connect from outside are not to end it.
  private var leftForCallers = Int.max

  /// How many seconds a reader may take for the next line once the command has ended.
  private static let patience = 10

  init(_ number: CInt?, notices: CInt, lifeline: CInt) {
    (self.number, self.notices, self.lifeline) = (number, notices, lifeline)
    if let number, (try? OpenFile(number))?.kind == .regular {
      (left, leftForCallers) = (Refusal.mostLogged, Refusal.mostLoggedOfCallers)
    }
  }

  /// Whether lines are written.
  var isWritten: Bool { number != nil }

  /// Writes a line.
  ///
  /// It waits for a slow reader as long as the command runs, so that the log is complete. After a failure it
  /// ends: the next line would join the rest of this one. The command's connections go on.
  private func write(_ event: String, _ members: [JSON.Member], isOfCaller: Bool = false) {
    guard let number else { return }
    let line = JSON.object(
      [.init("time", .milliseconds(WallClock.milliseconds)), .init("event", .string(event))]
        + members
    ).lineBytes
    if isOfCaller {
      if line.count > leftForCallers {
        if leftForCallers > 0 {
          try? Descriptors.send(Refusal.endOfLog(Refusal.callersHaveMost), to: notices)
        }
        leftForCallers = 0
        return
      }
      leftForCallers -= line.count
    }
    do throws(SystemCallError) {
      if line.count > left {
        throw SystemCallError(call: "write", errno: Errno(rawValue: Refusal.logHasMost))
      }
      left -= line.count
      if left > Refusal.mostLogged { try waitForReader(number) }
      try Descriptors.write(line[...], to: number)
    } catch {
      self.number = nil
      try? Descriptors.send(Refusal.endOfLog(error.errno.rawValue), to: notices)
    }
  }

  /// Waits until a pipe takes a line; also for one that others have made non-blocking.
  private func waitForReader(_ number: CInt) throws(SystemCallError) {
    var seconds = 0
    while true {
      let left = CInt(clamping: max(endTime - MonotonicClock.milliseconds, 0))
      if Descriptors.canWrite(number, milliseconds: min(left, 1000)) { return }
      if endTime == .max {
        guard try Descriptors.waitForInput(lifeline, milliseconds: 0) else { continue }
        // The relay itself learns of the end only when the line is written.
        endTime = MonotonicClock.milliseconds + Relay.lastPatience
      }
      seconds += 1
      if left == 0 || seconds >= NetworkLog.patience {
        throw SystemCallError(call: "write", errno: .timedOut)
      }
    }
  }

  /// Notes a look-up: why it was refused or has failed, or whether the name was found.
  func lookUp(_ name: String, _ reason: NetworkPolicy.Reason?, isFound: Bool = false) {
    guard number != nil else { return }
    write(
      "look-up",
      [
        .init("name", .string(name)), .init("allowed", .boolean(reason?.isAllowed ?? true)),
        .init("reason", .optional(reason?.word)), .init("found", .boolean(isFound)),
      ])
  }

  /// Notes a connection that was refused.
  func refused(_ host: String, _ port: Port, _ reason: NetworkPolicy.Reason, _ address: IPAddress?)
  {
    guard number != nil else { return }
    write(
      "connection",
      members(host, port, address) + [
        .init("allowed", .boolean(false)), .init("reason", .string(reason.word)),
      ])
  }

  /// Notes a connection that has ended, or has not come about if `endpoint` is nil.
  func ended(_ decision: Decision, _ endpoint: Endpoint?, sent: UInt64, received: UInt64) {
    guard number != nil else { return }
    write(
      "connection",
      members(decision.host, decision.port, endpoint?.address) + [
        .init("allowed", .boolean(true)), .init("connected", .boolean(endpoint != nil)),
        .init("sent", .unsigned(sent)), .init("received", .unsigned(received)),
      ])
  }

  /// Notes a connection to a published port for which there is no room.
  func refused(_ caller: PublishedCaller, _ reason: NetworkPolicy.Reason) {
    guard number != nil else { return }
    write(
      "published",
      members(caller) + [
        .init("allowed", .boolean(false)), .init("reason", .string(reason.word)),
      ], isOfCaller: true)
  }

  /// Notes the end of a connection to a published port, or that nothing inside has accepted it.
  func ended(_ caller: PublishedCaller, isConnected: Bool, sent: UInt64, received: UInt64) {
    guard number != nil else { return }
    write(
      "published",
      members(caller) + [
        .init("allowed", .boolean(true)), .init("connected", .boolean(isConnected)),
        .init("sent", .unsigned(sent)), .init("received", .unsigned(received)),
      ], isOfCaller: true)
  }

  private func members(_ caller: PublishedCaller) -> [JSON.Member] {
    [
      .init("from", .string(caller.address.text)),
      .init("port", .number(Int64(caller.inside))), .init("transport", .string("tcp")),
    ]
  }

  private func members(_ host: String, _ port: Port, _ address: IPAddress?) -> [JSON.Member] {
    [
      .init("host", .string(host)), .init("port", .number(Int64(port.number))),
      .init("transport", .string(port.transport == .udp ? "udp" : "tcp")),
      .init("address", .optional(address?.text)),
    ]
  }
}
