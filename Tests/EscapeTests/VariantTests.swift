// SPDX-License-Identifier: Apache-2.0
// Variants of attacks that once worked: other ways to the same end.

import TestSupport
import Testing

@Suite("Variants of old attacks", .needs("python3"))
struct VariantTests {
  // Red: a repository's link to a directory of secrets reveals a file that the line seems to name in
  // the repository.
  @Test(
    "A script is not shown through a link into a hidden directory",
    arguments: [
      "sh tools/key", "env sh tools/key", "timeout 9 sh tools/key", "python3 ./tools/key",
      "sh way/tools/key", "sh tools/../tools/key", "nice bash -x tools/key", "sh deep/x/key",
    ])
  func hiddenScripts(_ command: String) throws {
    let outcome = try Session().run(
      """
      mkdir -p .ssh/x repository/deep; echo 'echo KEY' > .ssh/key; cp .ssh/key .ssh/x; cd repository
      ln -s ../.ssh tools; ln -s . way; ln -s ../../.ssh/x deep/x; echo 'echo works' > run; ln -s . here
      nestbox \(command) 2>&1 | grep -o KEY; nestbox sh here/run
      cd ..; mkdir .hidden; echo 'echo works' > .hidden/run; ln -s .hidden shown; nestbox sh .hidden/run
      """)
    #expect(outcome.lines == ["works", "works"], "\(outcome)")
  }

  // Red: a family without a namespace, or a protocol that hardly any program needs, is within reach,
  // as a pair too.
  @Test(
    "Of all families, types and protocols the policies allow the known ones",
    arguments: ["default", "desktop", "strict", "compat"])
  func families(_ policy: String) throws {
    let outcome = try Session().python(
      """
      import ctypes, os, subprocess, sys
      if len(sys.argv) < 3:
        sys.exit(subprocess.run(["nestbox", "--unshare-all", "--ro-bind", "/", "/", "--seccomp-policy",
          sys.argv[1], sys.executable, __file__, sys.argv[1], "inside"]).returncode)
      library = ctypes.CDLL(None); pair = (ctypes.c_int * 2)(); found = set()
      for family in range(48):
        for kind in 1, 2, 3, 4, 5, 6, 10, 1 | 0o2000000, 2 | 0o4000:
          for protocol in (0, 1, 2, 4, 6, 12, 15, 16, 17, 58, 115, 132, 136, 255, 256, 262):
            number = library.socket(family, kind, protocol)
            if number >= 0: found.add((family, protocol)); os.close(number)
            if library.socketpair(family, kind, protocol, pair) == 0:
              found.add((family, protocol)); os.close(pair[0]); os.close(pair[1])
      known = {(1, 0), (1, 1)} | {(f, p) for f in (2, 10) for p in (0, 6, 17)} | {(16, 0)}
      # Events of devices.
      if sys.argv[1] in ("default", "desktop"): known |= {(16, 15)}
      # Older programs ask for more of netlink's protocols.
      if sys.argv[1] == "compat": known |= {(16, p) for p in range(64)}
      print("too many:", sorted(found - known))
      """, policy)
    #expect(outcome.lines == ["too many: []"], "\(outcome)")
  }

  // Red: privileges lie in a file's attributes, or a mode is set in a way that no filter looks at.
  @Test("Attributes and further ways give a file no privileges either")
  func attributes() throws {
    let session = try Session()
    try session.write(
      "hostile.py",
      """
      import ctypes, os, socket, stat, struct
      os.umask(0)
      library = ctypes.CDLL(None, use_errno=True)
      def attempt(body):
        try: body()
        except (OSError, AttributeError): pass
      open("left", "w").close()
      for version in 0x2000001, 0x3000001:
        value = struct.pack("<IIIIII", version, 0xffffffff, 0xffffffff, 0, 0, 0)
        if version < 0x3000000: value = value[:20]
        attempt(lambda: os.setxattr("left", "security.capability", value))
        attempt(lambda: os.setxattr(os.open("left", os.O_RDONLY), "security.capability", value))
      # The entries of an access list, whose mask becomes the group's mode.
      acl = struct.pack("<I", 2)
      for tag in 1, 4, 0x20: acl += struct.pack("<HHI", tag, 0o7777, 0xffffffff)
      attempt(lambda: os.setxattr("left", "system.posix_acl_access", acl))
      attempt(lambda: os.chmod("/proc/self/fd/%d" % os.open("left", os.O_RDONLY), 0o6755))
      attempt(lambda: os.chmod("/proc/self/cwd/left", 0o4755))
      attempt(lambda: os.mkfifo("fifo", 0o6755))
      attempt(lambda: os.mknod("socket", stat.S_IFSOCK | 0o6755))
      attempt(lambda: socket.socket(socket.AF_UNIX).bind("bound"))
      attempt(lambda: os.lchown("left", os.getuid(), os.getgid()))
      # file_setattr(2), of Linux 6.17.
      buffer = ctypes.create_string_buffer(struct.pack("<QIII", 0, 0o6755, 0, 0) + bytes(16))
      library.syscall(469, -100, b"left", buffer, 32, 0)
      print("tried")
      """)
    let outcome = try session.run(
      """
      mkdir p; mv hostile.py p; cd p; nestbox --profile build python3 hostile.py
      find . -perm /6000; getfattr -n security.capability left 2> /dev/null
      """)
    #expect(outcome.lines == ["tried"], "\(outcome)")
  }

