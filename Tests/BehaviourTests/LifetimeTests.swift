// SPDX-License-Identifier: Apache-2.0
// How a sandbox ends: statuses, signals, orphans, and the caller's death.

import TestSupport
import Testing

@Suite("Lifetime")
struct LifetimeTests {
  /// Without an init between monitor and command, with one, with the command as init, and without
  /// a monitor.
  static let forms = ["", "--unshare-pid", "--unshare-pid --as-pid-1", "--exec"]

  // Red: a caller takes a failure for a success, or for another one.
  @Test("Every exit status is passed on", arguments: forms)
  func statuses(_ form: String) throws {
    let outcome = try Session().run(
      """
      for status in {0..255}; do
        nestbox --ro-bind / / \(form) sh -c "exit $status"
        test $? = $status || echo "not passed on: $status"
      done
      """)
    #expect(outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome)")
  }

  // Red: a caller cannot tell a crash from an exit.
  @Test(
    "Every signal that ends the command becomes 128 and its number",
    arguments: ["", "--unshare-pid"])
  func signals(_ form: String) throws {
    // Without those that stop, continue or are ignored, and the two of the C library.
    let outcome = try Session().run(
      """
      ulimit -c 0
      for signal in {1..16} {24..27} {29..31} {34..64}; do
        nestbox --ro-bind / / \(form) sh -c "kill -$signal \\$\\$"
        test $? = $((128 + signal)) || echo "not passed on: $signal"
      done
      """)
    #expect(outcome.output.isEmpty, "\(outcome.output)")
  }

  // Red: a caller that ignores the end of its children cannot learn the status of a command.
  @Test("The status is known to a caller that ignores SIGCHLD", arguments: forms)
  func ignoredChildReports(_ form: String) throws {
    let outcome = try Session().run(
      "trap '' CHLD; nestbox --ro-bind / / \(form) sh -c 'exit 42'; echo $?")
    #expect(outcome.output == "42", "\(outcome.errors)")
  }

  /// Starts the sandbox named by its arguments, waits for a line of it, and sends a signal.
  private static let sender = """
    import os, signal, subprocess, sys
    number = int(sys.argv[1])
    child = subprocess.Popen(
      ["nestbox", "--ro-bind", "/", "/", "--dev", "/dev"] + sys.argv[2:],
      stdout=subprocess.PIPE, text=True)
    print(child.stdout.readline(), end="")
    child.send_signal(number)
    print(child.stdout.read(), end="")
    code = child.wait(100)
    print("status", code if code >= 0 else 128 - code)
    """

  /// A command that says which signal it gets.
  private static let listener = """
    import signal, sys
    number = int(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    print("ready", flush=True)
    print("got", signal.sigwait([number]))
    """

  // Red: a service manager's or a terminal's signals do not reach what they are meant for.
  @Test(
    "Signals sent to the monitor reach the command", .needs("python3"),
    arguments: [1, 2, 3, 10, 12, 15, 18], forms)
  func forwarding(_ signal: Int, _ form: String) throws {
    let session = try Session()
    try session.write("listener.py", LifetimeTests.listener)
    try session.write("driver.py", LifetimeTests.sender)
    let outcome = try session.run(
      "python3 driver.py \(signal) \(form) python3 listener.py \(signal)")
    #expect(outcome.lines == ["ready", "got \(signal)", "status 0"], "\(outcome.errors)")
  }

  // Red: a sandbox outlives the request to end it.
  @Test(
    "SIGTERM sent to the monitor ends a command that does not care", .needs("python3"),
    arguments: ["", "--unshare-pid"])
  func termination(_ form: String) throws {
    let session = try Session()
    try session.write("driver.py", LifetimeTests.sender)
    let outcome = try session.run(
      "python3 driver.py 15 \(form) sh -c 'echo ready; exec sleep 140'")
    #expect(outcome.lines == ["ready", "status 143"], "\(outcome.errors)")
  }

  // Red: the table of processes fills up in a sandbox that runs for long.
  @Test func `Orphans are reaped`() throws {
    let outcome = try Session().run(
      """
      nestbox --ro-bind / / --dev /dev --unshare-pid --proc /proc bash -c '
        for i in {1..50}; do (sleep 0 &); done
        cd /proc; pids=([0-9]*)
        until ((${#pids[@]} == 2)); do sleep 0.01; pids=([0-9]*); done
        echo alone'
      """)
    #expect(outcome.output == "alone", "\(outcome.errors)")
  }

