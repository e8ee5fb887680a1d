// SPDX-License-Identifier: Apache-2.0
// Reviews: a command changes what it likes, the directory stays as it is, and applying the changes
// makes it what the same command makes of a copy.

import Foundation
import TestSupport
import Testing

@Suite("Reviews", .needs("python3"))
struct ReviewTests {
  /// What the drivers below share: `state` tells all that matters of a tree, `nestbox` runs it.
  private static let tools = #"""
    import hashlib, json, os, shutil, signal, stat, subprocess, sys, time
    os.environ["XDG_STATE_HOME"] = os.path.abspath("state")
    def nestbox(*words, **more):
      return subprocess.run(["nestbox", *words], capture_output=True, text=True, **more)
    def write(path, text):
      with open(path, "w") as file: file.write(text)
    def state(top):
      found, closed = {}, []
      def walk(directory):
        for name in os.listdir(directory):
          path = os.path.join(directory, name); status = os.lstat(path); mode = stat.S_IMODE(status.st_mode)
          key = os.path.relpath(path, top)
          if stat.S_ISLNK(status.st_mode): found[key] = ("link", os.readlink(path)); continue
          need = 0o700 if stat.S_ISDIR(status.st_mode) else 0o400
          if mode & need != need and not stat.S_ISFIFO(status.st_mode): os.chmod(path, mode | need); closed.append((path, mode))
          if stat.S_ISDIR(status.st_mode): found[key] = ("directory", mode); walk(path)
          elif stat.S_ISREG(status.st_mode):
            content = open(path, "rb").read() if status.st_size < 1 << 24 else b""
            # Files that are written have the time of their run.
            old = status.st_mtime_ns if status.st_mtime < 1500000000 else 0
            found[key] = ("file", mode, status.st_size, hashlib.sha1(content).hexdigest(), old)
          else: found[key] = ("other", mode)
      walk(top)
      for path, mode in reversed(closed): os.chmod(path, mode)
      return found
    def everything(top): return subprocess.run(["find", top, "-printf", "%p %m %s %T@ %C@ %i %l\n"], capture_output=True).stdout
    def told(name):
      report = json.loads(nestbox("--changes", name, "--json").stdout)
      return report, {x["path"]: x for x in report["directories"][0]["changes"]}
    def reviews(): return [x["name"] for x in json.loads(nestbox("--reviews", "--json").stdout)["reviews"]]

    """#

  /// Changes a tree in every way.
  private static let mutation = #"""
    import os, shutil, sys
    os.chdir(sys.argv[1])
    def write(path, text):
      with open(path, "w") as file: file.write(text)
    for i in range(0, 10000, 500): write(f"t/{i // 100}/{i}", f"edited {i}\n")
    for i in range(50, 10000, 700): os.remove(f"t/{i // 100}/{i}")
    for i in range(20): write(f"t/new{i}", f"new {i}\n" * 50)
    os.makedirs("deep/a/b/c"); write("deep/a/b/c/f", "x")
    os.rename("t/3/301", "t/3/renamed"); os.rename("t/3/302", "t/4/moved"); shutil.move("t/5", "t/five")
    # A directory becomes a file and the other way round, a link a file and the other way round.
    shutil.rmtree("t/7"); write("t/7", "was a directory\n")
    os.remove("t/8/801"); os.mkdir("t/8/801"); write("t/8/801/in", "in\n")
    os.remove("link"); write("link", "was a link\n"); os.remove("t/9/901"); os.symlink("../8", "t/9/901")
    # Removed and made again, with less in it.
    shutil.rmtree("t/10"); os.mkdir("t/10"); write("t/10/1001", "again\n"); write("t/10/only", "only\n")
    os.symlink("/etc/passwd", "out"); os.link("t/1/101", "t/1/hard")
    for path, mode in (("t/11/1101", 0o600), ("t/11/1102", 0o755), ("t/12", 0o700), ("t/13/1301", 0), ("t/14", 0o500)): os.chmod(path, mode)
    os.makedirs("closed/in"); write("closed/in/g", "g"); os.chmod("closed/in", 0); os.chmod("closed", 0)
    os.utime("t/15/1501", (1000000000, 1000000000)); write("new\nline\x1b[31m", "odd"); write("empty", "")
    os.truncate("t/16/1601", 0); os.mkfifo("fifo")
    with open("sparse", "wb") as file: file.seek(1 << 30); file.write(b"end")
    # What comes to nothing.
    with open("t/17/1701", "r+"): pass
    os.mkdir("gone"); os.rmdir("gone")

