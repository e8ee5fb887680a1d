// SPDX-License-Identifier: Apache-2.0
// A notice for a person: a proxy that a variable names listens on the caller's localhost, which a command
// with a network of its own does not reach.

internal import Linux
internal import Text

/// A proxy on the caller's localhost.
struct LocalProxy: Equatable {
  /// The port.
  let port: UInt16
  /// What precedes the host, such as `http://`.
  let scheme: [UInt8]

  /// The variables that name proxies.
  static let variables: [ByteString] = [
    "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
  ]

  /// Reads the value of such a variable; nil if it does not name a port of localhost.
  ///
  /// A value with a password is not read: the notice would print it.
  init?(_ value: ByteString) {
    let slash = UInt8(ascii: "/")
    var rest = value.bytes[...]
    if let index = rest.firstIndex(of: slash), index > rest.startIndex, index + 1 < rest.endIndex,
      rest[index - 1] == UInt8(ascii: ":"), rest[index + 1] == slash
    {
      rest = rest[(index + 2)...]
    }
    scheme = Array(value.bytes.prefix(value.bytes.count - rest.count))
    rest = rest.prefix { $0 != slash }
    guard let colon = rest.lastIndex(of: UInt8(ascii: ":")),
      let port = UInt32(decimal: rest[(colon + 1)...]).flatMap({ UInt16(exactly: $0) }), port > 0
    else { return nil }
    self.port = port
    let host = rest[..<colon]
    guard
      host.elementsEqual("localhost".utf8)
        || IPAddress(text: host)?.v4.map({ $0 >> 24 == 127 }) == true
    else { return nil }
  }
}

extension NewRoot {
  /// A notice that a proxy is out of reach, with the options that lead there.
  func unreachableProxy() -> (text: String, remedy: Remedy?)? {
    // Most launches stop here.
    guard !plan.sandbox.network.allowed.isEmpty else { return nil }
    var (names, options): ([ByteString], [ByteString]) = ([], [])
    for name in LocalProxy.variables {
      guard let value = plan.resolved.environment.value(of: name), let proxy = LocalProxy(value)
      else { continue }
      names.append(name)
      let port = ByteString(String(proxy.port))
      if !options.contains(port) { options += ["--net-host", port] }
      let address = proxy.scheme + "host.nestbox.internal:".utf8 + port.bytes
      options += ["--setenv", name, ByteString(address)]
    }
    guard let first = names.first else { return nil }
    var line = TypedLine(plan.image.arguments, command: plan.sandbox.command)
    line.insert(options)
    return (
      "\(first.quoted) names a proxy on your localhost, which the command does not reach; --net-host "
        + "leads there", .line(line.text)
    )
  }
}
