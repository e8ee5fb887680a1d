// SPDX-License-Identifier: Apache-2.0
// Launches that are ended, stopped or hindered by others on their way.

import TestSupport
import Testing

@Suite("Interruptions", .needs("gcc"), .needs("python3"))
struct InterruptionTests {
  // Red: a launcher that was ended leaves the command to itself: init has made it and has not yet
  // told of it.
  @Test(
    "No command begins after its launcher was ended",
    arguments: ["--lock-file /etc/passwd", "--sync-fd 0", "--unshare-pid", ""])
  func ended(_ options: String) throws {
    let outcome = try Session().python(
      """
      import os, random, subprocess, sys, time
      random.seed(1); ended = late = 0
      for i in range(100):
        run = subprocess.Popen(["nestbox", "--dev-bind", "/", "/", *sys.argv[1].split(),
          "sh", "-c", f"sleep 0.05; : > ran{i}"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.006)); run.terminate()
        if run.wait() == -15: ended += 1
        else: open(f"other{i}", "w")
      time.sleep(0.5)
      late = sum(os.path.exists(f"ran{i}") and not os.path.exists(f"other{i}") for i in range(100))
      print("some were ended" if ended else "none was ended", late)
      """, options)
    #expect(outcome.output == "some were ended 0", "\(outcome.errors)")
  }

  // Red: Ctrl-C during a launch is lost, or leaves on the host what was made, and a status of a
  // command that never ran is told.
  @Test(
    "A launch that waits is ended by a key or a signal, and leaves nothing",
    arguments: ["", "--unshare-pid"], ["key", "signal"])
  func waiting(_ options: String, _ means: String) throws {
    let outcome = try Session().python(
      """
      import os, pty, signal, sys, time
      os.mkdir("work"); os.mkfifo("go")
      pid, terminal = pty.fork()
      if pid == 0:
        os.dup2(os.open("status", os.O_WRONLY | os.O_CREAT), 4)
        # Opened for both, so that it stays empty and never ends.
        os.dup2(os.open("go", os.O_RDWR), 3)
        os.execvp("nestbox", ["nestbox", "--ro-bind", "/", "/", "--bind", "work", "/mnt",
          "--ro-bind", "/dev/null", "/mnt/hook", "--ro-bind-data", "3", "/mnt/data",
          "--json-status-fd", "4", *sys.argv[1].split(), "true"])
      while not os.path.exists("work/hook"): time.sleep(0.01)
      if sys.argv[2] == "key": os.write(terminal, b"\\x03")
      else: os.kill(pid, signal.SIGTERM)
      status = os.waitpid(pid, 0)[1]
      print(signal.Signals(os.WTERMSIG(status)).name, os.listdir("work"), open("status").read().count("exit-code"))
      """, options, means)
    #expect(
      outcome.output == (means == "key" ? "SIGINT [] 0" : "SIGTERM [] 0"), "\(outcome.errors)")
  }

  // Red: a file that had just been created when the signal came stays on the host.
  @Test(
    "A launch that ends while it creates a file leaves nothing", .needs("strace"),
    arguments: ["", "--unshare-pid"])
  func creating(_ options: String) throws {
    let outcome = try Session().python(
      """
      import os, signal, subprocess, sys, time
      os.mkdir("work")
      # The call has created the file, and does not return yet.
      run = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=mknodat",
        "-e", "inject=mknodat:delay_exit=300000", "nestbox", "--ro-bind", "/", "/",
        "--bind", "work", "/mnt", "--ro-bind", "/dev/null", "/mnt/hook", *sys.argv[1].split(), "true"])
      while not os.path.exists("work/hook"): time.sleep(0.01)
      launcher = open(f"/proc/{run.pid}/task/{run.pid}/children").read().split()[0]
      os.kill(int(launcher), signal.SIGTERM)
      print(run.wait(), os.listdir("work"))
      """, options)
    #expect(outcome.output == "-15 []", "\(outcome.errors)")
  }

  // Red: fg(1) of a launch that was stopped ends it.
  @Test func `A launch that was stopped goes on`() throws {
    let outcome = try Session().run(
      """
      mkfifo go; nestbox --ro-bind / / --block-fd 3 echo works 3<> go & sleep 0.3
      kill -STOP $!; kill -CONT $!; sleep 0.3; echo > go; wait $!; echo $?
      """)
    #expect(outcome.lines == ["works", "0"], "\(outcome.errors)")
  }

  // Red: a new file that got the number of a mount point is removed with it.
  @Test func `A new file under the name of a mount point stays`() throws {
    let outcome = try Session().run(
      """
      mkdir work; mkfifo go
      nestbox --ro-bind / / --bind work /mnt --ro-bind /dev/null /mnt/file --ro-bind-data 3 /mnt/data \
        /nosuch 3< go 2> message & exec 4> go
      until [ -e work/file ]; do kill -0 $! || break; done
      # The file system gives the number away again at once.
      sleep 0.05; rm work/file; echo saved > work/file; exec 4>&-
      wait; ls work; cat work/file message
      """)
    #expect(
      outcome.lines.prefix(2) == ["file", "saved"] && outcome.output.contains("/nosuch"),
      "\(outcome)")
  }

  // Red: a command that has the keyring of all launches go, or another user, keeps others from being
  // started.
  @Test func `A launch works after somebody has invalidated the keyring of launches`() throws {
    let outcome = try Session().python(
      """
      import subprocess, sys
      box = ["nestbox", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc"]
      # KEYCTL_INVALIDATE of the session's keyring, by a command that then stays.
      first = subprocess.Popen([*box, "python3", "-c",
        "import ctypes, platform, sys; call = 250 if platform.machine() == 'x86_64' else 219;"
        "print(ctypes.CDLL(None).syscall(call, 21, -3), flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
      first.stdout.readline()
      print([subprocess.run([*box, "true"]).returncode for i in range(5)])
      first.communicate()
      """)
    #expect(outcome.output == "[0, 0, 0, 0, 0]", "\(outcome.errors)")
  }
}
