// SPDX-License-Identifier: Apache-2.0
// Addresses of message buses, as the D-Bus specification has them.

import Foundation
import SystemPackage
import TestSupport
import Testing
import Text

@testable import Sandbox

@Suite("Addresses of buses")
struct BusAddressTests {
  private func address(_ text: ByteString) throws -> BusAddress {
    let environment = Environment(
      [ByteString(variable: "DBUS_SESSION_BUS_ADDRESS", value: text)], [])
    return try #require(BusAddress(of: .session, environment, user: 1))
  }

  // Red: the socket of a bus is not covered, and its bus is reached past the proxy.
  @Test(
    "Every socket that an address names is found",
    arguments: [
      ("unix:path=/run/bus", ["/run/bus"]), ("unix:path=/run/a%20b,guid=12", ["/run/a b"]),
      ("unix:guid=12,path=/a;unix:path=/b", ["/a", "/b"]), ("tcp:path=/a", []),
      ("unix:path=/%7e%C3%A9", ["/~é"]), ("unix:path=/%4", ["/%4"]), ("unix:path=/%+4", ["/%+4"]),
      ("unix:paths=/a", []), ("unix:abstract=/a", []), (";,;=", []), ("unix:", []),
    ] as [(ByteString, [FilePath])])
  func paths(_ text: ByteString, _ paths: [FilePath]) throws {
    #expect(try address(text).paths == paths)
  }

  // Red: a bus that everybody in the network namespace reaches is taken for one that can be covered.
  @Test func `An abstract socket is noticed in any place`() throws {
    #expect(try address("unix:abstract=/tmp/dbus-1").isAbstract)
    #expect(try address("unix:path=/a;unix:guid=1,abstract=b").isAbstract)
    #expect(try !address("unix:path=/abstract=b").isAbstract)
  }

  // Red: an address that is handed to the proxy leads to another place.
  @Test(
    "An address that is written is read back",
    arguments: ["/run/user/1/bus", "/a b/c,d;e=f%", "/\u{e9}\u{1}", "/x-y_z.0"] as [FilePath])
  func roundTrip(_ path: FilePath) throws {
    let text = BusAddress.socket(at: path)
    #expect(try address(text).paths == [path])
    #expect(!text.text.contains(",") && !text.text.contains(";"))
  }

  // Red: a session whose directory has a comma in its name has no bus, or another one.
  @Test func `The customary place is below XDG_RUNTIME_DIR`() throws {
    let session = try Session()
    let directory = session.directory.appending(path: "a,b;c")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    let environment = Environment([ByteString("XDG_RUNTIME_DIR=" + directory.path)], [])
    #expect(BusAddress(of: .session, environment, user: UInt32.max - 1) == nil)
    try session.write("a,b;c/bus", "")
    let address = try #require(BusAddress(of: .session, environment, user: UInt32.max - 1))
    #expect(address.paths == [FilePath(directory.path + "/bus")])
  }
}
