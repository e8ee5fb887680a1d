// SPDX-License-Identifier: Apache-2.0
// Hostile layers: a command, or another process that can write to the store, prepares a layer so that
// reading, applying or discarding it would reach files outside the directory. Each attack is also made
// against a copy that follows names, and succeeds there.

import TestSupport
import Testing

@Suite("Hostile layers", .needs("python3"))
struct ReviewTests {
  private static let tools = #"""
    import ctypes, json, os, shutil, stat, subprocess, threading, time
    os.environ["XDG_STATE_HOME"] = os.path.abspath("state")
    def nestbox(*words, **more): return subprocess.run(["nestbox", *words], capture_output=True, text=True, **more)
    def write(path, text):
      with open(path, "w") as file: file.write(text)
    upper = "state/nestbox/reviews/r/upper-0"
    def scene():
      # A directory, files outside of it, and a layer with one change.
      for path in ("proj", "outside"): shutil.rmtree(path, ignore_errors=True)
      for path in ("proj/d", "outside"): os.makedirs(path)
      write("outside/secret", "secret\n"); write("proj/d/f", "f\n"); os.symlink("../outside", "proj/l"); os.link("outside/secret", "proj/hard")
      if os.path.exists(upper): nestbox("--discard", "r")
      run = nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-c", "echo x >proj/x"); assert run.returncode == 0, run
      # What is planted later would otherwise be a conflict, and never applied.
      subprocess.run(["rm", "-f", f"{os.path.dirname(upper)}/seen"])
      return outside()
    def outside(): return {name: (open(f"outside/{name}").read(), os.stat(f"outside/{name}").st_mode) for name in os.listdir("outside")}
    def naive():
      # What a script would do: for each file of the layer, write it at the same path.
      for top, directories, names in os.walk(upper, followlinks=True):
        for name in names:
          target = os.path.join("proj", os.path.relpath(top, upper), name); os.makedirs(os.path.dirname(target), exist_ok=True)
          status = os.stat(os.path.join(top, name))
          if not stat.S_ISREG(status.st_mode): continue
          with open(os.path.join(top, name), "rb") as source, open(target, "wb") as file: file.write(source.read())
          os.chmod(target, stat.S_IMODE(status.st_mode))
    def attack(name, plant, check=lambda: True):
      before = scene(); plant(); naive(); bites = outside() != before or not check()
      before = scene(); plant()
      runs = [nestbox("--changes", "r"), nestbox("--diff", "--changes", "r"), nestbox("--apply", "r")]
      print(name, "bites" if bites else "misses", "safe" if outside() == before and check() else "HIT", *{run.returncode for run in runs} - {0, 1})
      nestbox("--discard", "r"); assert outside() == before

