// SPDX-License-Identifier: Apache-2.0
// Machines that are broken on purpose, or restricted: limits, parts of /proc, filters.

import TestSupport

extension BrokenSetup {
  static let machine: [BrokenSetup] = [
    BrokenSetup(
      name: "The limit of user namespaces is 0",
      setup: """
        limited() { unshare --user --map-root-user bash -c '
          echo 0 > /proc/sys/user/max_user_namespaces; '"$2"'
          nestbox --unshare-user --ro-bind / / echo works' "" "$1"; }
        """,
      line: "limited", cause: "the sysctl user.max_user_namespaces is 0 here",
      remedy: "sysctl -w user.max_user_namespaces=",
      fixed: "limited '' \"${remedy#*: } >/dev/null\""),
    BrokenSetup(
      name: "The limit of user namespaces is reached",
      setup: """
        limited() { unshare --user --map-root-user bash -c '
          echo 1 > /proc/sys/user/max_user_namespaces; '"$1"'
          nestbox --dev-bind / / --unshare-user --uid 1000 nestbox --ro-bind / / echo works'; }
        """,
      line: "limited",
      cause: "has as many user namespaces as user.max_user_namespaces allows there",
      remedy: "sysctl -w user.max_user_namespaces=",
      fixed: "limited \"sysctl${remedy##*sysctl} >/dev/null\"", isHint: true),
    BrokenSetup(
      name: "No network namespace can be made",
      setup: """
        limited() { unshare --user --map-root-user bash -c '
          echo 0 > /proc/sys/user/max_net_namespaces; '"$1"'
          nestbox --unshare-net --unshare-pid --ro-bind / / echo works'; }
        """,
      line: "limited", cause: "the sysctl user.max_net_namespaces is 0 here",
      remedy: "sysctl -w user.max_net_namespaces=", fixed: "limited \"${remedy#*: } >/dev/null\""),
    BrokenSetup(
      name: "No mount namespace can be made",
      setup: """
        limited() { unshare --user --map-root-user bash -c '
          echo 0 > /proc/sys/user/max_mnt_namespaces; '"$1"'
          nestbox --ro-bind / / echo works'; }
        """,
      line: "limited", cause: "the sysctl user.max_mnt_namespaces is 0 here",
      remedy: "sysctl -w user.max_mnt_namespaces=", fixed: "limited \"${remedy#*: } >/dev/null\""),
    BrokenSetup(
      name: "The limit of processes is reached",
      line: "(ulimit -S -u 1; exec nestbox --ro-bind / / echo works)",
      cause: "the limit of this shell is 1", remedy: "ulimit -S -u ",
      fixed: """
        (ulimit -S -u 1; eval "$remedy"
        exec nestbox --ro-bind / / echo works)
        """),
    BrokenSetup(
      name: "The cgroup may have no more processes",
      setup: """
        group=
        for top in /sys/fs/cgroup/pids /sys/fs/cgroup; do
          if [ -e $top/cgroup.procs ]; then group=$top/nestbox-test-${PWD##*/}; break; fi
        done
        limited() { (echo $BASHPID > $group/cgroup.procs; exec setpriv --reuid=61234 \\
          --clear-groups nestbox --unshare-pid --ro-bind / / echo works); local status=$?
          return $status; }
        # Processes that have ended may be in the group a little longer.
        trap 'for i in {1..100}; do rmdir $group 2>&- && break; sleep 0.1; done' EXIT
        mkdir $group && echo 1 > $group/pids.max
        """,
      line: "limited", cause: "and its pids.max allows", remedy: "pids.max",
      fixed: "eval \"${remedy#*: }\"; limited", user: .root),
    BrokenSetup(
      name: "Parts of /proc are covered",
      setup: """
        inside() { nestbox --dev-bind / / --unshare-pid --proc /proc --tmpfs /proc/tty \\
          nestbox --ro-bind / / --unshare-pid "$@" echo works; }
        """,
      line: "inside --proc /proc", cause: "parts of /proc are covered here (/proc/tty)",
      remedy: "nestbox --ro-bind / / --unshare-pid --ro-bind /proc /proc",
      fixed: "inside --ro-bind /proc /proc"),
    BrokenSetup(
      name: "The host lacks a device",
      setup: """
        inside() {
          devices=
          for name in null zero random urandom tty pts; do
            devices="$devices --dev-bind /dev/$name /dev/$name"
          done
          nestbox --dev-bind / / --tmpfs /dev $devices "$@" nestbox --ro-bind / / --dev /dev echo works; }
        """,
      line: "inside", cause: "the host has no device /dev/full",
      remedy: "mknod -m 666 /dev/full c 1 7", fixed: "inside --dev-bind /dev/full /dev/full"),
    BrokenSetup(
      name: "The host has no terminal left",
      setup: """
        # On a machine whose devpts has room for the terminal of script alone.
        inside() { unshare --user --map-root-user --mount bash -c '
          set -o pipefail
          mount -t devpts -o newinstance,ptmxmode=666,max=1 devpts /dev/pts
          mount --bind /dev/pts/ptmx /dev/ptmx
          script -qec "nestbox --pty --ro-bind / / $1 echo works" /dev/null | tr -d "\\r^@"' "" "$1"; }
        """,
      line: "inside '' >&2", cause: "the devpts on /dev/pts has as many terminals",
      remedy: "nestbox --pty --ro-bind / / --dev /dev echo works", fixed: "inside '--dev /dev'"),
    BrokenSetup(
      name: "A mount below a layer of an overlay",
      setup: """
        mkdir -p low/sub
        inside() { nestbox --dev-bind / / "$@" \\
          nestbox --ro-bind / / --overlay-src $PWD/low --tmp-overlay /mnt echo works; }
        """,
      line: "inside --tmpfs $PWD/low/sub", cause: "/low/sub is mounted below ",
      remedy: "findmnt", fixed: "inside", isHint: true),
    BrokenSetup(
      name: "A directory to start in that cannot be made",
      line: "nestbox --ro-bind / / --chdir /nosuch echo works",
      cause: "/nosuch does not exist inside", remedy: "a directory that exists inside",
      fixed: "nestbox --ro-bind / / --chdir / echo works", isHint: true),
    BrokenSetup(
      name: "User 0 of a sandbox without capabilities",
      setup: """
        inside() { nestbox --dev-bind / / --unshare-user --uid 0 "$@" \\
          nestbox --unshare-user --ro-bind / / echo works; }
        """,
      line: "inside", cause: "user 0 needs CAP_SETFCAP", remedy: "--cap-add CAP_SETFCAP",
      fixed: "inside --cap-add CAP_SETFCAP", isHint: true),
    BrokenSetup(
      name: "User 0 of a sandbox, who wants no user namespace of its own",
      setup: """
        inside() { nestbox --dev-bind / / --unshare-user --uid 0 $1 \\
          nestbox $2 --ro-bind / / echo works; }
        """,
      line: "inside", cause: "root lacks CAP_SYS_ADMIN here",
      remedy:
        "add --unshare-user and, in the surrounding container or sandbox, --cap-add CAP_SETFCAP",
      fixed: "inside '--cap-add CAP_SETFCAP' --unshare-user", isHint: true),
    BrokenSetup(
      name: "/proc is not mounted",
      line: "nestbox --dev-bind / / --tmpfs /proc nestbox --ro-bind / / echo works",
      cause: "/proc is not mounted here", remedy: "--proc /proc",
      fixed: "nestbox --dev-bind / / --tmpfs /proc --proc /proc nestbox --ro-bind / / echo works",
      isHint: true),
    BrokenSetup(
      name: "/proc is read-only",
      setup: "inside() { nestbox --dev-bind / / \"$@\" nestbox --ro-bind / / echo works; }",
      line: "inside --ro-bind /proc /proc", cause: "/proc is read-only here",
      remedy: "--proc /proc in place of --ro-bind /proc /proc",
      fixed: "inside --proc /proc", isHint: true),
    BrokenSetup(
      name: "An executable that cannot be read",
      setup: "mkdir bin; cp $(command -v nestbox) bin/nestbox; chmod 111 bin/nestbox",
      line: "bin/nestbox --ro-bind / / echo works", cause: "may execute but not read",
      remedy: "chmod a+r"),
    BrokenSetup(
      name: "In a chroot",
      setup: """
        mkdir -p root/proc; cp $(command -v nestbox) root/nestbox
        in_root() { unshare --user --map-root-user --mount --pid --fork bash -c '
          mount -t proc proc root/proc; '"$1"; }
        """,
      line: """
        in_root 'chroot root /nestbox --unshare-user --ro-bind / / /nestbox --version'
        """,
      cause: "the root directory is not the root of a mount namespace",
      remedy: "nestbox --dev-bind DIRECTORY /",
      fixed: """
        in_root 'nestbox --dev-bind root / /nestbox --unshare-user --ro-bind / / /nestbox --version' \\
          | sed 's/^nestbox .*/works/'
        """, isHint: true, needsStaticExecutable: true),
    BrokenSetup(
      name: "A descriptor of another kind of namespace",
      line: "nestbox --ro-bind / / --userns 3 echo works 3</proc/self/ns/net",
      cause: "which is not a user namespace", remedy: "/proc/PID/ns/user",
      fixed: """
        unshare --user --map-current-user sleep 20 & holder=$!
        while [ /proc/self/ns/user -ef /proc/$holder/ns/user ]; do sleep 0.01; done
        until grep -q . /proc/$holder/uid_map; do sleep 0.01; done
        nestbox --ro-bind / / --userns 3 echo works 3</proc/$holder/ns/user; kill $holder
        """, isHint: true),
    BrokenSetup(
      name: "A user who is not mapped",
      setup: "inside() { unshare --user \"$@\" nestbox --ro-bind / / echo works; }",
      line: "inside", cause: "is not mapped in this user namespace",
      remedy: "start nestbox as a user and group that", fixed: "inside --map-current-user",
      isHint: true),
    // A kernel that has these switches would answer like the filter here.
    BrokenSetup(
      name: "AppArmor restricts user namespaces",
      setup: """
        inside() {
          nestbox --dev-bind / / --unshare-pid --proc /proc --tmpfs /proc/sys/kernel \\
            --file 7 /proc/sys/kernel/apparmor_restrict_unprivileged_userns "$@" \\
            nestbox --unshare-net --ro-bind / / echo works 7<<<"${value-1}"; }
        """,
      line: "inside --seccomp 8 8< <(refuse ioctl EPERM)",
      cause: "AppArmor gives programs without an AppArmor profile",
      remedy: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0", fixed: "value=0 inside",
      isHint: true),
    BrokenSetup(
      name: "User namespaces are closed to ordinary users",
      setup: """
        inside() {
          nestbox --dev-bind / / --unshare-pid --proc /proc --tmpfs /proc/sys/kernel \\
            --file 7 /proc/sys/kernel/unprivileged_userns_clone "$@" \\
            nestbox --ro-bind / / echo works 7<<<"${value-0}"; }
        """,
      line: "inside --seccomp 8 8< <(refuse 'clone3 clone' EPERM)",
      cause: "the sysctl kernel.unprivileged_userns_clone is 0",
      remedy: "sysctl -w kernel.unprivileged_userns_clone=1", fixed: "value=1 inside"),
    BrokenSetup(
      name: "A filter that looks at what namespaces clone makes",
      line: "nestbox --dev-bind / / --seccomp-policy default nestbox --ro-bind / / echo works",
      cause: "a filter of system calls around this process refuses clone with namespaces",
      remedy: "clone with namespaces",
      fixed: "nestbox --dev-bind / / --seccomp-policy none nestbox --ro-bind / / echo works",
      isHint: true),
    BrokenSetup(
      name: "A port of the host that only root may take",
      // A new network has the kernel's usual setting.
      setup: #"new() { unshare --user --map-current-user --net sh -c "$*"; }"#,
      line: "new 'nestbox --publish 0.0.0.0:80 --publish 0.0.0.0:8080:1 --ro-bind / / echo works'",
      cause: "only root may listen on a port below 1024",
      remedy: "--publish 0.0.0.0:8081:80 --publish 0.0.0.0:8080:1 ", fixed: #"new "$remedy""#),
    BrokenSetup(
      name: "A port of the host that is taken",
      setup: #"new() { unshare --user --map-root-user --net sh -c "ip link set lo up; $*"; }"#,
      line: "new 'nestbox --publish 80 --publish 80:1/tcp --ro-bind / / echo works'",
      cause: "a program listens on that port, or two options publish it",
      remedy: "--publish 80 --publish 8080:1 ", fixed: #"new "$remedy""#),
    BrokenSetup(
      name: "Too many descriptors that were sent and not received",
      line: "python3 \(ProfileTests.programs)/crowd.py 256 256 nestbox --explain echo works",
      cause: "descriptors that nobody has received yet",
      remedy: "end the program that this line finds",
      fixed: """
        # The line finds that program.
        python3 \(ProfileTests.programs)/crowd.py 512 512 \
          bash -c "${remedy#*: }" | grep -q . && nestbox --explain echo works
        """, isHint: true),
  ]

  /// A filter around the program refuses one call, in one of the two ways that are common.
  ///
  /// Every call of a launch that has no replacement. Those that have one are in RefusalTests.
  static let filters: [BrokenSetup] = [
    "unshare", "mount_setattr", "pivot_root", "move_mount", "fsopen", "fsconfig", "fsmount",
    "open_tree", "umount2", "mkdirat", "mknodat", "symlinkat", "readlinkat",
    "sethostname",
    "close_range", "pidfd_open", "vfork", "wait4", "waitid", "ppoll", "pipe2", "signalfd4",
    "socketpair", "sendmsg", "recvmsg", "prctl", "capget", "capset", "landlock_restrict_self",
  ].flatMap { call in
    [("ENOSYS", "hides"), ("EPERM", "refuses")].map { error, verb in
      let line =
        "nestbox $system --ro-same /etc/hosts --unshare-pid --unshare-uts --hostname name --symlink x /x --dev /dev "
        + "--landlock-scope signal "
        // The monitor waits with ppoll only for a command that has not ended yet.
        + (call == "ppoll" ? "sh -c 'sleep 0.3; echo works'" : "$works")
      return BrokenSetup(
        name: "A filter \(verb) \(call)", line: "without \(call) \(error) \(line)",
        cause: "a filter of system calls around this process \(verb) \(call)",
        remedy: "allow", fixed: line, isHint: true)
    }
  }
}
