// SPDX-License-Identifier: Apache-2.0
// What the relay tells the monitor of what it refused.

internal import Text

/// Something that the command could not reach because of the rules.
public struct Refusal: Equatable, Sendable {
  /// Why.
  public let reason: NetworkPolicy.Reason
  /// The port; nil for a look-up of a name.
  public let port: Port?
  /// The name, or the address as text.
  public let host: String
  /// As text: the private address to which the name leads, or, where a rule pins the name, the place
  /// to which it does; or who has connected to a published port; empty otherwise.
  public let address: String

  /// How many different ones are told of.
  public static let most = 16
  /// The most connections that a relay leads at a time, and the most of them to published ports.
  public static let mostConnections = 1024
  /// See `mostConnections`.
  public static let mostPublished = 64
  /// The most bytes of a message.
  public static let capacity = 5 + DomainName.longest + longestPlace
  /// The most bytes of an address with a port.
  private static let longestPlace = 47

  /// Notes a refusal.
  public init(
    _ reason: NetworkPolicy.Reason, _ host: String, port: Port? = nil, address: String = ""
  ) {
    self.reason = reason
    self.port = port
    self.host = host
    self.address = address
  }

  /// The bytes of a message: the reason, the transport, the port, the length of the host, both texts.
  public var bytes: [UInt8] { Refusal.message(reason.rawValue, host, port, address) }

  /// The most bytes of a log that is a file; of a pipe, the reader decides.
  public static let mostLogged = 64 << 20
  /// How many of them may be about connections to published ports.
  public static let mostLoggedOfCallers = mostLogged / 4
  /// The number that stands for an error if the log has as many bytes as a file gets.
  public static let logHasMost: CInt = 254
  /// The number that stands for an error if those who connect to published ports have filled their part of it.
  public static let callersHaveMost: CInt = 253

  /// The bytes of a message that the log has ended by the error `number`.
  public static func endOfLog(_ number: CInt) -> [UInt8] { [255, UInt8(clamping: number)] }

  /// Reads such a message; nil if it is another one.
  public static func endOfLog(_ bytes: [UInt8]) -> CInt? {
    bytes.count == 2 && bytes[0] == 255 ? CInt(bytes[1]) : nil
  }

  /// The bytes of a message that begins with `mark`.
  static func message(_ mark: UInt8, _ host: String, _ port: Port?, _ address: String) -> [UInt8] {
    let name = Array(host.utf8.prefix(DomainName.longest))
    let number = port?.number ?? 0
    return [
      mark, port?.transport.rawValue ?? 0, UInt8(number >> 8), UInt8(number & 0xff),
      UInt8(truncatingIfNeeded: name.count),
    ] + name + Array(address.utf8.prefix(longestPlace))
  }

  /// Reads a message; nil if it has not the form of one.
  public init?(_ bytes: [UInt8]) {
    guard let message = Refusal.read(bytes),
      let reason = NetworkPolicy.Reason(rawValue: message.mark)
    else { return nil }
    self.reason = reason
    (host, port, address) = (message.host, message.port, message.address)
  }

  /// Reads the parts of a message; nil if it has not the form of one.
  static func read(
    _ bytes: [UInt8]
  ) -> (mark: UInt8, host: String, port: Port?, address: String)? {
    guard bytes.count >= 5, bytes.count <= Refusal.capacity, bytes.count >= 5 + Int(bytes[4])
    else { return nil }
    // The monitor prints it: only what names and addresses consist of.
    let text = bytes[5...]
    guard text.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    var port: Port?
    if bytes[1] != 0 {
      guard let transport = Port.Transport(rawValue: bytes[1]) else { return nil }
      port = Port(UInt16(bytes[2]) << 8 | UInt16(bytes[3]), transport)
    }
    return (
      bytes[0], String(decoding: text.prefix(Int(bytes[4])), as: UTF8.self), port,
      String(decoding: text.dropFirst(Int(bytes[4])), as: UTF8.self)
    )
  }

