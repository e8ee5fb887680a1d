// SPDX-License-Identifier: Apache-2.0
// The user's systemd, which makes a scope for this process and delegates its group.
//
// It listens on a socket of its own and speaks D-Bus there, without a bus: one call is all that is
// needed, so its bytes are written here. See https://dbus.freedesktop.org/doc/dbus-specification.html
// and org.freedesktop.systemd1(5).

internal import Linux
internal import SystemPackage
internal import Text

/// The user's own systemd.
struct UserManager: ~Copyable {
  /// The connection.
  private let socket: OwnedDescriptor

  /// How long it may take, in milliseconds: as long as sd_bus_call(3) waits, because a launch on a
  /// busy machine should rather wait than fail.
  private static let patience = 25_000
  /// The longest answer, and the longest signal before it.
  private static let longest = 1 << 20

  /// Connects to it; nil if there is none, or if it knows this process by another number.
  static func reach(_ environment: Environment) -> UserManager? {
    guard let directory = environment.value(of: "XDG_RUNTIME_DIR"), !directory.isEmpty,
      let (number, process) = try? Descriptors.connect(
        to: ByteString(directory.bytes + Array("/systemd/private".utf8)).path)
    else { return nil }
    let manager = UserManager(socket: OwnedDescriptor(number))
    return process > 0 ? consume manager : nil
  }

  /// Moves this process to a new scope of its own, with a delegated group.
  func makeScope() throws(SystemCallError) {
    let deadline = MonotonicClock.milliseconds + UserManager.patience
    let before = try GroupBase.own()
    let random = String(try CurrentProcess.randomNumber(), radix: 16)
    let number = UInt32(CurrentProcess.number)
    try socket.send(
      ScopeRequest.greeting(user: CurrentProcess.identity.user)
        + ScopeRequest.call(name: "nestbox-\(number)-\(random).scope", process: number))
    try awaitAnswer(before: deadline)
    // systemd has only noted the request yet; it tells all who are connected what it does next.
    while try GroupBase.own() == before { _ = try receive(before: deadline) }
  }

  private func awaitAnswer(before deadline: Int) throws(SystemCallError) {
    var answers = ScopeAnswers()
    while true {
      switch answers.next() {
      case .agreed: return
      case .refused: throw UserManager.failure(.notPermitted)
      case .unclear: throw UserManager.failure(.invalidArgument)
      case nil: answers.bytes += try receive(before: deadline)
      }
      guard answers.bytes.count <= UserManager.longest else {
        throw UserManager.failure(.invalidArgument)
      }
    }
  }

  private func receive(before deadline: Int) throws(SystemCallError) -> [UInt8] {
    let left = CInt(clamping: max(deadline - MonotonicClock.milliseconds, 0))
    guard try Descriptors.waitForInput(socket.rawValue, milliseconds: left) else {
      throw UserManager.failure(.timedOut)
    }
    let (bytes, descriptor) = try Descriptors.receive(from: socket.rawValue, capacity: 4096)
    if descriptor >= 0 { Descriptors.close(descriptor) }
    if bytes.isEmpty { throw UserManager.failure(.notPermitted) }
    return bytes
  }

  private static func failure(_ errno: Errno) -> SystemCallError {
    SystemCallError(call: "StartTransientUnit", subject: "systemd", errno: errno)
  }
}

/// What systemd is sent.
enum ScopeRequest {
  /// The beginning of a conversation: who speaks, which the socket proves.
  static func greeting(user: UInt32) -> [UInt8] {
    var text = "\0AUTH EXTERNAL "
    for digit in String(user).utf8 { text += String(digit, radix: 16) }
    return Array((text + "\r\nBEGIN\r\n").utf8)
  }

