// SPDX-License-Identifier: Apache-2.0
// Other words for what options are called, from other programs and from plain English.

/// What people type who know the thing and not the name.
enum Synonyms {
  /// Options by names that they do not have.
  static let options: [(String, [String])] = [
    ("--help", ["h", "?", "usage", "man", "manual"]),
    ("--version", ["v", "release"]),
    ("--unshare-net", ["no-net", "no-network", "offline", "disable-net", "net-none"]),
    ("--share-net", ["allow-net", "net", "network", "keep-net", "enable-net"]),
    ("--unshare-all", ["isolate", "unshare", "all"]),
    ("--unshare-pid", ["pid"]),
    ("--unshare-user", ["user", "map-current-user"]),
    ("--unshare-ipc", ["ipc"]),
    ("--unshare-uts", ["uts"]),
    ("--unshare-cgroup", ["cgroup"]),
    ("--unshare-time", ["time"]),
    ("--ro-bind", ["ro", "read-only", "robind", "bind-mount-ro", "allow-read", "mount-ro"]),
    ("--bind", ["rw", "rw-bind", "read-write", "bind-mount", "mount", "volume", "allow-write"]),
    ("--dev-bind", ["device", "bind-device"]),
    ("--tmpfs", ["tmp", "temp", "private-tmp"]),
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
    ("--die-with-parent", ["kill-child", "pdeathsig"]),
    ("--as-pid-1", ["init", "pid-1", "no-init"]),
    ("--remount-ro", ["remount", "make-ro"]),
    ("--disable-userns", ["no-userns", "restrict-namespaces"]),
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