    """#

  // Red: the run changes the directory, --changes leaves out a change or adds one, --apply makes a file
  // that differs from the command's, or something is left behind.
  @Test
  func
    `Changes to a tree of ten thousand files are told one by one, and applied they make it the copy`()
    throws
  {
    let session = try Session()
    try session.write("mutate.py", ReviewTests.mutation)
    let outcome = try session.python(
      ReviewTests.tools + #"""
        os.makedirs("proj/t")
        for i in range(10000):
          directory = f"proj/t/{i // 100}"
          if i % 100 == 0: os.mkdir(directory)
          write(f"{directory}/{i}", f"file {i}\n" * (i % 7 + 1)); os.utime(f"{directory}/{i}", (1600000000 + i,) * 2)
        os.symlink("t/1", "proj/link"); subprocess.run(["cp", "-a", "proj", "copy"], check=True)
        before, listing = state("proj"), everything("proj")
        run = nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "python3", "mutate.py", "proj")
        print(run.returncode, run.stderr.replace("384 changes wait in review", "told"))
        print("same" if everything("proj") == listing else "changed")
        subprocess.run([sys.executable, "mutate.py", "copy"], check=True); after = state("copy")
        report, changes = told("r")
        def kind(old, new):
          if old is None: return "added"
          if new is None: return "removed"
          if old[0] != new[0]: return "type"
          if old[0] == "link" or old[0] == "file" and old[2:4] != new[2:4]: return "changed"
          return "mode" if old[1] != new[1] else "time"
        truth = {path: kind(before.get(path), after.get(path)) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        got = {path: change["change"] for path, change in changes.items()}
        print(len(truth) > 400, {path: (truth.get(path), got.get(path)) for path in truth.keys() | got.keys() if truth.get(path) != got.get(path)}, report["complete"])
        print([changes[path]["renamed-from"] for path in ("t/3/renamed", "t/4/moved", "t/five/501")])
        text = nestbox("--changes", "r").stdout; print("\x1b" in text, "$'new\\nline\\x1b[31m'" in text)
        print(nestbox("--apply", "r", "deep/a/b/c/f", "t/five/510", "t/7").returncode, os.listdir("proj/t/five"),
              open("proj/t/7").read().strip(), os.path.exists("proj/empty"))
        print(nestbox("--discard", "r", "t/new1", "t/8/801", "t/14/1450").returncode)
        for path in ("t/new1", "t/8/801/in"): after.pop(path)
        for path in ("t/8/801", "t/14/1450"): after[path] = before[path]
        print(nestbox("--apply", "r").stdout.split()[0], reviews())
        now = state("proj"); print({path: (now.get(path), after.get(path)) for path in now.keys() | after.keys() if now.get(path) != after.get(path)})
        print(os.stat("proj/sparse").st_blocks < 100, [path for path in now if "nestbox" in path], os.listdir("state/nestbox/reviews"))
        """#)
    #expect(
      outcome.lines == [
        "0 nestbox: told r: nestbox --diff --changes r; nestbox --apply r; nestbox --discard r",
        "same", "True {} True", "['t/3/301', 't/3/302', 't/5/501']", "False True",
        "0 ['510'] was a directory False", "0", "applied []", "{}", "True [] []",
      ], "\(outcome)")
  }

  // Red: a file that its owner changed is overwritten, a change is lost when the disk is full or the
  // launcher or --apply is killed, or the second run does not complete.
  @Test func `A conflict is left, and after SIGKILL or a full disk a second run completes`() throws
  {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        os.mkdir("proj")
        for name in "cdek": write(f"proj/{name}", "base\n")
        run = nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-c",
                      "cd proj; echo in >c; rm d; echo new >n; rm e; mkdir e; echo q >e/q; echo in >k")
        time.sleep(0.05)
        for name in "cdn": write(f"proj/{name}", "host\n")
        run = nestbox("--apply", "r"); print(run.returncode, sorted(x.split(": ")[2] for x in run.stderr.splitlines()[:-1]))
        print({name: open(f"proj/{name}").read() for name in ("c", "d", "n", "e/q", "k")})
        line = run.stderr.splitlines()[-1].split(": ")[-1]; print(line.split()[:3], subprocess.run(line, shell=True, capture_output=True).returncode)
        print(open("proj/c").read(), os.path.exists("proj/d"), open("proj/n").read(), reviews())
        # The launcher is killed: the review is listed.
        box = subprocess.Popen(["nestbox", "--unshare-pid", "--die-with-parent", "--bind", "/", "/", "--review", "proj", "--review-name", "k", "sh", "-c", "echo x >proj/x; echo; sleep 100"], stdout=subprocess.PIPE)
        box.stdout.readline()
        run = nestbox("--apply", "k"); print(run.returncode, "is in use" in run.stderr)
        box.kill(); box.wait(); box.stdout.close()
        for _ in range(1000):
          if json.loads(nestbox("--reviews", "--json").stdout)["reviews"][0]["running"] == False: break
          time.sleep(0.02)
        print(reviews(), list(told("k")[1]), nestbox("--apply", "k").returncode, open("proj/x").read())
        # The disk is full, and then it is not.
        os.mkdir("small"); script = """cd small; mkdir proj; head -c 1500000 /dev/zero >filler
          nestbox --bind / / --review proj --review-name f sh -c 'cd proj; echo a >a; seq 150000 >big; echo z >z' 2>/dev/null
          nestbox --apply f 2>/dev/null; echo $?; ls -A proj; rm filler; nestbox --apply f; ls -A proj; nestbox --reviews --json | grep -c '"f"'"""
        run = nestbox("--dev-bind", "/", "/", "--size", "2000000", "--tmpfs", os.path.abspath("small"), "sh", "-c", script); print(run.stdout.split(), run.stderr)
        # --apply is killed at many moments.
        os.mkdir("many"); write("many/old", "old\n")
        nestbox("--bind", "/", "/", "--review", "many", "--review-name", "m", "sh", "-c", "cd many; rm old; for i in $(seq 3000); do echo $i >$i; done; truncate -s 30000000 big")
        for delay in range(1, 30, 3):
          run = subprocess.Popen(["nestbox", "--apply", "m"], stdout=subprocess.DEVNULL); time.sleep(delay / 1000); run.kill(); run.wait()
          if not reviews(): break
          part = [x for x in os.listdir("many") if x.isdigit() and open(f"many/{x}").read() != x + "\n"]
          if part: print("half a file", part)
        if reviews(): print(nestbox("--apply", "m").returncode)
        else: print(0)
        print(len(os.listdir("many")), os.path.getsize("many/big"), reviews())
        """#)
    #expect(
      outcome.lines == [
        "1 ['left c', 'left d', 'left n']",
        "{'c': 'host\\n', 'd': 'host\\n', 'n': 'host\\n', 'e/q': 'q\\n', 'k': 'in\\n'}",
        "['nestbox', '--overwrite', '--apply'] 0", "in", " False new", " []", "125 True",
        "['k'] ['x'] 0 x",
        "['applied', '1', 'change;', 'the', 'others', 'wait', '1', 'a', 'applied', '2', 'changes', 'a', 'big', 'z', '0'] ",
        "0", "3001 30000000 []",
      ], "\(outcome)")
  }

  // Red: a review without changes is left behind, one that goes on forgets the first run's changes, or
  // what a profile protects can be written under review.
  @Test(.needs("git"))
  func `An agent's commit is reviewed and applied, and git agrees`() throws {
    let session = try Session()
    let place = session.directory.path + "/proj"
    let outcome = try session.run(
      #"""
      export XDG_STATE_HOME=$PWD/state GIT_CONFIG_NOSYSTEM=1 GIT_OPTIONAL_LOCKS=0
      git config --global user.name A; git config --global user.email a@b; git config --global init.defaultBranch main
      mkdir proj; cd proj; git init -q; mkdir sub; echo a >a; git add .; git commit -qm one
      nestbox --profile agent --review . true; nestbox --reviews | wc -l
      nestbox --profile agent --review . --review-name g sh -c '
        echo b >>a; git add a; git commit -qm two; echo x 2>&1 >.git/config; echo evil >.git/commondir' 2>&1 | grep -c 'Read-only'
      git log --format=%s; git status --short
      nestbox --changes g | sed -n '/first/,/others/p'
      nestbox --discard g .git/commondir
      nestbox --profile agent --resume g sh -c 'git log --format=%s | head -n 1; echo c >c; git add c; git commit -qm three'
      nestbox --diff --changes g | grep -x '+b'
      nestbox --apply g | grep -c applied; git log --format=%s; git status --short; git fsck 2>&1 | grep -v dangling
      cd sub && nestbox --profile agent --review . true 2>&1
      """#)
    #expect(
      outcome.lines == [
        "1", "1", "one", "Look at these first:", "  added    .git/commondir  (git executes it)",
        "The others:", "discarded 1 change; others wait", "two", "+b", "1", "three", "two", "one",
        "nestbox: --review: \(place)/sub lies in \(place), which the "
          + "profile shows writable; to hold back all changes there: --review \(place)",
      ], "\(outcome)")
  }

  /// The state of a directory as git tells it, with its objects checked.
  private static let git = #"""
    def git(*words, place="proj"):
      run = subprocess.run(["git", "-C", place, *words], capture_output=True, text=True,
        env={**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0"}); return run.stdout
    def agree(script, name, *options):
      """Runs a script under review and on a copy, applies, and compares all files and git's view."""
      subprocess.run(["rm", "-rf", "copy"]); subprocess.run(["cp", "-a", "proj", "copy"], check=True); before = everything("proj")
      run = nestbox("--bind", "/", "/", *options, "--review", "proj", "--review-name", name, "sh", "-ec", "cd proj\n" + script)
      if run.returncode: print(run.returncode, run.stdout, run.stderr)
      untouched = everything("proj") == before
      subprocess.run(["sh", "-ec", "cd copy\n" + script], check=True, capture_output=True)
      run = nestbox("--apply", name); left = {k: v for k, v in state("proj").items() if not k.startswith(".git/")}
      right = {k: v for k, v in state("copy").items() if not k.startswith(".git/")}
      same = {path for path in left.keys() | right.keys() if left.get(path) != right.get(path)}
      print(name, untouched, run.returncode, len(left), sorted(same)[:5], git("status", "--porcelain") == git("status", "--porcelain", place="copy"), reviews())

    """#

  // Red: what a package manager, an installer or a formatter changes arrives in another form, or git sees
  // other changes than after the same run without a review.
  @Test(.needs("git"))
  func `A tree of packages and a formatter's work are applied as they would have been written`()
    throws
  {
    let outcome = try Session().python(
      ReviewTests.tools + ReviewTests.git + #"""
        subprocess.run(["git", "config", "--global", "user.name", "A"]); subprocess.run(["git", "config", "--global", "user.email", "a@b"])
        os.makedirs("proj/src"); write("proj/package.json", '{"dependencies": {"left": "1"}}\n'); write("proj/.gitignore", "*.log\n")
        for i in range(50): write(f"proj/src/{i}.js", f"let x={i};  \nfunction f( ){{return x}}\n")
        subprocess.run(["git", "-c", "init.defaultBranch=main", "init", "-q", "proj"]); git("add", "."); git("commit", "-qm", "one")
        # What npm does: directories with scopes, programs as links and with mode 755, a lock file by rename, and a
        # second run that replaces a directory.
        npm = """mkdir -p node_modules/.bin node_modules/@scope
          for i in $(seq 300); do mkdir -p node_modules/p$i/lib; echo "{}" >node_modules/p$i/package.json; echo "module.exports=$i" >node_modules/p$i/lib/index.js
            printf '#!/usr/bin/env node\\n' >node_modules/p$i/cli.js; chmod 755 node_modules/p$i/cli.js; ln -s ../p$i/cli.js node_modules/.bin/p$i; done
          cp -r node_modules/p1 node_modules/@scope/a; mv node_modules/p2 node_modules/.p2-old; mkdir node_modules/p2; echo "{}" >node_modules/p2/package.json; rm -r node_modules/.p2-old
          echo lock >package-lock.json.tmp; mv package-lock.json.tmp package-lock.json; echo '{"dependencies": {"left": "2"}}' >package.json; echo x >debug.log"""
        agree(npm, "npm")
        agree("rm -r node_modules/p7; mv node_modules/p8 node_modules/p9new; echo y >>node_modules/p10/lib/index.js", "again")
        # What formatters do: in place, by rename, by a backup; a file that is right already is only opened.
        agree("for f in src/*.js; do sed -i 's/ *$//; s/( )/()/' $f; done; for f in src/1*.js; do cp -p $f $f.orig; expand $f.orig >$f; rm $f.orig; done; touch -d @1000000000 src/5.js; : >>src/6.js", "format")
        print(git("status", "--porcelain").count("\n"), git("diff", "--stat").splitlines()[-1].split(",")[0])
        """#)
    #expect(
      outcome.lines == [
        "npm True 0 1861 [] True []", "again True 0 1856 [] True []",
        "format True 0 1856 [] True []", "53  51 files changed",
      ], "\(outcome)")
  }

  // Red: a package that pip installs under review does not work once it is applied.
  @Test(.needs("pip3"))
  func `A wheel that pip installs under review works once it is applied`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        import zipfile
        with zipfile.ZipFile("tool-1-py3-none-any.whl", "w") as wheel:
          files = {"tool/__init__.py": "def main(): print('works')\n", "tool-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tool\nVersion: 1\n",
            "tool-1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "tool-1.dist-info/entry_points.txt": "[console_scripts]\ntool = tool:main\n"}
          for name, text in files.items(): wheel.writestr(name, text)
          wheel.writestr("tool-1.dist-info/RECORD", "".join(f"{name},,\n" for name in files) + "tool-1.dist-info/RECORD,,\n")
        os.mkdir("site"); before = everything("site")
        run = nestbox("--bind", "/", "/", "--review", "site", "--review-name", "p", "pip3", "install", "-q", "--no-index", "--no-cache-dir", "--disable-pip-version-check", "--target", "site", "./tool-1-py3-none-any.whl")
        print(run.returncode, run.stderr.count("\n"), everything("site") == before)
        text = nestbox("--changes", "p").stdout; print("bin/tool  (new executable)" in text)
        print(nestbox("--apply", "p").returncode, reviews())
        print(subprocess.run(["python3", "site/bin/tool"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "site"}).stdout)
        """#)
    #expect(outcome.lines == ["0 1 True", "True", "0 []", "works"], "\(outcome)")
  }

  // Red: the summary fills the screen, the lines to type do not work, or the report does not go through the
  // pager.
  @Test func `At a terminal a run ends with a short summary and three lines that work`() throws {
    let session = try Session()
    let place = session.directory.path + "/proj"
    let outcome = try session.python(
      ReviewTests.tools + #"""
        import pty
        def terminal(*words, **variables):
          pid, side = pty.fork()
          if pid == 0: os.execvpe(words[0], words, {**os.environ, **variables})
          output = b""
          while True:
            try: chunk = os.read(side, 4096)
            except OSError: break
            if not chunk: break
            output += chunk
          status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]); os.close(side)
          return status, output.decode().replace("\r", "").splitlines()
        os.makedirs("proj/old")
        for i in range(30): write(f"proj/old/{i}", "x")
        status, lines = terminal("nestbox", "--review-store", os.path.abspath("a store"), "--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-c",
          "cd proj; for i in $(seq 500); do echo $i >n$i; done; for i in 1 2 3 4 5; do echo >run$i; chmod +x run$i; done; rm -r old; echo >>Makefile; exit 3")
        print(status, len(lines), len(lines) <= 10, *(lines[:3]), sep="\n")
        words = [line.split(" r")[0].replace(os.getcwd(), "").split() for line in lines[-3:]]; print(words)
        print(terminal("sh", "-c", lines[-3], PAGER="sed s/^/paged:/")[1][0])
        print(subprocess.run(lines[-2], shell=True, capture_output=True, text=True).stdout.split()[:1], len(os.listdir("proj")))
        line = subprocess.run(lines[-1], shell=True, capture_output=True, text=True).stderr.split("; ")[-1].replace(" lists them", "").strip()
        print(line.replace(os.getcwd(), ""), subprocess.run(line, shell=True, capture_output=True, text=True).stdout.split())
        # Of a run that changes nothing, nothing is told; one without a terminal tells all in one line.
        print(terminal("nestbox", "--bind", "/", "/", "--review", "proj", "true")[1], nestbox("--bind", "/", "/", "--review", "proj", "true").stderr)
        run = nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "z", "touch", "proj/z"); print(run.stderr)
        print(*[subprocess.run(line, shell=True, capture_output=True, text=True).returncode for line in run.stderr.split(": ")[2].split("; ")])
        # A file that was renamed is told as --changes tells it.
        os.mkdir("proj/from"); write("proj/from/a", "a" * 99); write("proj/from/b", "b" * 98)
        print(terminal("nestbox", "--bind", "/", "/", "--review", "proj", "--review-name", "m", "sh", "-c", "cd proj; mv n1 moved; rm n2; echo >other; mv from to")[1][:2])
        print(nestbox("--changes", "m").stdout.splitlines()[1:])
        # A short line goes on with the review; no review is told in a sentence.
        print(terminal("nestbox", "--bind", "/", "/", "--review", "proj", "--review-name", "s", "touch", "proj/s")[1][-1])
        nestbox("--discard", "m"); nestbox("--discard", "s"); print(terminal("nestbox", "--reviews")[1], nestbox("--reviews").stdout.split()[:1])
        """#)
    #expect(
      outcome.lines == [
        "3", "9", "True", "nestbox: 537 changes wait in review r:", "  added 506, removed 31",
        "  look at Makefile (make executes it)",
        "[['nestbox', '--review-store', \"'/a\", \"store'\", '--diff', '--changes'], ['nestbox', "
          + "'--review-store', \"'/a\", \"store'\", '--apply'], ['nestbox', '--review-store', \"'/a\", "
          + "\"store'\", '--discard']]",
        "paged:r: 537 changes in \(place)", "['applied'] 506",
        "nestbox --review-store '/a store' --reviews ['NAME', 'AGE', 'CHANGES', 'STATE', 'DIRECTORIES']",
        "[] ",
        "nestbox: 1 change waits in review z: nestbox --diff --changes z; nestbox --apply z; nestbox --discard z",
        "0 0 125", "['nestbox: 7 changes wait in review m:', '  added 2, removed 2, renamed 3']",
        "['  removed  from/', '  renamed  n1 -> moved', '  removed  n2', '  added    other', '  added    to/', "
          + "'  renamed  from/a -> to/a', '  renamed  from/b -> to/b']",
        "nestbox --bind / / --resume s touch proj/s", "['no review waits'] ['NAME']",
      ], "\(outcome)")
  }

  // Red: the change of the directory's own permissions, which the list names `.`, cannot be chosen.
  @Test func `The change of the directory itself is applied and discarded alone`() throws {
    let outcome = try Session().run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir proj other; chmod 755 proj other
      launch() { nestbox --bind / / --review proj "$@" --review-name r sh -c 'touch proj/a; chmod 711 proj' 2>&-; }
      launch; nestbox --discard r .; nestbox --changes r | tail -n +2
      nestbox --apply r . 2>&1; nestbox --bind / / --resume r sh -c 'chmod 700 proj' 2>&-
      nestbox --apply r .; stat -c %a proj; nestbox --changes r | tail -n +2; nestbox --discard r
      # Closed to its owner, and one of several directories.
      launch --review other; nestbox --bind / / --resume r chmod 0 other 2>&-
      nestbox --discard r "$PWD/other"; nestbox --apply r "$PWD/proj/" && stat -c %a proj other; nestbox --apply r; ls proj
      """#)
    #expect(
      outcome.lines == [
        "discarded 1 change; others wait", "  added    a",
        "nestbox: --apply: . is the directory itself, whose permissions did not change; for all changes: "
          + "nestbox --apply r",
        "applied 1 change; others wait", "700", "  added    a", "discarded the review r",
        "discarded 1 change; others wait", "applied 1 change; others wait", "711", "755",
        "applied 1 change", "a",
      ], "\(outcome)")
  }

  // Red: permissions that the owner has restricted since come back with --apply, though the command changed none.
  @Test func `Permissions that only the owner changed since stay`() throws {
    let outcome = try Session().run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir -p proj/sub proj/own; chmod 755 proj proj/*
      nestbox --bind / / --review proj --review-name r sh -c 'touch proj/a proj/sub/b; chmod 711 proj/own' 2>&-
      chmod 700 proj proj/sub; nestbox --apply r 2>&1; stat -c %a proj proj/sub proj/own; ls proj proj/sub
      """#)
    #expect(
      outcome.lines == [
        "applied 3 changes", "700", "700", "711", "proj:", "a", "own", "sub", "proj/sub:", "b",
      ], "\(outcome)")
  }

  // Red: Ctrl-C ends a task while it compares without a word, or only after that, or leaves a directory of the
  // layer open that the command closed.
  @Test(.needs("strace"))
  func `Ctrl-C while a task compares says that nothing was changed`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        os.mkdir("proj"); write("proj/data", "x" * (40 << 16))
        nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-c", "chmod 600 proj/data; mkdir proj/shut; chmod 0 proj/shut")
        for words in (["--changes", "r"], ["--diff", "--changes"], ["--apply", "r"], ["--discard", "r", "data"]):
          # Each step of the comparison takes a second.
          task = subprocess.Popen(["strace", "-y", "-D", "-o", "trace", "-e", "trace=pread64", "-e", "inject=pread64:delay_enter=1000000", "nestbox", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
          while not os.path.exists("trace") or "/data>" not in open("trace").read(): time.sleep(0.02)
          task.send_signal(signal.SIGINT); out, err = task.communicate()
          print(task.returncode, out, err.strip(), oct(os.stat("state/nestbox/reviews/r/upper-0/shut").st_mode & 0o777), open("trace").read().count("pread64(") < 40); os.remove("trace")
        print(nestbox("--apply", "r").stdout.strip(), oct(os.stat("proj/data").st_mode & 0o777))
        """#)
    func told(_ task: String, _ line: String) -> String {
      "-2  nestbox: \(task): interrupted while it compared, and nothing was changed; to go on: nestbox \(line) 0o0 True"
    }
    #expect(
      outcome.lines == [
        told("--changes", "--changes r"), told("--changes", "--diff --changes r"),
        told("--apply", "--apply r"), told("--discard", "--discard r data"),
        "applied 2 changes 0o600",
      ], "\(outcome)")
  }

  // Red: the launcher cannot be ended while it compares, or takes the review with it.
  @Test(.needs("strace"))
  func `Ctrl-C while the launcher compares leaves a review that can be used`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        os.mkdir("proj"); write("proj/sparse", ""); os.truncate("proj/sparse", 1 << 36)
        # The file has the same size in the layer, and strace makes each step of the comparison long. The command ignores
        # the signal.
        box = subprocess.Popen(["strace", "-D", "-o", "/dev/null", "-e", "trace=lseek", "-e", "inject=lseek:delay_enter=500000", "nestbox", "--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-c", "trap '' INT; chmod 600 proj/sparse; echo x >proj/x; echo"], stdout=subprocess.PIPE)
        box.stdout.readline(); box.stdout.close()
        # Once it has no child, it compares.
        while open(f"/proc/{box.pid}/task/{box.pid}/children").read(): time.sleep(0.02)
        while box.poll() is None: box.send_signal(signal.SIGINT); time.sleep(0.02)
        print(box.returncode, reviews() if os.truncate("proj/sparse", 5) is None else "")
        print(sorted(told("r")[1]), nestbox("--apply", "r", "x").returncode, open("proj/x").read().strip(), nestbox("--discard", "r").returncode, reviews())
        """#)
    #expect(outcome.lines == ["-2 ['r']", "['sparse', 'x'] 0 x 0 []"], "\(outcome)")
  }

  // Red: the end of a launch waits until the disk has all that other programs write, a review goes on only
  // once, or a store that keeps no layers loses changes without a word.
  @Test func `A layer needs no disk until the end, and a store that keeps none is refused`() throws
  {
    let session = try Session()
    let place = session.directory.path + "/small"
    let outcome = try session.run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir proj small
      nestbox --bind / / --review proj --review-name v sh -c 'grep -c "proj .* overlay .*volatile" /proc/self/mountinfo; echo 1 >proj/a'
      for i in 2 3; do nestbox --bind / / --resume v sh -c "cat proj/a; echo $i >>proj/a"; done
      nestbox --apply v; cat proj/a; ls -A state/nestbox/reviews
      nestbox --dev-bind / / --overlay-src small --tmp-overlay "$PWD/small" sh -c '
        nestbox --bind / / --review-store "$PWD/small/store" --review proj touch proj/lost; ls -A small/store; nestbox --review-store "$PWD/store" --bind / / --review proj touch proj/kept' 2>&1 | grep -v ' waits in review '
      nestbox --review-store "$PWD/store" --reviews | wc -l
      """#)
    #expect(
      outcome.lines == [
        "1", "1", "1", "2", "applied 1 change", "1", "2", "3",
        "nestbox: --review: the file system of \(place)/store keeps no extended attributes or "
          + "whiteouts, which a layer needs; use --review-store with a directory on ext4, xfs or btrfs",
        "2",
      ], "\(outcome)")
  }
}
