// SPDX-License-Identifier: Apache-2.0
// Options that change what others do, and the order in which they stand.

import Testing

@Suite("Side by side: pairs", .needsReference)
struct PairTests {
  // Red: options that work alone get into each other's way.
  @Test("Options together do the same in both programs", arguments: lines, Reference.all)
  func pair(_ line: Line, _ reference: Reference) throws {
    try Comparison(line, with: reference).check()
  }

  static let lines: [Line] = covering + permissions + privileges + descriptors + wrappers

  static let covering: [Line] = [
    "$system --bind source /mnt --bind work /mnt", "$system --bind source /mnt --tmpfs /mnt",
    "$system --tmpfs /mnt --bind source /mnt/dir --ro-bind work /mnt/dir/dir",
    "$system --bind source /mnt --ro-bind work /mnt/dir",
    "$system --bind source /mnt --bind work/file /mnt/file",
    "$system --ro-bind source /mnt --bind work /mnt/dir",
    "$system --ro-bind source /mnt --bind work /mnt/new",
    "$system --bind work /mnt --bind source /mnt/new",
    "$system --bind work /mnt --bind source/file /mnt/new",
    "$system --bind work /mnt --tmpfs /mnt/a/b",
    "$system --bind work /mnt --dev /mnt/dev --proc /mnt/proc",
    "$system --bind work /mnt --file 3 /mnt/new 3<data",
    "$system --bind work /mnt --bind source /mnt/dir --remount-ro /mnt",
    "$system --bind work /mnt --bind source /mnt/dir --remount-ro /mnt/dir",
    "$system --dev-bind source /mnt --remount-ro /mnt", "$system --dev /dev --remount-ro /dev",
    "bwrap --bind work / $system --dir /a --remount-ro / observe",
    "bwrap --tmpfs / $system --dir /a --remount-ro / observe",
    "bwrap --dev-bind work / $system --remount-ro / observe",
    "$system --dir /a --symlink /a /b --symlink a /c",
    "$system --dir /a --symlink a /b --bind source /b",
    "$system --dir /a --symlink a /b --tmpfs /b/c",
    "$system --symlink a /b --dir /a --file 3 /b/c 3<data",
    "$system --bind source /mnt --tmpfs /mnt/link",
    "$system --bind source /mnt --file 3 /mnt/link 3<data",
    "$system --bind source /mnt --bind work/file /mnt/link",
    "$system --dir /a/b --bind source /a/b/../c",
    "--ro-bind / / --tmpfs /mnt --bind source /mnt/a --dev /dev --unshare-pid --proc /proc",
    "--ro-bind / / --tmpfs /tmp --tmpfs /run --tmpfs /home --bind $PWD $PWD --dev /dev",
    "--ro-bind / / --bind work $PWD/source", "--ro-bind / / --tmpfs $PWD --chdir $PWD",
    "--bind / / --ro-bind $PWD/source $PWD/work", "--ro-bind / / --dev-bind /dev /dev",
    "bwrap --ro-bind / / --ro-bind / / observe", "$system --bind / /mnt",
    "within=$shared; bwrap --bind / / --tmpfs /mnt observe",
    "within=$shared; bwrap --ro-bind / / --tmpfs /mnt --bind $PWD/work /mnt observe",
    "within=$shared; bwrap $system --dev-bind /dev /dev --ro-bind /proc /proc observe",
  ]

  static let permissions: [Line] = [
    "$system --perms 0700 --dir /a/b/c", "$system --perms 0750 --tmpfs /a/b/c",
    "$system --perms 0750 --file 3 /a/b/c 3<data", "$system --perms 0705 --dir /a/b",
    "$system --perms 0640 --ro-bind-data 3 /a/b 3<data",
    "$system --perms 0700 --perms 0711 --dir /a",
    "$system --perms 0711 --dir /a --dir /b", "$system --perms 0700 --bind source /a",
    "$system --size 4096 --dir /a", "$system --size 4096 --unshare-pid --tmpfs /a",
    "$system --perms 0711 --unshare-pid --dir /a", "$system --size 0 --tmpfs /a",
    "$system --size x --tmpfs /a", "$system --perms 9 --dir /a", "$system --perms 17777 --dir /a",
    "$system --perms 0711 --dir /a --chmod 0750 /a", "$system --dir /a --perms 0700 --dir /a",
    "umask 077; bwrap $system --dir /a --tmpfs /b --file 3 /c 3<data observe",
    "umask 0; bwrap $system --bind work /mnt --dir /mnt/a --bind source /mnt/b observe",
  ]

