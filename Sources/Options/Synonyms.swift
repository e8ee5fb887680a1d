// SPDX-License-Identifier: Apache-2.0
// Other names for options: those of other programs, and plain English.

/// Names that people type for an option or for something else that helps.
enum Synonyms {
  /// Names of other programs for what nestbox has no option for, with what to do instead.
  static let advice: [(names: [String], text: String)] = [
    (
      ["net", "networking"],
      "for the internet, type --profile network; for the host's network, --profile host-network, or "
        + "--share-net after --unshare-all"
    ),
    (
      ["time-limit", "runtime-max-sec", "max-time"],
      "--timeout ends the command after a time"
    ),
    (
      [
        "m", "memory-max", "memory-limit", "cpu-quota", "cgroup-mem-max",
      ],
      "--memory limits what all processes hold together: --memory 1G; --cpus 1.5 limits processors"
    ),
    (
      ["rlimit-as", "rlimit-nproc", "rlimit-fsize", "ulimit"],
      "--rlimit limits a resource of each process: --rlimit nofile=64"
    ),
    (
      ["pids-limit", "tasks-max", "max-processes"],
      "--processes limits the number of processes and threads"
    ),
    (
      ["attach"],
      "--enter runs a command in a sandbox that was started with --name"
    ),
    (
      ["join"],
      "--enter runs a command in a running sandbox; --userns, --pidns and --netns join the namespaces of a process"
    ),
    (
      ["private", "private-home", "protect-home", "protect-system", "noprofile"],
      "the profile untrusted has an empty home and a read-only system: --profile untrusted"
    ),
    (
      ["privileged", "no-new-privileges", "nonewprivs", "security-opt"],
      "no command gains privileges in a sandbox; --seccomp-policy chooses the system calls"
    ),
    (
      ["rm", "it", "i", "t", "interactive", "scope", "wait", "quiet"],
      "leave it out: the command runs on this terminal and leaves nothing behind"
    ),
    (
      ["p", "port", "expose"],
      "a port of the host leads inside with --publish PORT:INSIDE"
    ),
    (
      ["entrypoint", "image", "command", "sandbox", "chroot"],
      "name the program as the command: nestbox [OPTIONS...] COMMAND"
    ),
    (
      [
        "private-dev", "private-tmp", "private-cache", "private-etc", "private-bin", "nogroups",
        "nonewprivs", "noroot", "apparmor", "disable-mnt", "restrict-suid-sgid",
      ],
      "the profile untrusted does that, and it is the default"
    ),
    (
      [
        "nosound", "no3d", "nodvd", "notv", "nou2f", "novideo", "noinput", "nodbus", "nosocket",
        "nofilesystem", "nodevice", "no-talk-name",
      ],
      "leave it out: a sandbox shows only what profiles and options name; see --list-profiles"
    ),
    (
      ["filesystem"],
      "--read and --write show your files, and profiles the rest: --read ~/Documents"
    ),
    (
      ["property", "slice", "unit", "pipe"],
      "leave it out, or start nestbox by systemd-run: systemd-run --user --scope nestbox COMMAND"
    ),
    (
      ["no-new-privs"], "leave it out: no command gains privileges in a sandbox"
    ),
    (
      ["deny-net", "deny-read", "deny-write"],
      "leave it out: a sandbox shows only what profiles and options name"
    ),
    (
      ["socket", "dbus-user", "gui", "x11-forwarding", "wayland"],
      "for windows, sound and D-Bus see the profiles: --profile desktop, audio, dbus, network"
    ),
    (
      ["persist", "home-dir", "private-home-dir"],
      "--home keeps a home directory for the sandbox: --home ~/boxes/NAME"
    ),
    (
      ["add-host", "dns", "ip", "iface", "macvlan-iface", "macvlan"],
      "the network is the host's, or none; --hosts-file writes a hosts file"
    ),
    (
      ["really-quiet", "silent"],
      "leave it out: nestbox prints nothing but notices; 2>/dev/null drops them"
    ),
    (
      ["shm-size"], "--size limits the next --tmpfs: --size 67108864 --tmpfs /dev/shm"
    ),
    (
      ["env-file", "environment-file"],
      "--setenv sets a variable, and --args reads options from a descriptor"
    ),
    (
      ["map-root-user", "map-root"], "--uid 0 --gid 0 make the user root inside"
    ),
  ]

