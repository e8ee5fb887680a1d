// SPDX-License-Identifier: Apache-2.0
// Permissions that the command, the owner or both have changed, and the order in which changes are told.

import TestSupport
import Testing

@Suite("Reviews and permissions", .needs("python3"))
struct ReviewPermissionTests {
  private static let tools =
    ReviewScript.beginning + #"""
      def told(): return {x["path"]: x["change"] + "!" * ("conflict" in [y["name"] for y in x["marks"]]) for x in json.loads(nestbox("--changes", "r", "--json").stdout)["directories"][0]["changes"]}
      def apply(*words):
        run = nestbox(*words); return run.returncode, run.stdout.strip(), *sorted(x.split("left ")[1] for x in run.stderr.splitlines() if "left " in x)
      def modes(*names): return " ".join(oct(os.stat(f"proj/{name}").st_mode & 0o777)[2:] for name in names)
      directories = ("cmd", "own", "both", "in/cmd", "in/own", "in/both")
      def scene():
        shutil.rmtree("proj"); os.mkdir("proj")
        for name in directories: os.makedirs(f"proj/{name}")
        for name in "fgh": write(f"proj/{name}", "base"); os.chmod(f"proj/{name}", 0o644)
        for name in ("", "in", *directories): os.chmod(f"proj/{name}", 0o755)
        time.sleep(0.05)

