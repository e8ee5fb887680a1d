// SPDX-License-Identifier: Apache-2.0
// What bubblewrap has since 0.9: overlays, the command's own name, messages with their level.

import Testing

@Suite("Side by side: options since 0.9", .needsNewestReference)
struct NewestTests {
  // Red: an option does something else than in bubblewrap.
  @Test("An option of later versions does the same in both programs", arguments: lines)
  func option(_ line: Line) throws { try Comparison(line, with: Reference.newest).check() }

  static let lines = overlays + names + channels + mistakes

  static let overlays: [Line] = [
    "$system --overlay-src source --tmp-overlay /mnt",
    "$system --overlay-src source --ro-overlay /mnt",
    "$system --overlay-src source --overlay-src work --ro-overlay /mnt",
    "$system --overlay-src work --overlay-src source --tmp-overlay /mnt",
    "$system --overlay-src source --overlay work empty /mnt",
    "$system --overlay-src source --overlay-src work --overlay empty/../work/dir empty /mnt/a",
    "$system --overlay-src source --tmp-overlay /a/b/c",
    "$system --overlay-src source --tmp-overlay /mnt --bind work /mnt/dir",
    "$system --overlay-src source --tmp-overlay /mnt --dir /mnt/new --file 3 /mnt/file 3<data",
    "$system --overlay-src source --tmp-overlay /mnt --remount-ro /mnt",
    "$system --bind work /mnt --overlay-src source --tmp-overlay /mnt/dir",
    "$system --overlay-src source --overlay-src missing --tmp-overlay /mnt",
    "$system --overlay-src source/file --tmp-overlay /mnt",
    "$system --overlay-src source --overlay missing empty /mnt",
    "$system --unshare-all --cap-add ALL --overlay-src source --tmp-overlay /mnt",
    "$system --overlay-src source --tmp-overlay /mnt --overlay-src work --tmp-overlay /a",
  ]

  static let names: [Line] = [
    "bwrap $system --argv0 name sh -c 'echo $0'", "bwrap $system --argv0 '' cat /proc/self/cmdline",
    "bwrap $system --argv0 a --argv0 b sh -c 'tr \"\\0\" \" \" </proc/self/cmdline'",
    "bwrap $system --proc /proc --argv0 'a b' sh -c 'tr \"\\0\" \" \" </proc/self/cmdline'",
    "$system --not-a-security-boundary",
  ]

  static let channels: [Line] = [
    "$system --level-prefix --bind missing /a", "bwrap --level-prefix $system /missing",
    "bwrap $system --level-prefix --unknown", "$system --sync-fd 3 --sync-fd 4 3<data 4<data",
    "$system --unshare-pid --sync-fd 3 --sync-fd 3 3<data", "$system --ro-bind-try '' /a",
  ]

  static let mistakes: [Line] = [
    "$system --tmp-overlay /mnt", "$system --ro-overlay /mnt", "$system --overlay work empty /mnt",
    "$system --overlay-src source", "$system --overlay-src source --ro-overlay /mnt",
    "$system --overlay-src source --dir /a", "$system --overlay-src source --bind work /mnt",
    "$system --argv0", "$system --bind-fd x /a", "$system --bind-fd -1 /a", "$system --args x",
    "$system --symlink target /a --symlink other /a", "$system --dir /a --symlink other /a",
    "$system --symlink target /a --bind source /a", "$system --symlink target /a --dir /a",
    "$system --dir /a --file 3 /a 3<data", "$system --file 3 /a --dir /a 3<data",
    "$system --file 3 /a --tmpfs /a 3<data", "$system --size 18446744073709551615 --tmpfs /a",
    "$system --size 18446744073709551616 --tmpfs /a", "$system --perms 0777 --overlay-src source",
  ]
}
