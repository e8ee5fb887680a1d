// SPDX-License-Identifier: Apache-2.0
// What one launch leaves in the way of another, and what a caller, another user or a lack of
// something puts in the way of all.

import Foundation
import TestSupport
import Testing

@Suite("Neighbours", .needs("gcc"), .needs("python3"))
struct NeighbourTests {
  // Red: where the caller has closed a standard descriptor, a planted link to it opens the host's
  // whole tree, as in CVE-2024-21626.
  @Test(
    "A standard descriptor that was closed leads nowhere",
    arguments: ["--chdir /work/link", "--setenv HOME /work/link", "--close-fds --chdir /work/link"])
  func closedDescriptor(_ options: String) throws {
    let outcome = try Session().attack(
      """
      cd hidden
      try() { nestbox "${bare[@]}" --unshare-all --bind ../work /work \(options) bash -c '
        [ -e ./etc/passwd ] || [ -e ./root ] && touch /work/escaped'; }
      for number in 0 1 2; do
        ln -sfn /proc/self/fd/$number ../work/link
        (eval "exec $number<&-"; try) > ../log 2>&1
      done
      (exec <&- >&- 2>&-; try)
      ls ../work
      # A link that leads to where it may.
      touch ../work/dir/root; ln -sfn dir ../work/link; try; ls ../work
      """)
    #expect(
      outcome.lines == ["dir", "link", "dir", "escaped", "link"],
      "\(outcome.output) \(outcome.errors)")
  }

  // Red: init holds the host's directories while the command looks into it.
  @Test func `Init has nothing open that options named`() throws {
    let outcome = try Session().attack(
      """
      mkdir outside
      for i in {1..40}; do
        nestbox "${bare[@]}" --unshare-all --cap-add CAP_SYS_PTRACE --bind-fd 9 /mnt --info-fd 8 \
          python3 -c '
      import os
      names = []
      # It hides in the beginning.
      while not names:
        try: names = os.listdir("/proc/1/fd")
        except PermissionError: pass
      for name in names:
        try: target = os.readlink("/proc/1/fd/" + name)
        except OSError: continue
        if target.startswith("/") and os.path.isdir("/proc/1/fd/" + name): print("open:", target)
      print("looked")
      ' 9< outside 8> /dev/null 0<&-
      done | sort | uniq -c
      """)
    #expect(outcome.output.hasSuffix(" 40 looked"), "\(outcome.output) \(outcome.errors)")
    #expect(outcome.lines.count == 1, "\(outcome.output)")
  }

  // Red: a launch that fails takes the mount point of a running sandbox away, and with it what
  // keeps a file from being written: .git/hooks, for instance.
  @Test(
    "A mount point that may be taken back is waited for",
    arguments: [
      "by who made it", "by another, as that has ended", "by one that cannot be told",
      "by one whose number is not known here",
    ])
  func waiting(_ holder: String) throws {
    let outcome = try Session().python(
      """
      import ctypes, fcntl, os, socket, subprocess, sys, time
      ctypes.CDLL(None).prctl(15, b"nestbox")
      os.mkdir("work")
      outer = ["nestbox", "--dev-bind", "/", "/"]
      if "told" in sys.argv[1]:
        # What can be mounted on a file, and not be read.
        socket.socket(socket.AF_UNIX).bind("socket")
        outer += ["--bind", "socket", f"/proc/{os.getpid()}/comm"]
      elif "number" in sys.argv[1]: outer += ["--unshare-pid", "--proc", "/proc"]
      else: outer = []
      lock = os.open("work", os.O_RDONLY)
      if "another" in sys.argv[1]:
        if os.fork() == 0: fcntl.flock(lock, fcntl.LOCK_EX); os._exit(0)
        os.wait()
      else: fcntl.flock(lock, fcntl.LOCK_EX)
      open("work/hook", "w").close()
      run = subprocess.Popen([*outer, "nestbox", "--ro-bind", "/", "/", "--bind", "work", "/mnt",
        "--ro-bind", "/dev/null", "/mnt/hook", "sh", "-c",
        "echo; read line; echo evil > /mnt/hook"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
      os.set_blocking(run.stdout.fileno(), False)
      def sleeps(process):
        try:
          # Between two looks it polls nothing.
          with open(f"/proc/{process}/syscall") as file:
            if file.read().split()[1:3] == ["0x0", "0x0"]: return True
          with open(f"/proc/{process}/task/{process}/children") as file: children = file.read()
        except OSError: return False
        return any(sleeps(child) for child in children.split())
      has_started = None
      while not has_started and not sleeps(run.pid): has_started = run.stdout.read()
      print("started" if has_started else "waits")
      os.unlink("work/hook"); os.close(lock)
      os.set_blocking(run.stdout.fileno(), True)
      has_started or run.stdout.readline()
      run.communicate(b"go")
      print("hook:", open("work/hook").read())
      """, holder)
    #expect(outcome.lines == ["waits", "hook: "], "\(outcome.output) \(outcome.errors)")
  }

  // Red: the same, with launches alone.
  @Test(
    "Failed launches do not change the sandboxes of others",
    arguments: ["hook", "some/directories/hook"])
  func failures(_ hook: String) throws {
    let rounds = ProcessInfo.processInfo.environment["NESTBOX_SOAK"] == nil ? 40 : 1000
    let outcome = try Session().run(
      """
      mkdir work
      hooks=(\(hook) \(hook)s)
      line="nestbox --ro-bind / / --bind work /mnt ${hooks[*]/#/--ro-bind /dev/null /mnt/}"
      for ((i = 0; i < \(rounds); i++)); do
        rm -rf work/*
        $line /nosuch 2> /dev/null &
        $line sh -c 'sleep 0.01; cd /mnt; for hook; do echo evil > $hook; done; exit 3' sh "${hooks[@]}" \
          2> errors || [ $? = 3 ] || cat errors
        wait; find work -size +0 -type f
      done; echo looked
      """)
    #expect(outcome.output == "looked", "\(outcome.errors)")
  }

  // Red: what an editor has saved under the name of a mount point is removed with it.
  @Test func `A failed launch leaves alone what somebody has put in the place of a mount point`()
    throws
  {
    let outcome = try Session().run(
      """
      mkdir work; mkfifo go
      # The launch has made work/file before it reads the content.
      nestbox --ro-bind / / --bind work /mnt --ro-bind /dev/null /mnt/file --ro-bind-data 3 /mnt/data \
        /nosuch 3< go 2> message & exec 4> go
      until [ -e work/file ]; do kill -0 $! || break; done
      echo saved > work/new; mv work/new work/file; exec 4>&-
      wait; ls work; cat work/file
      """)
    #expect(outcome.lines == ["file", "saved"], "\(outcome.errors)")
  }

  // Red: what is saved there right after nestbox has made the mount point passes for the mount point.
  @Test(.needs("strace"))
  func `A failed launch leaves alone what takes the place of a mount point at once`() throws {
    let outcome = try Session().run(
      """
      mkdir work
      strace -f -qq -o /dev/null -e trace=mknodat -e inject=mknodat:delay_exit=1000000 \
        nestbox --ro-bind / / --bind work /mnt --ro-bind /dev/null /mnt/file /nosuch 2> message &
      until [ -e work/file ]; do kill -0 $! || break; done
      echo saved > work/new; mv work/new work/file
      wait; ls work; cat work/file
      """)
    #expect(outcome.lines == ["file", "saved"], "\(outcome.errors)")
  }

  // Red: a process that locks a directory makes every launch wait.
  @Test func `A directory that stays locked is an error`() throws {
    let outcome = try Session().python(
      """
      import ctypes, fcntl, os, subprocess
      ctypes.CDLL(None).prctl(15, b"nestbox")
      os.mkdir("work"); os.mkdir("work/place")
      lock = os.open("work", os.O_RDONLY); fcntl.flock(lock, fcntl.LOCK_EX)
      for line in ["--tmpfs", "/mnt/place"], ["--ro-bind", "/etc", "/mnt/place"]:
        run = subprocess.run(["nestbox", "--ro-bind", "/", "/", "--bind", "work", "/mnt", *line,
          "true"], stderr=subprocess.PIPE, text=True)
        print(run.returncode, "flock" in run.stderr)
      # A launch does not remove what another process made, and makes what is new.
      run = subprocess.run(["nestbox", "--ro-bind", "/", "/", "--bind", "work", "/mnt", "--tmpfs",
        "/mnt/new", "--tmpfs", "/tmp", "true"])
      print(run.returncode, sorted(os.listdir("work")))
      """)
    #expect(outcome.lines == ["125 True", "125 True", "0 ['new', 'place']"], "\(outcome.errors)")
  }

  // Red: a script that locks a directory while it runs a sandbox waits for itself.
  @Test func `A launch ignores a lock that another program holds`() throws {
    let outcome = try Session().run(
      """
      mkdir -p work/place
      flock work nestbox --ro-bind / / --bind work /mnt --tmpfs /mnt/place echo works
      """)
    #expect(outcome.output == "works", "\(outcome.errors)")
  }

  // Red: any user keeps the launches of all others waiting, by a lock of a directory such as /tmp.
  @Test("A launch ignores a lock of another user", .asRoot)
  func foreignLock() throws {
    let outcome = try Session(as: .root).run(
      """
      mkdir -m 1777 shared; as() { setpriv --reuid=$1 --regid=$1 --clear-groups "${@:2}"; }
      chmod 755 .; as 61234 mkdir shared/place
      coproc as 61777 flock shared sh -c 'echo; read line'; read ready <&${COPROC[0]}
      as 61234 nestbox --ro-bind / / --bind shared /mnt --tmpfs /mnt/place echo works
      """)
    #expect(outcome.output == "works", "\(outcome.errors)")
  }

  // Red: another user keeps somebody's sandboxes from having names, or sees, enters or ends them.
  @Test("Another user can neither use the registry of a user nor reach the sandboxes", .asRoot)
  func foreignRegistry() throws {
    let outcome = try Session(as: .root).run(
      """
      as() { setpriv --reuid=$1 --regid=$1 --clear-groups env -u XDG_RUNTIME_DIR "${@:2}"; }
      chmod 755 .; export place=/tmp/nestbox-61891; rm -rf $place; as 61777 mkdir -m 777 $place
      as 61891 bash -c '
        said=$(nestbox --name box --ro-bind / / echo ran 2>&1); echo "$said" | grep -c ran
        eval "${said#*to use another: }"; echo $XDG_RUNTIME_DIR
        nestbox --name box --unshare-pid --ro-bind / / --detach sleep 1000
        nestbox --list | sed -n "s/^box  *\\([0-9]*\\).*/\\1/p"' >told
      { read ran; read runtime; read number; } <told; echo $ran ${runtime%.*}; kill -0 $number && echo runs
      as 61777 env XDG_RUNTIME_DIR=$runtime nestbox --list | grep -c $number
      for task in "--inspect box" "--inspect $number" "--enter box true" "--enter $number true" \
        "--stop box" "--stop $number" "--signal KILL $number"; do
        as 61777 env XDG_RUNTIME_DIR=$runtime nestbox $task 2>&1 | grep -c "no running sandbox"
      done | sort | uniq -c
      kill -0 $number && echo still; as 61891 env XDG_RUNTIME_DIR=$runtime nestbox --stop box; echo $?
      rm -rf $place $runtime
      """)
    #expect(
      outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        == ["0 /tmp/tmp", "runs", "0", "7 1", "still", "0"], "\(outcome)")
  }

  // Red: a concurrent rename makes a launch fail or omit something.
  @Test func `Renames elsewhere do not get in the way`() throws {
    let outcome = try Session().run(
      """
      mkdir project scripts elsewhere; echo 'echo works' > scripts/run.sh; cd project
      python3 -c '
      import os
      open("../elsewhere/a", "w")
      while True: os.rename("../elsewhere/a", "../elsewhere/b"); os.rename("../elsewhere/b", "../elsewhere/a")
      ' & renamer=$!; sleep 0.2
      for i in {1..100}; do
        nestbox --ro-bind / / --tmpfs "$HOME" --bind . "$PWD" --bind-program sh ../scripts/run.sh
      done | sort | uniq -c; kill $renamer
      """)
    #expect(outcome.output.hasSuffix("100 works"), "\(outcome.output) \(outcome.errors)")
  }

  // Red: without a pid namespace the command outlives init, and a change of ids keeps it alive.
  @Test("With --die-with-parent the command dies with init", arguments: ["sync", "lock"])
  func diesWithInit(_ holder: String) throws {
    let outcome = try Session().python(
      """
      import json, os, select, signal, subprocess, sys
      about, told = os.pipe(); held = os.open("/dev/null", os.O_RDONLY)
      holder = ["--sync-fd", str(held)] if sys.argv[1] == "sync" else ["--lock-file", "/usr/bin/env"]
      run = subprocess.Popen(["nestbox", "--ro-bind", "/", "/", "--die-with-parent", *holder,
        "--info-fd", str(told), "sh", "-c", "echo $$; exec sleep 60"], pass_fds=[held, told],
        stdout=subprocess.PIPE)
      os.close(told)
      command = int(run.stdout.readline())
      poll = select.poll(); poll.register(os.pidfd_open(command), select.POLLIN)
      os.kill(json.loads(os.read(about, 4096))["child-pid"], signal.SIGKILL)
      if not poll.poll(30000): print("it lives"); os.kill(command, signal.SIGKILL)
      run.wait(); print("ended")
      """, holder)
    #expect(outcome.output == "ended", "\(outcome.errors)")
  }

  // Red: reaching the process limit passes for proof that user namespaces are forbidden.
  @Test(
    "--assert-userns-disabled takes only the kernel's refusal of user namespaces as proof", .asRoot)
  func assertion() throws {
    let outcome = try Session(as: .root).run(
      """
      program=$(command -v nestbox)
      as() { setpriv --reuid=61777 --regid=61777 --clear-groups "$@"; }
      # Not through the function: the kill would end the shell around it.
      for i in 1 2 3; do setpriv --reuid=61777 --regid=61777 --clear-groups sleep 60 & done; sleep 0.2
      for limit in {1..12}; do
        as prlimit --nproc=$limit "$program" --ro-bind / / --unshare-all --assert-userns-disabled \
          unshare -U sh -c 'echo made' 2>> messages
      done
      kill %1 %2 %3; grep -q 'as requested (clone3)' messages && echo tried
      """)
    #expect(outcome.output == "tried", "\(outcome.errors)")
  }

  // Red: a keyring that another user has made by the same name passes things in and out.
  @Test("A keyring of another user is not joined", .asRoot)
  func foreignKeyring() throws {
    let session = try Session(as: .root)
    try session.write(
      "owner.py",
      """
      import ctypes, os, sys
      keyctl = lambda *a: ctypes.CDLL(None, use_errno=True).syscall(250, *a)
      os.setgid(61299); os.setuid(61299)
      ring = keyctl(1, b"nestbox"); keyctl(5, ring, 0x3f1f1f1f)
      ctypes.CDLL(None).syscall(248, b"user", b"planted", b"text", 4, ring)
      print(ring > 0, flush=True); sys.stdin.read()
      """)
    try session.write(
      "look.py",
      """
      import ctypes
      print(ctypes.CDLL(None).syscall(250, 10, -3, b"user", b"planted", 0))
      """)
    let outcome = try session.run(
      """
      chmod 755 . ; coproc python3 owner.py; read ready <&${COPROC[0]}; echo $ready
      setpriv --reuid=61234 --regid=61234 --clear-groups \
        nestbox --unshare-all --ro-bind / / --proc /proc python3 look.py
      """)
    #expect(outcome.lines == ["True", "-1"], "\(outcome.errors)")
  }
}
