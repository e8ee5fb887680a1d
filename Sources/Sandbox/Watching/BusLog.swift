// SPDX-License-Identifier: Apache-2.0
// What the command did not get of a bus, from the log of the proxy that filters it. The log repeats
// what the payload sends, so it is believed only as far as the payload may ask for things.

internal import Linux
package import Text

/// The log of xdg-dbus-proxy(1), read as it is written.
package struct BusLog {
  /// Where it comes from; -1 for nowhere.
  private(set) var rawValue: CInt = -1
  /// A line that has not ended yet.
  private var rest: [UInt8] = []
  /// Whom the last call was for.
  private var destination: ByteString?

  private static let longestLine = 4096

  /// No log.
  package init() {}

  init(_ number: CInt) { rawValue = number }

  /// Whether something can be read now.
  var hasMore: Bool {
    rawValue >= 0 && (try? Descriptors.waitForInput(rawValue, milliseconds: 0)) == true
  }

  /// The names that were refused in what can be read now, each after the access that it takes.
  ///
  /// A closed or broken log ends here.
  mutating func refusals() -> [ByteString] {
    guard let bytes = try? Descriptors.some(of: rawValue, BusLog.longestLine), !bytes.isEmpty else {
      Descriptors.close(rawValue)
      rawValue = -1
      return []
    }
    return refusals(in: bytes[...])
  }

  /// The names that were refused in `bytes`, which follow those of earlier calls.
  package mutating func refusals(in bytes: ArraySlice<UInt8>) -> [ByteString] {
    var found: [ByteString] = []
    rest += bytes
    var start = rest.startIndex
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      if let name = read(rest[start..<end]) { found.append(name) }
      start = end + 1
    }
    rest.removeSubrange(..<start)
    if rest.count > BusLog.longestLine { rest = [] }
    return found
  }

  private mutating func read(_ line: ArraySlice<UInt8>) -> ByteString? {
    let words = line.split(separator: UInt8(ascii: " "))
    // "C2: -> org.example.Name call org.example.Interface.Method at /path"
    if words.count == 7, words[0].first == UInt8(ascii: "C"), words[3].elementsEqual("call".utf8) {
      destination = ByteString(words[2])
      return nil
    }
    // "Filtering message due to arg0 org.example.Name, policy: 0 (required 2)": the bus is asked
    // about that name.
    if words.count == 10, words[0].elementsEqual("Filtering".utf8),
      words[9].last == UInt8(ascii: ")"), let needed = words[9].dropLast().last
    {
      destination = nil
      let access: StaticString? =
        switch needed {
        case UInt8(ascii: "1"), UInt8(ascii: "2"): "talk "
        case UInt8(ascii: "3"): "own "
        default: nil
        }
      return access.flatMap { BusLog.name(words[5].dropLast(), after: $0) }
    }
    let isRefused = line.starts(with: "*HIDDEN*".utf8) || line.starts(with: "*DENIED*".utf8)
    guard isRefused, let name = destination else { return nil }
    destination = nil
    return BusLog.name(name.bytes, after: "talk ")
  }

  /// `name` after the access, if services are called so.
  ///
  /// See the D-Bus specification, "Valid Names"; names that begin with a colon belong to connections.
  private static func name(_ name: ArraySlice<UInt8>, after access: StaticString) -> ByteString? {
    let isName = name.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
    let own = "org.freedesktop.DBus"
    guard isName, name.count <= 255, name.contains(UInt8(ascii: ".")), !name.elementsEqual(own.utf8)
    else { return nil }
    return ByteString(stringLiteral: access).appending(ByteString(name))
  }
}
