// SPDX-License-Identifier: Apache-2.0
// --list and --inspect, held against what processes see from inside and what /proc says outside.

import Foundation
import TestSupport
import Testing

@Suite("Running sandboxes")
struct RunningSandboxTests {
  /// Prints what the reports say of a process, by Python: `of(number)` is the entry of the list,
  /// `inspect(number)` the whole report.
  private static let reader = """
    import json, os, subprocess, sys, time
    def report(*words):
      return json.loads(subprocess.run(["nestbox", *words, "--json"], check=True,
                                       capture_output=True, text=True).stdout)
    def of(number):
      # The list counts from the first process; its number is not known outside.
      for box in report("--list")["sandboxes"]:
        if number in (box["process"], box["monitor"]): return box
    def inspect(number): return report("--inspect", str(number))
    def start(*words):
      child = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
      child.first = child.stdout.readline().decode("ascii", "backslashreplace").strip()
      return child
    def end(child):
      child.stdin.close(); child.wait(100)

    """

  // Red: the report shows the namespaces of another process, or another form of their names.
  @Test func `Namespaces are reported as /proc shows them inside`() throws {
    let outcome = try Session().python(
      RunningSandboxTests.reader + """
        script = "readlink /proc/self/ns/* | sort | tr '\\\\n' ' '; echo; cat; true"
        child = start("nestbox", "--unshare-all", "--unshare-time", "--ro-bind", "/", "/", "--proc", "/proc",
                      "sh", "-c", script)
        told = inspect(child.pid)["namespaces"].values()
        print(sorted(x["name"] for x in told) == sorted(set(x for x in child.first.split()
                                                            if "children" not in x)))
        own = os.readlink("/proc/self/ns/uts")
        print([x["is-own"] for x in told], own in [x["name"] for x in told])
        end(child)
        """)
    #expect(
      outcome.lines == ["True", "[True, True, True, True, True, True, True, True] False"],
      "\(outcome)")
  }

  // Red: the report does not say how the sandbox was started, or under which policy.
  @Test(.needs("bwrap")) func `How a sandbox was started is reported`() throws {
    let outcome = try Session().python(
      RunningSandboxTests.reader + """
        os.mkdir("run", 0o700); os.environ["XDG_RUNTIME_DIR"] = os.path.abspath("run")
        os.mkdir("project"); os.chdir("project")
        command = ["sh", "-c", "echo; cat; true"]
        words = ["nestbox", "--profile", "build", "--name", "box", "--seccomp-allow", "keyctl,@mount", *command]
        box = start(*words); told = inspect("box")
        print(told["launcher"] == words, told["launch"])
        text = subprocess.run(["nestbox", "--inspect", "box"], capture_output=True, text=True).stdout
        print([x.strip() for x in text.split("\\n") if "polic" in x or "profiles" in x or "command line" in x])
        end(box)
        for words in [["nestbox", "--unshare-pid"], ["bwrap", "--unshare-pid"]]:
          words = [*words, "--ro-bind", "/", "/", *command]
          box = start(*words); told = inspect(box.pid)
          print(told["launcher"] == words, told["launch"], told["made-by"]); end(box)
        """)
    #expect(
      outcome.lines == [
        "True {'profiles': ['build', 'untrusted'], 'policy': 'default', 'policy-changes': "
          + "['--seccomp-allow keyctl,@mount'], 'filters': 0, 'landlock-scopes': ['signal']}",
        #"["command line: nestbox --profile build --name box --seccomp-allow keyctl,@mount sh -c 'echo; cat; true'", "#
          + "'profiles: build, untrusted', 'system call policy: default', "
          + "'changes of the policy: --seccomp-allow keyctl,@mount']",
        "True None nestbox", "True None bubblewrap",
      ], "\(outcome)")
  }

  // Red: sandboxes of other programs are missing, or the list does not say who made them.
  @Test(.needs("bwrap"), .needs("unshare"))
  func `Sandboxes of other programs are listed, marked as such`() throws {
    let outcome = try Session().python(
      RunningSandboxTests.reader + """
        for words in [["bwrap", "--unshare-all", "--ro-bind", "/", "/"], ["unshare", "-Urn"],
                      ["nestbox", "--unshare-pid", "--ro-bind", "/", "/"],
                      ["nestbox", "--ro-bind", "/", "/"]]:
          child = start(*words, "sh", "-c", "echo; cat; true")
          box = of(child.pid)
          print(box["made-by"], box["network"], box["command"], box["name"])
          end(child)
        """)
    let command = "['sh', '-c', 'echo; cat; true']"
    #expect(
      outcome.lines == [
        "bubblewrap none \(command) None", "other none \(command) None",
        "nestbox host \(command) None", "nestbox host \(command) None",
      ], "\(outcome)")
  }

  // Red: who is in a namespace besides the sandbox is not told, or its own processes are.
  @Test(.needs("nsenter"))
  func `Others in a namespace are reported`() throws {
    let outcome = try Session().python(
      RunningSandboxTests.reader + """
        first = start("nestbox", "--unshare-all", "--ro-bind", "/", "/", "sh", "-c", "echo; cat; true")
        inside = [x for x in inspect(first.pid)["members"] if x["process-inside"] != 1][0]["process"]
        second = start("nsenter", "-t", str(inside), "-U", "-n", "--preserve-credentials",
                       "sh", "-c", "echo; cat; true")
        box = inspect(first.pid)
        print(second.pid in [x["process"] for x in box["namespaces"]["net"]["others"]],
              second.pid in [x["process"] for x in box["namespaces"]["ipc"]["others"]],
              [x["process"] for x in box["namespaces"]["net"]["sandboxes"]] == [second.pid],
              box["network"])
        end(second); end(first)
        """)
    #expect(outcome.lines == ["True False True shared"], "\(outcome)")
  }

  // Red: a command line of megabytes, invalid text, or a name with escape sequences makes the
  // report long, invalid or dangerous to print.
  @Test func `What a process calls itself can neither drive a terminal nor fill a report`() throws {
    let hostile = """
      import ctypes, os, sys
      if len(sys.argv) < 4:
        os.execv(sys.executable, ["\\n-  1\\x1b[2J\\udcff", "-c", sys.argv[1], sys.argv[1], "x" * 100000,
                                  "y" * 100000])
      libc = ctypes.CDLL(None)
      libc.prctl(15, b") S 1 \\n\\x1b[31m", 0, 0, 0)
      print(os.getpid(), flush=True)
      sys.stdin.read()
      """
    let outcome = try Session().python(
      RunningSandboxTests.reader + """
        hostile = sys.argv[1]
        child = start("nestbox", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc",
                      "python3", "-c", hostile, hostile)
        for words in [["--list"], ["--inspect", str(child.pid)], ["--list", "--json"],
                      ["--inspect", str(child.pid), "--json"]]:
          text = subprocess.run(["nestbox", *words], check=True, capture_output=True).stdout
          text = text.decode()
          print(any(x != "\\n" and (ord(x) < 32 or 127 <= ord(x) < 160) for x in text),
                len(text) < 100000, len([x for x in text.split("\\n") if x.startswith("-  1")]))
        box = inspect(child.pid)
        print(box["processes"], [x["name"] for x in box["members"]])
        end(child)
        """, hostile)
    #expect(
      outcome.lines == [
        "False True 0", "False True 0", "False True 0", "False True 0",
        #"2 ['nestbox', ') S 1 \n\x1b[31m']"#,
      ], "\(outcome)")
  }

  // Red: a hostile process that serves a file system and never answers blocks the inspection.
  @Test(
    .asRoot, .enabled(if: FileManager.default.fileExists(atPath: "/dev/fuse"), "needs /dev/fuse"))
  func `A file system that does not answer keeps nobody waiting`() throws {
    let server = """
      import ctypes, os, sys
      libc = ctypes.CDLL(None, use_errno=True)
      fuse = os.open("/dev/fuse", os.O_RDWR)
      options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fuse
      if libc.mount(b"silent", b"/mnt", b"fuse", 6, options): sys.exit("mount failed")
      if libc.mount(b"tmpfs", b"/srv", b"tmpfs", 0, b"size=4096"): sys.exit("no tmpfs")
      print("mounted", flush=True)
      sys.stdin.read()
      """
    // An ordinary user may often not open the device.
    let outcome = try Session(as: .root).python(
      RunningSandboxTests.reader + """
        child = start("nestbox", "--unshare-all", "--unshare-user", "--uid", "0", "--cap-add", "sys_admin", "--ro-bind", "/", "/",
                      "--dev-bind", "/dev", "/dev", "--tmpfs", "/mnt", "--tmpfs", "/srv",
                      "python3", "-c", sys.argv[1])
        print(child.first)
        mounts = {x["point"]: x for x in inspect(child.pid)["mounts"]}
        print(mounts["/mnt"]["type"], mounts["/mnt"]["size"], mounts["/srv"]["size"])
        child.kill(); child.wait(100)
        """, server)
    #expect(outcome.lines == ["mounted", "fuse None 4096"], "\(outcome)")
  }

  // Red: a process that ends while it is looked at makes the report fail.
  @Test func `Processes may end while they are looked at`() throws {
    let outcome = try Session().run(
      """
      nestbox --unshare-all --ro-bind / / --dev /dev --proc /proc \
        sh -c 'echo; while :; do (true & true & true); done' >ready &
      until [ -s ready ]; do sleep 0.05; done
      for round in {1..30}; do
        nestbox --list >list || echo "failed: $?"
        nestbox --inspect $! >report || echo "failed: $?"
      done
      kill $!
      """)
    #expect(outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome)")
  }
}
