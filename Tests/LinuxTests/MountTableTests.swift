// SPDX-License-Identifier: Apache-2.0
// The table of mounts, as proc(5) describes its lines.

import SystemPackage
import Testing
import Text

@testable import Linux

@Suite("Table of mounts")
struct MountTableTests {
  // Red: explanations and the dry run speak of other mounts than there are.
  @Test func `A line has all that it says`() throws {
    let entry = try #require(
      MountTable.Entry(
        #"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue"#
      ))
    #expect(
      entry
        == MountTable.Entry(
          number: 36, parent: 35, root: "/mnt1", point: "/mnt 2", options: ["rw", "noatime"],
          type: "ext3", source: "/dev/root", filesystemOptions: ["rw", "errors=continue"]))
    #expect(!entry.isReadOnly)
  }

  // Red: the same, for lines with fewer or more fields, which proc(5) allows.
  @Test(
    "Optional fields may be missing, or many",
    arguments: [
      ("1 0 0:1 / / ro - tmpfs none ro", true, false),
      ("1 0 0:1 / / rw,ro unbindable - tmpfs none rw", true, true),
      ("1 0 0:1 / / rw shared:1 master:2 unbindable - tmpfs", false, true),
      ("1 0 0:1 / / rw,norec - fuse.ro none", false, false),
    ] as [(Substring, Bool, Bool)])
  func optionalFields(_ line: Substring, _ isReadOnly: Bool, _ isUnbindable: Bool) throws {
    let entry = try #require(MountTable.Entry(line))
    #expect(entry.isReadOnly == isReadOnly)
    #expect(entry.isUnbindable == isUnbindable)
  }

  // Red: a line that a payload or a later kernel has made up ends the program.
  @Test(
    "A line of another form is ignored",
    arguments: [
      "", " ", "-", "1 0 0:1 / / rw", "1 0 0:1 / / rw -", "x 0 0:1 / / rw - tmpfs none rw",
      "1 x 0:1 / / rw - tmpfs none rw", "- - - - - - - tmpfs", "1 0 0:1 / - rw tmpfs none rw",
      "99999999999999999999 0 0:1 / / rw - tmpfs none rw",
    ] as [Substring])
  func otherLines(_ line: Substring) {
    #expect(MountTable.Entry(line) == nil)
  }

  // Red: a file is assigned to the wrong mount, and the message about it is wrong.
  @Test(
    "A path lies on the last of the deepest mounts above it",
    arguments: [
      ("/", 1), ("/usr", 2), ("/usr/lib/x", 2), ("/usrx", 1), ("/tmp/a", 5), ("/tmp", 5),
      ("/tmp/a/b", 4),
    ] as [(FilePath, Int)])
  func mountOfPath(_ path: FilePath, _ number: Int) {
    let table = MountTable([
      .init(number: 1, parent: 0, point: "/", type: "ext4"),
      .init(number: 2, parent: 1, point: "/usr", type: "ext4"),
      .init(number: 3, parent: 1, point: "/tmp", type: "tmpfs"),
      .init(number: 4, parent: 3, point: "/tmp/a/b", type: "tmpfs"),
      .init(number: 5, parent: 3, point: "/tmp", type: "tmpfs"),
    ])
    #expect(table.mount(of: path)?.number == number)
    #expect(table[number]?.number == number)
  }

  // Red: the kernel's own table can't be read.
  @Test func `The table of this process has the root`() throws {
    let table = try MountTable.current()
    #expect(table.mount(of: "/proc/self/status")?.type == "proc")
    #expect(table.mount(of: "/")?.point == "/")
  }
}