  /// Options by names that they do not have.
  static let options: [(String, [String])] = [
    ("--help", ["h", "?", "man", "manual"]),
    ("--version", ["v", "release"]),
    (
      "--unshare-net",
      ["no-net", "no-network", "offline", "disable-net", "net-none", "private-network"]
    ),
    ("--share-net", ["allow-net", "keep-net", "enable-net", "disable-clone-newnet"]),
    ("--unshare-all", ["isolate", "unshare", "all"]),
    ("--unshare-pid", ["pid"]),
    ("--unshare-user", ["user", "map-current-user"]),
    ("--unshare-ipc", ["ipc"]),
    ("--unshare-uts", ["uts"]),
    ("--unshare-cgroup", ["cgroup"]),
    ("--unshare-time", ["time"]),
    (
      "--ro-bind",
      [
        "ro", "read-only", "robind", "bind-mount-ro", "bindmount-ro", "allow-read", "mount-ro",
        "bind-read-only-paths",
      ]
    ),
    (
      "--bind",
      [
        "rw", "rw-bind", "read-write", "bind-mount", "bindmount", "mount", "volume", "allow-write",
        "whitelist", "bind-paths", "read-write-paths",
      ]
    ),
    ("--dev-bind", ["device", "bind-device", "device-allow"]),
    ("--tmpfs", ["tmp", "temp", "private-tmp", "tmpfsmount", "temporary-file-system"]),
    ("--symlink", ["link", "ln"]),
    ("--dir", ["mkdir"]),
    ("--chdir", ["cd", "cwd", "pwd", "workdir", "working-dir", "working-directory", "work-dir"]),
    ("--setenv", ["env", "e"]),
    ("--unsetenv", ["remove-env", "no-env", "delete-env"]),
    ("--clearenv", ["empty-env", "ignore-env", "reset-env", "clean-env"]),
    ("--uid", ["user", "user-id", "setuid", "map-user"]),
    ("--gid", ["group", "group-id", "setgid", "map-group"]),
    ("--perms", ["mode", "permission"]),
    ("--size", ["limit", "max-size"]),
    ("--cap-add", ["cap", "caps", "add-capabilities", "keep-caps", "allow-cap"]),
    ("--cap-drop", ["drop-caps", "remove-cap", "no-caps"]),
    ("--new-session", ["setsid", "session", "no-tty"]),
    ("--pty", ["tty", "terminal", "allocate-tty"]),
    ("--detach", ["d", "background", "daemon"]),
    ("--die-with-parent", ["kill-child", "pdeathsig"]),
    ("--as-pid-1", ["init", "pid-1", "no-init"]),
    ("--remount-ro", ["remount", "make-ro"]),
    ("--disable-userns", ["no-userns", "restrict-namespaces"]),
    ("--mask", ["blacklist", "inaccessible-paths"]),
    ("--dbus-talk", ["dbus-user.talk", "talk-name"]),
    ("--dbus-own", ["dbus-user.own", "own-name"]),
    ("--list-profiles", ["profiles"]),
    ("--list", ["ls", "ps", "tree"]),
    ("--seccomp", ["filter", "bpf"]),
  ]

  /// Words by those that the names of options have for them.
  static let words: [String: [String]] = [
    "network": ["net"], "networking": ["net"], "networks": ["net"],
    "process": ["pid"], "processes": ["pid"], "pids": ["pid"],
    "users": ["user"], "groups": ["group"], "cgroups": ["cgroup"], "clock": ["time"],
    "namespace": ["ns"], "namespaces": ["ns"],
    "readonly": ["ro"], "rdonly": ["ro"], "writable": ["rw"], "readwrite": ["rw"],
    "read": [], "only": ["ro"], "arguments": ["args"], "argument": ["args"],
    "directory": ["dir"], "folder": ["dir"],
    "device": ["dev"], "devices": ["dev"],
    "temp": ["tmp"], "temporary": ["tmp"],
    "environment": ["env"], "variable": ["env"],
    "setenv": ["env", "set"], "unsetenv": ["env", "unset"], "clearenv": ["clear", "env"],
    "chdir": ["change", "dir"],
    "hostname": ["host", "name"], "domainname": ["domain", "name"],
    "symlink": ["symbolic", "link"], "symboliclink": ["symbolic", "link"],
    "userns": ["user", "ns"], "pidns": ["pid", "ns"], "netns": ["net", "ns"],
    "capability": ["cap"], "capabilities": ["cap"], "caps": ["cap"],
    "permission": ["perms"], "permissions": ["perms"], "perm": ["perms"],
    "options": ["opt"], "option": ["opt"], "source": ["src"], "sources": ["src"],
    "descriptor": ["fd"], "information": ["info"], "terminate": ["kill"],
    "optional": ["try"], "maybe": ["try"],
  ]
}
