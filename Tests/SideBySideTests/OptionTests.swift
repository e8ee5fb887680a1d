// SPDX-License-Identifier: Apache-2.0
// Every option that both programs have, by itself and where it matters with what it takes.

import TestSupport
import Testing

@Suite("Side by side: options", .needsReference)
struct OptionTests {
  // Red: an option does something else than in bubblewrap.
  @Test("An option does the same in both programs", arguments: lines, Reference.all)
  func option(_ line: Line, _ reference: Reference) throws {
    try Comparison(line, with: reference).check()
  }

  // Red: an option has been added to nestbox, or to bubblewrap, that is compared nowhere.
  @Test func `Every option that both have is in a line`() throws {
    let help = try Session().run("nestbox --help options").output
    let known = Reference.all.reduce(into: Set<String>()) { $0.formUnion($1.options) }
    let both = Reference.documented(in: help).intersection(known)
    let compared = (OptionTests.lines + NewestTests.lines + PairTests.lines).reduce(
      into: Set<String>()
    ) {
      $0.formUnion($1.options)
    }
    #expect(both.count > 60)
    #expect(both.subtracting(compared).sorted() == [])
  }

  static let lines: [Line] =
    binds + fileSystems + files + environment + namespaces + process + security + channels

  static let binds: [Line] = [
    "--ro-bind / /", "--bind / /", "--dev-bind / /", "$system",
    "$system --bind source /mnt", "$system --bind source/file /a/file",
    "$system --bind source/link /a --bind source/dir/.. /b", "$system --bind source/outward /a",
    "$system --bind source/dangling /a", "$system --bind missing /a",
    "$system --bind-try source /mnt", "$system --bind-try missing /mnt",
    "$system --bind-try source/file/inner /mnt",
    "$system --ro-bind source /mnt", "$system --ro-bind source/file /mnt",
    "$system --ro-bind-try source /mnt", "$system --ro-bind-try missing /mnt",
    "$system --ro-bind-try /proc/self/ns/user /a",
    "$system --dev-bind source /mnt", "$system --dev-bind /dev /dev",
    "$system --dev-bind /dev/null /a", "$system --bind /dev/null /a",
    "$system --dev-bind-try /dev/null /mnt/null", "$system --dev-bind-try missing /mnt",
    "$system --bind-fd 3 /mnt 3<source", "$system --bind-fd 3 /mnt 3<source/file",
    "$system --ro-bind-fd 3 /mnt 3<source", "$system --ro-bind-fd 3 /a/b 3<source/file",
    "$system --bind-fd 77 /mnt", "bwrap --bind work / $system observe",
    "$system --bind source/file /mnt --dir /mnt", "$system --dir /mnt --bind source/file /mnt",
  ]

  static let fileSystems: [Line] = [
    "$system --tmpfs /mnt", "$system --tmpfs /a/b/c", "$system --perms 0700 --tmpfs /mnt",
    "$system --perms 01777 --tmpfs /mnt", "$system --size 1048576 --tmpfs /mnt",
    "$system --size 4096 --perms 0711 --tmpfs /mnt",
    "$system --perms 0711 --size 4096 --tmpfs /mnt", "bwrap --tmpfs / $system observe",
    "bwrap --perms 0711 --tmpfs / $system observe", "$system --tmpfs /",
    "$system --proc /proc", "$system --unshare-pid --proc /proc", "$system --proc /mnt/proc",
    "$system --unshare-pid --proc /a/b --proc /proc", "--ro-bind / / --unshare-pid --proc /proc",
    "--bind / / --unshare-pid --proc /proc", "--dev-bind / / --unshare-pid --proc /proc",
    "$system --dev /dev", "$system --dev /mnt/dev", "--ro-bind / / --dev /dev",
    "--dev-bind / / --dev /dev", "$system --tmpfs /dev --dev /dev", "$system --dev dev",
    "$system --mqueue /a", "$system --unshare-ipc --mqueue /a",
    "$system --unshare-all --mqueue /a/b",
    "$system --remount-ro /", "$system --remount-ro /missing",
    "$system --dir /a --remount-ro /a", "$system --bind source /mnt --remount-ro /mnt",
    "$system --tmpfs /mnt --dir /mnt/a --remount-ro /mnt --dir /mnt/a",
    "$system --tmpfs /mnt --remount-ro /mnt --dir /mnt/a",
  ]

