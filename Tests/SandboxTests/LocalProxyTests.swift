// SPDX-License-Identifier: Apache-2.0

import Testing
import Text

@testable import Sandbox

@Suite("Proxies on localhost")
struct LocalProxyTests {
  // Red: a proxy elsewhere is called one on localhost, or a password is printed.
  @Test(
    "Which values of variables name one",
    arguments: [
      ("http://127.0.0.1:3128", 3128, "http://"), ("http://localhost:8080/", 8080, "http://"),
      ("127.0.0.1:3128", 3128, ""), ("socks5h://127.8.9.10:9050/x", 9050, "socks5h://"),
      ("http://name:password@127.0.0.1:3128", nil, ""), ("http://proxy.example:3128", nil, ""),
      ("http://10.0.0.1:3128", nil, ""), ("http://127.0.0.1", nil, ""), ("", nil, ""),
      ("://:", nil, ""), ("/", nil, ""), ("//", nil, ""), ("http://", nil, ""),
      ("localhost:0", nil, ""), ("localhost:65536", nil, ""), ("localhost:x", nil, ""),
      (":8080", nil, ""),
    ] as [(String, Int?, String)])
  func values(_ value: String, _ port: Int?, _ scheme: String) {
    let proxy = LocalProxy(ByteString(value))
    #expect(proxy.map { Int($0.port) } == port)
    if let proxy { #expect(proxy.scheme == Array(scheme.utf8)) }
  }
}