  // Red: settings of an account that lie elsewhere than usual become a project.
  @Test(
    "Directories that configure the account are never a build's project",
    arguments: [
      ("z", "ZDOTDIR"), ("z/sub", "ZDOTDIR"), ("z", "XDG_STATE_HOME"), ("z", "CARGO_HOME"),
      ("z", "XDG_CONFIG_HOME"), ("z/sub", "GNUPGHOME"), (".vim/autoload", "X"),
      (".emacs.d/lisp", "X"),
      (".cargo/bin", "X"), (".oh-my-zsh/custom", "X"), (".zsh/sub", "X"),
    ])
  func projects(_ directory: String, _ variable: String) throws {
    let outcome = try Session().run(
      """
      mkdir -p \(directory) project; cd \(directory)
      \(variable)=~/z nestbox --profile build touch made 2> /dev/null; ls
      # A variable that names the home directory does not make everything in it one.
      cd ~/project; \(variable)=$HOME nestbox --profile build touch made; ls
      """)
    #expect(outcome.lines.filter { $0 != "sub" } == ["made"], "\(outcome)")
  }

  // Red: what outlives the command's end writes on: a grandchild in a session of its own, with the
  // least of priorities, or that ignores every signal.
  @Test(
    "Nothing in the sandbox writes after nestbox has returned",
    arguments: ["", "os.nice(19); os.sched_setscheduler(0, 5, os.sched_param(0));"])
  func afterwards(_ slowness: String) throws {
    let session = try Session()
    try session.write(
      "hostile.py",
      """
      import os, signal, sys
      \(slowness)
      for i in range(30):
        if os.fork() == 0:
          os.setsid()
          for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
          if os.fork(): os._exit(0)
          while True:
            with open(f"left-{i}", "a") as file: file.write("x")
      os.kill(os.getpid(), 9)
      """)
    let outcome = try session.run(
      """
      mkdir p; mv hostile.py p; cd p
      for i in 1 2 3; do
        nestbox --profile build python3 hostile.py 2> /dev/null
        cat left-* 2> /dev/null | wc -c > ../one; sleep 0.1; cat left-* 2> /dev/null | wc -c | cmp - ../one && echo still
      done
      """)
    #expect(outcome.lines == ["still", "still", "still"], "\(outcome)")
  }

  // Red: a payload that locks the project's directory, under the launcher's name, stops launches
  // there, or has the name .git given up while it lives.
  @Test("A payload's locks of the project keep no launch out and free no name")
  func locks() throws {
    let outcome = try Session().run(
      """
      mkdir p; cd p; mkfifo go; cp "$(command -v python3)" nestbox
      cat > hostile.py <<'END'
      import ctypes, fcntl, os
      ctypes.CDLL(None).prctl(15, b"nestbox")
      lock = os.open(".", os.O_RDONLY); fcntl.flock(lock, fcntl.LOCK_EX)
      open("go", "w").write("ready\\n"); open("go").readline()
      try: os.mkdir(".git"); print("made")
      except FileExistsError: print("taken")
      END
      nestbox --profile build python3 hostile.py & read ready < go
      nestbox --profile build sh -c 'mkdir .git 2>/dev/null || echo taken'
      ls -A | grep -x .git; echo > go; wait; ls -A | grep -x .git
      """)
    #expect(outcome.lines == ["taken", ".git", "taken"], "\(outcome)")
  }