  /// The call StartTransientUnit for a scope with the process.
  static func call(name: String, process: UInt32) -> [UInt8] {
    var body = BusWriter()
    body.write(text: name)
    body.write(text: "fail")
    body.writeArray { array in
      array.write(property: "Description", "s") { $0.write(text: "nestbox") }
      array.write(property: "PIDs", "au") { value in
        value.write(UInt32(4))
        value.write(process)
      }
      array.write(property: "Delegate", "b") { $0.write(UInt32(1)) }
      array.write(property: "CollectMode", "s") { $0.write(text: "inactive-or-failed") }
    }
    // No other units.
    body.writeArray { _ in }
    var message = BusWriter()
    // Lowest byte first, a call, no flags, version 1.
    message.bytes = [UInt8(ascii: "l"), 1, 0, 1]
    message.write(UInt32(body.bytes.count))
    // The number of the call.
    message.write(UInt32(1))
    message.writeArray { fields in
      fields.write(field: 1, "o") { $0.write(text: "/org/freedesktop/systemd1") }
      fields.write(field: 2, "s") { $0.write(text: "org.freedesktop.systemd1.Manager") }
      fields.write(field: 3, "s") { $0.write(text: "StartTransientUnit") }
      fields.write(field: 6, "s") { $0.write(text: "org.freedesktop.systemd1") }
      fields.write(field: 8, "g") { $0.write(signature: "ssa(sv)a(sa(sv))") }
    }
    message.align(to: 8)
    return message.bytes + body.bytes
  }
}

/// Writes values of D-Bus; the first byte is at a multiple of 8.
private struct BusWriter {
  var bytes: [UInt8] = []

  mutating func align(to size: Int) {
    while !bytes.count.isMultiple(of: size) { bytes.append(0) }
  }

  mutating func write(_ number: UInt32) {
    align(to: 4)
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  mutating func write(text: String) {
    write(UInt32(text.utf8.count))
    bytes += Array(text.utf8) + [0]
  }

  mutating func write(signature: String) {
    bytes += [UInt8(truncatingIfNeeded: signature.utf8.count)] + Array(signature.utf8) + [0]
  }

  /// Writes an array of structures: its length does not count what aligns the first one.
  mutating func writeArray(_ body: (inout BusWriter) -> Void) {
    write(UInt32(0))
    let place = bytes.count - 4
    align(to: 8)
    let start = bytes.count
    body(&self)
    var length = BusWriter()
    length.write(UInt32(bytes.count - start))
    bytes.replaceSubrange(place..<place + 4, with: length.bytes)
  }

  mutating func write(
    property name: String, _ signature: String, _ value: (inout BusWriter) -> Void
  ) {
    align(to: 8)
    write(text: name)
    write(signature: signature)
    value(&self)
  }

  mutating func write(field: UInt8, _ signature: String, _ value: (inout BusWriter) -> Void) {
    align(to: 8)
    bytes.append(field)
    write(signature: signature)
    value(&self)
  }
}

/// What systemd sends: a line that accepts the greeting, then messages.
struct ScopeAnswers {
  /// How the call ended.
  enum Outcome { case agreed, refused, unclear }

  /// What has arrived and was not read yet.
  var bytes: [UInt8] = []
  private var isGreeted = false

  /// Reads on; nil if more has to arrive first.
  mutating func next() -> Outcome? {
    if !isGreeted {
      guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      guard bytes.starts(with: Array("OK ".utf8)) else { return .refused }
      bytes.removeFirst(end + 1)
      isGreeted = true
    }
    while bytes.count >= 16 {
      guard bytes[0] == UInt8(ascii: "l"), bytes[3] == 1 else { return .unclear }
      let (fields, body) = (number(at: 12), number(at: 4))
      guard fields <= 1 << 26, body <= 1 << 27 else { return .unclear }
      switch bytes[1] {
      // Only one call was made.
      case 2: return .agreed
      case 3: return .refused
      default: break
      }
      let length = 16 + (fields + 7) / 8 * 8 + body
      guard bytes.count >= length else { return nil }
      bytes.removeFirst(length)
    }
    return nil
  }

  private func number(at place: Int) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
  }
}
