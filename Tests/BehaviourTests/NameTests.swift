// SPDX-License-Identifier: Apache-2.0
// The registry of names when something goes wrong: killed processes, a number that is used again, a
// full disk, a directory that is not the user's, many launches at once.

import TestSupport
import Testing

@Suite("Names", .needs("python3"))
struct NameTests {
  private static let tools = """
    import json, os, signal, subprocess, sys, time
    os.mkdir("run", 0o700); os.environ["XDG_RUNTIME_DIR"] = os.path.abspath("run")
    def nestbox(*words, **more):
      return subprocess.run(["nestbox", *words], capture_output=True, text=True, **more)
    def listed():
      return sorted(x["name"] for x in json.loads(nestbox("--list", "--json").stdout)["sandboxes"] if x["name"])
    def box(name="box"):
      return next(x for x in json.loads(nestbox("--list", "--json").stdout)["sandboxes"] if x["name"] == name)
    def start(name, *words):
      one = subprocess.Popen(["nestbox", "--name", name, "--ro-bind", "/", "/", *words, "sh", "-c", "echo; cat; true"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
      one.stdout.readline(); return one
    def until(condition):
      for _ in range(1000):
        if condition(): return True
        time.sleep(0.02)
      return False

    """

  // Red: a name stays taken after its launcher was killed, or something stays in the registry.
  @Test func `A name is free after the launcher, init or both were killed`() throws {
    let outcome = try Session().python(
      NameTests.tools + """
        for whom in ["monitor"], ["process"], ["monitor", "process"]:
          one = start("box", "--unshare-pid")
          numbers = [box()[x] for x in whom]
          for number in numbers: os.kill(number, signal.SIGKILL)
          one.wait(100)
          print(until(lambda: listed() == []), nestbox("--enter", "box", "true").returncode, os.listdir("run/nestbox"))
          two = start("box", "--unshare-pid"); print(listed())
          two.stdin.close(); print(two.wait(100), os.listdir("run/nestbox"))
          one.stdin.close()
        """)
    #expect(
      outcome.lines
        == Array(repeating: ["True 125 []", "['box']", "0 []"], count: 3).flatMap { $0 },
      "\(outcome)")
  }

  // Red: a process that has the number of a killed launcher is entered, listed, signalled or stopped
  // as the sandbox, even where another process still holds the lock.
  @Test(.needs("unshare")) func `A number that is used again does not stand for the launcher`()
    throws
  {
    // In a pid namespace of its own the next number can be chosen.
    let outcome = try Session().run(
      """
      cat >inside.py <<'END'
      \(NameTests.tools)
      import fcntl
      for holds in False, True:
        one = start("box")
        monitor = box()["monitor"]
        if holds:
          # As a process that inherited the descriptor would.
          record = open("run/nestbox/box/record").read()
        one.kill(); one.wait(); one.stdin.close()
        if holds:
          if not os.path.isdir("run/nestbox/box"): os.mkdir("run/nestbox/box", 0o700)
          open("run/nestbox/box/record", "w").write(record)
          lock = os.open("run/nestbox/box", os.O_RDONLY); fcntl.flock(lock, fcntl.LOCK_EX)
        with open("/proc/sys/kernel/ns_last_pid", "w") as file: file.write(str(monitor - 1))
        # A neighbour's process that would die of the signal.
        other = subprocess.Popen(["sleep", "1000"])
        print(other.pid == monitor, listed())
        for words in ["--enter", "box", "true"], ["--signal", "KILL", "box"], ["--timeout", "1", "--stop", "box"]:
          print(nestbox(*words).returncode, other.poll())
        if holds: os.close(lock)
        two = start("box"); print(listed()); two.stdin.close(); two.wait()
        other.kill(); other.wait()
      END
      unshare --user --map-root-user --pid --fork --mount-proc python3 inside.py
      """)
    let one = ["True []", "125 None", "125 None", "125 None", "['box']"]
    #expect(outcome.lines == one + one, "\(outcome)")
  }

  // Red: two launches get the same name, a launch fails because another gives a name up, or the list
  // lacks one.
  @Test func `A hundred and fifty names are registered at once, and one name once`() throws {
    // The kernel gives a user 200 keys, and each launch takes one: the rest is for other tests.
    let outcome = try Session().python(
      NameTests.tools + """
        read, write = os.pipe()
        def launch(name):
          return subprocess.Popen(["nestbox", "--name", name, "--ro-bind", "/", "/", "sh", "-c", "echo; read x"],
                                  stdin=read, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        all = [launch(f"box-{number}") for number in range(150)]
        print(sum(len(one.stdout.readline()) for one in all))
        print(listed() == sorted(f"box-{number}" for number in range(150)))
        same = [launch("same") for _ in range(40)]
        lines = [one.stdout.readline() for one in same]
        print(sum(line == b"\\n" for line in lines), sum(one.poll() is None for one, line in zip(same, lines) if line))
        os.close(read); os.close(write)
        print({one.wait(100) for one in all}, sorted({one.wait(100) for one in same}))
        print(os.listdir("run/nestbox"))
        """)
    #expect(
      outcome.lines == ["150", "True", "1 1", "{1} [1, 125]", "[]"], "\(outcome)")
  }

  // Red: a sandbox starts without its name, the message names no cause, or half an entry stays.
  @Test(.needs("unshare")) func `A full disk refuses a name and keeps nothing of it`() throws {
    let outcome = try Session().run(
      """
      cat >inside.sh <<'END'
      export XDG_RUNTIME_DIR=$PWD/full; mkdir full
      for options in size=4k,nr_inodes=20 size=1m,nr_inodes=2 size=1m,nr_inodes=3 size=1m,nr_inodes=4; do
        mount -t tmpfs -o $options,mode=700 none full
        case $options in size=4k*) mkdir -m 700 full/nestbox; head -c 4096 /dev/zero >full/filler;; esac
        nestbox --name box --ro-bind / / echo started 2>message; echo "$? $(grep -c 'No space left on device' message)"
        find full -name 'record*' -o -name box
        umount full
      done
      END
      unshare --user --map-root-user --mount sh inside.sh
      """)
    #expect(
      outcome.lines == ["125 1", "125 1", "125 1", "started", "0 0"]
        || outcome.lines == ["125 1", "125 1", "125 1", "125 1"], "\(outcome)")
  }

  // Red: a name is registered where another user, or a program of this one, leads it.
  @Test func `A registry that is a link, a file or open to others is not used`() throws {
    let outcome = try Session().run(
      """
      export XDG_RUNTIME_DIR=$PWD/run; mkdir -m 700 run elsewhere
      try() { nestbox --name box --ro-bind / / echo started 2>message; echo "$? $(ls -A elsewhere)"; cat message | cut -c 1-40
        nestbox --enter box true 2>/dev/null; echo $?; rm -rf run/nestbox; }
      ln -s "$PWD/elsewhere" run/nestbox; try
      ln -s "$PWD/nowhere" run/nestbox; try
      touch run/nestbox; try
      mkdir -m 755 run/nestbox; try
      mkdir -m 700 run/nestbox; ln -s "$PWD/elsewhere" run/nestbox/box; try
      """)
    #expect(
      outcome.lines
        == Array(
          repeating: ["125 ", "nestbox: --name: can't register box in /"], count: 5
        ).flatMap { [$0[0], $0[1], "125"] }, "\(outcome)")
  }

  // The same of another user's directory, which only root can make.
  @Test(.asRoot) func `Another user's registry is not used`() throws {
    let outcome = try Session(as: .root).run(
      """
      mkdir -m 755 run; chmod 755 .; mkdir -m 700 run/nestbox; chown 61777 run/nestbox
      as() { setpriv --reuid=61234 --regid=61234 --clear-groups env XDG_RUNTIME_DIR=$PWD/run "$@"; }
      as nestbox --name box --ro-bind / / echo started 2>message; echo $?; cut -c 1-40 message
      # Root, who can enter the directory, does not use it either.
      XDG_RUNTIME_DIR=$PWD/run nestbox --name box --ro-bind / / echo started 2>message; echo $?; cut -c 1-40 message
      ls -A run/nestbox
      """)
    #expect(
      outcome.lines == [
        "125", "nestbox: --name: can't register box in /", "125",
        "nestbox: --name: can't register box in /",
      ], "\(outcome)")
  }
}
