// SPDX-License-Identifier: Apache-2.0
// Where a bus listens, outside.

internal import Linux
internal import SystemPackage
internal import Text

/// The address of a bus: one or several places, as the D-Bus specification writes them.
struct BusAddress {
  /// The address as it is handed to the proxy.
  let text: ByteString

  /// The address of a socket in the file system.
  static func socket(at path: FilePath) -> ByteString {
    var bytes = Array("unix:path=".utf8)
    for byte in ByteString(path).bytes {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "/"), UInt8(ascii: "."):
        bytes.append(byte)
      default: bytes += Array(("%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8)
      }
    }
    return ByteString(bytes)
  }

  /// The address of `bus` in the caller's environment, or its standard path if something is there;
  /// nil otherwise.
  init?(of bus: Bus, _ environment: Environment, user: UInt32) {
    if let address = environment.value(of: bus.variable), !address.isEmpty {
      text = address
      return
    }
    var places = [bus.path(for: user)]
    if bus == .session, let directory = environment.value(of: "XDG_RUNTIME_DIR") {
      places.insert(directory.text + "/bus", at: 0)
    }
    guard let place = places.first(where: { CurrentProcess.exists(ByteString($0)) }) else {
      return nil
    }
    text = BusAddress.socket(at: ByteString(place).path)
  }

  /// The sockets in the file system among the places.
  var paths: [FilePath] { values(of: "path").map(\.path) }

  /// Whether one of the places is an abstract socket: it has no file to cover, and every process in
  /// the network namespace can reach it.
  ///
  /// See unix(7).
  var isAbstract: Bool { !values(of: "abstract").isEmpty }

  /// The values of `key` in all places `unix:key=value,key=value;…`.
  private func values(of key: String) -> [ByteString] {
    let prefix = Array("unix:".utf8)
    return text.bytes.split(separator: UInt8(ascii: ";")).flatMap { place in
      guard place.starts(with: prefix) else { return [ByteString]() }
      return place.dropFirst(prefix.count).split(separator: UInt8(ascii: ",")).compactMap { pair in
        let start = Array(key.utf8) + [UInt8(ascii: "=")]
        // Addresses contain unusual bytes as `%` and two hexadecimal digits.
        return pair.starts(with: start)
          ? ByteString(
            unescaping: pair.dropFirst(start.count), marker: "%", digits: 2, radix: 16) : nil
      }
    }
  }
}
