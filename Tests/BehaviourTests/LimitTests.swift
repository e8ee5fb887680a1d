// SPDX-License-Identifier: Apache-2.0
// Limits that need no control group, on commands that do all they can against them, and reports of
// many jobs at a time. Some also use a group without controllers. Tests/Kernels has the limits that need
// controllers.

import TestSupport
import Testing

@Suite("Limits")
struct LimitTests {
  /// What a command does about a limit of time.
  static let stubborn = [
    "exec sleep 100",
    "sleep 100 & sleep 100",
    "kill -STOP $$",
    "trap '' TERM HUP INT; while :; do sleep 1; done",
    "setsid sleep 100 & wait",
    "(setsid sh -c 'trap \"\" TERM; sleep 100' &); sleep 100",
    "((setsid sleep 100 &) &); while :; do :; done",
    "for i in 1 2 3 4 5; do (trap '' TERM; while :; do :; done) & done; kill -STOP $$",
    "(setsid sleep 100 &); sleep 0.1; kill -STOP 0",
  ]

  // Red: a limit of time lets something live on, or is reported as something else.
  @Test("A limit of time ends all that a command does against it", arguments: stubborn)
  func time(_ script: String) throws {
    let outcome = try Session().python(
      """
      import json, os, subprocess, sys
      report, write = os.pipe()
      hold, held = os.pipe()
      box = subprocess.Popen(
        ["nestbox", "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "--timeout", "300ms",
         "--timeout-grace", "200ms", "--report", str(write), "sh", "-c", sys.argv[1]],
        pass_fds=[write, held], stderr=subprocess.DEVNULL, process_group=0)
      os.close(write); os.close(held)
      status = box.wait()
      # The end of file comes when the last process that holds the pipe has gone.
      assert os.read(hold, 1) == b""
      text = json.load(open(report))
      print(status, text["outcome"], text["complete"], text["wall"] >= 0.3)
      """, script)
    #expect(outcome.output == "124 timeout True True", "\(outcome)")
  }

  // Red: a command that stops the launcher stops the clock of the limit too.
  @Test func `A limit of time ends the command while the launcher is stopped`() throws {
    let outcome = try Session().python(
      """
      import json, os, signal, subprocess, time
      report, write = os.pipe()
      hold, held = os.pipe()
      box = subprocess.Popen(
        ["nestbox", "--ro-bind", "/", "/", "--unshare-pid", "--timeout", "3s", "--timeout-grace",
         "200ms", "--report", str(write), "sh", "-c", "trap '' TERM; echo; (setsid sleep 100 &); sleep 100"],
        pass_fds=[write, held], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
      pipe = os.fstat(held).st_ino
      os.close(write); os.close(held)
      box.stdout.readline()
      # The command may run before the launcher has closed its copy, with which it would be stopped.
      def isHeld():
        try: return any(os.stat(entry).st_ino == pipe for entry in os.scandir(f"/proc/{box.pid}/fd"))
        except FileNotFoundError: return box.poll() is None
      while isHeld(): time.sleep(0.005)
      box.send_signal(signal.SIGSTOP)
      assert os.read(hold, 1) == b""
      assert open(f"/proc/{box.pid}/stat").read().split(") ")[1][0] == "T"
      box.send_signal(signal.SIGCONT)
      status, text = box.wait(), json.load(open(report))
      print(status, text["outcome"], text["complete"])
      """)
    #expect(outcome.output == "124 timeout True", "\(outcome)")
  }

