// SPDX-License-Identifier: Apache-2.0
// --keep and --detach: a sandbox that goes on without its command, or without its caller, until it
// is stopped.

import TestSupport
import Testing

@Suite("Keeping", .needs("python3"))
struct KeepingTests {
  private static let tools = """
    import json, os, pty, re, signal, subprocess, sys, time
    os.mkdir("run", 0o700); os.environ["XDG_RUNTIME_DIR"] = os.path.abspath("run")
    def nestbox(*words, **more):
      return subprocess.run(["nestbox", *words], capture_output=True, text=True, **more)
    # Those of this registry: other tests have sandboxes as well.
    def listed(): return [x for x in json.loads(nestbox("--list", "--json").stdout)["sandboxes"] if x["name"]]
    def box(name="box"): return next((x for x in listed() if x["name"] == name), None)
    def until(condition):
      for _ in range(1000):
        if condition(): return True
        time.sleep(0.02)
      return False
    def namespaces(pid):
      # Of every process of this user that shows them, to see what is left.
      held = set()
      for number in filter(str.isdigit, os.listdir("/proc")):
        try: held |= {os.readlink(f"/proc/{number}/ns/{x}") for x in ("pid", "mnt", "net")}
        except OSError: pass
      return held

    """

  // Red: the sandbox ends with its command; its namespaces cannot be entered or seen; a process, a
  // mount, a file or the name is left behind.
  @Test func `A kept sandbox in the background is listed, inspected, entered, stopped, and gone`()
    throws
  {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        mounts = open("/proc/self/mountinfo").read()
        one = nestbox("--name", "box", "--keep", "--detach", "--unshare-all", "--ro-bind", "/", "/", "--tmpfs", "/mnt",
                      "--proc", "/proc", "sh", "-c", "readlink /proc/self/ns/net >/mnt/net")
        print(one.returncode, one.stdout, one.stderr)
        print(until(lambda: box() and box()["command"] == []))
        entry = box(); print(entry["kept"], entry["processes"], entry["network"], entry["made-by"])
        print("(kept, no command)" in nestbox("--list").stdout)
        seen = json.loads(nestbox("--inspect", "box", "--json").stdout)
        # Of init, which is all that is left.
        print([x["point"] for x in seen["mounts"]].count("/mnt"), len(seen["user-map"]), len(seen["limits"]) > 10,
              seen["privileges"]["filters"])
        net = nestbox("--enter", "box", "cat", "/mnt/net").stdout.strip()
        print(seen["namespaces"]["net"]["name"] == net, net != os.readlink("/proc/self/ns/net"))
        def typed(terminal, line): os.write(terminal, line.encode() + b"\n")
        def terminal():
          pid, number = pty.fork()
          if pid == 0: os.execvp("nestbox", ["nestbox", "--enter", "box", "sh"])
          return pid, number
        def reads(terminal, word):
          text = b""
          while word not in text:
            got = os.read(terminal, 4096)
            if not got: break
            text += got
          return True
        first, second = terminal(), terminal()
        typed(first[1], "echo a''b >/mnt/said; echo do''ne"); print(reads(first[1], b"done"))
        typed(second[1], "echo x$(cat /mnt/said)x"); print(reads(second[1], b"xabx"))
        print(box()["processes"] > 2)
        print(nestbox("--stop", "box").returncode)
        for pid, number in (first, second): os.waitpid(pid, 0); os.close(number)
        print(listed(), os.listdir("run/nestbox"), until(lambda: net not in namespaces(0)))
        print(open("/proc/self/mountinfo").read() == mounts)
        """#)
    #expect(
      outcome.lines == [
        "0  ", "True", "True 1 none nestbox", "True", "1 1 True None", "True True", "True", "True",
        "True", "0",
        "[] [] True", "True",
      ], "\(outcome)")
  }

  // Red: what the launcher says at the end of a sandbox in the background is lost.
  @Test
  func `The last messages of a launcher in the background are kept until the name is used again`()
    throws
  {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        for word in "ls", "true":
          options = ["--usage"] if word == "ls" else []
          print(nestbox("--name", "box", "--detach", *options, "--ro-bind", "/", "/", word, stdin=subprocess.DEVNULL).returncode)
          print(until(lambda: box() is None), os.listdir("run/nestbox"))
          last = nestbox("--inspect", "box")
          print(last.returncode, "box has ended; the last messages of its launcher: " in last.stderr, "by the clock" in last.stderr)
        """#)
    #expect(
      outcome.lines == [
        "0", "True ['.last-box']", "125 True True", "0", "True []", "125 False False",
      ], "\(outcome)")
  }

  // Red: if the executable has another name, its sandboxes are taken for another program's, and a
  // command that runs for one that has ended.
  @Test func `A sandbox is nestbox's whatever the file is called`() throws {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        import shutil
        shutil.copy(shutil.which("nestbox"), "nb")
        def nb(*words): return subprocess.run(["./nb", *words], capture_output=True, text=True)
        command = ["sh", "-c", "sleep 1234; true"]
        for options in ["--keep", "--unshare-pid"], []:
          one = subprocess.Popen(["./nb", "--name", "box", *options, "--ro-bind", "/", "/", *command])
          until(lambda: box() and box()["command"] == command)
          print(box()["made-by"], box()["command"], box()["monitor"] == one.pid, nb("--enter", "box", "true").returncode)
          entered = subprocess.Popen(["./nb", "--enter", "box", "sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"],
                                     stdout=subprocess.PIPE)
          entered.stdout.readline()
          # Without a pid namespace it is not known to be a command, and killed.
          patience = "60" if options else "1"
          print(nb("--stop", "box", "--timeout", patience).returncode, entered.wait(100) == 9 or not options); one.wait(100)
        one = subprocess.Popen(["./nb", "--unshare-pid", "--ro-bind", "/", "/", *command])
        def found(): return [x for x in json.loads(nb("--list", "--json").stdout)["sandboxes"] if x["monitor"] == one.pid]
        until(lambda: found() and found()[0]["command"] == command)
        print(found()[0]["made-by"], found()[0]["command"]); nb("--stop", str(one.pid)); one.wait(100)
        """#)
    let words = "['sh', '-c', 'sleep 1234; true']"
    #expect(
      outcome.lines == [
        "nestbox \(words) True 0", "0 True", "nestbox \(words) True 0", "0 True",
        "nestbox \(words)",
      ], "\(outcome)")
  }

  // Red: without a command nothing is started, or the default command of a profile.
  @Test func `A sandbox can be kept without a command, with a profile and by arguments`() throws {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        os.mkdir("project"); os.chdir("project")
        print(nestbox("--name", "box", "--keep", "--detach").returncode)
        print(box()["command"], nestbox("--enter", "box", "sh", "-c", "echo $$ >/tmp/x; cat /tmp/x").returncode)
        print(nestbox("--enter", "box", "test", "-s", "/tmp/x").returncode)
        print(nestbox("--stop", "box").returncode, listed())
        read, write = os.pipe(); os.write(write, b"--name\0box\0--keep\0--detach\0--unshare-pid\0--ro-bind\0/\0/"); os.close(write)
        print(nestbox("--args", str(read), pass_fds=[read]).returncode, box()["kept"])
        print(nestbox("--name", "box", "--keep", "--detach", "--unshare-pid", "--ro-bind", "/", "/").stderr.count("is in use (by process"))
        print(nestbox("--timeout", "1", "--stop", "box").returncode, listed())
        # In front, where the default profile has it end with its caller.
        one = subprocess.Popen(["nestbox", "--name", "box", "--keep", "true"])
        print(until(lambda: box() and box()["command"] == []), box() and box()["kept"], one.poll())
        print(nestbox("--stop", "box").returncode, one.wait(60), listed())
        """#)
    #expect(
      outcome.lines == [
        "0", "[] 0", "0", "0 []", "0 True", "1", "0 []", "True True None", "0 0 []",
      ], "\(outcome)")
  }

  // Red: a failure is told as a success, its message is lost, or a process of the launch is left.
  @Test func `The launcher in front returns with the status of a launch that failed`() throws {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        for words in (["--unshare-pid", "--ro-bind", "/", "/", "/nosuch"], ["--ro-bind", "/nosuch", "/", "true"],
                      ["--unshare-pid", "--ro-bind", "/", "/", "--as-pid-1", "false"]):
          run = nestbox("--name", "box", "--detach", *words)
          print(run.returncode, run.stderr.split("\n")[0])
        print(until(lambda: listed() == os.listdir("run/nestbox") == []), os.listdir("run/nestbox"))
        for words in (["--keep", "--unshare-pid"], ["--keep", "--name", "box", "--unshare-net"],
                      ["--exec", "--detach"], ["--detach", "--die-with-parent"],
                      ["--keep", "--name", "box", "--unshare-pid", "--as-pid-1"]):
          run = nestbox(*words, "--ro-bind", "/", "/", "true"); print(run.returncode, run.stderr.strip())
        """#)
    #expect(
      outcome.lines == [
        "127 nestbox: Can't execute /nosuch: No such file or directory (execve)",
        "125 nestbox: Can't find source path /nosuch: No such file or directory (--ro-bind, open_tree)",
        "0 ", "True []",
        "125 nestbox: --keep needs --name NAME, by which --enter and --stop find it",
        "125 nestbox: --keep needs --unshare-pid",
        "125 nestbox: --exec leaves no process of nestbox, but --detach needs one, which goes on in the background: leave out --exec",
        "125 nestbox: --detach cannot be combined with --die-with-parent",
        "125 nestbox: --keep cannot be combined with --as-pid-1",
      ], "\(outcome)")
  }

  // Red: the command has the caller's terminal or pipe, or is in its session; output to a file is
  // lost.
  @Test func `A command in the background keeps files, and nothing that somebody waits for`() throws
  {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        script = "readlink /proc/self/fd/0 /proc/self/fd/2; ps -o sid= $$ >/dev/null; echo written; sleep 1000"
        log = open("log", "a"); log.write("before\n"); log.flush()
        # With the pipe still open, this would wait for the command.
        run = subprocess.run(["nestbox", "--name", "box", "--detach", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
                              "sh", "-c", script], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.PIPE)
        print(run.returncode)
        print(until(lambda: "written" in open("log").read())); print(open("log").read().split())
        monitor = box()["monitor"]
        print(os.getsid(monitor) == monitor, os.readlink(f"/proc/{monitor}/fd/2") == os.path.abspath("run/nestbox/box/messages"))
        # As the launcher itself writes a warning.
        open(f"/proc/{monitor}/fd/2", "w").write("\x1blate\n")
        print(json.loads(nestbox("--inspect", "box", "--json").stdout)["messages"], "'\\x1blate'" in nestbox("--inspect", "box").stdout)
        print(nestbox("--stop", "box").returncode, listed())
        # At a terminal that goes away.
        pid, number = pty.fork()
        if pid == 0: os.execvp("nestbox", "nestbox --name box --detach --unshare-pid --ro-bind / / --dev /dev --proc /proc sleep 1000".split())
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); os.close(number); time.sleep(0.1)
        inside = nestbox("--enter", "box", "readlink", "/proc/2/fd/0", "/proc/2/fd/1", "/proc/2/fd/2"); print(inside.stdout.split())
        print(nestbox("--stop", "box").returncode, listed())
        """#)
    #expect(
      outcome.lines == [
        "0", "True", "['before', '/dev/null', '/dev/null', 'written']", "True True",
        #"['\x1blate'] True"#, "0 []",
        "0", "['/dev/null', '/dev/null', '/dev/null']", "0 []",
      ], "\(outcome)")
  }

  // Red: a reader of a pipe that the caller has open waits for the command.
  @Test func `A command in the background gets three descriptors`() throws {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        read, write = os.pipe()
        print(nestbox("--name", "box", "--detach", "--ro-bind", "/", "/", "--proc", "/proc", "sleep", "1000", pass_fds=[write]).returncode)
        os.close(write); print(os.read(read, 1))
        print(nestbox("--enter", "box", "sh", "-c", "ls /proc/$PPID/fd | wc -l").returncode, nestbox("--stop", "box").returncode)
        """#)
    #expect(outcome.lines == ["0", "b''", "0 0"], "\(outcome)")
  }

  // Red: the launcher forgets the status of its command, or ends with it; init outlives a killed
  // monitor.
  @Test func `A kept sandbox in front ends by a signal, with the status of its command`() throws {
    let outcome = try Session().python(
      KeepingTests.tools + #"""
        line = ["nestbox", "--name", "box", "--keep", "--unshare-pid", "--ro-bind", "/", "/", "sh", "-c", "exit 7"]
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGKILL:
          run = subprocess.Popen(line)
          print(until(lambda: box() and box()["command"] == []))
          init = box()["process"]
          talk = subprocess.Popen(["nestbox", "--enter", "box", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
          talk.stdin.write(b"x\n"); talk.stdin.flush(); talk.stdout.readline()
          run.send_signal(number); print(run.wait(100))
          if number == signal.SIGKILL: talk.stdin.close()
          print(talk.wait(100), until(lambda: not os.path.exists(f"/proc/{init}")), listed())
        """#)
    #expect(
      outcome.lines == [
        "True", "7", "-9 True []", "True", "7", "-9 True []", "True", "-9", "0 True []",
      ], "\(outcome)")
  }
}