  // Red: a service that puts itself into the background is killed.
  @Test func `Background processes live on, and nothing waits for them`() throws {
    let outcome = try Session().run(
      """
      mkfifo go answer
      nestbox --ro-bind / / --dev /dev --unshare-pid --bind . /mnt sh -c '
        (read -r word < /mnt/go; echo "$word" > /mnt/answer) > /dev/null 2>&1 &
        echo started; exit 42' | cat
      echo "${PIPESTATUS[0]}"
      echo alive > go; cat answer
      """)
    #expect(outcome.lines == ["started", "42", "alive"], "\(outcome.errors)")
  }

  // Red: the monitor, or init, keeps a pipe open whose end the caller waits for.
  @Test(
    "A command that closes its output keeps its exit status", .needs("python3"),
    arguments: ["", "--unshare-pid"])
  func closedOutput(_ form: String) throws {
    let outcome = try Session().run(
      """
      mkfifo go
      nestbox --ro-bind / / --dev /dev --bind . /mnt \(form) sh -c '
        echo started; exec > /dev/null 7>&-; read -r word < /mnt/go' 7>&1 | {
          cat; echo ended  # although the command runs on
          echo > go
        }
      """)
    #expect(outcome.lines == ["started", "ended"], "\(outcome.errors)")
  }

  /// Has a command use 0.3 s, and with `both` a process that it leaves in the background as much, and
  /// says whether that counts as the time of this process's children.
  private static let clock = """
    import resource, subprocess, sys
    both = sys.argv[2] == "both"
    work = \'\'\'
    import os, time
    def burn():
      while time.process_time() < 0.3: pass
    ready, done = os.pipe()
    if %s and os.fork() == 0:
      os.close(ready); burn(); os.write(done, b"x"); time.sleep(100)
    os.close(done); burn(); os.read(ready, 1)
    \'\'\' % both
    status = subprocess.run(["nestbox", "--ro-bind", "/", "/", "--dev", "/dev", *sys.argv[1].split(),
      "/usr/bin/python3", "-c", work]).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(status, used.ru_utime + used.ru_stime > (0.55 if both else 0.28))
    """

  // Red: `time nestbox` shows nothing of what the command took.
  @Test(
    "The time that a command took is its caller's children's", .needs("python3"),
    arguments: ["", "--unshare-pid", "--unshare-pid --as-pid-1", "--lock-file /etc/passwd"])
  func timeOfCommand(_ form: String) throws {
    let outcome = try Session().python(LifetimeTests.clock, form, "command")
    #expect(outcome.output == "0 True", "\(outcome)")
  }

  // Red: the processor time of processes killed at the end is not counted.
  @Test(
    "So is the time of what ends with it", .needs("python3"),
    arguments: [
      "--kill-on-exit", "--die-with-parent", "--kill-on-exit --seccomp-policy strict",
      "--kill-on-exit --cap-add ALL",
    ])
  func timeOfRest(_ form: String) throws {
    let outcome = try Session().python(LifetimeTests.clock, "--unshare-pid " + form, "both")
    #expect(outcome.output == "0 True", "\(outcome)")
  }

  // Red: a caller that cleans up after the end finds files that were written meanwhile, or the plan
  // says that what the command leaves behind lives on.
  @Test(
    "Nothing inside goes on after the end where it ends with the command",
    arguments: ["--kill-on-exit", "--die-with-parent", "--as-pid-1"])
  func nothingGoesOn(_ form: String) throws {
    let outcome = try Session().run(
      """
      for i in {1..20}; do
        rm -f log
        nestbox --ro-bind / / --dev /dev --bind . /mnt --unshare-pid \(form) bash -c '
          for j in 1 2 3 4 5 6 7 8; do
            (while :; do echo >> /mnt/log; done) & (while :; do :; done) &
          done
          until [ -s /mnt/log ]; do :; done'
        before=$(stat -c %s log); sleep 0.05
        [ "$before" = "$(stat -c %s log)" ] || echo "written to after the end"
      done
      nestbox --dry-run --ro-bind / / --unshare-pid \(form) true |
        grep -o 'everything inside is killed when the command ends'
      """)
    #expect(outcome.lines == ["everything inside is killed when the command ends"], "\(outcome)")
  }

