// SPDX-License-Identifier: Apache-2.0
// Files that their owner changes while changes wait or are applied, and two tasks with one review.

import TestSupport
import Testing

@Suite("Reviews and changes of the host", .needs("python3"))
struct ReviewConflictTests {
  private static let tools =
    ReviewScript.beginning + #"""
      def read(path):
        with open(path) as file: return file.read()
      def review(script):
        run = nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-c", "cd proj; " + script); assert run.returncode == 0, run
        time.sleep(0.05)

      """#

  // Red: --changes does not tell what --apply will refuse, or the line of --apply leaves some of it.
  @Test func `Conflicts are marked, and the line of --apply completes`() throws {
    let outcome = try Session().python(
      ReviewConflictTests.tools + #"""
        for count in (3, 12):
          for number in range(count): write(f"proj/{number} -> x", "base")
          write("proj/same", "base"); os.makedirs("proj/old", exist_ok=True); write("proj/old/f", "base")
          review("rm -r old; for file in *; do echo in >\"$file\"; done")
          for number in range(count): write(f"proj/{number} -> x", "host")
          write("proj/old/f", "host")
          changes = json.loads(nestbox("--changes", "r", "--json").stdout)["directories"][0]["changes"]
          print(sorted(x["path"] for x in changes if "conflict" in [y["name"] for y in x["marks"]]) == sorted([f"{number} -> x" for number in range(count)] + ["old/f"]), len(changes) - count)
          lines = nestbox("--changes", "r").stdout.splitlines(); print([x for x in lines if " old/f" in x or " '2 ->" in x or "same" in x])
          run = nestbox("--apply", "r"); line = run.stderr.splitlines()[-1].split("same: ")[1]; print(run.returncode, read("proj/old/f"), read("proj/same").strip(), len(line) > 50)
          print(line if count > 10 else "")
          run = subprocess.run(line, shell=True, capture_output=True, text=True); print(run.returncode, run.stdout.strip(), run.stderr)
          print({read(f"proj/{number} -> x") for number in range(count)}, os.listdir("proj").count("old")); nestbox("--apply", "r"); print(os.listdir("proj").count("old"), os.listdir(store))
        """#)
    let told =
      #"["  changed  '2 -> x'  (the host has changed it since the review began)", "#
      + #"'  removed  old/f  (the host has changed it since the review began)', '  changed  same']"#
    #expect(
      outcome.lines == [
        "True 3", told, "1 host in True", "0 applied 5 changes ", "{'in\\n'} 0",
        "0 []", "True 3", told, "1 host in False", "nestbox --overwrite --apply r",
        "0 applied 14 changes ", "{'in\\n'} 0", "0 []",
      ], "\(outcome)")
  }

  // Red: what the host writes while a large file is copied is lost.
  @Test func `A file that the host changes while it is being replaced is left`() throws {
    let outcome = try Session().python(
      ReviewConflictTests.tools + #"""
        write("proj/big", "base"); found = []
        review("yes | head -c 300000000 >big")
        for attempt in range(50):
          run = subprocess.Popen(["nestbox", "--overwrite", "--apply", "r"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
          while run.poll() is None and len(os.listdir("proj")) < 2: pass
          run.send_signal(signal.SIGSTOP)
          if len(os.listdir("proj")) > 1 and os.path.getsize("proj/big") < 10: write("proj/big", "host"); found.append(attempt)
          run.send_signal(signal.SIGCONT); out, err = run.communicate()
          if found or not os.path.isdir(f"{store}/r"): break
        print(len(found), run.returncode, err.strip(), read("proj/big") if found else "", os.listdir("proj"))
        print(nestbox("--overwrite", "--apply", "r").stdout.strip(), os.path.getsize("proj/big"))
        """#)
    #expect(
      outcome.lines == [
        "1 1 nestbox: --apply: left big: the host has changed it meanwhile host ['big']",
        "applied 1 change 300000000",
      ], "\(outcome)")
  }

  // Red: Ctrl-C ends --apply without a word, leaves half a file, or waits for a large one; or a signal that
  // the caller ignores ends it.
  @Test func `Ctrl-C ends --apply between two changes, and says what was applied`() throws {
    let outcome = try Session().python(
      ReviewConflictTests.tools + #"""
        import re
        def end(number, is_time, **more):
          run = subprocess.Popen(["nestbox", "--apply", "r"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
          while run.poll() is None and not is_time(): pass
          run.send_signal(number); out, err = run.communicate(); return run.returncode, out, err
        for number in (signal.SIGINT, signal.SIGTERM):
          review("for i in $(seq 5000); do echo $i >$i; done")
          status, out, err = end(number, lambda: len(os.listdir("proj")) > 10); count = len(os.listdir("proj"))
          found = re.fullmatch(r"nestbox: --apply: interrupted after (\d+) changes; to go on: (.*)\n", err)
          print(status, out, found is not None and int(found[1]) == count < 5000 or err, {read(f"proj/{name}") == name + "\n" for name in os.listdir("proj")})
          run = subprocess.run(found[2], shell=True, capture_output=True, text=True); print(run.stdout.replace(str(5000 - count), "the others"), len(os.listdir("proj")), os.listdir(store))
          for name in os.listdir("proj"): os.remove(f"proj/{name}")
        review("yes | head -c 500000000 >big"); print(end(signal.SIGINT, lambda: os.listdir("proj")), os.listdir("proj"))
        ignoring = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(end(signal.SIGINT, lambda: os.listdir("proj"), preexec_fn=ignoring), os.path.getsize("proj/big"))
        """#)
    let told = "nestbox: --apply: interrupted after 0 changes; to go on: nestbox --apply r\\n"
    #expect(
      outcome.lines == [
        "-2  True {True}", "applied the others changes", " 5000 []", "-15  True {True}",
        "applied the others changes", " 5000 []", "(-2, '', '\(told)') []",
        "(0, 'applied 1 change\\n', '') 500000000",
      ], "\(outcome)")
  }

  // Red: a file with two names is a conflict by its first name, and lost by its second.
  @Test func `A conflict holds for every name of a file`() throws {
    let outcome = try Session().python(
      ReviewConflictTests.tools + #"""
        for name, script in (("removed", "rm a b"), ("changed", "echo in >c; cp c a; cp c b; rm c")):
          write("proj/a", "base"); os.link("proj/a", "proj/b"); review(script); write("proj/a", "host")
          run = nestbox("--apply", "r"); print(run.returncode, read("proj/a"), read("proj/b"), os.path.samefile("proj/a", "proj/b"))
          run = nestbox("--overwrite", "--apply", "r"); print(run.returncode, run.stdout.strip(), sorted(os.listdir("proj")), os.listdir(store))
          for name in os.listdir("proj"): os.remove(f"proj/{name}")
          # Without a conflict, the names that this run has removed keep it from nothing.
          write("proj/a", "base"); os.link("proj/a", "proj/b"); time.sleep(0.05); review(script); print(nestbox("--apply", "r").stdout.strip())
          for name in os.listdir("proj"): os.remove(f"proj/{name}")
        """#)
    #expect(
      outcome.lines == [
        "1 host host True", "0 applied 2 changes [] []", "applied 2 changes", "1 host host True",
        "0 applied 2 changes ['a', 'b'] []", "applied 2 changes",
      ], "\(outcome)")
  }

  // Red: of two tasks that apply one review, one fails for what the other removes, or says that it applied
  // nothing; or one that only looks keeps the other from the review.
  @Test func `Of two tasks with one review, one does it and the other says so`() throws {
    let outcome = try Session().python(
      ReviewConflictTests.tools + #"""
        told = set()
        for attempt in range(12):
          review("for i in $(seq 30); do echo $i >$i; mkdir d$i; done")
          tasks = [("--apply", "r"), ("--apply", "r"), ("--reviews",), ("--apply", "r"), ("--changes", "r"), ("--reviews",)]
          runs = [subprocess.Popen(["nestbox", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for words in tasks]
          outputs = [(run.communicate()[0].strip(), run.returncode) for run in runs]
          applied = [output for output, words in zip(outputs, tasks) if words[0] == "--apply"]
          if applied.count(("applied 60 changes", 0)) != 1: print(applied)
          told |= {output.replace("nestbox: --apply: ", "") for output, status in applied if status}
          if len(os.listdir("proj")) != 60 or os.listdir(store): print(os.listdir(store))
          for name in os.listdir("proj"): (os.rmdir if name[0] == "d" else os.remove)(f"proj/{name}")
        print(told - {"no review is called r; nestbox --reviews lists them", "r is in use: its sandbox still runs, or another nestbox changes it"}, len(told) > 0)
        # One that is stopped in the middle keeps others out, and goes on.
        review("yes | head -c 100000000 >big"); run = subprocess.Popen(["nestbox", "--apply", "r"], stdout=subprocess.PIPE, text=True)
        while run.poll() is None and not os.listdir("proj"): pass
        run.send_signal(signal.SIGSTOP); other = nestbox("--apply", "r"); run.send_signal(signal.SIGCONT); print("r is in use" in other.stderr or os.path.getsize("proj/big") == 100000000, run.communicate()[0].strip())
        """#)
    #expect(outcome.lines == ["set() True", "True applied 1 change"], "\(outcome)")
  }
}
