// SPDX-License-Identifier: Apache-2.0
// --x11: shows the X server that DISPLAY names, under another number and with only its cookie.
//
// The number matters where the network is shared. Clients try the server's abstract socket first,
// which Landlock's scope refuses, and then give up; of a display that nobody serves there is no
// abstract socket, and they go on to the socket in /tmp. The cookie lies outside of the home
// directory, which may be one that is kept.

internal import Linux
internal import SystemPackage
public import Text

/// An X server, as DISPLAY names it.
///
/// See X(7), "DISPLAY NAMES".
public struct XDisplay: Equatable, Sendable {
  /// The number of the display.
  public let number: ByteString
  /// What follows the number: nothing, or a dot and the number of the screen.
  let screen: ByteString
  /// Whether it is on this machine.
  public let isLocal: Bool

  /// Reads the value of DISPLAY, such as `:1.0` or `host:0`; nil if it has another form.
  public init?(_ text: ByteString) {
    guard let colon = text.bytes.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    let host = text.bytes[..<colon]
    let rest = text.bytes[(colon + 1)...]
    let number = rest.prefix { $0 != UInt8(ascii: ".") }
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard !number.isEmpty, number.count < 10, number.allSatisfy(isDigit) else { return nil }
    self.number = ByteString(number)
    screen = ByteString(rest.dropFirst(number.count))
    isLocal = host.isEmpty || host.elementsEqual("unix".utf8)
  }

  /// The path of its socket, if it is on this machine.
  public var socket: ByteString? {
    isLocal ? XDisplay.directory.appending(number) : nil
  }

  private static let directory: ByteString = "/tmp/.X11-unix/X"

  // MARK: Inside

  /// The number of a display that nobody serves.
  private static let numberInside: ByteString = "1000"

  /// The path of the socket inside.
  static let socketInside: FilePath = "/tmp/.X11-unix/X1000"

  /// The file with the cookie inside.
  static let cookieInside: FilePath = "/run/nestbox/xauthority"

  /// The value of DISPLAY inside: a display elsewhere keeps its name.
  static func value(inside text: ByteString) -> ByteString {
    guard let display = XDisplay(text), display.isLocal else { return text }
    return ByteString(":").appending(numberInside).appending(display.screen)
  }
}

/// The cookies in a file of Xau(3).
struct XCookies {
  /// An entry: a protocol and its secret for a display.
  private struct Entry {
    let family: UInt16
    let address: ArraySlice<UInt8>
    let number: ArraySlice<UInt8>
    let name: ArraySlice<UInt8>
    let data: ArraySlice<UInt8>
  }

  private let entries: [Entry]
  /// The largest file that is read.
  static let maximumSize = 1 << 20
  private static let local: UInt16 = 256
  private static let wild: UInt16 = 65535

  init(_ file: [UInt8]) {
    var rest = file[...]
    func number() -> UInt16? {
      guard rest.count >= 2, let high = rest.popFirst(), let low = rest.popFirst() else {
        return nil
      }
      return UInt16(high) << 8 | UInt16(low)
    }
    func field() -> ArraySlice<UInt8>? {
      guard let count = number(), rest.count >= Int(count) else { return nil }
      let field = rest.prefix(Int(count))
      rest = rest.dropFirst(Int(count))
      return field
    }
    var entries: [Entry] = []
    while let family = number(), let address = field(), let number = field(), let name = field(),
      let data = field()
    {
      entries.append(
        Entry(family: family, address: address, number: number, name: name, data: data))
    }
    self.entries = entries
  }

  /// A file with the cookies of `display` alone, for any display; those of the host `name` first, as
  /// a client takes the first.
  func file(for display: XDisplay, onHost name: ByteString?) -> [UInt8] {
    func matches(_ entry: Entry) -> Bool {
      (entry.number.isEmpty || entry.number.elementsEqual(display.number.bytes))
        && (!display.isLocal || entry.family == XCookies.local || entry.family == XCookies.wild)
    }
    func isOfHost(_ entry: Entry) -> Bool {
      name.map { entry.address.elementsEqual($0.bytes) } ?? false
    }
    let mine = entries.filter(matches)
    var file: [UInt8] = []
    func append(_ field: ArraySlice<UInt8>) {
      file += [UInt8(truncatingIfNeeded: field.count >> 8), UInt8(truncatingIfNeeded: field.count)]
      file += field
    }
    for entry in mine.filter(isOfHost) + mine.filter({ !isOfHost($0) }) {
      file += [0xff, 0xff]
      append([])
      append([])
      append(entry.name)
      append(entry.data)
    }
    return file
  }
}

extension RootBuilder where Self: ~Copyable {
  /// Shows the X server, as far as there is one, and its cookie; the host has the name `host`.
  mutating func showXServer(_ host: ByteString?) throws(LaunchError) {
    guard let display = resolved.display else { return passOver() }
    if let socket = display.socket {
      try bind(socket.path, on: XDisplay.socketInside, .readOnly, isOptional: true)
    }
    let path = resolved.cookieFile
    try mountFile(on: XDisplay.cookieInside, FilePermissions(rawValue: 0o600), .readOnly) {
      target throws(SystemCallError) in
      // Servers that need no cookie have no file.
      guard let file = try? OwnedDescriptor.open(path, .reading),
        let bytes = try? Descriptors.contents(of: file.rawValue, limit: XCookies.maximumSize)
      else { return }
      let cookies = XCookies(bytes).file(for: display, onHost: host)
      try Descriptors.write(cookies[...], to: target.rawValue)
    }
  }
}

extension ResolvedSandbox {
  /// The X server that the caller uses.
  final var display: XDisplay? {
    Environment.value(of: "DISPLAY", in: inherited).flatMap { XDisplay($0) }
  }

  /// The file with the caller's cookies.
  final var cookieFile: FilePath {
    let named = Environment.value(of: "XAUTHORITY", in: inherited).flatMap { $0.isEmpty ? nil : $0 }
    return (named ?? callerHome.appending("/.Xauthority")).path
  }
}