  // Red: the command stops the launcher, and with it the script that waits for the launcher.
  @Test(.enabled(if: LimitTests.hasScopes))
  func `At a terminal a command that shares its group cannot stop the launcher`() throws {
    let outcome = try Session().python(
      #"""
      import os, pty
      pid, terminal = pty.fork()
      if pid == 0:
        os.execvp("sh", ["sh", "-c", "nestbox --ro-bind / / --dev-bind /dev /dev --unshare-pid --timeout 300ms "
          "--timeout-grace 200ms sh -c '(setsid sleep 100 &); kill -STOP 0'; echo status $?"])
      text = b""
      while True:
        try: part = os.read(terminal, 1000)
        except OSError: break
        if not part: break
        text += part
      print(b"status 124" in text or text)
      """#)
    #expect(outcome.output == "True", "\(outcome)")
  }

  /// Whether the kernel can keep signals inside.
  private static var hasScopes: Bool {
    let outcome = try? Session().run("nestbox --landlock-scope signal --ro-bind / / true")
    return outcome?.status == 0
  }

  /// A limit of each process, what exceeds it, and how that shows.
  static let ofEach = [
    ("fsize=4096", "exec python3 -c 'import os; os.truncate(1, 5000)' >/tmp/a", "exited 1"),
    ("nofile=16", "exec 20</dev/null", "exited 2"),
    ("core=0", "kill -SEGV $$", "signaled 11"),
    ("cpu=1:1", "while :; do :; done", "signaled 9"),
    ("data=20M", "exec python3 -c 'bytearray(50_000_000)'", "exited 1"),
  ]

  // Red: a limit of each process does not hold, or the report names another cause.
  @Test("Limits of each process hold, and the report tells how they ended it", arguments: ofEach)
  func ofEachProcess(_ limit: String, _ script: String, _ expected: String) throws {
    let outcome = try Session().run(
      """
      nestbox --ro-bind / / --tmpfs /tmp --unshare-pid --rlimit "$1" --report 3 sh -c "$2" 3>report >/dev/null 2>&1
      python3 -c 'import json
      r = json.load(open("report")); print(r["outcome"], r.get("signal", r.get("exit-code")))'
      """, limit, script)
    #expect(outcome.output == expected, "\(outcome)")
  }

  // Red: processes of the same user count for the limit, or the limit for them.
  @Test func `A limit of processes leaves other processes of the user alone`() throws {
    let outcome = try Session().python(
      """
      import subprocess
      bomb = '''
      import os, signal
      made = 0
      try:
        while made < 100:
          if os.fork() == 0: signal.pause()
          made += 1
      except OSError: pass
      print(made, flush=True)
      signal.pause()
      '''
      def start(*options):
        return subprocess.Popen(["nestbox", "--ro-bind", "/", "/", "--unshare-pid", "--kill-on-exit", *options,
                                 "python3", "-c", bomb], stdout=subprocess.PIPE, text=True)
      boxes = [start("--processes", "5"), start("--processes", "20"), start("--processes", "200")]
      print(*[box.stdout.readline().strip() for box in boxes])
      # All of them are still there.
      print(len([subprocess.Popen(["sleep", "0"]) for _ in range(50)]))
      for box in boxes: box.terminate()
      """)
    #expect(outcome.output == "4 19 100\n50", "\(outcome)")
  }

  // Red: the report misses processes, or counts them twice.
  @Test(.needs("time"))
  func `Processor time and peak agree with what time(1) says of the same tree`() throws {
    let outcome = try Session().run(
      """
      cat >tree.py <<'END'
      import os, time
      def burn(seconds):
        while time.process_time() < seconds: pass
      for size in 20, 60, 120:
        if os.fork() == 0:
          memory = bytearray(size << 20)
          burn(0.5)
          os._exit(0)
      burn(0.3)
      for _ in range(3): os.wait()
      END
      nestbox --ro-bind / / --bind . "$PWD" --unshare-pid --report 3 /usr/bin/time -o used -f '%U %S %M' python3 tree.py 3>report
      python3 -c 'import json
      r = json.load(open("report")); user, system, peak = map(float, open("used").read().split())
      cpu = r["user"] + r["system"]
      print(abs(cpu - user - system) <= 0.05 * cpu, abs(r["max-rss"] - peak * 1024) <= 0.05 * r["max-rss"], cpu > 1.7)
      print(cpu, user + system, r["max-rss"], peak * 1024)'
      """)
    #expect(outcome.lines.first == "True True True", "\(outcome)")
  }

  /// Runs 1000 jobs, 50 at a time, whose numbers say how they end, and counts how they did.
  private static let jobs = """
    import collections, concurrent.futures, json, os, subprocess, sys
    def job(number):
      read, write = os.pipe()
      kinds = ["true", "exit 3", "exit 137", "kill -9 $$", "sleep 100", "yes", "sleep 0 & sleep 0 & wait"]
      kind = number % len(kinds)
      limits = ["--timeout", "300ms" if kind == 4 else "100s", "--timeout-grace", "100ms", "--processes", "20",
                "--output-limit", "1K", "--rlimit", "cpu=50"]
      status = subprocess.run(
        ["nestbox", "--ro-bind", "/", "/", "--unshare-pid", *sys.argv[1:], *limits, "--report", str(write),
         "sh", "-c", kinds[kind]], pass_fds=[write], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        check=False).returncode
      os.close(write)
      with open(read) as file: report = json.load(file)
      own = report.get("exit-code", report.get("signal"))
      if report["outcome"] not in ("exited", "signaled"): own = "-"
      return kind, status, report["outcome"], own, report["complete"]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
      for key, count in sorted(collections.Counter(pool.map(job, range(1001))).items()): print(*key, count)
    """

  private static let counts = [
    "0 0 exited 0 True 143", "1 3 exited 3 True 143", "2 137 exited 137 True 143",
    "3 -9 signaled 9 True 143", "4 124 timeout - True 143", "5 153 output - True 143",
    "6 0 exited 0 True 143",
  ]

  // Red: a program that starts nestbox gets no report, and can only guess why.
  @Test(
    "A mistake in the options is reported as well",
    arguments: [
      "--nosuch", "--profile nosuch", "--memory much", "--setenv", "--seccomp-policy nosuch",
      "--name -",
    ])
  func mistake(_ options: String) throws {
    let outcome = try Session().run(
      """
      printf '%s\\0' $1 | nestbox --report 3 --args 0 -- touch started 3>report 2>messages
      echo $?; ls started
      python3 -c 'import json
      r = json.load(open("report")); print(r["outcome"], r["complete"])
      print("nestbox: " + r["error"]["message"] == open("messages").readline().strip())'
      """, options)
    #expect(outcome.output == "125\nnot-started True\nTrue", "\(outcome)")
  }

  // Red: a report of one job goes to another, is missing, or tells another cause.
  @Test func `Of a thousand jobs, fifty at a time, each report tells the right cause`() throws {
    let outcome = try Session().python(LimitTests.jobs)
    #expect(outcome.lines == LimitTests.counts, "\(outcome)")
  }

  // Red: a group is left behind, or one job's end is taken for another's.
  @Test(.asRoot) func `The same with a control group for each, of which none is left`() throws {
    let outcome = try DelegatedGroup.run(
      "in_group python3 jobs.py --cpu-time 100s", files: ["jobs.py": LimitTests.jobs])
    #expect(outcome.lines == LimitTests.counts, "\(outcome)")
  }

  // Red: a command whose processes nobody waits for seems to use nothing, and no word warns of it.
  @Test(.asRoot) func `A control group counts what a command hides, as the report tells`()
    throws
  {
    let outcome = try DelegatedGroup.run(
      "in_group python3 hiding.py", files: ["hiding.py": LimitTests.hiding])
    #expect(outcome.lines == ["parents False", "control-group True"], "\(outcome)")
  }

  /// Uses a second of processor time in a process for which the kernel lets nobody wait.
  private static let hiding = """
    import json, os, subprocess
    command = '''
    import os, signal, time
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if os.fork() == 0:
      while time.process_time() < 1: pass
      os._exit(0)
    try: os.wait()
    except ChildProcessError: pass
    '''
    for group in [], ["--cpu-time", "100s"]:
      read, write = os.pipe()
      subprocess.run(["nestbox", "--ro-bind", "/", "/", "--unshare-pid", *group, "--report", str(write),
                      "python3", "-c", command], pass_fds=[write], check=True)
      os.close(write)
      with open(read) as file: report = json.load(file)
      print(report["counted-by"], report["user"] + report["system"] >= 1)
    """

  // Red: where a filter hides clone3, as RestrictNamespaces= of systemd does, no sandbox has a control
  // group, or its command runs outside.
  @Test(.asRoot, arguments: ["ENOSYS", "EPERM"])
  func `Where a filter hides clone3, a command is in its control group all the same`(
    _ errno: String
  ) throws {
    let outcome = try DelegatedGroup.run(
      """
      printf 'errno? \(errno) clone3\\ndefault allow\\n' >policy
      in_group nestbox --dev-bind / / --seccomp-policy policy bash -c '
        for options in --unshare-pid --unshare-all; do
          nestbox --ro-bind / / --proc /proc $options --cpu-time 10 --report 3 sh -c "
            sed -n s/^0:://p /proc/self/cgroup; sh -c \\"cat /proc/self/cgroup\\" | sed -n s/^0:://p" 3>report
          grep -o "\\"by\\": \\"control-group\\"" report
        done'
      """)
    // Below the group of the launcher's control group namespace, or the root of the sandbox's.
    let places = outcome.lines.map { $0.hasSuffix("/payload") ? "payload" : $0 }
    let held = "\"by\": \"control-group\""
    #expect(places == ["payload", "payload", held, "/", "/", held], "\(outcome)")
  }

  // Red: a command that stops the launcher, as Ctrl-Z does, goes on with nobody to count.
  @Test(.asRoot) func `While the launcher is stopped nothing in its group uses processors`() throws
  {
    let outcome = try DelegatedGroup.run(
      "in_group python3 stopped.py", files: ["stopped.py": LimitTests.stopped])
    #expect(outcome.output == "frozen 1\n124 cpu-time", "\(outcome)")
  }

  /// A shell that controls jobs, with a job that stops itself and leaves a process that goes on.
  private static let stopped = #"""
    import glob, json, os, pty, signal, subprocess
    pid, terminal = pty.fork()
    if pid != 0:
      text = b""
      while True:
        try: part = os.read(terminal, 1000)
        except OSError: break
        if not part: break
        text += part
      print(text.decode().replace("\r", "").strip())
      raise SystemExit
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.dup2(os.open("report", os.O_RDWR | os.O_CREAT), 9)
    box = subprocess.Popen(
      ["nestbox", "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--unshare-pid", "--cpu-time", "1",
       "--report", "9", "sh", "-c",
       "(setsid sh -c 'while :; do :; done' &); sleep 0.1; kill -TSTP $$; sleep 100"],
      process_group=0, pass_fds=[9], stderr=subprocess.DEVNULL,
      preexec_fn=lambda: os.tcsetpgrp(0, os.getpgrp()))
    assert os.WIFSTOPPED(os.waitpid(box.pid, os.WUNTRACED)[1])
    os.tcsetpgrp(0, os.getpgrp())
    own = next(line[3:].strip() for line in open("/proc/self/cgroup") if line.startswith("0::"))
    place = f"/sys/fs/cgroup/*/{os.path.dirname(own)[1:]}/nestbox-*/cgroup.freeze"
    files = glob.glob(place.replace("*/", "", 1)) or glob.glob(place)
    print("frozen", *[open(file).read().strip() for file in files], flush=True)
    os.tcsetpgrp(0, box.pid)
    os.killpg(box.pid, signal.SIGCONT)
    status = box.wait()
    os.tcsetpgrp(0, os.getpgrp())
    report = json.load(open("report"))
    print(status, report["outcome"])
    """#
}
