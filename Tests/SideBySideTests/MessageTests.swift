// SPDX-License-Identifier: Apache-2.0
// Under the name bwrap, mistakes are told in the words of the newest bubblewrap, which scripts match.

import TestSupport
import Testing

@Suite("Side by side: words", .needsNewestReference)
struct MessageTests {
  // Red: a script that looks for bubblewrap's words does not find them.
  @Test("A mistake is told in bubblewrap's words", arguments: missing + wrong + places)
  func mistake(_ line: String) throws {
    let newest = try #require(Reference.newest)
    let outcome = try Session().run(
      """
      cp "$(command -v nestbox)" bwrap; mkdir d low up; echo x > f
      here=$PWD
      attempt() {
        (cd "$here"; eval "\\"\\$0\\" --ro-bind / / \(line)" < /dev/null) 2>&1 |
          head -n 1 | sed 's/^[^ ]*bwrap: //; s/^[^ ]*nestbox: //'
      }
      words() { bash -c "$(declare -f attempt); here='$PWD'; attempt" "$1"; }
      words '\(newest.path)'; words ./bwrap
      """)
    try #require(outcome.lines.count == 2, "\(outcome)")
    // What follows in parentheses is the option and the system call.
    let ours = outcome.lines[1].split(separator: " (")[0]
    #expect(ours == outcome.lines[0].split(separator: " (")[0])
  }

  private static let missing =
    ["bind", "ro-bind", "dev-bind", "symlink", "setenv", "chmod", "overlay"].flatMap {
      ["--\($0)", "--\($0) a"]
    }
    + [
      "args", "userns", "userns2", "pidns", "sync-fd", "block-fd", "userns-block-fd", "info-fd",
      "json-status-fd", "seccomp", "add-seccomp-fd", "bind-fd", "file", "bind-data", "ro-bind-data",
      "remount-ro", "proc", "dev", "tmpfs", "mqueue", "dir", "unsetenv", "lock-file", "chdir",
      "hostname", "uid", "gid", "exec-label", "perms", "size", "cap-add", "cap-drop", "argv0",
      "tmp-overlay", "ro-overlay",
    ].map { "--\($0)" }

  private static let wrong = [
    "--uid x true", "--unshare-user --gid -5 true", "--cap-add foo true", "--perms 8 true",
    "--perms 0755 --perms 0700 --dir /x true", "--size 0 --tmpfs /x true",
    "--size 1G --tmpfs /x true", "--argv0 a --argv0 b true", "--setenv A=B C true",
    "--unsetenv A=B true", "--hostname x true", "--as-pid-1 true",
    "--as-pid-1 --unshare-pid --lock-file f true", "--bind '' /x true", "--bind-fd x /x true",
    "--overlay-src low --dir /x true", "--tmp-overlay /x true", "--overlay up d /x true",
    "--unshare-user --userns 0 true", "--exec-label x true", "--nothing-like-it true",
    "--seccomp 0 --add-seccomp-fd 0 true",
  ]

  private static let places = [
    "--bind f d true", "--proc /nosuch true", "--dev /nosuch true", "--mqueue /nosuch true",
    "--chmod 0755 /nosuch true", "--bind nosuch /tmp true", "--bind f/x /tmp true",
    "--tmpfs /tmp --dir /tmp/a --file 0 /tmp/a true",
    "--tmpfs /tmp --bind d /tmp/a --bind f /tmp/a true",
    "--tmpfs /tmp --bind f /tmp/a --bind d /tmp/a true",
    "--tmpfs /tmp --symlink x /tmp/l --symlink y /tmp/l true",
    "--tmpfs /tmp --dir /tmp/l --symlink y /tmp/l true", "nosuch", "./f",
    "--unshare-pid --lock-file /nosuch true", "--assert-userns-disabled true",
    "--chdir /nosuch true", "--seccomp 5 true 5<f",
    "--tmpfs /tmp --bind f /tmp/a --dir /tmp/a/b true",
  ]
}
