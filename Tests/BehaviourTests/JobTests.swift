// SPDX-License-Identifier: Apache-2.0
// The command as a job of the caller's shell: keys that stop and end it, and going on.

import TestSupport
import Testing

@Suite("Jobs", .needs("python3"))
struct JobTests {
  /// Types into a shell at a terminal: a string is typed, a pattern in a list is waited for.
  private static let typist = #"""
    import json, os, pty, re, select, sys, time
    command, steps = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0: os.execvpe(command[0], command, {**os.environ, "TERM": "dumb", "PS1": "top$ "})
    output = everything = ""
    for step in steps:
      if isinstance(step, str):
        os.write(terminal, step.encode())
        continue
      end = time.time() + 60
      while not (found := re.search(step[0], output)):
        if not select.select([terminal], [], [], max(0, end - time.time()))[0]: break
        try: chunk = os.read(terminal, 4096).decode(errors="replace")
        except OSError: break
        output += chunk
        everything += chunk
      if not found:
        print("has not shown", step[0], "but", repr(everything))
        os.kill(pid, 9)
        break
      output = output[found.end():]
    try:
      while os.read(terminal, 4096): pass
    except OSError: pass
    os.close(terminal)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """#

  private static let isolated = "--unshare-all --proc /proc"
  private static let prompt = #"["top\\$ "]"#

  private func type(_ command: String, _ steps: String) throws -> Outcome {
    try Session().python(JobTests.typist, "[\(command), [\(steps)]]")
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

  // Red: "Cannot set tty process group", and 2.
  @Test func `A shell that controls jobs runs in a pid namespace`() throws {
    let outcome = try type(
      #"""
      ["nestbox", "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "dash", "-i", "-c",
        "exit 3"]
      """#, "")
    #expect(outcome.output == "3", "\(outcome)")
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
