// SPDX-License-Identifier: Apache-2.0
// Set-ups that are broken on purpose.

import TestSupport
import Testing

/// A line that cannot work, its message, and the same line with the remedy applied.
struct BrokenSetup: Sendable, CustomTestStringConvertible {
  /// The broken part.
  let name: String
  /// Makes what both lines need.
  var setup = ""
  /// The line that fails.
  let line: String
  /// The cause that the message must name.
  let cause: String
  /// The advice that the message must give.
  let remedy: String
  /// The line with the remedy applied, where typing the remedy is not enough; `$remedy` is the
  /// remedy.
  var fixed: String?
  /// Whether there is only advice, which no line can express.
  var isHint = false
  /// What it prints.
  var output = "works"
  /// Who types it.
  var user = User.ordinary
  /// Whether it is about a place without libraries.
  var needsStaticExecutable = false

  var testDescription: String { name }

  /// What every script finds: a system, and seccomp filters that refuse one call.
  static let preamble = #"""
    system="--ro-bind /usr /usr"
    for name in bin sbin lib lib64; do
      if [ -L /$name ]; then system="$system --symlink $(readlink /$name) /$name"
      elif [ -d /$name ]; then system="$system --ro-bind /$name /$name"; fi
    done
    works="echo works"
    # A program that refuses the system call $1 with the error $2.
    refuse() {
      printf 'default allow\nforeign kill\nerrno %s %s\n' "$2" "$1" > refuse.policy
      nestbox --seccomp-compile ./refuse.policy
    }
    # Runs the rest of the words in a sandbox whose filter refuses the call $1 with the error $2.
    without() {
      refuse "$1" "$2" > filter; shift 2
      nestbox --dev-bind / / --seccomp 9 "$@" 9<filter
    }

