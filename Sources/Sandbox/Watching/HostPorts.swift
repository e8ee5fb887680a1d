// SPDX-License-Identifier: Apache-2.0
// The ports of the host's own localhost, for a command that looks for them on its own.

internal import Linux
internal import SystemPackage
internal import Text

/// The ports at which programs outside wait for connections.
enum HostPorts {
  /// Whether a program outside listens on `port` at 127.0.0.1, or at all addresses.
  ///
  /// See proc_pid_net(5), tcp.
  static func serve(_ port: UInt16) -> Bool {
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"].contains { (file: FilePath) in
      guard let lines = try? TextFile.lines(of: file) else { return false }
      // The number of the entry, the address with the port, that of the other end, and the state.
      return lines.contains { line in
        let words = line.split(separator: " ", maxSplits: 4)
        guard words.count == 5, words[3] == "0A" else { return false }
        let parts = words[1].split(separator: ":")
        guard parts.count == 2, UInt16(parts[1], radix: 16) == port else { return false }
        return parts[0] == "0100007F" || parts[0].utf8.allSatisfy { $0 == UInt8(ascii: "0") }
      }
    }
  }
}

extension IPAddress {
  /// Whether it leads to the sandbox's own network, where it also does outside.
  var isLoopback: Bool {
    if let v4 { return v4 >> 24 == 127 || v4 == 0 }
    return high == 0 && low < 2
  }
}
