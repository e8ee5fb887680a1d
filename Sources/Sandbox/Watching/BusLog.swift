// SPDX-License-Identifier: Apache-2.0
// What the command called on a bus and what it did not get, from the log of the proxy that filters it.
// The log repeats what the payload sends, so it is believed only as far as the payload may ask for
// things.

internal import Linux
package import Text

/// The log of xdg-dbus-proxy(1), read as it is written.
package struct BusLog {
  /// Where it comes from; -1 for nowhere.
  private(set) var rawValue: CInt = -1
  /// A line that has not ended yet.
  private var rest: [UInt8] = []
  /// Whom the last call was for, or what has come from a connection: the next line may refuse it.
  private var last: Name?

  private static let longestLine = 4096

  /// A name.
  package struct Name: Equatable {
    /// Whether it was refused or called.
    package let kind: ObservedKind
    /// The name, after the access to it if it was refused; empty for a connection.
    package let text: ByteString
  }

  /// No log.
  package init() {}

  init(_ number: CInt) { rawValue = number }

  /// Whether something can be read now.
  var hasMore: Bool {
    rawValue >= 0 && (try? Descriptors.waitForInput(rawValue, milliseconds: 0)) == true
  }

  /// The names in what can be read now.
  ///
  /// A closed or broken log ends here.
  mutating func names() -> [Name] {
    guard let bytes = try? Descriptors.some(of: rawValue, BusLog.longestLine), !bytes.isEmpty else {
      Descriptors.close(rawValue)
      rawValue = -1
      return lastName()
    }
    return names(in: bytes[...])
  }

  /// The name in the last line, which nothing refuses any more.
  mutating func lastName() -> [Name] {
    defer { last = nil }
    return last.map { [$0] } ?? []
  }

  /// The names in `bytes`, which follow those of earlier calls.
  package mutating func names(in bytes: ArraySlice<UInt8>) -> [Name] {
    var found: [Name] = []
    rest += bytes
    var start = rest.startIndex
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      read(rest[start..<end], &found)
      start = end + 1
    }
    rest.removeSubrange(..<start)
    if rest.count > BusLog.longestLine { rest = [] }
    return found
  }

  private mutating func read(_ line: ArraySlice<UInt8>, _ found: inout [Name]) {
    let words = line.split(separator: UInt8(ascii: " "))
    // "Filtering message due to arg0 org.example.Name, policy: 0 (required 2)": the bus is asked
    // about that name.
    if words.count == 10, words[0].elementsEqual("Filtering".utf8),
      words[9].last == UInt8(ascii: ")"), let needed = words[9].dropLast().last
    {
      last = nil
      let access: StaticString? =
        switch needed {
        case UInt8(ascii: "1"), UInt8(ascii: "2"): "talk "
        case UInt8(ascii: "3"): "own "
        default: nil
        }
      if let access { BusLog.add(words[5].dropLast(), after: access, .busName, &found) }
      return
    }
    if let name = last {
      last = nil
      // "*HIDDEN* (ping)", "*DENIED* …", "*FILTERED IN*", "*FILTERED OUT*"
      guard line.first == UInt8(ascii: "*") else {
        found.append(name)
        return read(line, &found)
      }
      if name.kind == .calledBusName, !name.text.isEmpty {
        BusLog.add(name.text.bytes, after: "talk ", .busName, &found)
      }
      return
    }
    guard words.count >= 5, words[1].count == 2 else { return }
    let isCall = words[3].elementsEqual("call".utf8)
    // "C2: -> org.example.Name call org.example.Interface.Method at /path"
    if words[0].first == UInt8(ascii: "C"), isCall {
      if words[2].first == UInt8(ascii: ":") {
        last = Name(kind: .calledBusName, text: "")
      } else if BusLog.isName(words[2]) {
        last = Name(kind: .calledBusName, text: ByteString(words[2]))
      }
    }
    // "B5: <- :1.7 signal org.example.Interface.Changed at /path"
    if words[0].first == UInt8(ascii: "B"), isCall || words[3].elementsEqual("signal".utf8),
      words[2].first == UInt8(ascii: ":")
    {
      last = Name(kind: .calledBusName, text: "")
    }
  }

  /// Adds `name` after the access, if services are called so.
  private static func add(
    _ name: ArraySlice<UInt8>, after access: StaticString, _ kind: ObservedKind,
    _ found: inout [Name]
  ) {
    guard isName(name) else { return }
    found.append(
      Name(kind: kind, text: ByteString(stringLiteral: access).appending(ByteString(name))))
  }

  /// Whether services are called so.
  ///
  /// See the D-Bus specification, "Valid Names"; names that begin with a colon belong to connections.
  private static func isName(_ name: ArraySlice<UInt8>) -> Bool {
    let own = "org.freedesktop.DBus"
    guard name.count <= 255, name.contains(UInt8(ascii: ".")), !name.elementsEqual(own.utf8)
    else { return false }
    return name.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
  }
}
