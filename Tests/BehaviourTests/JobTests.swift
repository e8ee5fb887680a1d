// SPDX-License-Identifier: Apache-2.0
// The command as a job of the caller's shell: keys that stop and end it, and going on.

import Foundation
import TestSupport
import Testing

@Suite("Jobs", .needs("python3"))
struct JobTests {
  /// Types into a shell at a terminal: a string is typed, a pattern in a list is waited for, and a
  /// number is how long nothing must be shown, in seconds, before the next step.
  private static var typist: String {
    get throws { try String(contentsOfFile: ProfileTests.programs + "/typist.py", encoding: .utf8) }
  }

  private static let isolated = "--unshare-all --proc /proc"
  private static let prompt = #"["top\\$ "]"#

  private func type(_ command: String, _ steps: String) throws -> Outcome {
    try Session().python(JobTests.typist, "[\(command), [\(steps)]]")
  }

  // Red: --stop ends the command of a job that Ctrl-Z has stopped, but not its launcher, and the name stays taken.
  @Test func `A job that Ctrl-Z has stopped can be ended by its name`() throws {
    let outcome = try type(
      #"["bash", "--norc", "-i"]"#,
      #"""
      \#(JobTests.prompt),
      "export XDG_RUNTIME_DIR=$PWD; nestbox --ro-bind / / --unshare-pid --name st sh -c 'echo rea''dy; exec sleep 100'\n",
      ["ready\r"], "\u001a", ["Stopped"], \#(JobTests.prompt), "nestbox --stop st; echo status $?\n", ["status 0"],
      "wait; nestbox --ro-bind / / --unshare-pid --name st echo fr''ee\n", ["free\r"], \#(JobTests.prompt), "exit 5\n"
      """#)
    #expect(outcome.output == "5", "\(outcome)")
  }

  // Red: the terminal hangs, or the job is gone.
  @Test(
    "Ctrl-Z stops the launcher with its command, and fg continues both",
    arguments: [
      "", isolated, isolated + " --landlock-scope-try signal",
    ],
    ["", " | cat"]
  )
  func key(_ form: String, _ rest: String) throws {
    let outcome = try type(
      #"["bash", "--norc", "-i"]"#,
      #"""
      \#(JobTests.prompt),
      "nestbox --ro-bind / / --dev /dev \#(form) sh -c 'echo rea''dy; exec cat'\#(rest)\n",
      ["ready\r"], "\u001a", ["Stopped"], \#(JobTests.prompt), "fg\n", ["exec cat"],
      "word\n", ["word\r\nword"], "\u0003", \#(JobTests.prompt), "exit 5\n"
      """#)
    #expect(outcome.output == "5", "\(outcome)")
  }

  // Red: the terminal hangs until another one continues the command.
  @Test(
    "A command that stops itself alone stops the launcher",
    arguments: ["", isolated, isolated + " --landlock-scope-try signal"])
  func alone(_ form: String) throws {
    let outcome = try type(
      #"["bash", "--norc", "-i"]"#,
      #"""
      \#(JobTests.prompt),
      "nestbox --ro-bind / / --dev /dev \#(form) sh -c 'kill -STOP $$; echo on''ward; exit 3'\n",
      ["Stopped"], \#(JobTests.prompt), "fg\n", ["onward\r"], \#(JobTests.prompt),
      "exit $?\n"
      """#)
    #expect(outcome.output == "3", "\(outcome)")
  }

  // Red: the terminal hangs. The kernel ignores Ctrl-Z in a process group whose parent is in another session.
  @Test(
    "Ctrl-Z and fg work in a command that enters a sandbox in the background",
    arguments: ["", "--profile untrusted"])
  func entered(_ profile: String) throws {
    let outcome = try type(
      #"["bash", "--norc", "-i"]"#,
      #"""
      \#(JobTests.prompt), "export XDG_RUNTIME_DIR=$PWD\n", \#(JobTests.prompt),
      "nestbox --unshare-pid --ro-bind / / --dev /dev \#(profile) --name box --keep --detach\n",
      \#(JobTests.prompt), "nestbox --enter box sh -c 'echo rea''dy; exec cat'\n",
      ["ready\r"], "\u001a", ["Stopped"], \#(JobTests.prompt), "fg\n", ["exec cat"],
      "word\n", ["word\r\nword"], "\u001a", ["Stopped"], \#(JobTests.prompt), "fg\n", ["exec cat"],
      "more\n", ["more\r\nmore"], "\u0003", \#(JobTests.prompt),
      "nestbox --enter box sh -c 'kill -STOP $$; echo on''ward'\n",
      ["Stopped"], \#(JobTests.prompt), "fg\n", ["onward\r"], \#(JobTests.prompt),
      "nestbox --stop box\n", \#(JobTests.prompt), "exit 5\n"
      """#)
    #expect(outcome.output == "5", "\(outcome)")
  }

  private static let shells = [
    #"["env", "TERM=xterm", "bash", "--norc", "-i"]"#, #"["env", "TERM=xterm", "zsh", "-f", "-i"]"#,
    #"["env", "TERM=xterm", "dash", "-i"]"#,
  ]
  private static let forms = [
    "nestbox --read letter.txt", "nestbox --ro-bind / / --dev /dev",
    "nestbox --ro-bind / / --dev /dev --unshare-all --proc /proc",
  ]

  /// Starts `program` in the sandbox `form` below `shell`, stops it twice, and ends it by `end`.
  ///
  /// `isThere` says that it has started, and `answer` that it goes on, once `key` has been typed.
  /// Programs are at rest when a key is typed: outside as well, they lose keys while they draw. One
  /// that `isRestless` draws itself again and again.
  private func stopTwice(
    _ shell: String, _ form: String, _ program: String, isThere: String, key: String,
    answer: String, end: String, isRestless: Bool = false
  ) throws {
    let session = try Session()
    try session.write("letter.txt", String(repeating: "hello\n", count: 200))
    let once = #"""
      0.4, "\u001a", ["(?i)stopped|suspended"], \#(JobTests.prompt), "echo al''ive\n", ["alive"],
      \#(JobTests.prompt), "fg\n", \#(isRestless ? "" : "0.4,") "\#(key)", ["\#(answer)"],
      """#
    let steps = #"""
      \#(JobTests.prompt), "\#(form) \#(program)\n", ["\#(isThere)"], \#(once) \#(once)
      "\#(end)", \#(JobTests.prompt), "exit 6\n"
      """#
    let outcome = try session.python(JobTests.typist, "[\(shell), [\(steps)]]")
    #expect(outcome.output == "6", "\(outcome)")
  }

  // Red, as in the next ones: the terminal hangs, the program is gone, or does not draw itself again.
  @Test("vim stops and goes on", .needs("vim"), .needs("zsh"), arguments: shells, forms)
  func vim(_ shell: String, _ form: String) throws {
    try stopTwice(
      shell, form, "vim -u NONE letter.txt", isThere: "hello", key: ":echo 'wo'.'rd'\\r",
      answer: "word", end: ":q!\\r")
  }

  @Test("less stops and goes on", .needs("less"), .needs("zsh"), arguments: shells, forms)
  func less(_ shell: String, _ form: String) throws {
    try stopTwice(
      shell, form, "less letter.txt", isThere: "hello", key: "=", answer: "byte", end: "q")
  }

  @Test("top stops and goes on", .needs("top"), .needs("zsh"), arguments: shells, forms)
  func top(_ shell: String, _ form: String) throws {
    try stopTwice(
      shell, form, "top -d 1", isThere: "PID", key: "", answer: "PID", end: "q", isRestless: true)
  }

  @Test("python stops and goes on", .needs("zsh"), arguments: shells, forms)
  func python(_ shell: String, _ form: String) throws {
    try stopTwice(
      shell, form, "/usr/bin/python3 -q", isThere: ">>> ", key: "print('wo'+'rd')\\r",
      answer: "word", end: "exit()\\r")
  }

  @Test(
    "A pipeline into a pager stops and goes on", .needs("less"), .needs("zsh"),
    arguments: shells, forms)
  func pipeline(_ shell: String, _ form: String) throws {
    try stopTwice(
      shell, form, "seq 5000 | less", isThere: "22", key: " ", answer: "4[0-9]", end: "q")
  }

  // Red: the inner shell has no job control, or its jobs stop the launcher.
  @Test(
    "Jobs of a shell inside are its own", .needs("zsh"), arguments: shells,
    ["nestbox"] + forms.dropFirst())
  func inner(_ shell: String, _ form: String) throws {
    let outcome = try type(
      shell,
      #"""
      \#(JobTests.prompt), "\#(form) bash --norc -i\n", ["[$] $"],
      "PS1='in''ner> '\n", ["inner> "], "sh -c 'echo rea''dy; exec cat'\n", ["ready\r"], "\u001a",
      ["Stopped"], ["inner> "], "fg\n", ["exec cat'"], "word\n", ["word\r\n+word"], "\u0003",
      ["inner> "], "kill -STOP $$\n", ["(?i)stopped|suspended"], \#(JobTests.prompt), "fg\n", 0.4,
      "echo ag''ain\n", ["again"], ["inner> "], "exit\n", \#(JobTests.prompt), "exit 6\n"
      """#)
    #expect(outcome.output == "6", "\(outcome)")
  }

  // Red: a launcher that the shell has just continued stops itself, and the command with it.
  @Test("A stop that is over is not repeated", arguments: ["", "--unshare-pid"])
  func stale(_ form: String) throws {
    let outcome = try Session().python(
      """
      import os, select, signal, subprocess, sys, time
      def state(pid): return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]
      def wait(pid, word):
          while state(pid) != word: time.sleep(0.005)
      fd = os.open("/dev/null", os.O_RDONLY)
      box = subprocess.Popen(["nestbox", "--ro-bind", "/", "/", "--dev", "/dev", *sys.argv[1].split(),
        "--sync-fd", str(fd), "bash", "-c",
        # Not from the trap: bash forgets a signal that arrives before the trap has ended.
        "trap 'got=got' USR1; echo ready; while :; do sleep 0.02; if [ $got ]; then got=; echo got; fi; done"],
        stdout=subprocess.PIPE, pass_fds=[fd], process_group=0)
      box.stdout.readline()
      init = int(open(f"/proc/{box.pid}/task/{box.pid}/children").read().split()[0])
      pid = int(open(f"/proc/{init}/task/{init}/children").read().split()[0])
      os.kill(box.pid, signal.SIGSTOP); wait(box.pid, "T")
      os.kill(pid, signal.SIGTSTP); wait(pid, "T")
      # Init reports the stop.
      time.sleep(0.2)
      os.kill(pid, signal.SIGCONT); os.kill(box.pid, signal.SIGCONT)
      for turn in range(2):
          os.kill(box.pid, signal.SIGUSR1)
          if not select.select([box.stdout], [], [], 30)[0]: break
          print(os.read(box.stdout.fileno(), 100).decode(), end="")
      print(state(box.pid) == "T")
      os.killpg(box.pid, signal.SIGKILL); os.kill(pid, signal.SIGKILL); box.wait()
      """, form)
    #expect(outcome.lines == ["got", "got", "False"], "\(outcome)")
  }

  // Red: "Cannot set tty process group", and 2.
  @Test func `A shell that controls jobs runs in a pid namespace`() throws {
    let outcome = try type(
      #"""
      ["nestbox", "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "dash", "-i", "-c",
        "exit 3"]
      """#, "")
    #expect(outcome.output == "3", "\(outcome)")
  }

  /// A command that leaves the terminal's session or its process group, and counts keys.
  private static let leaver = #"""
    import os, signal, sys
    getattr(os, sys.argv[1])(*([0, 0] if sys.argv[1] == "setpgid" else []))
    def say(number, frame): os.write(1, b"got %d\n" % number)
    for name in ("SIGINT", "SIGQUIT", "SIGCONT"): signal.signal(getattr(signal, name), say)
    os.write(1, b"rea" b"dy\n")
    while True: signal.pause()
    """#

  // Red: keys do nothing, or Ctrl-Z says "Stopped" while the command goes on.
  @Test(
    "Keys reach a command that has left the terminal's group, and the third Ctrl-C ends it",
    arguments: ["", isolated], ["setsid", "setpgid"])
  func leaver(_ form: String, _ call: String) throws {
    let session = try Session()
    try session.write("leaver.py", JobTests.leaver)
    try session.write("typist.py", JobTests.typist)
    let steps = #"""
      \#(JobTests.prompt),
      "nestbox --ro-bind / / --dev /dev \#(form) python3 leaver.py \#(call)\n",
      ["ready\r"], "\u001c", ["got 3"], "\u0003", ["got 2"], "\u001a", ["Stopped"], \#(JobTests.prompt),
      "fg\n", ["got 18"], "\u001c", ["got 3"],
      ["top\\$ ", "\u0003", "got 2"], "exit 6\n"
      """#
    let outcome = try session.run(
      #"exec python3 typist.py '[["bash", "--norc", "-i"], [\#(steps)]]'"#)
    #expect(outcome.output == "6", "\(outcome)")
  }

  // Red: Ctrl-C ends one launch after the other.
  @Test("Ctrl-C ends a loop of launches", arguments: ["", isolated])
  func loop(_ form: String) throws {
    let outcome = try type(
      #"["bash", "--norc", "-i"]"#,
      #"""
      \#(JobTests.prompt),
      "for i in 1 2 3; do nestbox --ro-bind / / --dev /dev \#(form) sh -c 'echo rea''dy; exec sleep 100'; done\n",
      ["ready\r"], "\u0003", \#(JobTests.prompt), "exit 4\n"
      """#)
    #expect(outcome.output == "4", "\(outcome)")
  }
}
