// SPDX-License-Identifier: Apache-2.0
// Strings of bytes as the kernel has them.

import SystemPackage
import Testing
import Text

@Suite("Byte strings")
struct ByteStringTests {
  // Red: a name is longer for nestbox than for the kernel, which stops at the NUL.
  @Test func `A string ends at the first NUL`() {
    #expect(ByteString([97, 0, 98]) == "a")
    #expect(ByteString([0]).isEmpty)
    #expect(ByteString("a\u{0}b").count == 1)
  }

  // Red: bytes that are not UTF-8 are lost between the command line and the kernel.
  @Test func `Bytes that are not UTF-8 stay as they are`() {
    let string = ByteString([0xff, 0xfe, 0x20])
    #expect(Array(string.bytes) == [0xff, 0xfe, 0x20])
    #expect(ByteString(string.path) == string)
    #expect(string.text == "\u{fffd}\u{fffd} ")
  }

  // Red: a variable is found under a name that only begins like its own.
  @Test(
    "A variable has exactly the name before the equals sign",
    arguments: [
      ("A=1", "A", true), ("A=", "A", true), ("AB=1", "A", false), ("A", "A", false),
      ("A=B=1", "A", true), ("A=B=1", "A=B", true), ("=1", "", true), ("", "A", false),
    ] as [(ByteString, ByteString, Bool)])
  func variables(_ string: ByteString, _ name: ByteString, _ isVariable: Bool) {
    #expect(string.isVariable(name) == isVariable)
  }

  // Red: a value changes on its way into the environment.
  @Test func `A variable is put together and taken apart again`() {
    let string = ByteString(variable: "NAME", value: "a=b")
    #expect(string == "NAME=a=b")
    #expect(string.value(ofVariable: "NAME") == "a=b")
    #expect(ByteString(variable: "NAME", value: "") == "NAME=")
  }

  // Red: messages and lookups name another file.
  @Test(
    "The base name is what follows the last slash",
    arguments: [
      ("/usr/bin/env", "env"), ("env", "env"), ("./a b", "a b"), ("a//b", "b"), ("", ""),
    ] as [(ByteString, ByteString)])
  func baseNames(_ path: ByteString, _ name: ByteString) {
    #expect(path.baseName == name)
  }

  // Red: a program is looked for in another directory than PATH names.
  @Test func `A directory and a name make a path`() {
    #expect(ByteString(directory: ByteString("/usr/bin").bytes, name: "env") == "/usr/bin/env")
    #expect(ByteString(directory: ByteString("").bytes, name: "env") == "env")
  }
}
