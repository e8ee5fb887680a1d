// SPDX-License-Identifier: Apache-2.0
// --explain: whether the thing is named that the command did not get, and whether the option that is
// named gives it to the command.

import Foundation
import TestSupport
import Testing

/// A line whose command does not get something.
///
/// With what the report says in place of `$more` the
/// command prints "works".
struct KeptThing: Sendable, CustomTestStringConvertible {
  /// The thing.
  let name: String
  /// Makes what the line needs.
  var setup = ""
  /// The line, with `$more` among the options.
  let line: String
  /// What the report must name.
  let thing: String
  /// The options that it must name.
  let options: String
  /// The programs and other files without which it cannot be tried.
  var needs: [String] = []

  var testDescription: String { name }

  /// A device that this machine has and sandboxes have not.
  private static let device =
    ["/dev/net/tun", "/dev/autofs", "/dev/fuse", "/dev/rtc0"].first {
      FileManager.default.fileExists(atPath: $0)
    } ?? "/dev/none"

  static let busPrograms = ["dbus-daemon", "dbus-send", "xdg-dbus-proxy"].map {
    "/usr/bin/" + $0
  }

  static let service = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "DesktopTests/Scripts/service.py").path

  /// Starts a session bus.
  static let bus = """
    rm -f bus address
    daemon="dbus-daemon --session --nofork --address=unix:path=$PWD/bus --print-address"
    # It wants to know the name of its user.
    (cat /etc/passwd; echo "user:x:$(id -u):$(id -g)::$PWD:/bin/sh") >users
    unshare --map-current-user --keep-caps --mount sh -c \
      "mount --bind users /etc/passwd; exec $daemon" >address 2>&1 &
    while ! grep -q '^unix:' address; do sleep 0.1; done
    export DBUS_SESSION_BUS_ADDRESS=$(grep '^unix:' address)
    """

  static let all: [KeptThing] = [
    KeptThing(
      name: "a file", setup: "echo works >f", line: "nestbox --explain $more cat $PWD/f",
      thing: "/f is not shown inside (cat)", options: "--read $PWD/f"),
    KeptThing(
      name: "a directory", setup: "mkdir d; >d/works", line: "nestbox --explain $more ls $PWD/d",
      thing: "/d is not shown inside (ls", options: "--read $PWD/d"),
    KeptThing(
      name: "a directory to enter", setup: "mkdir d",
      line: "nestbox --explain $more sh -c \"cd $PWD/d && echo works\"",
      thing: "/d is not shown inside (sh", options: "--read $PWD/d"),
    KeptThing(
      name: "what a link leads to", setup: "mkdir a b; echo works >b/f; ln -s ../b/f a/f",
      line: "nestbox --explain --read a $more cat a/f",
      thing: "/b/f is not shown inside (cat)", options: "--read $PWD/b/f"),
    KeptThing(
      name: "a directory in the middle, through a link",
      setup: "mkdir -p a b/c; echo works >b/c/f; ln -s ../b a/b",
      line: "nestbox --explain --read a $more cat a/b/c/f",
      thing: "/b/c/f is not shown inside (cat)", options: "--read $PWD/b/c/f"),
    KeptThing(
      name: "a file below an open directory", setup: "mkdir d; echo works >d/f; >d/g",
      line: """
        nestbox --explain --read d/g $more python3 -c 'import os
        print(os.read(os.open("f", 0, dir_fd=os.open("d", 0)), 5).decode())'
        """, thing: "/d/f is not shown inside (python3)", options: "--read $PWD/d/f"),
    KeptThing(
      name: "a file that is only looked at", setup: ">f",
      line: "nestbox --explain $more stat -c works $PWD/f",
      thing: "/f is not shown inside (stat)", options: "--read $PWD/f"),
    KeptThing(
      name: "a link that is only read", setup: ">works; ln -s works f",
      line: "nestbox --explain $more readlink $PWD/f",
      thing: "/f is not shown inside (readlink)", options: "--read $PWD/f"),
    KeptThing(
      name: "a file that is asked for", setup: ">f",
      line: "nestbox --explain $more sh -c \"test -r $PWD/f && echo works\"",
      thing: "/f is not shown inside (sh)", options: "--read $PWD/f"),
    KeptThing(
      name: "a program", setup: "cp /usr/bin/echo mine",
      line: "nestbox --explain $more sh -c \"$PWD/mine works\"",
      thing: "/mine is not shown inside (sh", options: "--read $PWD/mine"),
    KeptThing(
      name: "the interpreter of a script",
      setup: """
        cp /usr/bin/bash shell; printf '#!%s\\necho works\\n' "$PWD/shell" >script
        chmod +x script
        """, line: "nestbox --explain --read script $more sh -c ./script",
      thing: "/shell is not shown inside (sh", options: "--read $PWD/shell"),
    KeptThing(
      name: "a library of a program",
      setup: """
        mkdir d; echo 'int f(void) { return 0; }' | gcc -shared -o d/libmine.so -x c -
        echo '#include <stdio.h>
        int f(void); int main(void) { return puts("works") < 0 || f(); }' >main.c
        gcc -o program main.c -L$PWD/d -lmine -Wl,-rpath,$PWD/d
        """, line: "nestbox --explain --read program $more ./program",
      thing: "/d/libmine.so is not shown inside (program)", options: "--read $PWD/d/libmine.so",
      needs: ["/usr/bin/gcc"]),
    KeptThing(
      name: "a device", line: "nestbox --explain $more sh -c \"test -c \(device) && echo works\"",
      thing: "\(device) is not shown inside (sh)",
      options: "--profile untrusted --dev-bind \(device) \(device)"),
    KeptThing(
      name: "a service on the session bus",
      setup: bus + """

        mkdir notes; rm -f notes/*
        python3 \(service) "$DBUS_SESSION_BUS_ADDRESS" org.example.Served $PWD/notes &
        while [ ! -e notes/org.example.Served ]; do sleep 0.1; done
        """,
      line: """
        nestbox --explain --dbus-session $more gdbus call --session --timeout 20 \
          --dest org.example.Served --object-path /org/example --method org.example.Test.Note \
          works | grep -o works
        """,
      thing: "the D-Bus proxy lets nothing through to org.example.Served",
      options: "--dbus-talk org.example.Served",
      needs: busPrograms + ["/usr/bin/gdbus", "/usr/lib/python3/dist-packages/gi"]),
    KeptThing(
      name: "a name on the session bus", setup: bus,
      line: """
        nestbox --explain --dbus-session $more dbus-send --print-reply \\
          --dest=org.freedesktop.DBus / org.freedesktop.DBus.RequestName string:org.example.Own \\
          uint32:4 | grep -q 'uint32 1' && echo works
        """,
      thing: "the D-Bus proxy lets nothing through to org.example.Own",
      options: "--dbus-own org.example.Own", needs: busPrograms),
    KeptThing(
      name: "a module of Python", setup: "mkdir d; echo 'print(\"works\")' >d/mod.py",
      line: "nestbox --explain --setenv PYTHONPATH $PWD/d $more python3 -c 'import mod'",
      thing: "/d is not shown inside (python3", options: "--read $PWD/d"),
    KeptThing(
      name: "a directory to write to", setup: "mkdir d",
      line: "nestbox --explain $more sh -c \"echo works >$PWD/d/f; cat $PWD/d/f\"",
      thing: "/d is not shown inside (sh", options: "--write $PWD/d"),
    KeptThing(
      name: "a new file in a read-only directory", setup: "mkdir d",
      line: "nestbox --explain --read d $more sh -c 'echo works >d/f; cat d/f'",
      thing: "/d is read-only inside (sh", options: "--write $PWD/d"),
    KeptThing(
      name: "a read-only file", setup: ">f",
      line: "nestbox --explain --read f $more sh -c 'echo works >f; cat f'",
      thing: "/f is read-only inside (sh", options: "--write $PWD/f"),
    KeptThing(
      name: "a file to remove", setup: "mkdir d; >d/f",
      line: "nestbox --explain --read d $more sh -c 'rm -f d/f && echo works'",
      thing: "/d is read-only inside (rm", options: "--write $PWD/d"),
    KeptThing(
      name: "a directory to make", setup: "mkdir d",
      line: "nestbox --explain --read d $more sh -c 'mkdir d/e && echo works'",
      thing: "/d is read-only inside (mkdir", options: "--write $PWD/d"),
    KeptThing(
      name: "a file to rename", setup: "mkdir d; >d/f",
      line: "nestbox --explain --read d $more sh -c 'mv d/f d/g && echo works'",
      thing: "/d is read-only inside (mv", options: "--write $PWD/d"),
    KeptThing(
      name: "a link to make", setup: "mkdir d",
      line: "nestbox --explain --read d $more sh -c 'ln -s x d/f && echo works'",
      thing: "/d is read-only inside (ln", options: "--write $PWD/d"),
    KeptThing(
      name: "permissions to change", setup: ">f",
      line: "nestbox --explain --read f $more sh -c 'chmod 700 f && echo works'",
      thing: "/f is read-only inside (chmod", options: "--write $PWD/f"),
    KeptThing(
      name: "a file to truncate", setup: "echo a >f",
      line: """
        nestbox --explain --read f $more python3 -c 'import os
        os.truncate("f", 0); print("works")'
        """, thing: "/f is read-only inside (python3", options: "--write $PWD/f"),
    KeptThing(
      name: "times to set", setup: ">f",
      line: """
        nestbox --explain --read f $more python3 -c 'import os
        os.utime("f"); print("works")'
        """, thing: "/f is read-only inside (python3", options: "--write $PWD/f"),
    KeptThing(
      name: "a socket",
      setup: """
        python3 -c 'import socket
        s = socket.socket(socket.AF_UNIX); s.bind("s"); s.listen(); s.settimeout(20); s.accept()' &
        while [ ! -S s ]; do sleep 0.1; done
        """,
      line: """
        nestbox --explain $more python3 -c 'import socket
        s = socket.socket(socket.AF_UNIX); s.connect("'$PWD'/s"); print("works")'
        """, thing: "/s is not shown inside (python3)", options: "--read $PWD/s"),
    KeptThing(
      name: "procfs",
      line:
        "nestbox --explain $system --unshare-pid $more sh -c 'read a </proc/self/stat && echo works'",
      thing: "/proc is not shown inside (sh", options: "--proc /proc"),
    KeptThing(
      name: "devices",
      line: "nestbox --explain $system --unshare-pid $more sh -c ': </dev/null && echo works'",
      thing: "/dev is not shown inside (sh", options: "--dev /dev"),
    KeptThing(
      name: "a system call", line: "nestbox --explain $more unshare -U echo works",
      thing: "the policy refuses the system call unshare (unshare)",
      options: "--seccomp-allow unshare"),
    KeptThing(
      name: "a server of datagrams",
      line: """
        nestbox --explain $more python3 -c 'import socket
        s = socket.socket(type=socket.SOCK_DGRAM); s.connect(("203.0.113.9", 123)); s.send(b"x"); print("works")'
        """, thing: "no network inside leads to 203.0.113.9 port 123/udp (python3)",
      options: "--net-allow 203.0.113.9:123/udp"),
    KeptThing(
      name: "a port that needs a capability",
      line: """
        nestbox --explain $more python3 -c 'import socket
        socket.socket().bind(("127.0.0.1", 80)); print("works")'
        """, thing: "the command lacks the capability CAP_NET_BIND_SERVICE (python3)",
      options: "--cap-add CAP_NET_BIND_SERVICE"),
    KeptThing(
      name: "a call that needs a capability",
      line: """
        nestbox --explain $system --unshare-pid $more python3 -c 'import os
        os.chroot("/"); print("works")'
        """, thing: "the command lacks the capability CAP_SYS_CHROOT (python3)",
      options: "--cap-add CAP_SYS_CHROOT"),
  ]
}