    """#
}

extension BrokenSetup {
  static let all = command + sources + places + machine + filters

  private static let command: [BrokenSetup] = [
    BrokenSetup(
      name: "The command was not bound", line: "nestbox --ro-bind /etc /etc echo works",
      cause: "/usr/bin/echo on the host, which is not shown inside",
      remedy: "nestbox --profile untrusted --ro-bind /etc /etc echo works"),
    BrokenSetup(
      name: "A program of one's own was not bound",
      setup: "mkdir bin; cp /usr/bin/echo bin/mine",
      line: "nestbox $system $PWD/bin/mine works", cause: "exists on the host, but is not shown",
      remedy: "nestbox --profile untrusted --ro-bind /usr /usr "),
    BrokenSetup(
      name: "The loader is missing", line: "nestbox --ro-bind /usr /usr /usr/bin/echo works",
      cause: "the loader /lib",
      remedy: "nestbox --profile untrusted --ro-bind /usr /usr /usr/bin/echo works"),
    BrokenSetup(
      name: "The interpreter of a script is missing",
      setup: """
        mkdir bin; cp /usr/bin/bash bin/shell
        printf '#!%s\\necho works\\n' "$PWD/bin/shell" > script; chmod +x script
        """,
      line: "nestbox $system --ro-bind script /script /script",
      cause: "/bin/shell, which the first line of /script names, does not exist inside",
      remedy: "; if that is right, add --ro-bind /",
      fixed: "nestbox $system --ro-bind script /script ${remedy##*, add } /script", isHint: true),
    BrokenSetup(
      name: "A script with the line ends of another system",
      setup: "printf '#!/bin/sh\\r\\necho works\\r\\n' > script; chmod +x script",
      line: "nestbox --ro-bind / / ./script", cause: "ends with a carriage return",
      remedy: "sed -i", fixed: #"eval "${remedy#*: }"; nestbox --ro-bind / / ./script"#,
      isHint: true),
    BrokenSetup(
      name: "A script without an interpreter, and no shell",
      setup: "echo 'echo works' > script; chmod +x script; cp /usr/bin/true static",
      line: "nestbox --ro-bind script /script /script", cause: "there is no /bin/sh inside",
      remedy: "--ro-bind /usr /usr "),
    BrokenSetup(
      name: "A program for another processor",
      setup: """
        python3 -c 'data = bytearray(open("/usr/bin/echo", "rb").read())
        data[18] = 183 if data[18] == 62 else 62; open("program", "wb").write(data)'
        chmod +x program
        """,
      line: "nestbox --ro-bind / / ./program works", cause: "and this machine is",
      remedy: "a build of it for this machine",
      fixed: "cp /usr/bin/echo program; nestbox --ro-bind / / ./program works", isHint: true),
    BrokenSetup(
      name: "A file that is not executable", setup: "cp /usr/bin/echo mine; chmod 644 mine",
      line: "nestbox --ro-bind / / ./mine works", cause: "is not marked as executable",
      remedy: "chmod a+x"),
    BrokenSetup(
      name: "A directory in place of a program", setup: "mkdir bin; cp /usr/bin/echo bin/echo",
      line: "nestbox --ro-bind / / ./bin works", cause: "./bin is a directory",
      remedy: "name a program in it", fixed: "nestbox --ro-bind / / ./bin/echo works", isHint: true),
    BrokenSetup(
      name: "A directory on the way that may not be searched",
      setup: "mkdir bin; cp /usr/bin/echo bin/echo; chmod 600 bin",
      line: "nestbox --ro-bind / / $PWD/bin/echo works",
      cause: "may not search the directory", remedy: "chmod a+x"),
    BrokenSetup(
      name: "A mount that forbids execution",
      setup: """
        mkdir shelf
        on_shelf() { unshare --user --map-root-user --mount bash -c '
          mount -t tmpfs -o noexec none shelf; cp /usr/bin/echo shelf/mine
          '"$1"; }
        """,
      line: "on_shelf 'nestbox --ro-bind / / ./shelf/mine works'",
      cause: "/shelf of the host, which forbids execution (noexec)",
      remedy: "copy it to another file system",
      fixed: "on_shelf 'cp shelf/mine mine; nestbox --ro-bind / / ./mine works'", isHint: true),
    BrokenSetup(
      name: "No such program anywhere", line: "nestbox --ro-bind / / no-such-program",
      cause: "no directory of PATH, yours or the command's, has a program no-such-program",
      remedy: "install it, or name its path",
      fixed: "cp /usr/bin/echo no-such-program; nestbox --ro-bind / / ./no-such-program works",
      isHint: true),
    BrokenSetup(
      name: "A mistyped script",
      setup: "printf '#!/bin/sh\necho works\n' > script.sh; chmod +x script.sh",
      line: "nestbox ./scirpt.sh", cause: "/scirpt.sh does not exist on the host",
      remedy: "nestbox ./script.sh"),
    BrokenSetup(
      name: "A program of this directory, named as one of PATH",
      setup: "printf '#!/bin/sh\necho works\n' > install.sh; chmod +x install.sh",
      line: "nestbox install.sh",
      cause: "install.sh is not in PATH but in this directory, from which a program is named with",
      remedy: "nestbox ./install.sh"),
    BrokenSetup(
      name: "A program of PATH, named in this directory", setup: "mkdir -p empty; cd empty",
      line: "nestbox ./echo works", cause: "programs in PATH are named without a directory",
      remedy: "nestbox echo works"),
    BrokenSetup(
      name: "A script that does not exist", setup: "mkdir -p empty; cd empty",
      line: "nestbox ./nothing-like-it.sh", cause: "/nothing-like-it.sh does not exist on the host",
      remedy: "check the spelling", fixed: "echo works", isHint: true),
    BrokenSetup(
      name: "A program that is a dangling link", setup: "ln -sf nowhere link",
      line: "nestbox ./link", cause: "/link is a symbolic link to nowhere",
      remedy: "make the link's target",
      fixed:
        "printf '#!/bin/sh\necho works\n' > nowhere; chmod +x nowhere; nestbox --read nowhere ./link",
      isHint: true),
    BrokenSetup(
      name: "A command line in quotes", line: "nestbox --ro-bind / / 'echo works'",
      cause: "'echo works' is one word", remedy: "nestbox --ro-bind / / echo works"),
    BrokenSetup(
      name: "A variable as before a command of a shell",
      line: "nestbox --ro-bind / / FOO=works sh -c 'echo $FOO'",
      cause: "FOO=works sets a variable in a shell",
      remedy: "nestbox --ro-bind / / --setenv FOO works sh -c 'echo $FOO'"),
    BrokenSetup(
      name: "A program for Windows", setup: "printf 'MZ\\220\\0' > setup.exe; chmod +x setup.exe",
      line: "nestbox --ro-bind / / ./setup.exe", cause: "setup.exe is a program for Windows",
      remedy: "Wine", fixed: "echo works", isHint: true),
    BrokenSetup(
      name: "A program for an ARM processor of 32 bits",
      setup: """
        python3 -c 'open("program", "wb").write(b"\\x7fELF\\1\\1\\1" + bytes(9) + b"\\2\\0\\x28\\0" + bytes(44))'
        chmod +x program
        """,
      line: "nestbox --ro-bind / / ./program", cause: "is a program for 32-bit ARM",
      remedy: "a build of it",
      fixed: "echo works", isHint: true),
    BrokenSetup(
      name: "A file and a command without the default profile",
      setup: """
        echo works > in.txt; printf '#!/bin/sh\ncat "$1"\n' > convert.sh; chmod +x convert.sh
        mkdir project; mv in.txt convert.sh project; cd project
        """,
      line: "nestbox --ro-bind in.txt in.txt ./convert.sh in.txt",
      cause: "./convert.sh exists on the host, but is not shown inside",
      remedy: "nestbox --profile untrusted --ro-bind in.txt /"),
    BrokenSetup(
      name: "An environment that is too large",
      setup: "printf -v large '%0200000d' 0",
      line: "nestbox --args 3 $system echo works 3< <(printf '%s\\0' --setenv A $large)",
      cause: "larger than the kernel allows", remedy: "--clearenv",
      fixed:
        "nestbox --args 3 $system --clearenv echo works 3< <(printf '%s\\0' --setenv A $large)",
      isHint: true),
  ]

  private static let sources: [BrokenSetup] = [
    BrokenSetup(
      name: "A FUSE file system whose program has ended",
      setup: """
        mkdir dead
        dead() { unshare --mount bash -c '
          python3 \(ProfileTests.programs)/fuse.py dead sh -c "kill -9 \\$PPID" 2>&-
          '"${1:-true}"'; nestbox --ro-bind / / --ro-bind dead /mnt echo works'; }
        """,
      line: "dead true", cause: "the program that serves the file system at dead has ended",
      remedy: "fusermount3 -u", fixed: "dead \"$remedy\"", user: .root),
    BrokenSetup(
      name: "A source that does not exist", line: "nestbox $system --bind data/new /mnt $works",
      cause: "/data does not exist on the host", remedy: "--bind-try data/new /mnt"),
    BrokenSetup(
      name: "A source in quotes that begins with a tilde",
      setup: "mkdir dl; echo echo works > dl/run",
      line: "nestbox $system --bind '~/dl' /mnt sh /mnt/run",
      cause: "begins with a quoted ~, which the shell did not expand",
      remedy: "/dl /mnt sh /mnt/run"),
    BrokenSetup(
      name: "A layer that does not exist",
      line: "nestbox $system --overlay-src layer --tmp-overlay /mnt $works",
      cause: "/layer does not exist on the host", remedy: "mkdir -p"),
    BrokenSetup(
      name: "A source that does not always exist",
      line: "nestbox $system --ro-bind /nonexistent /mnt $works",
      cause: "/nonexistent does not exist on the host", remedy: "--ro-bind-try /nonexistent /mnt"),
    BrokenSetup(
      name: "A source that is a dangling link", setup: "ln -s nowhere link",
      line: "nestbox $system --ro-bind link /mnt $works",
      cause: "is a symbolic link to nowhere, which does not exist", remedy: "--ro-bind-try link"),
    BrokenSetup(
      name: "A source below a file", setup: "touch file",
      line: "nestbox $system --ro-bind file/below /mnt $works",
      cause: "/file is a file on the host and not a directory", remedy: "name the file itself",
      fixed: "nestbox $system --ro-bind file /mnt $works", isHint: true),
    BrokenSetup(
      name: "A source in a directory of somebody else's",
      setup: "mkdir -p closed/data; chmod 700 closed; chown -R 61235 closed",
      line:
        "setpriv --reuid=61234 --clear-groups nestbox $system --ro-bind closed/data /mnt $works",
      cause: "may not search the directory", remedy: "ask the owner",
      fixed: """
        chmod a+x closed
        setpriv --reuid=61234 --clear-groups nestbox $system --ro-bind closed/data /mnt $works
        """, isHint: true, user: .root),
    BrokenSetup(
      name: "Links that lead round in a circle", setup: "ln -s b a; ln -s a b",
      line: "nestbox $system --ro-bind a /mnt $works", cause: "form a loop",
      remedy: "correct the links",
      fixed: "rm a; mkdir a; nestbox $system --ro-bind a /mnt $works", isHint: true),
  ]

  private static let places: [BrokenSetup] = [
    BrokenSetup(
      name: "A mount point that cannot be made",
      line: "nestbox --ro-bind / / --tmpfs $PWD/new/place $works",
      cause: "does not exist in / (--ro-bind) and cannot be made there: it is read-only",
      remedy: "mkdir -p"),
    BrokenSetup(
      name: "A file that cannot be made to be mounted on", setup: "mkdir tree; touch data",
      line: "nestbox $system --ro-bind tree /mnt --bind data /mnt/file $works",
      cause: "/mnt/file does not exist in /mnt (--ro-bind)", remedy: "touch"),
    BrokenSetup(
      name: "A file that is to be written in a read-only tree", setup: "echo works > data",
      line: "nestbox $system --file 3 /usr/new cat /usr/new 3<data",
      cause: "/usr/new does not exist in /usr (--ro-bind)", remedy: "--tmp-overlay /usr",
      fixed: "eval \"$remedy\" 3<data"),
    BrokenSetup(
      name: "A file that is to be overwritten in a read-only tree",
      setup: "mkdir tree; echo old > tree/file; echo works > data",
      line: "nestbox $system --ro-bind tree /mnt --file 3 /mnt/file cat /mnt/file 3<data",
      cause: "/mnt/file exists in /mnt (--ro-bind) and cannot be written there: it is read-only",
      remedy: "--ro-bind-data 3 /mnt/file", fixed: "eval \"$remedy\" 3<data"),
    BrokenSetup(
      name: "A link that is to be made in a read-only tree", setup: "mkdir tree",
      line: "nestbox $system --ro-bind tree /mnt --symlink /usr /mnt/link $works",
      cause: "/mnt/link does not exist in /mnt (--ro-bind)", remedy: "ln -s /usr "),
    BrokenSetup(
      name: "A descriptor of a file that was removed", setup: "mkdir gone; exec 3<gone; rmdir gone",
      line: "nestbox $system --bind-fd 3 /mnt $works",
      cause: "descriptor 3 is a file that was removed", remedy: "that exists",
      fixed: "mkdir gone; exec 3<gone; nestbox $system --bind-fd 3 /mnt $works", isHint: true),
    BrokenSetup(
      name: "A directory in place of content",
      line: "nestbox $system --ro-bind-data 3 /mnt/x $works 3</",
      cause: "descriptor 3 is a directory, and --ro-bind-data reads a file",
      remedy: "open a file as descriptor 3",
      fixed: "nestbox $system --ro-bind-data 3 /mnt/x $works 3</dev/null", isHint: true),
    BrokenSetup(
      name: "Something that is to be made in what was made read-only",
      line: "nestbox --tmpfs / $system --remount-ro / --dir /new $works",
      cause: "/new does not exist inside and cannot be made: / (--tmpfs) is read-only",
      remedy: "put --dir before",
      fixed: "nestbox --tmpfs / $system --dir /new --remount-ro / $works", isHint: true),
    BrokenSetup(
      name: "A directory on a file", setup: "mkdir tree; touch file",
      line: "nestbox $system --bind file /mnt --bind tree /mnt $works",
      cause: "and /mnt already is a file", remedy: "does not exist or is a directory",
      fixed: "nestbox $system --bind file /mnt --bind tree /mnt-2 $works", isHint: true),
    BrokenSetup(
      name: "Something below a file", setup: "touch file",
      line: "nestbox $system --bind file /mnt/a --tmpfs /mnt/a/b $works",
      cause: "/mnt/a is a file inside", remedy: "--tmpfs /mnt --tmpfs /mnt/a/b"),
    BrokenSetup(
      name: "A working directory that is not shown", setup: "mkdir work",
      line: "nestbox $system --chdir $PWD/work $works",
      cause: "exists on the host, but is not shown",
      remedy: "nestbox --profile untrusted "),
    BrokenSetup(
      name: "A working directory that does not exist", line: "nestbox $system --chdir /new $works",
      cause: "/new does not exist inside", remedy: "--dir /new echo works"),
    BrokenSetup(
      name: "A tmpfs that is too small", setup: "head -c 100000 /dev/zero > data",
      line: "nestbox $system --size 8192 --tmpfs /mnt --file 3 /mnt/file $works 3<data",
      cause: "does not fit into the 8192 bytes that --size allows", remedy: "--size ",
      fixed: "eval \"$remedy\" 3<data"),
    BrokenSetup(
      name: "A link in place of another", line: "nestbox $system --symlink other /usr/bin $works",
      cause: "/usr/bin already exists inside: it is a directory", remedy: "nestbox --ro-bind"),
    BrokenSetup(
      name: "--remount-ro of a directory that is not a mount point",
      line: "nestbox $system --dir /mnt --remount-ro /mnt $works",
      cause: "/mnt is not a mount point inside", remedy: "with --ro-bind",
      fixed: "nestbox $system --ro-bind /etc /mnt --remount-ro /mnt $works", isHint: true),
    BrokenSetup(
      name: "Message queues of the host", line: "nestbox $system --mqueue /mnt $works",
      cause: "message queues need a new ipc namespace", remedy: "--unshare-ipc echo works"),
    BrokenSetup(
      name: "An overlay of directories in each other", setup: "mkdir tree upper upper/work work",
      line: "nestbox $system --overlay-src tree --overlay upper upper/work /mnt $works",
      cause: "one of upper and upper/work contains the other", remedy: "beside RWSRC",
      fixed: "nestbox $system --overlay-src tree --overlay upper work /mnt $works", isHint: true),
    BrokenSetup(
      name: "A PATH that does not name the command's directory",
      line: "nestbox --ro-bind / / --setenv PATH /nosuch echo works",
      cause: "PATH inside does not list that directory: /nosuch", remedy: "--setenv PATH /nosuch:/"),
    BrokenSetup(
      name: "A working directory as the caller would name it", setup: "mkdir directory",
      line: "nestbox --ro-bind / / --chdir directory echo works",
      cause: "is relative to the root of the sandbox", remedy: "--chdir /"),
    BrokenSetup(
      name: "Text where nothing can be made", setup: "mkdir directory",
      line: "nestbox --ro-bind / / --ro-bind-text x \"$PWD/directory/new\" echo works",
      cause: "and cannot be made there", remedy: "touch"),
    BrokenSetup(
      name: "A name that is too long", setup: "printf -v long '%0100d' 0",
      line: "nestbox $system --unshare-uts --hostname $long $works",
      cause: "at most 64 bytes, and this one has 100", remedy: "a shorter name",
      fixed: "nestbox $system --unshare-uts --hostname short $works", isHint: true),
  ]
}