    """#

  // Red: a link, a hard link or a forged attribute leads --changes, --apply or --discard outside, or a
  // set-id bit is applied.
  @Test func `Nothing outside the directory is read, written or removed for a forged layer`() throws
  {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        def through_link(): os.makedirs(f"{upper}/l"); write(f"{upper}/l/planted", "planted\n"); write(f"{upper}/l/secret", "gone\n")
        attack("a directory where the host has a link out", through_link)
        def hard(): write(f"{upper}/hard", "written\n")
        attack("a file with another name outside", hard)
        def mode(): shutil.copy2("outside/secret", f"{upper}/hard"); os.chmod(f"{upper}/hard", 0o777)
        attack("permissions of a file with another name outside", mode)
        def link_up(): os.symlink(os.path.abspath("outside"), f"{upper}/up"); os.makedirs("proj/up"); write("proj/up/secret", "mine\n")
        attack("a link in the layer", link_up, lambda: os.path.islink("proj/up") or not os.path.exists("proj/up/secret") or open("proj/up/secret").read() == "mine\n")
        def set_id(): write(f"{upper}/tool", "#!/bin/sh\n"); os.chmod(f"{upper}/tool", 0o6755)
        attack("a set-id program", set_id, lambda: not os.path.exists("proj/tool") or os.stat("proj/tool").st_mode & 0o6000 == 0)
        # An opaque directory hides all of the host's, and no more than that.
        before = scene(); os.makedirs(f"{upper}/d"); os.setxattr(f"{upper}/d", "user.overlay.opaque", b"y"); os.setxattr(f"{upper}/x", "user.overlay.redirect", b"/outside")
        print(nestbox("--apply", "r").returncode, os.listdir("proj/d"), sorted(os.listdir("proj")), outside() == before)
        # A FIFO is not waited for, a socket is not applied.
        scene(); os.mkfifo(f"{upper}/fifo"); os.mkfifo(f"{upper}/hard")
        import socket; box = socket.socket(socket.AF_UNIX); os.chdir(upper); box.bind("sock"); os.chdir("../../../../.."); box.close()
        run = nestbox("--apply", "r"); print(run.returncode, run.stderr.strip(), stat.S_ISFIFO(os.lstat("proj/fifo").st_mode))
        # The layer's top is a link.
        before = scene(); shutil.rmtree(upper); os.symlink(os.path.abspath("outside"), upper)
        print(nestbox("--changes", "r").returncode, nestbox("--apply", "r").returncode, nestbox("--bind", "/", "/", "--resume", "r", "touch", "proj/y").returncode,
              nestbox("--discard", "r").returncode, outside() == before)
        # Another directory has taken the place of the one under review.
        scene(); os.rename("proj", "moved"); os.mkdir("proj")
        print(nestbox("--apply", "r").returncode, os.listdir("proj"), nestbox("--bind", "/", "/", "--resume", "r", "touch", "proj/y").returncode); os.rmdir("proj"); os.rename("moved", "proj")
        nestbox("--discard", "r"); print(os.listdir("state/nestbox/reviews"))
        """#)
    #expect(
      outcome.lines == [
        "a directory where the host has a link out bites safe",
        "a file with another name outside bites safe",
        "permissions of a file with another name outside bites safe",
        "a link in the layer bites safe", "a set-id program bites safe",
        "0 [] ['d', 'hard', 'l', 'x'] True",
        "1 nestbox: --apply: left sock: a socket is not applied True", "125 125 125 0 True",
        "125 [] 125", "[]",
      ], "\(outcome)")
  }

  // Red: a directory that is exchanged for a link between two calls leads a file outside.
  @Test func `Directories that are exchanged while changes are applied lead nowhere`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        before = scene(); os.symlink("../outside", "link"); library = ctypes.CDLL(None, use_errno=True)
        # As root of the attack: the host's `d` and a link to outside take each other's place, over and over.
        os.symlink("../outside", "proj/e"); running = True
        def exchange():
          while running: library.renameat2(-100, b"proj/d", -100, b"proj/e", 2)
        exchanging = threading.Thread(target=exchange); exchanging.start()
        hits = 0
        for number in range(60):
          os.makedirs(f"{upper}/d", exist_ok=True)
          for name in range(10): write(f"{upper}/d/planted{number}-{name}", "planted\n")
          nestbox("--apply", "r", "d")
          hits += outside() != before
          if not os.path.exists(upper): break
        bitten = 0
        for number in range(2000):
          try: write(f"proj/d/naive{number}", "naive\n")
          except OSError: pass
        running = False; exchanging.join()
        print(hits, any(name.startswith("naive") for name in os.listdir("outside")))
        """#)
    #expect(outcome.lines == ["0 True"], "\(outcome)")
  }

  // Red: a tree that is deep, wide or closed exhausts the stack or the descriptors, or is left behind.
  @Test func `Deep, wide and closed layers are bounded, and can be discarded`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        scene(); top = os.getcwd(); os.chdir(upper)
        for depth in range(3000): os.mkdir("d" * 20); os.chdir("d" * 20)
        os.chdir(top)
        run = nestbox("--changes", "r"); print(run.returncode, run.stdout.splitlines()[-1])
        print(nestbox("--reviews").returncode, nestbox("--discard", "r").returncode, os.listdir("state/nestbox/reviews"))
        scene(); os.mkdir(f"{upper}/wide")
        for number in range(20000): os.mkdir(f"{upper}/wide/{number}")
        os.chmod(f"{upper}/wide", 0)
        limit = "ulimit -n 100; ulimit -s 512; exec nestbox "
        run = subprocess.run(["sh", "-c", limit + "--changes r"], capture_output=True, text=True); print(run.returncode, len(run.stdout.splitlines()), oct(os.stat(f"{upper}/wide").st_mode))
        print(subprocess.run(["sh", "-c", limit + "--apply r"], capture_output=True, text=True).stdout.strip(), oct(os.stat("proj/wide").st_mode)); os.chmod("proj/wide", 0o700)
        print(len(os.listdir("proj/wide")), os.listdir("state/nestbox/reviews"))
        # What the command can do itself: whiteouts, attributes of overlayfs.
        run = nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "python3", "-c", "import os\nos.mkdir('proj/m')\nfor name in ('opaque', 'redirect', 'whiteout', 'metacopy', 'origin'):\n  try: os.setxattr('proj/m', 'user.overlay.' + name, b'y')\n  except OSError: pass\ntry: os.mknod('proj/w', 0o20600, 0)\nexcept OSError: pass")
        print(run.returncode, nestbox("--changes", "r").stdout.splitlines()[1:])
        """#)
    #expect(
      outcome.lines == [
        "0 There are more changes than nestbox looks at.", "0 0 []", "0 20003 0o40000",
        "applied 20002 changes 0o40000", "20000 []", "0 ['  added    m/']",
      ], "\(outcome)")
  }

  // Red: a command that knows the random word of its review keeps the rest of a directory from being
  // applied, or a name that it makes is typed as an option or executed by the shell.
  @Test func `Names that a command makes keep nothing else from being applied`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        def run(script): return nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "python3", "-c", "import os, sys\nos.chdir('proj')\n" + script)
        os.mkdir("proj"); write("proj/--discard", "base"); write("proj/f", "base"); record = os.path.abspath(f"{os.path.dirname(upper)}/record")
        run(f"""
        token = next(line for line in open({record!r}) if line.startswith("token"))
        name = f".nestbox-{{int(token.split()[1]):x}}"; os.makedirs(f"d/{{name}}"); os.mkdir(name); open(f"{{name}}/in", "w")
        for name in ("--discard", "f", "g", "d/g", "$(touch hit)"): open(name, "w").write("in")
        """.replace("\n        ", "\n"))
        print([line.replace(" ", "") for line in nestbox("--changes", "r").stdout.splitlines() if "touch" in line])
        os.remove("proj/--discard"); result = nestbox("--apply", "r"); left = [line.split("left ")[1].split(": ") for line in result.stderr.splitlines() if ": left" in line]
        print(result.returncode, sorted((".nestbox-" if name[0] == "." or "/" in name else name, reason) for name, reason in left))
        print(sorted(os.listdir("proj")), os.listdir("proj/d"), open("proj/f").read()); line = result.stderr.splitlines()[-1].split("same: ")[1]
        print(line, subprocess.run(line, shell=True, capture_output=True, text=True).stdout.strip(), sorted(os.listdir("proj")))
        """#)
    #expect(
      outcome.lines == [
        #"["added'$(touchhit)'"]"#,
        "1 [('--discard', 'the host has removed it since the review began'), ('.nestbox-', 'nestbox needs "
          + "its name for temporary files'), ('.nestbox-', 'nestbox needs its name for temporary "
          + "files'), ('.nestbox-', 'the host has no directory for it')]",
        "['$(touch hit)', 'd', 'f', 'g'] ['g'] in",
        "nestbox --overwrite --apply r -- --discard applied 1 change; others wait ['$(touch hit)', "
          + "'--discard', 'd', 'f', 'g']",
      ], "\(outcome)")
  }

  // Red: names that a command has made in the way keep its review from being discarded.
  @Test func `A deep tree is removed whatever else is there`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        scene(); top = os.getcwd(); numbers = []
        for chain in range(10):
          os.chdir(os.path.join(top, upper))
          for depth in range(70): os.mkdir(f"x{chain}"); os.chdir(f"x{chain}"); numbers.append(os.stat(".").st_ino)
        os.chdir(top)
        for number in numbers: write(f"{upper}/deep-{number}", "")
        run = nestbox("--discard", "r"); print(run.returncode, run.stderr, os.listdir("state/nestbox/reviews"))
        """#)
    #expect(outcome.lines == ["0  []"], "\(outcome)")
  }

  // Red: SIGKILL leaves a directory of the layer open that the command had closed for writing, and the next
  // --apply makes it so.
  @Test(.needs("strace"))
  func `SIGKILL at any call of --apply changes nothing of what is applied`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        def look(): return {os.path.relpath(os.path.join(top, name), "proj"): (os.stat(os.path.join(top, name)).st_mode, os.path.isdir(os.path.join(top, name)) or open(os.path.join(top, name)).read()) for top, *names in os.walk("proj") for name in sum(names, [])}
        def prepare():
          nestbox("--discard", "r"); subprocess.run(["chmod", "-R", "u+w", "proj"], stderr=subprocess.DEVNULL); shutil.rmtree("proj", ignore_errors=True); os.makedirs("proj/old/in"); os.mkdir("proj/dir")
          for name in ("a", "b", "m", "file", "h", "old/in/f", "dir/g"): write(f"proj/{name}", "base")
          os.link("proj/h", "proj/h2"); before = look()
          run = nestbox("--bind", "/", "/", "--review", "proj", "--review-name", "r", "sh", "-ec", "cd proj; echo in >>a; rm b h; echo in >>h2; chmod 600 m; touch -d @1000000000 m; rm -r old dir; echo in >dir; rm file; mkdir -p file/n; echo in >file/n/x; chmod 555 file/n file"); assert run.returncode == 0, run
          return before
        before = prepare(); nestbox("--apply", "r"); after = look(); trouble = []
        for number in range(1, 2000, 3):
          prepare(); run = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=%file,write,fchmod", "-e", f"inject=%file,write,fchmod:signal=KILL:when={number}", "nestbox", "--apply", "r"], capture_output=True)
          if run.returncode == 0: break
          # Each file is what it was or what it becomes.
          trouble += [(number, name) for name, found in look().items() if found[1] is not True and found not in (before.get(name), after.get(name)) and ".nestbox-" not in name]
          run = nestbox("--apply", "r")
          # Of the last calls, which remove the review, only `--discard` is left to do.
          if look() != after or run.returncode and "record of r cannot be read" not in run.stderr and os.listdir("state/nestbox/reviews"): trouble.append((number, run.stderr, set(look().items()) ^ set(after.items())))
        print(60 < number < 1999, trouble)
        """#)
    #expect(outcome.lines == ["True []"], "\(outcome)")
  }

  // Red: what is mounted in the directory later, from the same file system, is looked at and written to.
  @Test func `Nothing is applied in what is mounted in the directory later`() throws {
    let outcome = try Session().python(
      ReviewTests.tools + #"""
        scene(); nestbox("--bind", "/", "/", "--resume", "r", "sh", "-c", "echo in >proj/d/new")
        run = subprocess.run(["unshare", "-rm", "sh", "-c", "mount --bind outside proj/d; nestbox --apply r"], capture_output=True, text=True)
        print(run.returncode, run.stderr.strip(), os.listdir("outside"), os.listdir("proj/d"), nestbox("--apply", "r").returncode, sorted(os.listdir("proj/d")))
        """#)
    #expect(
      outcome.lines == [
        "1 nestbox: --apply: not read: d: Invalid cross-device link ['secret'] ['f'] 0 ['f', 'new']"
      ], "\(outcome)")
  }

  // Red: a device, which root's layer may hold, is applied, opened or fails the rest.
  @Test(.asRoot) func `Device nodes in a layer are told, never opened and not applied`() throws {
    let outcome = try Session(as: .root).python(
      ReviewTests.tools + #"""
        scene()
        # A terminal, on which an open(2) would wait, as its other side is closed; a disk; a replaced file.
        os.mknod(f"{upper}/console", 0o20666, os.makedev(5, 1)); os.mknod(f"{upper}/disk", 0o60666, os.makedev(7, 0)); os.makedirs(f"{upper}/d")
        os.mknod(f"{upper}/d/f", 0o20666, os.makedev(1, 5)); os.mknod(f"{upper}/hard", 0o20666, os.makedev(1, 3))
        text = nestbox("--changes", "r").stdout; print(text.count("a device, which is not applied"), nestbox("--diff", "--changes", "r").returncode)
        run = nestbox("--apply", "r"); print(run.returncode, sorted(x.split("left ")[1] for x in run.stderr.splitlines()))
        print(sorted(os.listdir("proj")), open("proj/d/f").read().strip(), open("proj/hard").read().strip(), outside())
        print(nestbox("--discard", "r", "disk", "console").returncode, nestbox("--discard", "r").returncode, os.listdir("state/nestbox/reviews"))
        """#)
    #expect(
      outcome.lines == [
        "4 0",
        "1 ['console: a device is not applied', 'd/f: a device is not applied', 'disk: a device is not "
          + "applied', 'hard: a device is not applied']",
        "['d', 'hard', 'l', 'x'] f secret {'secret': ('secret\\n', 33188)}", "0 0 []",
      ], "\(outcome)")
  }
}