  // Red: Ctrl-C ends one launch of a loop after the other.
  @Test(
    "The launcher dies of the signal that ended its command", .needs("python3"),
    arguments: ["", "--unshare-pid"])
  func signalOfCommand(_ form: String) throws {
    let outcome = try Session().python(
      """
      import os, resource, subprocess, sys
      resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
      for name, number in ("nestbox", 2), ("nestbox", 9), ("nestbox", 11), ("nestbox", 64), ("bwrap", 2):
        # Popen would reap the child when it is collected.
        launcher = subprocess.Popen([name, "--ro-bind", "/", "/", *sys.argv[1].split(),
          "sh", "-c", f"ulimit -c 0; kill -{number} $$"], executable="nestbox")
        status = os.waitpid(launcher.pid, 0)[1]
        print(status & 127, os.WEXITSTATUS(status), os.WCOREDUMP(status))
      """, form)
    #expect(
      outcome.lines
        == ["2 0 False", "9 0 False", "11 0 False", "64 0 False", "0 130 False"], "\(outcome)")
  }

  /// Kills the caller of a sandbox or its monitor, and says whether anything of the sandbox is
  /// left: everything in it holds the write end of a pipe.
  private static let orphaner = """
    import os, select, signal, sys
    victim, options, work = sys.argv[1:]
    ready, started = os.pipe()
    held, holder = os.pipe()
    caller = os.fork()
    if caller == 0:
      os.set_inheritable(holder, True)
      os.dup2(started, 1)
      sandbox = os.spawnvp(os.P_NOWAIT, "nestbox",
        ["nestbox", "--ro-bind", "/", "/", "--dev", "/dev", "--die-with-parent"]
        + options.split() + ["bash", "-c", work + "echo ready; read -r -t 100 < <(sleep 100)"])
      os.close(holder)
      os.write(1, b"%d\\n" % sandbox)
      signal.pause()
    os.close(started); os.close(holder)
    lines = b""
    while lines.count(b"\\n") < 2: lines += os.read(ready, 100)
    monitor = int(next(word for word in lines.split() if word.isdigit()))
    os.kill(caller if victim == "caller" else monitor, signal.SIGKILL)
    dead, _, _ = select.select([held], [], [], 60)
    print("nothing is left" if dead and not os.read(held, 1) else "something is left")
    os.kill(caller, signal.SIGKILL)
    """

  // Red: a supervisor that crashes leaves payloads running that nobody knows of.
  @Test(
    "With --die-with-parent nothing outlives the caller or the monitor", .needs("python3"),
    arguments: ["caller", "monitor"],
    ["--unshare-pid", "--unshare-pid --new-session", "--unshare-pid --as-pid-1"])
  func orphanedSandbox(_ victim: String, _ form: String) throws {
    let outcome = try Session().python(
      LifetimeTests.orphaner, victim, form, "sleep 100 & setsid sleep 100 & ")
    #expect(outcome.output == "nothing is left", "\(outcome.errors)")
  }

  // Red: the same, where no pid namespace takes everything along.
  @Test(
    "With --die-with-parent the command dies with the caller and the monitor", .needs("python3"),
    arguments: ["caller", "monitor"])
  func orphanedCommand(_ victim: String) throws {
    let outcome = try Session().python(
      LifetimeTests.orphaner, victim, "", "echo ready; exec sleep 100; ")
    #expect(outcome.output == "nothing is left", "\(outcome.errors)")
  }

  // Red: the two tests above could not fail.
  @Test(
    "Without --die-with-parent a sandbox outlives its caller", arguments: ["", "--unshare-pid"])
  func independentSandbox(_ form: String) throws {
    let outcome = try Session().run(
      """
      mkfifo ready go answer
      bash -c 'nestbox --ro-bind / / --bind . /mnt \(form) bash -c "
        echo ready > /mnt/ready; read -r word < /mnt/go; echo alive > /mnt/answer" & wait' &
      cat ready; kill -KILL $!
      wait 2> /dev/null
      echo > go; cat answer
      """)
    #expect(outcome.lines == ["ready", "alive"], "\(outcome.errors)")
  }
}
