// SPDX-License-Identifier: Apache-2.0
// What deserves a look, of changes on paper.

import Glibc
import SystemPackage
import Testing
import Text

@testable import Linux
@testable import Review

@Suite("Marks on paper")
struct MarkTests {
  // Red: a file that a program executes later is not marked, or git's data is.
  @Test(
    "A file that a program executes later is marked, in any directory",
    arguments: [
      ("Makefile", "executed-later"), ("a/b/Makefile", "executed-later"), ("a/makefile.txt", ""),
      (".git", "executed-later"), ("a/.git/config", "executed-later"),
      (".git/hooks/pre-commit", "executed-later"), (".git/objects/ab/cd", ""), (".git/index", ""),
      (".git/objects/.git", "executed-later"), (".git/objects/.git/config", "executed-later"),
      (".bashrc", "executed-later"), ("home/.ssh/rc", "executed-later"),
      (".config/autostart/x.desktop", "executed-later"), (".config/other", ""),
      ("x.config/autostart", ""), ("autostart", ""), (".local/bin/ls", "executed-later"),
      (".git/refs/.git/index", ""), ("objects/.envrc", "executed-later"), ("git/config", ""),
    ])
  func executed(_ path: String, _ mark: String) {
    #expect(names(FilePath(path), S_IFREG | 0o644) == (mark.isEmpty ? [] : [mark]))
  }

  // Red: a link out is not marked, or one that stays inside is.
  @Test(
    "A link that leads out is marked",
    arguments: [
      ("l", "..", true), ("l", "/", true), ("l", "a/../..", true), ("l", "a/..", false),
      ("l", "./a", false), ("d/l", "..", false), ("d/l", "../..", true), ("d/l", ".././../x", true),
      ("d/l", "..//a", false), ("d/e/l", "../../x", false), ("l", "", false),
    ])
  func link(_ path: String, _ target: String, _ leadsOut: Bool) {
    let marks = names(FilePath(path), S_IFLNK | 0o777, target: ByteString(target))
    #expect(marks == (leadsOut ? ["leads-out"] : []))
  }

  // Red: a set-id bit, a new program, or what is not applied goes without a word.
  @Test func `Programs, set-id bits and what is not applied are marked`() {
    #expect(names("tool", S_IFREG | 0o4755) == ["executable", "set-id"])
    #expect(names("tool", S_IFREG | 0o755, old: S_IFREG | 0o700) == [])
    #expect(names("tool", S_IFREG | 0o755, old: S_IFLNK | 0o777) == ["executable"])
    #expect(names("d", S_IFDIR | 0o2755, old: S_IFDIR | 0o2755) == [])
    #expect(names("s", S_IFSOCK) == ["not-applied"])
    #expect(names("f", S_IFIFO) == ["fifo"])
  }

  private func names(
    _ path: FilePath, _ mode: mode_t, old: mode_t? = nil, target: ByteString? = nil
  ) -> [String] {
    var change = Change(
      tree: 0, path: path, kind: old == nil ? .added : .changed, old: old.map(status),
      new: status(mode))
    change.target = target
    return change.marks.map(\.name)
  }

  private func status(_ mode: mode_t) -> EntryStatus {
    var status = stat()
    status.st_mode = mode
    return EntryStatus(status)
  }
}