      """#

  // Red: files that the owner adds to a directory count as new permissions of it, or permissions that only
  // the owner has changed are told, or set back by --apply.
  @Test func `Only permissions that both sides have changed are a conflict`() throws {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        scene()
        nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; chmod 711 cmd both in/cmd in/both .; touch own/new in/own/new; chmod 600 f h; exec 3>>g 3>&-"); time.sleep(0.05)
        for name in ("", "cmd", "own", "in/cmd", "in/own"): write(f"proj/{name}/mine", "mine")
        for name in ("own", "both", "in/own", "in/both"): os.chmod(f"proj/{name}", 0o700)
        for name in "gh": os.chmod(f"proj/{name}", 0o640)
        print(told()); print(apply("--apply", "r")); print(modes(*directories, *"fgh", "."))
        # What --apply has set, the owner changes again.
        for name in ("cmd", "in/cmd", "f", "."): os.chmod(f"proj/{name}", 0o750)
        print(told()); print(apply("--overwrite", "--apply", "r"), modes(*directories, *"fgh", "."), os.listdir(store))
        """#)
    let reason = "the host has changed it since the review began"
    #expect(
      outcome.lines == [
        "{'.': 'mode', 'both': 'mode!', 'cmd': 'mode', 'f': 'mode', 'h': 'mode!', 'in/both': 'mode!', "
          + "'in/cmd': 'mode', 'in/own/new': 'added', 'own/new': 'added'}",
        "(1, 'applied 6 changes; the others wait', 'both: \(reason)', 'h: \(reason)', 'in/both: \(reason)')",
        "711 700 700 711 700 700 600 640 640 711",
        "{'both': 'mode!', 'h': 'mode!', 'in/both': 'mode!'}",
        "(0, 'applied 3 changes') 750 700 711 750 700 711 750 640 600 750 []",
      ], "\(outcome)")
  }

  // Red: the same while the command runs.
  @Test func `Permissions that the owner changes while the command runs are told apart as well`()
    throws
  {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        def launch(command, owner):
          scene(); os.mkfifo("go")
          box = subprocess.Popen(["nestbox", "--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; " + command + "; echo ready; read x <../go"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
          box.stdout.readline(); time.sleep(0.05); owner(); write("go", "x"); box.wait(); box.stdout.close(); os.remove("go")
        def both():
          for name in ("cmd", "in/cmd"): write(f"proj/{name}/mine", "mine")
          for name in ("both", "in/both", "."): os.chmod(f"proj/{name}", 0o700)
        launch("chmod 711 cmd both in/cmd in/both .", both); print(told())
        for name in ("both", "in/both", "."): write(f"proj/{name}/mine", "mine")
        print(told()); print(apply("--apply", "r"), modes(*directories, "."))
        print(apply("--overwrite", "--apply", "r"), modes(*directories, "."), os.listdir(store))
        def alone(): write("proj/mine", "mine"); os.chmod("proj", 0o700)
        launch("touch new", alone); print(told(), apply("--apply", "r"), modes("."), os.listdir(store))
        """#)
    let reason = "the host has changed it since the review began"
    // In a directory below the top, what the owner adds counts as well: nobody has noted its permissions.
    let told =
      "{'.': 'mode!', 'both': 'mode!', 'cmd': 'mode!', 'in/both': 'mode!', 'in/cmd': 'mode!'}"
    let left = [".", "both", "cmd", "in/both", "in/cmd"].map { "'\($0): \(reason)'" }
    #expect(
      outcome.lines == [
        told, told, "(1, '', \(left.joined(separator: ", "))) 755 755 700 755 755 700 700",
        "(0, 'applied 5 changes') 711 755 711 711 755 711 711 []",
        "{'new': 'added'} (0, 'applied 1 change') 700 []",
      ], "\(outcome)")
  }

  // Red: a directory that its owner has closed is opened again, as the layer has the permissions from before, or
  // as --apply had them set for its own work.
  @Test func `A directory that its owner closes stays closed`() throws {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        def close(name): os.chmod(f"proj/{name}", 0o700); write(f"proj/{name}/key", "key")
        scene(); nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; touch cmd/new in/cmd/new"); time.sleep(0.05)
        close("cmd"); print(told()); nestbox("--bind", "/", "/", "--resume", "r", "touch", "proj/more")
        print(told()); print(apply("--apply", "r"), modes("cmd", "in/cmd")); nestbox("--discard", "r")
        # One of two new files is applied, and with it the directory.
        scene(); nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; mkdir e; chmod 777 e; echo >e/g; echo >e/h")
        print(apply("--apply", "r", "e/g"), modes("e")); close("e"); print(told()); print(apply("--apply", "r"), modes("e"), os.listdir(store))
        """#)
    let reason = "the host has changed it since the review began"
    #expect(
      outcome.lines == [
        "{'cmd/new': 'added', 'in/cmd/new': 'added'}",
        "{'cmd': 'mode!', 'cmd/new': 'added', 'in/cmd/new': 'added', 'more': 'added'}",
        "(1, 'applied 3 changes; the others wait', 'cmd: \(reason)') 700 755",
        "(0, 'applied 2 changes; others wait') 777", "{'e/h': 'added'}",
        "(0, 'applied 1 change') 700 []",
      ], "\(outcome)")
  }

  // Red: --apply says that it has set permissions of a directory that the kernel has refused, and forgets them.
  @Test(.needs("strace"))
  func `Permissions that cannot be set at the end are told and wait`() throws {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-c", "cd proj; mkdir d; echo in >d/f; chmod 711 d")
        run = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=?chmod,?fchmodat", "-e", "inject=?chmod,?fchmodat:error=EPERM", "nestbox", "--apply", "r"], capture_output=True, text=True)
        print(run.returncode, run.stdout.strip(), run.stderr.strip(), modes("d", "d/f")); print(told(), apply("--apply", "r"), modes("d"), os.listdir(store))
        """#)
    #expect(
      outcome.lines == [
        "1 applied 1 change; the others wait nestbox: --apply: left d: Operation not permitted 700 644",
        "{'d': 'mode'} (0, 'applied 1 change') 711 []",
      ], "\(outcome)")
  }

  // Red: the owner learns only after the run that nothing of it can be applied.
  @Test func `A directory of another user is told at the begin`() throws {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        run = nestbox("--bind", "/", "/", "--review", "/etc", "--review-name", "r", "touch", "/etc/new"); print(run.stderr.splitlines()[0]); print(nestbox("--discard", "r").returncode)
        """#)
    #expect(
      outcome.lines == [
        "nestbox: --review: you may not write to /etc, so --apply cannot put changes there",
        "0",
      ], "\(outcome)")
  }

  // Red: what is in a directory is told apart from it, or in the order of the disk.
  @Test func `Changes are told in the order of their paths`() throws {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        for name in ("k", "r/s", "t"): os.makedirs(f"proj/{name}")
        for name in ("k/z", "k/a", "r/t", "r/s/q", "r/s/b", "t/f", "old"): write(f"proj/{name}", name)
        nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; chmod 711 .; mkdir a a-b b; for f in a/x a-b/y a.c b/c; do echo >$f; done; rm -r k r t; mkdir k; echo >k/m; echo >t; mv old b/new")
        print(list(told())); print([line.split()[1:] for line in nestbox("--changes", "r").stdout.splitlines()[1:]])
        """#)
    #expect(
      outcome.lines == [
        "['.', 'a', 'a/x', 'a-b', 'a-b/y', 'a.c', 'b', 'b/c', 'b/new', 'k/a', 'k/m', 'k/z', 'old', 'r', 'r/s', "
          + "'r/s/b', 'r/s/q', 'r/t', 't', 't/f']",
        "[['.:', '0755', '->', '0711'], ['a/'], ['a/x'], ['a-b/'], ['a-b/y'], ['a.c'], ['b/'], ['b/c'], "
          + "['old', '->', 'b/new'], ['k/a'], ['k/m'], ['k/z'], ['r/', 'with', '3', 'files'], ['t:', 'directory', "
          + "'->', 'regular'], ['t/f']]",
      ], "\(outcome)")
  }

  // Red: a search for renamings that leaves files out passes for a whole one, or goes on after Ctrl-C.
  @Test(.needs("strace"))
  func `A search for renamings says that it was cut, and ends at a signal`() throws {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        def launch(command): nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; " + command)
        line = "Other files may be renamed as well: nestbox has compared only some of them."
        for count, command in ((20, "cat 15 >moved; rm [0-9]*"), (8, "cat 05 >moved; rm [0-9]*"), (20, "echo another >moved; rm [0-9]*")):
          for number in range(count): write(f"proj/{number:02}", f"{number:02}")
          launch(command); text = nestbox("--changes", "r").stdout; print(line in text, "-> moved" in text)
          nestbox("--discard", "r"); shutil.rmtree("proj"); os.mkdir("proj")
        write("proj/data", "x" * (40 << 16)); launch("mv data moved")
        # Each step of the comparison takes a second.
        task = subprocess.Popen(["strace", "-y", "-D", "-o", "trace", "-e", "trace=pread64", "-e", "inject=pread64:delay_enter=1000000", "nestbox", "--changes", "r"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not os.path.exists("trace") or "/data>" not in open("trace").read(): time.sleep(0.02)
        task.send_signal(signal.SIGINT); out, err = task.communicate()
        print(task.returncode, out, "interrupted while it compared" in err, open("trace").read().count("pread64(") < 40)
        """#)
    #expect(
      outcome.lines == ["True False", "False True", "False False", "-2  True True"], "\(outcome)")
  }

  // Red: once a task has failed, no signal ends it any more.
  @Test func `A signal ends a task that cannot tell its failure`() throws {
    let outcome = try Session().python(
      ReviewPermissionTests.tools + #"""
        nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "touch", "proj/a"); os.rename("proj", "away")
        # Nobody reads what it says, and no room is left for it.
        reading, writing = os.pipe(); os.set_blocking(writing, False)
        try:
          while True: os.write(writing, b"x" * 4096)
        except BlockingIOError: os.set_blocking(writing, True)
        run = subprocess.Popen(["nestbox", "--apply", "r"], stderr=writing); time.sleep(1)
        print(run.poll()); run.terminate()
        try: print(run.wait(10))
        except subprocess.TimeoutExpired: run.kill(); print("waits", run.wait())
        """#)
    #expect(outcome.lines == ["None", "-15"], "\(outcome)")
  }
}