  /// What it is about if no rule can lead there.
  private var unallowable: UnallowableAddress? {
    if reason == .broadcast { return .broadcast }
    let text = Array((address.isEmpty ? host : address).utf8)[...]
    guard let kind = IPAddress(text: text).flatMap({ UnallowableAddress($0) }) else { return nil }
    // A rule can lead a name to all others.
    return address.isEmpty || kind == .linkLocal || kind == .broadcast ? kind : nil
  }

  /// The rule that permits the address: what carries the bytes stands at its end.
  private func ruleWithAddress(_ rule: String) -> String {
    let isUDP = port?.transport == .udp
    return (isUDP ? String(rule.dropLast(4)) : rule) + "@" + address + (isUDP ? "/udp" : "")
  }

  /// A host and a port as rules have them.
  public static func place(_ host: String, _ port: String) -> String {
    (host.utf8.contains(UInt8(ascii: ":")) ? "[" + host + "]" : host) + ":" + port
  }

  /// The option that allows what no rule names.
  private func option(_ rule: String) -> String {
    if host == NetworkRule.callersHost, port?.transport != .udp {
      return "--net-host " + (port?.text ?? "PORT")
    }
    guard reason == .port, !address.isEmpty, let port else { return "--net-allow " + rule }
    return "--net-allow " + Refusal.place(host, String(port.number)) + "=" + address
      + (port.transport == .udp ? "/udp" : "")
  }

  /// What was refused, why, and what would allow it.
  public var text: String {
    var place = host
    // Without brackets, the end of an address may pass for a port.
    var rule = host.utf8.contains(UInt8(ascii: ":")) ? "[" + host + "]" : host
    if let port {
      place = Refusal.place(host, port.text)
      if port.transport == .udp || ![80, 443].contains(port.number) { rule = place }
    }
    if port?.number == 53, [.unnamed, .port, .privateAddress].contains(reason) {
      return
        "the command could not reach \(place): nestbox answers look-ups itself, and no rule leads "
        + "to another name server"
    }
    if !reason.isAllowed, reason != .denied, let unallowable {
      return "the command could not reach \(place), "
        + (address.isEmpty ? "" : "as the name leads to \(address), ") + unallowable.text
    }
    return sentence(place, rule)
  }

  /// The same, apart from what no rule can allow.
  private func sentence(_ place: String, _ rule: String) -> String {
    switch reason {
    case .broadcast, .unnamed, .port:
      return "the command could not reach \(place); to allow it, add \(option(rule))"
    case .unanswered:
      return "the rules let the command reach \(place), but nothing answers at \(address) outside"
    case .nameServersSilent, .nameServersFailed:
      return
        "the command could not look up \(place): the host's name servers, which /etc/resolv.conf names, "
        + (reason == .nameServersSilent ? "did not answer" : "answered with an error")
    case .full where port == nil:
      return
        "the command looked up more than \(String(NameTable.mostNames)) names in one run, such as \(place); nestbox has "
        + "no address for more"
    case .full:
      return
        "nestbox has reset connections, such as one to \(place): it leads at most "
        + String(Refusal.mostConnections) + " at a time, and fewer if `ulimit -Hn` is low"
    case .fullPublished:
      return
        "nestbox has reset connections to published ports, such as one to port \(port?.text ?? "") inside: "
        + "it leads at most " + String(Refusal.mostPublished) + " of these at a time"
    case .unserved:
      return
        "nothing listened at port \(port?.text ?? "") inside, to which --publish led a connection from "
        + "\(address): start a server there, on 127.0.0.1 or on all addresses, or publish the port of "
        + "another as INSIDE in --publish PORT:INSIDE"
    case .denied: return "the command could not reach \(place), as --net-deny denies it"
    case .privateAddress where ["0.0.0.0", "::"].contains(address):
      return
        "the command could not reach \(place), as the name leads to \(address), which means this machine "
        + "itself; name servers and /etc/hosts block names so"
    case .privateAddress:
      return "the command could not reach \(place), "
        + (address.isEmpty ? "" : "as the name leads to \(address), ")
        + "a private address or one of this machine; to allow it, add --net-allow "
        + (address.isEmpty ? rule : ruleWithAddress(rule))
    }
  }
}
