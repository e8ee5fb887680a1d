// SPDX-License-Identifier: Apache-2.0
// --enter: a command inside a running sandbox is as its own command is, and ends as one does.

import Foundation
import TestSupport
import Testing

@Suite("Entering", .needs("python3"))
struct EnteringTests {
  /// Functions of the drivers.
  ///
  /// `start(words)` starts a named sandbox and waits until its command has written a line, `first`;
  /// the command ends when its input does. `enter(words)` runs a command inside.
  private static let tools = """
    import json, os, signal, subprocess, sys, time
    os.mkdir("run", 0o700); os.environ["XDG_RUNTIME_DIR"] = os.path.abspath("run")
    def start(*words, name="box", limits=()):
      box = subprocess.Popen([*limits, "nestbox", "--name", name, *words], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
      box.first = box.stdout.readline().decode()
      return box
    def enter(*words, name="box", **more):
      return subprocess.run(["nestbox", "--enter", name, *words], capture_output=True, text=True, **more)
    def end(box):
      box.stdin.close(); box.wait(100)

    """

  /// Prints everything about the process itself that protects the rest from it, or it from the rest.
  private static let report = #"""
    import ctypes, json, os, sys
    def text(path):
      try:
        with open("/proc/self/" + path) as file: return file.read().splitlines()
      except OSError as error: return str(error)
    names = ("Cap", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups", "Sig")
    buffer = ctypes.create_string_buffer(200)
    # The description of the session keyring.
    ctypes.CDLL(None).syscall(250, 6, -3, buffer, 200)
    told = {
      "status": [x for x in text("status") if x.startswith(names) and not x.startswith("SigQ")],
      "limits": text("limits"), "cgroup": text("cgroup"), "mounts": text("mountinfo"),
      "environment": dict(os.environ), "directory": os.getcwd(), "label": text("attr/current"),
      "mask": os.umask(0), "descriptors": sorted(os.listdir("/proc/self/fd"))[:3],
      "namespaces": sorted(os.readlink("/proc/self/ns/" + x) for x in os.listdir("/proc/self/ns")),
      "personality": text("personality"), "adjustment": text("oom_score_adj"),
      "keyring": buffer.value.decode(), "session": os.getsid(0) == 0}
    print(json.dumps(told), flush=True)
    """#

  // Red: any field differs: an entered command is under another filter, has other limits, sees other
  // variables.
  @Test(
    "An entered command is as the command itself",
    arguments: [
      ["--profile", "untrusted"], ["--profile", "build"], ["--profile", "network"],
      ["--profile", "host-network"],
      ["--profile", "shell"], ["--profile", "desktop"],
      ["--profile", "untrusted", "--profile", "audio"],
      ["--profile", "untrusted", "--profile", "gpu"],
      ["--profile", "untrusted", "--profile", "x11"],
      ["--profile", "untrusted", "--profile", "wayland"],
      ["--profile", "untrusted", "--profile", "fonts-and-themes"],
      ["--profile", "toolchains"], ["--profile", "caches"], ["--profile", "git"],
      ["--profile", "browser"], ["--profile", "agent"],
      ["--ro-bind", "/", "/"],
      ["--unshare-all", "--unshare-time", "--ro-bind", "/", "/", "--proc", "/proc"],
      [
        "--unshare-all", "--unshare-user", "--uid", "0", "--cap-add", "ALL", "--bind", "/", "/",
        "--dev", "/dev",
        "--proc", "/proc", "--disable-userns",
      ],
      [
        "--unshare-all", "--as-pid-1", "--new-session", "--ro-bind", "/", "/", "--proc", "/proc",
        "--chdir", "/usr", "--setenv", "A", "b c", "--unsetenv", "LC_ALL", "--seccomp-policy",
        "default",
      ],
      [
        "--unshare-pid", "--bind", "/", "/", "--proc", "/proc", "--landlock-scope-try",
        "signal,abstract-unix",
        "--keep-env", "PATH,HOME", "--seccomp-policy", "strict", "--seccomp-allow", "keyctl",
      ],
    ])
  func sameFields(_ options: [String]) throws { try expectSameFields(options) }

  // The same with a session bus, which this profile needs.
  @Test(.needs("xdg-dbus-proxy"))
  func `A command that enters with the profile dbus is as the command itself`() throws {
    try expectSameFields(["--profile", "untrusted", "--profile", "dbus"])
  }

  private func expectSameFields(_ options: [String]) throws {
    let session = try Session()
    try session.write("report.py", EnteringTests.report)
    let outcome = try session.python(
      EnteringTests.tools + """
        program = open("report.py").read()
        import socket
        if "dbus" in sys.argv:
          # Nobody here talks to it.
          bus = socket.socket(socket.AF_UNIX); bus.bind("bus"); bus.listen()
          os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + os.path.abspath("bus")
        # The tests' own may be out of reach.
        os.environ.pop("PYENV_ROOT", None)
        # Some profiles want a project, and no home directory.
        os.mkdir("project"); os.chdir("project")
        words = ["python3", "-c", program + "\\nsys.stdin.read()"]
        box = start(*sys.argv[1:], *words, limits=["prlimit", "--nofile=200:300", "--core=0", "--stack=1000000"])
        entered = enter("python3", "-c", program, stdin=subprocess.DEVNULL)
        if entered.returncode or not box.first: print(entered.returncode, entered.stderr, box.first)
        else:
          first, second = json.loads(box.first), json.loads(entered.stdout)
          for field in first:
            if first[field] != second[field]: print(field, first[field], second[field], sep="\\n")
          print(len(first))
        end(box)
        """, with: options)
    #expect(outcome.lines == ["14"], "\(outcome)")
  }

  // Red: the caller learns another status than the command's, or its signals end only the launcher.
  @Test func `Status and signals of an entered command are those of a command outside`() throws {
    let outcome = try Session().python(
      EnteringTests.tools + """
        for options in ["--unshare-pid"], []:
          box = start(*options, "--ro-bind", "/", "/", "sh", "-c", "echo up; cat; true")
          print(enter("sh", "-c", "echo $0 >&2; exit 7").returncode, enter("sh", "-c", "kill -USR1 $$").returncode,
                enter("/nosuch").returncode)
          one = subprocess.Popen(["nestbox", "--enter", "box", "sh", "-c",
            "trap 'echo got it; exit 9' TERM; echo up; while :; do sleep 0.05; done"], stdout=subprocess.PIPE)
          one.stdout.readline(); one.terminate(); print(one.stdout.read().decode().strip(), one.wait(100))
          end(box)
        """)
    #expect(
      outcome.lines == ["7 -10 127", "got it 9", "7 -10 127", "got it 9"], "\(outcome)")
  }

  // Red: init ends with its own command, and the kernel kills everything else inside.
  @Test func `Entered commands live on after the command's end, and end with --stop`() throws {
    let outcome = try Session().python(
      EnteringTests.tools + """
        def talk(): return subprocess.Popen(["nestbox", "--enter", "box", "cat"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE)
        def answers(one):
          one.stdin.write(b"hello\\n"); one.stdin.flush(); return one.stdout.readline().decode().strip()
        box = start("--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "sh", "-c", "echo up; cat; true")
        one, two = talk(), talk()
        print(answers(one), answers(two))
        end(box)
        print(box.returncode, answers(one), answers(two))
        # Its name has ended with its launcher.
        print(enter("true").returncode)
        one.stdin.close(); print(one.wait(100), answers(two))
        two.stdin.close(); print(two.wait(100))
        box = start("--unshare-pid", "--ro-bind", "/", "/", "sh", "-c", "echo up; cat; true")
        one, two = talk(), talk()
        print(answers(one), answers(two))
        begun = time.monotonic()
        print(subprocess.run(["nestbox", "--stop", "box"]).returncode, one.wait(100), two.wait(100))
        box.wait(100)
        print(os.listdir("run/nestbox"))
        """)
    #expect(
      outcome.lines == [
        "hello hello", "0 hello hello", "125", "0 hello", "0", "hello hello", "0 -15 -15", "[]",
      ], "\(outcome)")
  }

  // Red: a descriptor that the caller has open is the command's.
  @Test func `An entered command gets three descriptors, whatever the caller has open`() throws {
    let outcome = try Session().python(
      EnteringTests.tools + """
        box = start("--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "sh", "-c", "echo; cat; true")
        held = os.open("/", os.O_RDONLY)
        print(enter("ls", "/proc/self/fd", pass_fds=[held], stdin=subprocess.DEVNULL).stdout.split())
        end(box)
        """)
    // ls itself opens one.
    #expect(outcome.lines == ["['0', '1', '2', '3']"], "\(outcome)")
  }

  // Red: an entered command opens its input or a log again by /proc, to write to the one or to read
  // the other; or a directory on standard input leads it to all files.
  @Test func `Standard descriptors of an entered command allow no more than their mode`() throws {
    let outcome = try Session().python(
      EnteringTests.tools + """
        box = start("--unshare-pid", "--bind", "/", "/", "--proc", "/proc", "sh", "-c", "echo; cat; true")
        for name in "input", "log":
          with open(name, "w") as file: file.write("data\\n")
        attack = "cat; echo X >/proc/self/fd/0; echo new; cat /proc/self/fd/1; : >/proc/self/fd/1"
        with open("input") as given, open("log", "a") as log:
          run = subprocess.run(["nestbox", "--enter", "box", "timeout", "1", "sh", "-c", attack], stdin=given, stdout=log,
                               stderr=subprocess.DEVNULL)
        print(open("input").read().split(), open("log").read().split())
        place = os.open("/", os.O_RDONLY)
        run = enter("true", stdin=place); print(run.returncode, run.stderr.strip())
        # The caller's position follows what was read.
        with open("input") as given:
          subprocess.run(["nestbox", "--enter", "box", "head", "-c", "2"], stdin=given, stdout=subprocess.DEVNULL)
          print(os.lseek(given.fileno(), 0, os.SEEK_CUR) >= 2)
        end(box)
        """)
    #expect(
      outcome.lines.first == "['data'] ['data', 'data', 'new']"
        && outcome.lines.dropFirst().first?.hasPrefix("125 nestbox: ") == true
        && outcome.lines.last == "True", "\(outcome)")
  }

  // Red: a command runs with less protection than the sandbox has.
  @Test func `A sandbox is entered with all its protection or not at all`() throws {
    let outcome = try Session().python(
      EnteringTests.tools + """
        def refused(name, *options):
          run = enter(*options, "true", name=name)
          print(run.returncode, run.stderr.strip().replace(name, "PID") if name.isdigit() else run.stderr.strip())
        box = start("--unshare-pid", "--ro-bind", "/", "/", "sh", "-c", "echo; cat; true")
        for options in ["--bind", "/", "/"], ["--cap-add", "ALL"], ["--unshare-net"]: refused("box", *options)
        refused("nosuch")
        other = subprocess.Popen(["nestbox", "--unshare-pid", "--ro-bind", "/", "/", "sh", "-c", "echo; cat; true"],
          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        other.stdout.readline()
        refused(str(other.pid))
        other.stdin.close(); other.wait(100)
        end(box)
        box = start("--unshare-pid", "--ro-bind", "/", "/", "--seccomp-policy", "default", "sh", "-c", "echo; cat; true")
        refused("box", "--seccomp-policy", "default")
        end(box)
        """)
    let exists = "cannot be combined with --enter: that sandbox exists already"
    let unknown = "so nestbox does not know which protection a command needs inside"
    #expect(
      outcome.lines == [
        "125 nestbox: --bind \(exists)", "125 nestbox: --cap-add \(exists)",
        "125 nestbox: --unshare-net \(exists)",
        "125 nestbox: --enter: can't enter nosuch: no running sandbox has the name nosuch or a process "
          + "with that number; nestbox --list shows the running sandboxes",
        "125 nestbox: --enter: can't enter PID: process PID started it without a name, \(unknown); "
          + "start it with --name NAME to enter it",
        "125 nestbox: --seccomp-policy: the sandbox has a policy already; leave the option out",
      ], "\(outcome)")
  }

  // Red: a sandbox of another tool is not entered, a command in it has other namespaces, capabilities,
  // the caller's variables or higher limits, or escapes filters that nestbox does not know.
  @Test(.needs("bwrap"))
  func `A sandbox of bubblewrap is entered, and under a filter only with a policy`() throws {
    let session = try Session()
    try session.write("report.py", EnteringTests.report)
    let outcome = try session.python(
      EnteringTests.tools + """
        program = open("report.py").read()
        subprocess.run(["nestbox", "--seccomp-compile", "default"], stdout=open("filter", "wb"), check=True)
        os.environ["SECRET"] = "s3cret"
        for options in [], ["--uid", "0", "--gid", "0", "--cap-add", "ALL"], ["--seccomp", "9"]:
          os.dup2(os.open("filter", os.O_RDONLY), 9)
          # Without this the shell would be process 1's parent only at times.
          box = subprocess.Popen(["prlimit", "--nofile=200:300", "bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev",
            "--proc", "/proc", "--chdir", "/usr", "--clearenv", "--setenv", "PATH", os.environ["PATH"], "--setenv", "ONLY",
            "inside", *options, "python3", "-c", program + "\\nsys.stdin.read()"], pass_fds=[9], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
          first = json.loads(box.stdout.readline())
          run = enter("python3", "-c", program, name=str(box.pid), stdin=subprocess.DEVNULL)
          print(run.returncode, run.stderr.strip().replace(str(box.pid), "PID").rsplit(" ", 1)[0])
          if run.returncode:
            run = enter("--seccomp-policy", "default", "python3", "-c", program, name=str(box.pid), stdin=subprocess.DEVNULL)
          second = json.loads(run.stdout)
          print([x for x in ("namespaces", "limits", "cgroup", "label") if first[x] != second[x]], second["session"] )
          print([x for x in second["status"] if x.startswith(("CapPrm", "CapBnd", "CapAmb", "NoNew", "Seccomp:"))])
          print(sorted(x for x in second["environment"] if x not in ("PATH", "PWD", "TERM", "LC_CTYPE")))
          box.stdin.close(); box.wait(100); os.close(9)
        """)
    let none = "0000000000000000"
    func told(_ filtered: Int) -> [String] {
      [
        "[] False",
        "['CapPrm:\\t\(none)', 'CapBnd:\\t\(none)', 'CapAmb:\\t\(none)', 'NoNewPrivs:\\t1', "
          + "'Seccomp:\\t\(filtered)']", "['ONLY']",
      ]
    }
    #expect(
      outcome.lines == ["0 "] + told(0) + ["0 "] + told(0) + [
        "125 nestbox: --enter: can't enter PID: its processes are under filters of system calls, which "
          + "nestbox cannot read; name a policy that is as strict: nestbox --seccomp-policy default --enter"
      ] + told(2), "\(outcome)")
  }

  // Red: a signal that comes before the launcher has noticed that the command was executed ends the
  // launch, and the command cannot handle it.
  @Test func `A command that has begun gets every signal`() throws {
    let outcome = try Session().python(
      EnteringTests.tools + """
        box = start("--unshare-pid", "--ro-bind", "/", "/", "sh", "-c", "echo up; cat; true")
        # A shell that is about to read would notice a signal only after the read.
        for words in ["--enter", "box"], ["--unshare-pid", "--ro-bind", "/", "/"]:
          ends = set()
          for _ in range(100):
            one = subprocess.Popen(["nestbox", *words, "sh", "-c", "trap 'exit 9' TERM; echo; while :; do sleep 0.02; done"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            one.stdout.readline(); one.terminate(); ends.add(one.wait(100)); one.stdin.close()
          print(ends)
        end(box)
        """)
    #expect(outcome.lines == ["{9}", "{9}"], "\(outcome)")
  }

  // Red: a command that enters is outside the limits of the sandbox's control group, or has the
  // rights of a group that the launcher did not have.
  @Test(.asRoot) func `A process with more rights than the launcher cannot enter`() throws {
    let outcome = try Session(as: .root).run(
      """
      mkdir -m 700 run; chown 61234:61234 run; export XDG_RUNTIME_DIR=$PWD/run; mkfifo hold; chmod 755 .
      as() { setpriv --reuid=61234 --regid=61234 "$@"; }
      as --clear-groups nestbox --name box --unshare-pid --ro-bind / / cat hold & exec 3>hold
      as --clear-groups nestbox --enter box echo entered
      as --groups 61777 nestbox --enter box echo entered
      nestbox --enter box echo entered
      chown root run run/nestbox; nestbox --enter box echo entered
      exec 3>&-; wait
      """)
    #expect(outcome.output == "entered", "\(outcome)")
    #expect(
      outcome.errors.contains(
        "this process is in the group 61777, and the sandbox's launcher was not")
        && outcome.errors.contains("only the user and group that started it can enter it"),
      "\(outcome)")
  }
}
