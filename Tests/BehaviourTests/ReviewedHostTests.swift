// SPDX-License-Identifier: Apache-2.0
// What the host's owner removes or moves while changes wait, and what nestbox itself has applied.

import TestSupport
import Testing

@Suite("Reviews and what the host had", .needs("python3"))
struct ReviewedHostTests {
  private static let tools =
    ReviewScript.beginning + #"""
      def launch(script, *options):
        run = nestbox("--bind", "/", "/", *(options or ("--review", "proj", "--review-name", "r")), "sh", "-ec", "cd proj; " + script); assert run.returncode == 0, run
        time.sleep(0.05)
      def told(): return {x["path"]: x["change"] + "!" * ("conflict" in [y["name"] for y in x["marks"]]) for x in json.loads(nestbox("--changes", "r", "--json").stdout)["directories"][0]["changes"]}
      def apply(*words):
        run = nestbox(*words); return run.returncode, run.stdout.strip(), *sorted(x.split("left ")[1] for x in run.stderr.splitlines() if "left " in x)
      def files(): return dict(sorted((os.path.relpath(os.path.join(top, name), "proj"), open(os.path.join(top, name)).read().strip()) for top, _, names in os.walk("proj") for name in names if not os.path.islink(os.path.join(top, name))))

      """#

  // Red: what --apply has written, removed or made counts as a change of the host's owner once a command
  // goes on with the review; or what the owner changes afterwards does not count.
  @Test func `What nestbox has applied is no conflict in a review that goes on`() throws {
    let outcome = try Session().python(
      ReviewedHostTests.tools + #"""
        for name in "acmtxy": write(f"proj/{name}", "base")
        os.link("proj/x", "proj/h"); os.symlink("a", "proj/l"); time.sleep(0.05)
        launch("for f in a n late x h; do echo 1 >>$f; done; mkdir d; echo 1 >d/f; rm c y; mkdir y; chmod 600 m; touch -d @1000000000 t; ln -sf x l")
        print(apply("--apply", "r", "a", "n", "d", "m", "t", "l", "c", "x", "y"))
        launch("for f in a n d/f x t; do echo 2 >>$f; done; chmod 640 m; echo again >c; ln -sf y l; rmdir y; echo file >y", "--resume", "r"); print(told())
        write("proj/d/f", "host"); os.remove("proj/n"); print(apply("--apply", "r")); print(files())
        # A third run goes on with both.
        launch("for f in d/f n; do echo 3 >>$f; done; rm a", "--resume", "r"); print(told())
        print(apply("--overwrite", "--apply", "r"), os.listdir(store)); print(files())
        """#)
    #expect(
      outcome.lines == [
        "(0, 'applied 10 changes; others wait')",
        "{'a': 'changed', 'c': 'added', 'd/f': 'changed', 'h': 'changed', 'l': 'changed', 'late': 'added', 'm': "
          + "'mode', 'n': 'changed', 't': 'changed', 'x': 'changed', 'y': 'type'}",
        "(1, 'applied 9 changes; the others wait', 'd/f: the host has changed it since the review began', "
          + "'n: the host has removed it since the review began')",
        "{'a': 'base1\\n2', 'c': 'again', 'd/f': 'host', 'h': 'base1', 'late': '1', 'm': 'base', 't': "
          + "'base2', 'x': 'base1\\n2', 'y': 'file'}",
        "{'a': 'removed', 'd/f': 'changed!', 'n': 'changed!'}", "(0, 'applied 3 changes') []",
        "{'c': 'again', 'd/f': '1\\n2\\n3', 'h': 'base1', 'late': '1', 'm': 'base', 'n': '1\\n2\\n3', "
          + "'t': 'base2', 'x': 'base1\\n2', 'y': 'file'}",
      ], "\(outcome)")
  }

  // Red: what the owner has removed, or what another directory of theirs has taken the place of, is told as
  // added or overwritten.
  @Test func `What the host's owner removes or moves is a conflict, and comes back by --overwrite`()
    throws
  {
    let outcome = try Session().python(
      ReviewedHostTests.tools + #"""
        def scene():
          shutil.rmtree("proj"); os.makedirs("proj/d/e"); os.mkdir("proj/k"); os.makedirs("other/k", exist_ok=True)
          for name in ("a", "b", "c", "g", "d/f", "d/e/q", "k/f", "k/g"): write(f"proj/{name}", "base")
          write("other/k/f", "other"); write("other/k/new", "other"); time.sleep(0.05)
        command = "echo in >>a; echo in >b.new; mv b.new b; mv c cc; rm g; echo in >d/f; echo in >d/e/new; echo in >k/f; echo in >k/new; echo in >n"
        def owner():
          for name in ("a", "b", "g"): os.remove(f"proj/{name}")
          shutil.rmtree("proj/d"); write("proj/mine", "mine"); os.rename("proj/k", "away"); os.rename("other/k", "proj/k"); shutil.rmtree("away")
        scene(); launch(command); owner(); print(told())
        print([x for x in nestbox("--changes", "r").stdout.splitlines() if x.startswith("  changed  a ")])
        run = apply("--apply", "r"); print(run); print(files())
        print(apply("--overwrite", "--apply", "r")); print(files(), os.listdir(store))
        # The same while the command runs, which has made copies before.
        scene(); os.mkfifo("go")
        box = subprocess.Popen(["nestbox", "--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; " + command + "; echo ready; read x <../go"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        box.stdout.readline(); owner(); write("go", "x"); box.wait(); box.stdout.close()
        print({path: kind for path, kind in told().items() if path in ("a", "c", "cc", "d", "d/e", "d/f", "n")})
        """#)
    let since = "since the review began"
    #expect(
      outcome.lines == [
        "{'a': 'changed!', 'b': 'changed!', 'c': 'removed', 'cc': 'added', 'd': 'changed!', 'd/e': 'changed!', "
          + "'d/e/new': 'added', 'd/f': 'changed!', 'k/f': 'changed!', 'k/new': 'changed!', 'n': 'added'}",
        "['  changed  a  (the host has removed it \(since))']",
        "(1, 'applied 2 changes; the others wait', 'a: the host has removed it \(since)', 'b: the host has "
          + "removed it \(since)', 'd/e/new: the host has no directory for it', 'd/e: the host has "
          + "removed it \(since)', 'd/f: the host has removed it \(since)', 'd: the host has removed it "
          + "\(since)', 'k/f: the host has changed it \(since)', 'k/new: the host has changed it \(since)')",
        "{'cc': 'base', 'k/f': 'other', 'k/new': 'other', 'mine': 'mine', 'n': 'in'}",
        "(0, 'applied 8 changes')",
        "{'a': 'basein', 'b': 'in', 'cc': 'base', 'd/e/new': 'in', 'd/f': 'in', 'k/f': 'in', 'k/new': "
          + "'in', 'mine': 'mine', 'n': 'in'} []",
        "{'a': 'changed!', 'c': 'removed', 'cc': 'added', 'd': 'changed!', 'd/e': 'changed!', 'd/f': 'changed!', "
          + "'n': 'added'}",
      ], "\(outcome)")
  }

  // Red: a command that goes on with a review, and touches another file, makes nestbox forget what the host
  // had: what the owner then removes comes back, and what has come there by a rename is overwritten.
  @Test func `A launch that goes on keeps the notes of those before it`() throws {
    let outcome = try Session().python(
      ReviewedHostTests.tools + #"""
        for name in "acp": write(f"proj/{name}", "base")
        for name in ("proj/k", "other/k"): os.makedirs(name); write(f"{name}/f", name)
        write("other/k/g", "g")
        time.sleep(0.05)
        launch("for f in a n p k/f; do echo in >>$f; done; echo in >k/g"); print(apply("--apply", "r", "a", "n"))
        launch("echo in >>c", "--resume", "r"); print(told())
        os.remove("proj/a"); os.remove("proj/n"); os.rename("proj/k", "away"); os.rename("other/k", "proj/k"); print(told())
        launch("echo in >>c; rm n", "--resume", "r"); print(told())
        # What the command makes anew after that is not the host's.
        launch("echo in >n", "--resume", "r"); print(told())
        """#)
    #expect(
      outcome.lines == [
        "(0, 'applied 2 changes; others wait')",
        "{'c': 'changed', 'k/f': 'changed', 'k/g': 'added', 'p': 'changed'}",
        "{'a': 'changed!', 'c': 'changed', 'k/f': 'changed!', 'k/g': 'changed!', 'n': 'changed!', 'p': 'changed'}",
        "{'a': 'changed!', 'c': 'changed', 'k/f': 'changed!', 'k/g': 'changed!', 'p': 'changed'}",
        "{'a': 'changed!', 'c': 'changed', 'k/f': 'changed!', 'k/g': 'changed!', 'n': 'added', 'p': 'changed'}",
      ], "\(outcome)")
  }

  // Red: a note that was cut off, or cannot be read, passes for one that says nothing was changed.
  @Test func `What cannot be read in the notes counts as a conflict`() throws {
    let outcome = try Session().python(
      ReviewedHostTests.tools + #"""
        for name in "ab": write(f"proj/{name}", "base")
        time.sleep(0.05); launch("echo in >>a; echo in >>b"); seen = f"{store}/r/seen"
        write("proj/a", "host"); print(told()); at = os.stat("proj/a")
        def add(text):
          with open(seen, "a") as file: file.write(text)
        stamp = f"{at.st_dev} {at.st_ino} {at.st_size} {at.st_mtime_ns // 10**9} {at.st_mtime_ns % 10**9} {at.st_mode & 0o777:o}"
        add("\0" + stamp); print(told()); add("\0open\0"); print(told()); add("\0" + stamp + "\0"); print(told())
        os.chmod(seen, 0); print(told()); print(nestbox("--bind", "/", "/", "--resume", "r", "true").returncode)
        os.truncate(os.chmod(seen, 0o600) or seen, (128 << 20) + 1); print(told()); os.remove(seen); print(told())
        """#)
    let both = "{'a': 'changed!', 'b': 'changed!'}"
    let one = "{'a': 'changed!', 'b': 'changed'}"
    #expect(
      outcome.lines == [one, one, one, "{'a': 'changed', 'b': 'changed'}", both, "125", both, one],
      "\(outcome)")
  }

  // Red: a directory that the command has closed is closed before everything in it is applied, so that the
  // rest never can be.
  @Test func `A directory that is closed gets its permissions after everything in it`() throws {
    let outcome = try Session().python(
      ReviewedHostTests.tools + #"""
        os.makedirs("proj/old/in"); write("proj/old/a", "base"); write("proj/old/in/a", "base"); time.sleep(0.05)
        def modes(*names): return [oct(os.stat(f"proj/{name}").st_mode & 0o777)[2:] for name in names]
        launch("mkdir -p new/in; for d in new/in old/in; do echo in >$d/a; echo in >$d/b; chmod 500 $d; done; chmod 0 new old; chmod 500 .")
        print(apply("--apply", "r", "new/in/a", "old/in/a"), modes("new", "new/in", "old", "old/in", "."))
        print(apply("--apply", "r", "new/in", "old/in"), modes("new", "new/in", "old", "old/in", ".")); print(apply("--apply", "r"), os.listdir(store), modes("new", "old", "."))
        os.chmod("proj", 0o700)
        for name in ("new", "old"):
          os.chmod(f"proj/{name}", 0o700); print(modes(f"{name}/in"), [open(f"proj/{name}/in/{file}").read().strip() for file in "ab"]); os.chmod(f"proj/{name}/in", 0o700)
        """#)
    #expect(
      outcome.lines == [
        "(0, 'applied 4 changes; others wait') ['700', '700', '755', '755', '755']",
        "(0, 'applied 4 changes; others wait') ['700', '500', '755', '500', '755']",
        "(0, 'applied 3 changes') [] ['0', '0', '500']", "['500'] ['in', 'in']",
        "['500'] ['in', 'in']",
      ], "\(outcome)")
  }

  // Red: on a full disk, a file is gone before the directory that takes its place can be made; or a second
  // run takes what the first has done for a conflict.
  @Test(.needs("strace"))
  func `A full disk takes no file, and a second run completes`() throws {
    let outcome = try Session().python(
      ReviewedHostTests.tools + #"""
        for name in ("a", "f", "z"): write(f"proj/{name}", "base")
        os.link("proj/a", "proj/b"); os.mkdir("proj/d"); write("proj/d/x", "base"); time.sleep(0.05)
        launch("echo in >a.new; mv a.new a; echo in >b.new; mv b.new b; rm f; mkdir f; echo in >f/x; rm -r d; echo in >d; echo in >z")
        for call in ("mkdirat", "fchmod:when=2+"):
          run = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=" + call.split(":")[0], "-e", f"inject={call}:error=ENOSPC", "nestbox", "--apply", "r"], capture_output=True, text=True)
          print(run.returncode, "the disk is full; nothing is lost" in run.stderr, files(), [name for name in os.listdir("proj") if "nestbox" in name])
        print(apply("--apply", "r"), files(), os.listdir(store))
        """#)
    #expect(
      outcome.lines == [
        "1 True {'a': 'in', 'b': 'in', 'd': 'in', 'f': 'base', 'z': 'base'} []",
        "1 True {'a': 'in', 'b': 'in', 'd': 'in', 'f/x': 'in', 'z': 'base'} []",
        "(0, 'applied 1 change') {'a': 'in', 'b': 'in', 'd': 'in', 'f/x': 'in', 'z': 'in'} []",
      ], "\(outcome)")
  }
}