  static let files: [Line] = [
    "$system --dir /a", "$system --dir /a/b/c --dir /usr", "$system --perms 0711 --dir /a",
    "$system --perms 0700 --dir /usr", "$system --bind work /mnt --dir /mnt/a/b",
    "$system --file 3 /a 3<data", "$system --file 3 /a/b/c 3<data",
    "$system --perms 0604 --file 3 /a 3<data", "$system --perms 04755 --file 3 /a 3<data",
    "$system --bind work /mnt --file 3 /mnt/file 3<data", "$system --file 3 /a 3</dev/null",
    "$system --file 3 /a 3< <(head -c 100000 /dev/zero)", "$system --file 77 /a",
    "$system --bind-data 3 /a 3<data", "$system --perms 0640 --bind-data 3 /a/file 3<data",
    "$system --ro-bind-data 3 /a 3<data", "$system --perms 0440 --ro-bind-data 3 /a/file 3<data",
    "$system --bind work /mnt --ro-bind-data 3 /mnt/new 3<data",
    "$system --bind work /mnt --ro-bind-data 3 /mnt/file 3<data",
    "$system --symlink target /a", "$system --symlink /usr /a/b/link",
    "$system --symlink target /a --symlink other /a", "$system --symlink '' /a",
    "$system --dir /a --chmod 0701 /a", "$system --file 3 /a --chmod 0 /a 3<data",
    "$system --bind work /mnt --chmod 0600 /mnt/file", "$system --chmod 0700 /missing",
    "$system --chmod 0700 /", "$system --ro-bind source /mnt --chmod 0700 /mnt",
    "$system --dir a/b --tmpfs ./mnt", "$system --dir /a/../b", "$system --dir //a///b/",
    "$system --perms 0000 --dir /a", "$system --perms 7777 --dir /a",
  ]

  static let environment: [Line] = [
    "$system --chdir /usr", "$system --chdir usr", "$system --chdir /missing",
    "$system --chdir ''", "$system --chdir /usr/bin/..", "--ro-bind / /",
    "$system --dir /b --setenv HOME /b", "$system --setenv HOME /missing",
    "$system --unsetenv HOME", "--ro-bind / / --chdir /",
    "$system --setenv A B --setenv EMPTY '' --setenv C $'two\\nlines' --setenv %D d",
    "$system --setenv A 1 --setenv A 2", "$system --setenv A 1 --unsetenv A",
    "$system --unsetenv MISSING", "$system --clearenv", "$system --setenv A 1 --clearenv",
    "$system --clearenv --setenv A 1", "$system --clearenv --setenv PWD x --chdir /usr",
    "$system --setenv PWD /nowhere", "--ro-bind / / --unsetenv PWD",
    "bwrap $system --setenv PATH /usr/bin printenv PATH",
    "bwrap $system --setenv PATH /nowhere printenv PATH",
    "bwrap $system --clearenv env", "bwrap $system --unsetenv PATH sh -c 'echo $PATH'",
    """
    bwrap $system --dir /a --file 3 /a/ls --chmod 0755 /a/ls --setenv PATH /a ls 3< \
    <(echo 'echo own')
    """,
    "$system --setenv A=B C", "$system --setenv '' C", "$system --unsetenv A=B",
    "$system --unsetenv ''",
  ]

  static let namespaces: [Line] = [
    "$system --unshare-user", "$system --unshare-user-try", "$system --unshare-ipc",
    "$system --unshare-pid", "$system --unshare-net", "$system --unshare-uts",
    "$system --unshare-cgroup", "$system --unshare-cgroup-try", "$system --unshare-all",
    "$system --unshare-all --share-net", "$system --share-net --unshare-all", "$system --share-net",
    "$system --unshare-net --share-net", "$system --uid 5", "$system --gid 6",
    "$system --uid 0 --gid 0", "$system --uid -1", "$system --uid x", "$system --gid ''",
    "$system --unshare-uts --hostname name", "$system --unshare-all --hostname other",
    "$system --hostname name", "$system --unshare-uts --hostname ''",
    "$system --unshare-user --disable-userns",
    "$system --unshare-user --disable-userns --assert-userns-disabled",
    "$system --assert-userns-disabled", "$system --unshare-user --disable-userns --dev /dev",
    "hold --user --map-current-user; bwrap $system --userns 3 3</proc/$holder/ns/user observe",
    """
    hold --user --map-current-user --pid --fork --kill-child; bwrap $system --userns 3 --pidns 4 \
    3</proc/$holder/ns/user 4</proc/$holder/ns/pid_for_children --proc /proc observe
    """,
    """
    hold --user --map-current-user --pid --fork --kill-child; bwrap $system --userns 3 --pidns 4 \
    3</proc/$holder/ns/user 4</proc/$holder/ns/pid_for_children --unshare-pid observe
    """,
    """
    hold --user --map-root-user; bwrap $system --userns 3 3</proc/$holder/ns/user \
    --unshare-net observe
    """,
    """
    hold --user --map-root-user; bwrap $system --userns 3 --userns2 4 --cap-add ALL \
    3</proc/$holder/ns/user 4</proc/$holder/ns/user observe
    """,
    "$system --userns 3 --unshare-user 3</proc/self/ns/user", "$system --userns 3 3<data",
    "$system --pidns 3 3<data", "$system --userns 77",
  ]

