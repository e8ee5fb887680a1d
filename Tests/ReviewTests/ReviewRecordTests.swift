// SPDX-License-Identifier: Apache-2.0
// What the store notes about a review, and what a report folds into one line.

import Glibc
import SystemPackage
import Testing
import Text

@testable import Linux
@testable import Review

@Suite("Reviews on paper")
struct ReviewRecordTests {
  private static let record = ReviewRecord(
    started: FileTime(seconds: 1_700_000_000, nanoseconds: 5), token: .max,
    trees: [
      .init(path: "/home/joe/a b", identity: FileIdentity(device: 26, inode: .max)),
      .init(
        path: ByteString([0x2f, 0x25, 0x0a, 0xe4, 0x20]).path,
        identity: FileIdentity(device: 0, inode: 1)),
    ])

  // Red: a review of a directory with an odd name cannot be found again.
  @Test func `A record is read as it was written, whatever the names`() {
    let text = ReviewRecordTests.record.bytes
    #expect(ReviewRecord(text) == ReviewRecordTests.record)
    #expect(text.split(separator: UInt8(ascii: "\n")).count == 5)
  }

  // Red: half a record, or one that somebody forged, is believed.
  @Test(
    "A record of another form is refused",
    arguments: [
      "", "nestbox-review 1\n", "nestbox-review 2\nstarted 1 2\ntoken 3\ntree 4 5 /a\n",
      "nestbox-review 1\nstarted 1 2\ntoken 3\ntree 4 5 /a",
      "nestbox-review 1\nstarted 1 2\ntoken 3\n", "nestbox-review 1\nstarted 1 2\ntree 4 5 /a\n",
      "nestbox-review 1\nstarted 1 1000000000\ntoken 3\ntree 4 5 /a\n",
      "nestbox-review 1\nstarted 1 2\ntoken 18446744073709551616\ntree 4 5 /a\n",
      "nestbox-review 1\nstarted 1 2\ntoken 3\ntree 4 5 a\n",
      "nestbox-review 1\nstarted 1 2\ntoken 3\ntree -4 5 /a\n",
    ])
  func refused(_ text: String) { #expect(ReviewRecord(Array(text.utf8)) == nil) }

  // Red: a record with a million directories is taken in.
  @Test func `A record has no more than 64 directories, and a megabyte`() {
    let start = "nestbox-review 1\nstarted 1 2\ntoken 3\n"
    let many = start + (0..<100).map { "tree 1 \($0) /\($0)\n" }.joined()
    #expect(ReviewRecord(Array(many.utf8))?.trees.count == 64)
    let long = start + "tree 1 2 /" + String(repeating: "x", count: 1 << 20) + "\n"
    #expect(ReviewRecord(Array(long.utf8)) == nil)
  }

  // Red: the report on a removed tree takes time with the square of its directories.
  @Test func `A removed tree is folded in one pass`() {
    func removed(_ path: String, _ kind: FileFacts.Kind, tree: Int = 0) -> Change {
      Change(tree: tree, path: FilePath(path), kind: .removed, old: status(kind), new: nil)
    }
    var list: [Change] = []
    for number in 0..<500 {
      list.append(removed("d\(number)", .directory))
      list.append(removed("d\(number)/in", .directory))
      for name in "abc" { list.append(removed("d\(number)/in/\(name)", .regular)) }
    }
    // The same path in another directory under review is another one.
    list += [removed("x", .directory), removed("x/y", .regular, tree: 1), removed("xy", .regular)]
    let folded = RemovedDirectories(list)
    #expect(folded.comparisons <= list.count)
    #expect(folded.files.count == 501)
    #expect(folded.files[0] == 3 && folded.files[2495] == 3 && folded.files[2500] == 0)
    #expect(folded.hold.count { $0 } == 2000 && folded.hold.suffix(3) == [false, false, false])
  }

  private func status(_ kind: FileFacts.Kind) -> EntryStatus {
    var status = stat()
    status.st_mode = kind == .directory ? S_IFDIR : S_IFREG
    return EntryStatus(status)
  }
}