  static let privileges: [Line] = [
    "$system --unshare-all --uid 0 --gid 0 --dev /dev --proc /proc",
    "$system --unshare-user --uid 7 --gid 8 --disable-userns --dev /dev",
    "$system --cap-add ALL --disable-userns --unshare-user",
    "$system --cap-add CAP_SYS_ADMIN --unshare-pid --proc /proc --dev /dev",
    "$system --unshare-all --cap-add ALL --uid 0 --proc /proc --seccomp 3 3<filter",
    """
    hold --user --map-root-user; bwrap $system --userns 3 --cap-add CAP_KILL \
    3</proc/$holder/ns/user observe
    """,
    """
    hold --user --map-root-user; bwrap $system --userns 3 --dev /dev \
    3</proc/$holder/ns/user observe
    """,
    """
    hold --user --map-root-user; bwrap $system --userns 3 --unshare-all \
    3</proc/$holder/ns/user observe
    """,
    """
    hold --user --map-current-user; bwrap $system --userns 3 --uid 5 \
    3</proc/$holder/ns/user observe
    """,
    "$system --disable-userns --unshare-user --userns-block-fd 3 --info-fd 4 3<data 4>info",
    "bwrap $system --dir /a --chmod 0 /a --chdir /a observe",
  ]

  static let descriptors: [Line] = [
    "$system 3<data 4>info 5<source", "$system --unshare-pid 3<data 4>info",
    "$system --file 3 /a 3<data 4<data", "$system --file 3 /a --bind-data 4 /b 3<data 4<data",
    "$system --file 3 /a --file 3 /b 3<data",
    "$system --bind-fd 3 /a --ro-bind-fd 4 /b 3<source 4<work",
    """
    $system --unshare-pid --sync-fd 3 --block-fd 4 --info-fd 5 --json-status-fd 6 \
    3<data 4<data 5>info 6>status 7<data
    """,
    """
    $system --unshare-pid --as-pid-1 --block-fd 4 --info-fd 5 --json-status-fd 6 4<data \
    5>info 6>status
    """,
    "$system --seccomp 3 --block-fd 4 --args 5 3<filter 4<data 5</dev/null 7<data",
    "$system --info-fd 3 --info-fd 4 3>status 4>info",
    "$system --json-status-fd 3 --json-status-fd 4 3>info 4>status",
    "$system --sync-fd 3 --sync-fd 4 3<data 4<data",
    "$system --block-fd 3 --block-fd 4 3<data 4<data",
    "$system --chdir /usr --chdir /", "$system --uid 1 --uid 2 --gid 1 --gid 2",
    "$system --unshare-uts --hostname a --hostname b", "bwrap $system observe <&-",
    "bwrap $system cat <data",
  ]

  /// Lines as known clients build them.
  static let wrappers: [Line] = [
    """
    --new-session --die-with-parent --unshare-net --unshare-pid --ro-bind / / --bind work /mnt \
    --dev /dev --proc /proc --setenv A B
    """,
    """
    --unshare-pid --unshare-net --unshare-ipc --die-with-parent $system --ro-bind /etc /etc \
    --tmpfs /tmp --proc /proc --dev /dev --setenv TMPDIR /tmp --bind work /a --chdir /a
    """,
    """
    /etc/none --proc /proc --dev /dev --chdir / --setenv G_DEBUG 0 --unshare-all --die-with-parent
    """,
    """
    --args 3 3< <(printf '%s\\0' $system --proc /proc --dev /dev --unshare-all --perms 0700 --dir \
    /a/run --ro-bind-data 4 /a/info --symlink /usr/etc /b --remount-ro /) 4<data
    """,
    """
    $system --unshare-all --share-net --new-session --clearenv --setenv PATH /usr/bin \
    --tmpfs /mnt --chdir /mnt
    """,
  ]
}
