// SPDX-License-Identifier: Apache-2.0
// The store of reviews against commands that can reach it, and contents that would cost without end.

import TestSupport
import Testing

@Suite("The store of reviews", .needs("python3"))
struct ReviewStoreTests {
  private static let tools = #"""
    import json, os, subprocess
    os.environ["XDG_STATE_HOME"] = os.path.abspath("home/state"); store = "home/state/nestbox/reviews"
    def nestbox(*words, **more): return subprocess.run(["nestbox", *words], capture_output=True, text=True, **more)
    def write(path, text):
      with open(path, "w") as file: file.write(text)
    def told(name): return json.loads(nestbox("--changes", name, "--json").stdout)["directories"][0]["changes"]
    os.makedirs("home/proj"); os.makedirs("home/bait")

    """#

  // Red: a command changes the record of a review, by a bind or through a layer, and so chooses where
  // --apply writes.
  @Test func `A command cannot change the records of reviews`() throws {
    let outcome = try Session().python(
      ReviewStoreTests.tools + #"""
        tamper = "import glob, sys\nfor path in glob.glob(sys.argv[1] + '/*/record'):\n  try: open(path, 'a').write('x')\n  except OSError as error: print(error.strerror)\n  else: print('HIT')"
        nestbox("--bind", "/", "/", "--review", "home/proj", "--review-name", "first", "touch", "home/proj/a"); before = open(f"{store}/first/record").read()
        here = os.getcwd()
        number = os.open(here, os.O_PATH)
        for options, path in ((("--bind", "/", "/"), f"{here}/{store}"), (("--ro-bind", "/", "/", "--bind", f"{here}/home/state", "/mnt"), "/mnt/nestbox/reviews"),
                              (("--ro-bind", "/", "/", "--bind", f"{here}/{store}", "/mnt"), "/mnt"), (("--ro-bind", "/", "/", "--bind-fd", str(number), "/mnt"), f"/mnt/{store}")):
          run = nestbox(*options, "--review", "home/bait", "--review-name", "second", "python3", "-c", tamper, path, pass_fds=(number,))
          print(sorted(set(run.stdout.split("\n")) - {""}), run.stderr)
        # A directory under review may hold the store: what a command writes there waits, and is not applied.
        run = nestbox("--ro-bind", "/", "/", "--review", "home", "--review-name", "third", "python3", "-c", tamper, f"{here}/{store}"); print("HIT" in run.stdout)
        run = nestbox("--apply", "third"); print(run.returncode, " ".join(run.stderr.split("\n")).strip())
        print(open(f"{store}/first/record").read() == before, nestbox("--discard", "third").returncode, nestbox("--discard", "first").returncode, os.listdir(store))
        """#)
    #expect(
      outcome.lines == [
        "['Read-only file system'] ", "['Read-only file system'] ", "['Read-only file system'] ",
        "['Read-only file system'] ", "True",
        "1 nestbox: --apply: left state/nestbox/reviews/first/record: it lies in the store of reviews "
          + "nestbox: --apply: left state/nestbox/reviews/third/record: it lies in the store of reviews",
        "True 0 0 []",
      ], "\(outcome)")
  }

  // Red: an option leads past the protection, or a command moves a directory on the way to the store and
  // puts another store in its place.
  @Test func `A command can neither reach nor replace the store by other options`() throws {
    let outcome = try Session().python(
      ReviewStoreTests.tools + #"""
        forge = r"""import os, sys
        place, target, device, inode, _ = sys.argv[1:]; hits = []
        try: open(f"{place}/nestbox/reviews/first/record", "a").write("x"); hits.append("record")
        except OSError: pass
        try:
          os.rename(f"{place}/nestbox", f"{place}/old"); os.makedirs(f"{place}/nestbox/reviews/first/upper-0", 0o700); os.chmod(f"{place}/nestbox/reviews", 0o700)
          open(f"{place}/nestbox/reviews/first/record", "w").write(f"nestbox-review 1\nstarted 2000000000 0\ntoken 5\ntree {device} {inode} {target}\n")
          open(f"{place}/nestbox/reviews/first/upper-0/evil", "w").write("evil"); hits.append("rename")
        except OSError: pass
        print(hits)
        """
        forge = "\n".join(line.removeprefix("        ") for line in forge.split("\n"))
        here = os.getcwd(); state = f"{here}/home/state"; os.makedirs("home/work"); os.makedirs("home/below"); os.makedirs("home/victim"); victim = f"{here}/home/victim"; identity = os.stat(victim)
        for options, place in ((("--bind", state, "/mnt"), "/mnt"), (("--bind", "/", "/"), state), (("--home", state), os.path.realpath(os.environ["HOME"])),
                               (("--overlay-src", f"{here}/home/below", "--overlay", state, f"{here}/home/work", "/mnt"), "/mnt"), (("--write-arguments",), state)):
          nestbox("--bind", "/", "/", "--review", "home/proj", "--review-name", "first", "touch", "home/proj/a"); before = open(f"{store}/first/record").read()
          run = nestbox("--ro-bind", "/", "/", *options, "--review", "home/bait", "--review-name", "second", "python3", "-c", forge, place, victim, str(identity.st_dev), str(identity.st_ino), state)
          print(run.stdout.strip(), run.stderr.strip(), os.path.exists("home/state/old"), open(f"{store}/first/record").read() == before, nestbox("--apply", "first").stdout.strip(), os.listdir("home/victim"))
          nestbox("--discard", "second")
        """#)
    let safe = "[]  False True applied 1 change []"
    #expect(outcome.lines == [safe, safe, safe, safe, safe], "\(outcome)")
  }

  // Red: a command replaces a link on the way to the store, and with it the store that --apply reads.
  @Test func `No link that a command can replace leads to the store`() throws {
    let outcome = try Session().python(
      ReviewStoreTests.tools + #"""
        here = os.getcwd(); os.makedirs("home/real"); os.symlink("real", "home/link"); os.mkdir("home/other"); os.symlink("../link", "home/other/chain")
        def launch(place, *options): return nestbox("--ro-bind", "/", "/", *options, "--review-store", place, "--review", "home/proj", "--review-name", "r", "sh", "-c", "echo a >home/proj/a; mv home/link home/gone && mkdir home/fake && ln -s fake home/link")
        for place in ("home/link/store", "home/other/chain/store", f"{here}/home/../home/link/store"):
          run = launch(place, "--bind", f"{here}/home", f"{here}/home"); print(run.returncode, run.stderr.strip().replace(here, "HERE"), os.readlink("home/link"), os.listdir("home/real/store"))
        # A link that the command cannot replace, and the store by its own path.
        run = launch("home/link/store"); print(run.returncode, os.readlink("home/link"), nestbox("--review-store", "home/link/store", "--discard", "r").returncode)
        run = launch(f"{here}/home/real/store", "--bind", f"{here}/home", f"{here}/home"); print(os.readlink("home/link"), nestbox("--review-store", "home/real/store", "--apply", "r").stdout.strip())
        """#)
    let refusal =
      "125 nestbox: --review: the command could replace the link HERE/home/link, which leads to the "
      + "store of reviews; name the store without it: --review-store HERE/home/real/store real []"
    #expect(
      outcome.lines == [
        refusal, refusal.replacing("HERE/home/link,", with: "HERE/home/other/chain,"), refusal,
        "1 real 0", "fake applied 1 change",
      ], "\(outcome)")
  }

  // Red: what a command changes in a review, itself under review, is applied, and chooses where the other
  // review is applied.
  @Test func `Nothing is applied in the store, even if the directory under review lies in it`()
    throws
  {
    let outcome = try Session().python(
      ReviewStoreTests.tools + #"""
        nestbox("--bind", "/", "/", "--review", "home/proj", "--review-name", "first", "touch", "home/proj/a"); before = open(f"{store}/first/record").read()
        for place in (f"{store}/first", store, f"{store}/first/upper-0"):
          run = nestbox("--ro-bind", "/", "/", "--review", place, "--review-name", "second", "sh", "-c", f"echo x >>{store}/first/record; echo x >{store}/first/upper-0/evil")
          run = nestbox("--apply", "second"); print(run.returncode, run.stdout, sorted({x.split(": ")[-1] for x in run.stderr.splitlines()})); nestbox("--discard", "second")
        print(open(f"{store}/first/record").read() == before, os.listdir(f"{store}/first/upper-0"), nestbox("--apply", "first").stdout.strip())
        """#)
    let refusal = "1  ['it lies in the store of reviews']"
    #expect(
      outcome.lines == [refusal, refusal, refusal, "True ['a'] applied 1 change"], "\(outcome)")
  }

  // Red: holes are read, so that --changes and --apply take hours, or are written.
  @Test func `Holes of a huge file cost nothing and stay holes`() throws {
    let outcome = try Session().python(
      ReviewStoreTests.tools + #"""
        size = 1 << 40
        for name in ("same", "changed"):
          write(f"home/proj/{name}", "begin"); os.truncate(f"home/proj/{name}", size)
        script = f"import os\nos.utime('home/proj/same', (1000000000, 1000000000))\nwith open('home/proj/changed', 'r+b') as file: file.seek({size // 2}); file.write(b'middle')"
        run = nestbox("--bind", "/", "/", "--review", "home/proj", "--review-name", "r", "python3", "-c", script); print(run.returncode, run.stderr.count("\n"))
        print([(x["path"], x["change"]) for x in told("r")]); print(nestbox("--apply", "r").stdout.strip())
        with open("home/proj/changed", "rb") as file: file.seek(size // 2); print(file.read(6)); file.seek(0); print(file.read(6))
        print([(os.stat(f"home/proj/{name}").st_size == size, os.stat(f"home/proj/{name}").st_blocks < 10000) for name in ("same", "changed")], os.listdir(store))
        """#)
    #expect(
      outcome.lines == [
        "0 1", "[('changed', 'changed'), ('same', 'time')]", "applied 2 changes", "b'middle'",
        "b'begin\\x00'", "[(True, True), (True, True)] []",
      ], "\(outcome)")
  }

  // Red: a program cannot tell the path of a change from a report, or applies another one.
  @Test func `A report for programs tells names that are not UTF-8 without loss`() throws {
    let outcome = try Session().python(
      ReviewStoreTests.tools + #"""
        odd = b"home/proj/\xff\n\x1b[31m"
        script = "import os, sys\nodd = os.fsencode(sys.argv[1]); open(odd, 'w').close(); os.symlink(b'to\\xfe', b'home/proj/link'); open('home/proj/é', 'w').close()"
        run = subprocess.run(["nestbox", "--bind", "/", "/", "--review", "home/proj", "--review-name", "r", "python3", "-c", script, odd], capture_output=True); print(run.returncode, run.stderr.count(b"\n"))
        changes = told("r"); print([(bytes.fromhex(x["path-hex"]) if "path-hex" in x else x["path"], bytes.fromhex(x.get("target-hex", ""))) for x in changes])
        path = next(bytes.fromhex(x["path-hex"]) for x in changes if "path-hex" in x)
        print(subprocess.run([b"nestbox", b"--apply", b"r", path], capture_output=True, text=True).stdout.strip(), os.listdir(b"home/proj")); nestbox("--discard", "r")
        """#)
    #expect(
      outcome.lines == [
        "0 1", "[('link', b'to\\xfe'), ('é', b''), (b'\\xff\\n\\x1b[31m', b'')]",
        "applied 1 change; others wait [b'\\xff\\n\\x1b[31m']",
      ], "\(outcome)")
  }
}