  static let process: [Line] = [
    "$system --new-session", "$system --die-with-parent", "$system --unshare-pid --as-pid-1",
    "$system --unshare-pid --new-session --proc /proc", "$system --as-pid-1",
    "$system --unshare-pid --as-pid-1 --new-session --die-with-parent --proc /proc",
    "bwrap $system -- /usr/bin/env -i A=B env", "bwrap $system sh -c 'exit 7'",
    "bwrap $system --unshare-pid sh -c 'exit 255'", "bwrap $system sh -c 'kill $$'",
    "bwrap $system --unshare-pid sh -c 'kill -9 $$'", "bwrap $system /missing",
    "bwrap $system missing", "bwrap $system /usr", "bwrap $system --unshare-pid /missing",
    "bwrap $system --ro-bind-data 3 /a /a 3<data", "bwrap $system ''",
    "bwrap $system --unshare-all --proc /proc sh -c 'echo $$ $PPID'",
    "bwrap $system sh -c 'echo \"$0\" \"$@\"' zero '' 'a b' --unshare-pid",
    "bwrap $system sh -c 'trap'; trap '' USR1; bwrap $system observe",
  ]

  static let security: [Line] = [
    "$system --cap-add CAP_SYS_ADMIN --cap-add cap_kill", "$system --cap-add ALL",
    "$system --cap-add ALL --cap-drop CAP_KILL", "$system --cap-drop ALL --cap-add CAP_KILL",
    "$system --cap-add all --cap-drop all", "$system --cap-drop CAP_SYS_ADMIN",
    "$system --cap-add nonsense", "$system --uid 0 --cap-add CAP_NET_ADMIN --unshare-net",
    "$system --seccomp 3 3<filter", "$system --seccomp 3 --seccomp 4 3<filter 4<filter",
    "$system --add-seccomp-fd 3 --add-seccomp-fd 4 3<filter 4<filter",
    "$system --seccomp 3 --add-seccomp-fd 4 3<filter 4<filter",
    "$system --seccomp 3 3<data", "$system --seccomp 77", "$system --seccomp 3 3</dev/null",
    "$system --unshare-pid --proc /proc --seccomp 3 3<filter",
    "$system --exec-label label", "$system --file-label label",
  ]

  static let channels: [Line] = [
    "bwrap --args 3 $system observe 3< <(printf '%s\\0' --tmpfs /mnt --setenv A B)",
    "bwrap $system --args 3 observe 3< <(printf '%s' --unshare-pid)",
    "bwrap --args 3 --args 4 observe 3< <(printf '%s\\0' $system) 4< <(printf '%s\\0' --dir /a)",
    "bwrap $system --args 3 --dir /b observe 3< <(printf '%s\\0' --symlink '' /a)",
    "bwrap $system --args 3 observe 3< <(printf '%s\\0' --args 4) 4</dev/null",
    "$system --args 3 3</dev/null", "$system --args 77", "bwrap --version",
    "bwrap --help | head -1 | sed s:$launcher:bwrap:",
    "$system --sync-fd 3 3<data", "$system --unshare-pid --sync-fd 3 3<data",
    "$system --block-fd 3 3<data", "$system --block-fd 3 3</dev/null",
    "$system --block-fd 3 3< <(sleep 0.1)",
    "$system --info-fd 3 3>info", "$system --unshare-all --info-fd 3 3>info",
    "$system --unshare-pid --unshare-net --info-fd 3 3>info", "$system --info-fd 77",
    "$system --json-status-fd 3 3>status", "$system --unshare-all --json-status-fd 3 3>status",
    "bwrap $system --json-status-fd 3 3>status sh -c 'exit 7'",
    "bwrap $system --unshare-pid --json-status-fd 3 3>status sh -c 'kill $$'",
    "bwrap $system --json-status-fd 3 3>status /missing",
    "bwrap $system --json-status-fd 3 --tmpfs /usr 3>status observe",
    "$system --bind missing /a --json-status-fd 3 3>status",
    "$system --json-status-fd 3 --info-fd 4 --unshare-ipc 3>status 4>info",
    """
    mkfifo go; (until grep -q child-pid info; do sleep 0.01; done; \
    pid=$(grep -o '[0-9]*' info | head -1); id=$(id -u); echo deny >/proc/$pid/setgroups; \
    echo "0 $id 1" >/proc/$pid/uid_map; echo "0 $(id -g) 1" >/proc/$pid/gid_map; echo >go) & \
    bwrap $system --unshare-user --userns-block-fd 3 --info-fd 4 observe 3<>go 4>info
    """,
    "$system --userns-block-fd 3 3<data",
    "$system --ro-bind source /a --lock-file /a/file", "$system --lock-file /missing",
    "$system --unshare-pid --bind work /a --lock-file /a/file --lock-file /a/dir/inner",
    "$system --unshare-pid --as-pid-1 --lock-file /usr/bin/env",
  ]
}