@Suite("Explanations", .needs("python3"))
struct ExplainTests {
  // Red: somebody is told nothing of what the command did not get, or types an option that does not
  // help.
  @Test(
    "The thing is named, and with its option the command works",
    arguments: KeptThing.all + KeptThing.failures)
  func kept(_ kept: KeptThing) throws {
    for file in kept.needs where !FileManager.default.fileExists(atPath: file) {
      try Test.cancel("needs \(file)")
    }
    let session = try Session()
    // The processes of the set-up. A bus removes its socket when it ends: without waiting, that of
    // the next bus.
    let end = "\nbegun=$(jobs -p); [ -z \"$begun\" ] || kill $begun 2>/dev/null; wait; true"
    let first = try session.run("\(BrokenSetup.preamble)\n\(kept.setup)\nmore=; \(kept.line)\(end)")
    #expect(!first.lines.contains("works"), "nothing was kept")
    let report = first.errors.split(separator: "\n").map(String.init).first {
      $0.hasPrefix("nestbox: ") && $0.contains(kept.thing)
    }
    let line = try #require(report, "\(first.errors)")
    let typed = String(line[(try #require(line.range(of: ": --"))).lowerBound...].dropFirst(2))
    let options = kept.options.replacing("$PWD", with: session.directory.path)
    #expect(typed == options, "\(first.errors)")
    let again = kept.setup.replacing("mkdir ", with: "mkdir -p ").replacing(
      "ln -s ", with: "ln -sf ")
    let second = try session.run(
      "\(BrokenSetup.preamble)\nrm -f s\n\(again)\nmore='\(typed)'; \(kept.line)\(end)")
    #expect(second.lines.contains("works"), "\(second.errors)")
  }

  // Red: a command has a person show it a key.
  @Test func `Nothing secret is recommended, nor what someone hid`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      export HOME=$PWD/home; mkdir -p home/.ssh d; echo k >home/.ssh/id; echo s >d/.env
      ln -s home/.ssh/id planted
      nestbox --explain --read d --hide .env sh -c 'cat ~/.ssh/id planted d/.env/x; ls ~/.ssh'
      """)
    #expect(outcome.errors.contains(".ssh/id is not shown inside (cat"), "\(outcome.errors)")
    #expect(outcome.errors.contains("it is secret, or holds secrets"))
    #expect(!outcome.errors.contains("--read \(session.directory.path)/home/.ssh"))
  }

  // Red: somebody types an option for the clock, the kernel's log or a file in the home directory, which does not
  // help, or gives a command all of that directory.
  @Test func `What no option gives gets none`() throws {
    let outcome = try Session().run(
      """
      >f; set_time='import time; time.clock_settime(time.CLOCK_REALTIME, time.time())'
      nestbox --explain python3 -c "$set_time" 2>&1 | grep -o 'clock_settime (.*machine'
      nestbox --explain --seccomp-allow clock_settime python3 -c "$set_time" 2>&1 | grep -o 'CAP_SYS_TIME (.*machine'
      if [ "$(cat /proc/sys/kernel/dmesg_restrict)" = 1 ] && [ -e /dev/kmsg ]; then
        nestbox --explain head -c 1 /dev/kmsg 2>&1 | grep -o 'kmsg is not shown.*'
      else
        echo 'kmsg is not shown inside (head): you may not read it outside either'
      fi
      nestbox rm f 2>&1 | grep -o -e remedy: -e 'removes or replaces: that takes all of .*' | sed 's/ of .*,/,/'
      nestbox --explain sh -c 'rm f' 2>&1 | grep -o 'f is not shown inside (rm.*' | sed 's/(.*)//;s/ of .*,/,/'
      """)
    let full = "that takes all, which has more in it: do this outside"
    #expect(
      outcome.lines == [
        "clock_settime (python3): it takes rights over the whole machine",
        "CAP_SYS_TIME (python3): it takes rights over the whole machine",
        "kmsg is not shown inside (head): you may not read it outside either",
        "removes or replaces: " + full, "f is not shown inside : " + full,
      ], "\(outcome)")
  }

  // Red: a file of the command's own, which it has removed again, is taken for the one that the host has there.
  @Test func `What the command made and removed is not missing`() throws {
    let outcome = try Session().run(
      """
      mkdir p; cd p; echo host >f
      nestbox --explain sh -c '>f; rm f; >n; mv n f; rm f' 2>&1 | grep -o 'kept nothing'
      """)
    #expect(outcome.lines == ["kept nothing"], "\(outcome)")
  }

  // Red: somebody types --read for a file that only another user may read, or is told of no option for
  // a file of which only writing is refused.
  @Test(.asRoot) func `What the host refuses as well gets no option`() throws {
    let session = try Session()
    let (directory, files) = (session.directory, FileManager.default)
    #expect(try session.run("mkdir d; echo text >d/other; echo works >d/mine").status == 0)
    for (name, mode) in [("d/other", 0o600), ("d/mine", 0o644), ("d", 0o755)] {
      try files.setAttributes(
        [.ownerAccountID: 0, .posixPermissions: mode],
        ofItemAtPath: directory.appending(path: name).path)
    }
    let outcome = try session.run(
      """
      nestbox --explain sh -c 'cat d/other; cat d/mine; (echo >>d/mine); cd d && echo >new' 2>&1 |
        grep -o -e 'd/[a-z]* is not.*' -e '/d is not.*' | sed 's/, [0-9]* times//'
      nestbox cat d/other 2>&1 | grep -e --read
      """)
    let place = directory.path
    #expect(
      Set(outcome.lines) == [
        "d/other is not shown inside (cat): you may not read it outside either",
        "d/mine is not shown inside (cat): --read \(place)/d/mine",
        "/d is not shown inside (sh): --read \(place)/d",
      ], "\(outcome)")
  }

  // Red: while a command is watched, it may do what its policy refuses.
  @Test func `What the policy refuses is refused while it is watched`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      printf 'default allow\\nforeign kill\\nerrno EDOM mkdir mkdirat\\nerrno EXDEV getppid\\n' >mine.policy
      nestbox --explain --seccomp-policy ./mine.policy python3 -c '
      import os, ctypes
      libc = ctypes.CDLL(None, use_errno=True)
      for i in range(1000):
        try: os.mkdir("/tmp/d"); print("made")
        except OSError as error: assert error.errno == 33, error
      print(libc.getppid(), ctypes.get_errno(), os.path.exists("/tmp/d"))'
      """)
    #expect(outcome.output == "-18 0 False", "\(outcome.errors)")
    #expect(outcome.errors.contains("refuses the system call mkdir (python3, 1000 times)"))
  }

  // Red: a command goes on without the watch that was asked for, or waits for ever.
  @Test(
    "The command ends with the launcher, and with the watcher", arguments: ["launcher", "watcher"])
  func ends(_ victim: String) throws {
    let session = try Session()
    let outcome = try session.run(
      """
      nestbox --explain sh -c 'echo begun; while :; do test -e /usr/none; done' >out 2>err &
      launcher=$!
      while [ ! -s out ]; do sleep 0.1; done
      init=$(pgrep -P $launcher | while read p; do pgrep -P $p >/dev/null && echo $p; done)
      watcher=$(pgrep -P $launcher | while read p; do pgrep -P $p >/dev/null || echo $p; done)
      command=$(pgrep -P $init)
      kill -KILL $\(victim)
      for i in $(seq 100); do [ -e /proc/$command/exe ] || break; sleep 0.1; done
      [ -e /proc/$command/exe ] && echo lives
      wait $launcher 2>/dev/null; echo $?; cat err
      """)
    #expect(!outcome.output.contains("lives"), "\(outcome.output)")
    #expect(outcome.lines.first == (victim == "launcher" ? "137" : "125"), "\(outcome.output)")
  }

  // Red: a report that does not come is taken for one that says that nothing was used.
  @Test func `Nothing is learned from a report that does not come`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      mkfifo go
      nestbox --learn ./p.profile --ro-bind / / --unshare-pid sh -c 'echo begun; read line' >out 2>err <go &
      launcher=$!
      \(StoppedWatcher.lines)
      cat err; ls p.profile 2>&1
      """)
    #expect(outcome.lines.first == "125", "\(outcome)")
    #expect(outcome.output.contains("--learn: nothing was learned: the list"), "\(outcome)")
    #expect(outcome.output.contains("No such file"), "\(outcome)")
  }

  // Red: nestbox runs the command without the watch, or does not say what is in the way.
  @Test func `Under another listener the launch is refused, and says why`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      nestbox --explain --dev-bind / / --proc /proc --unshare-pid \
        nestbox --explain --dev-bind / / --proc /proc --unshare-pid echo executed
      """)
    #expect(outcome.status == 125 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("another program already watches the calls of this process"))
  }

  // Red: a filter that asks a tracer is overruled by the watch.
  @Test func `A filter that hands calls to others is refused`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      python3 -c 'import struct, sys
      sys.stdout.buffer.write(struct.pack("HBBI", 6, 0, 0, 0x7ff00000))' >filter
      nestbox --explain --seccomp 3 echo executed 3<filter
      """)
    #expect(outcome.status == 125 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("hands calls to a tracer or a listener"), "\(outcome.errors)")
  }

  // Red: names that are cut off, unreadable, or not text end the launcher or its line.
  @Test func `Paths of every kind are read, whatever memory they lie in`() throws {
    let session = try Session()
    try session.write(
      "paths.py",
      #"""
      import ctypes, mmap, os
      libc = ctypes.CDLL(None, use_errno=True)
      memory = mmap.mmap(-1, 2 * 4096)
      start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
      assert libc.mprotect(ctypes.c_void_p(start + 4096), 4096, 0) == 0
      name = os.fsencode(os.getcwd()) + b"/f\n\xff\0"
      memory[4096 - len(name):4096] = name
      def call(address):
        result = libc.access(ctypes.c_void_p(address), 0)
        print(result, ctypes.get_errno() if result else 0)
      call(start + 4096 - len(name))
      call(start + 4096)
      call(0)
      memory[0:4096] = b"/" * 4096
      call(start)
      call(2 ** 64 - 1)
      """#)
    let outcome = try session.run(
      "touch $'f\\n\\xff'; nestbox --explain --read paths.py python3 paths.py")
    #expect(outcome.lines == ["-1 2", "-1 14", "-1 14", "-1 36", "-1 14"], "\(outcome.errors)")
    #expect(
      outcome.errors.contains(#"/f\n\xff' is not shown inside (python3)"#), "\(outcome.errors)")
  }

  // Red: a program cannot read the report.
  @Test func `The report is one object for programs`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      echo a >f; nestbox --explain --json cat $PWD/f 2>err
      tail -n 1 err | python3 -c 'import json, sys
      r = json.load(sys.stdin)
      f = [f for f in r["findings"] if f["subject"].endswith("/f")][0]
      print(r["version"], r["complete"], f["what"], f["programs"], f["count"], f["options"][0])'
      """)
    #expect(outcome.output == "1 True not-shown ['cat'] 1 --read", "\(outcome.errors)")
  }
}