  /// A caller with a key, which `sys.argv[1]` says where to put, and a payload that gets both numbers.
  private static let keyOwner = """
    import ctypes, subprocess, sys
    library = ctypes.CDLL(None)
    def keyctl(*arguments):
      return library.syscall(250, *[a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments])
    READ, REVOKE, CLEAR, LINK, UNLINK, SEARCH, INVALIDATE = 11, 3, 7, 8, 9, 10, 21
    def read(key):
      text = ctypes.create_string_buffer(64)
      return text.value if library.syscall(250, READ, ctypes.c_long(key), text, 63) > 0 else None
    if sys.argv[1] == "payload":
      ring, key = int(sys.argv[2]), int(sys.argv[3])
      # What a process has in a keyring of its own it possesses, with more rights.
      for place in -1, -2: keyctl(LINK, ring, place); keyctl(LINK, key, place)
      print("read" if read(key) else "no key")
      if sys.argv[4:]:
        for id in key, ring, -3:
          for call in UNLINK, CLEAR, REVOKE, INVALIDATE: keyctl(call, key if call == UNLINK else id, id)
      sys.exit()
    place = int(sys.argv[1])
    # Of a session keyring that another user's program has left, the user's keys are no part.
    keyctl(1, 0)
    if place == -4: keyctl(8, place, -3)
    key = library.syscall(248, b"user", b"nestbox-variant", b"the secret", 10, place)
    ring = keyctl(0, place, 1)
    subprocess.run([*sys.argv[2:], sys.executable, __file__, "payload", str(ring), str(key)]
      + ["destroy"] * (place == -3))
    print(read(key).decode() if read(key) else "gone")
    if place == -4: keyctl(UNLINK, key, ring)
    """

  // Red: a command destroys what other programs of the caller's session keep in their keyring.
  @Test(
    "The caller's session keyring is neither read nor destroyed",
    arguments: [
      "nestbox --unshare-all", "nestbox", "nestbox --exec", "nestbox --unshare-all --cap-add ALL",
      #""$(dirname "$(command -v nestbox)")/../as-bwrap/bwrap" --unshare-all"#,
      "nestbox --profile untrusted --seccomp-policy none",
    ])
  func sessionKeyring(_ launcher: String) throws {
    let session = try Session()
    try session.write("owner.py", VariantTests.keyOwner)
    let outcome = try session.run(
      "python3 owner.py -3 \(launcher) --ro-bind / / --proc /proc --dev /dev; python3 owner.py -3")
    // The second time without a sandbox: the attack bites.
    #expect(outcome.lines == ["no key", "the secret", "read", "gone"], "\(outcome)")
  }

  // Red: a key of the user's is read where SECURITY.md says that it cannot be.
  @Test("Under every policy the user's keys cannot be read, and without a policy they can")
  func userKeyring() throws {
    let session = try Session()
    try session.write("owner.py", VariantTests.keyOwner)
    let outcome = try session.run(
      """
      for policy in default desktop compat none; do
        python3 owner.py -4 nestbox --unshare-all --ro-bind / / --seccomp-policy $policy
      done
      """)
    let held = ["no key", "the secret"]
    #expect(outcome.lines == held + held + held + ["read", "the secret"], "\(outcome)")
  }

  // Red: after the command the caller's shell neither echoes nor waits for input.
  @Test(
    "The caller's terminal is given back as it was, however the sandbox ends",
    arguments: ["end", "SIGTERM", "init"],
    ["--unshare-all --ro-bind / /", "--ro-bind / /", "--profile untrusted"])
  func terminal(_ ending: String, _ options: String) throws {
    let session = try Session()
    try session.write(
      "hostile.py",
      """
      import fcntl, os, signal, sys, termios, time, tty
      signal.signal(signal.SIGTTOU, signal.SIG_IGN)
      tty.setraw(0)
      for number in range(3):
        fcntl.fcntl(number, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC | os.O_APPEND)
      os.write(1, b"changed")
      if sys.argv[1] != "end": time.sleep(60)
      """)
    try session.write(
      "shell.py",
      """
      import fcntl, os, pty, signal, subprocess, sys, termios
      ending, launcher = sys.argv[1], sys.argv[2:]
      master, slave = pty.openpty()
      def state(): return termios.tcgetattr(slave), fcntl.fcntl(slave, fcntl.F_GETFL)
      before = state()
      def begin():
        os.setsid(); fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
      line = [*launcher, sys.executable, "-c", open("hostile.py").read(), ending]
      # A process between, as the shell: the launcher does not lead the session.
      shell = os.fork()
      if shell == 0:
        begin()
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        process = subprocess.Popen(line, stdin=slave, stdout=slave, stderr=slave, process_group=0,
          preexec_fn=lambda: os.tcsetpgrp(slave, os.getpgrp()))
        text = b""
        while b"changed" not in text:
          try: text += os.read(master, 4096)
          except OSError: break
        if ending != "end": sys.stdout.write("changed " if state() != before else "as before ")
        if ending == "SIGTERM": process.terminate()
        if ending == "init":
          child = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()[0]
          os.kill(int(child), signal.SIGKILL)
        process.wait()
        print("as before" if state() == before else [state(), before], flush=True)
        os._exit(0)
      os.waitpid(shell, 0)
      """)
    let outcome = try session.run("python3 shell.py \(ending) nestbox \(options)")
    // Without a pid namespace there is no init to kill: the command itself is the launcher's child.
    #expect(outcome.output == (ending == "end" ? "as before" : "changed as before"), "\(outcome)")
  }
}
