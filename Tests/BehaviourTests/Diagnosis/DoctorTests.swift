// SPDX-License-Identifier: Apache-2.0
// Whether --doctor tells the truth, in places where the truth differs.

import Foundation
import TestSupport
import Testing

@Suite("Doctor", .needs("python3"))
struct DoctorTests {
  /// Runs --doctor, and then each line that it says it has tried; prints what fails.
  private static let truth = """
    import json, os, shutil, subprocess, sys
    program = shutil.which("nestbox")
    doctor = subprocess.run([program, "--doctor", "--json"], capture_output=True, text=True)
    report = json.loads(doctor.stdout)
    for check in report["checks"]:
        if check["options"]:
            line = [program, "--ro-bind", program, "/nestbox", *check["options"], "/nestbox", "--version"]
            works = subprocess.run(line, capture_output=True).returncode == 0
            if works != check["works"]: print("a lie:", check)
            # Most machines cannot hold all limits, and root's processes are not counted.
            if not works and not check["name"].startswith("limits"): print("fails:", check["name"], *check["advice"])
    required = all(check["works"] for check in report["checks"] if check["required"])
    if report["works"] != required: print("a lie: works")
    print("status", doctor.returncode)
    """

  private func examine(_ wrapper: String, as user: User = .ordinary) throws -> [String] {
    let session = try Session(as: user)
    try session.write("truth.py", DoctorTests.truth)
    let outcome = try session.run("\(wrapper) /usr/bin/python3 truth.py")
    #expect(outcome.errors == "")
    return outcome.lines
  }

  // Red: --doctor reports a fault on a working machine.
  @Test(.ofStaticExecutable) func `Every feature works on this machine`() throws {
    #expect(try examine("") == ["status 0"])
  }

  // Red: reviews are said to work where the store keeps no layers, or the trial leaves something.
  @Test(.ofStaticExecutable)
  func `Reviews are tried where they would be kept, and nothing is left`()
    throws
  {
    let outcome = try Session().run(
      """
      mkdir home small; export HOME=$PWD/home; nestbox --doctor | grep -A 1 ' reviews'; find home
      export XDG_STATE_HOME=$PWD/small
      nestbox --dev-bind / / --overlay-src small --tmp-overlay "$PWD/small" nestbox --doctor | grep -A 1 ' reviews'
      """)
    let text = outcome.lines.joined(separator: "\n")
    #expect(text.contains(/works  reviews +kept in .*\/home\/.local\/state\/nestbox\/reviews\n/))
    #expect(text.contains("\nhome\n"), "\(text)")
    #expect(text.contains(/FAILS  reviews +--review: the file system of .* keeps no extended/))
    #expect(text.hasSuffix("needed for: --review"), "\(text)")
  }

  // Red: it does not say which limits hold here, or who holds them.
  @Test(.ofStaticExecutable) func `It says which limits hold here, and what would hold others`()
    throws
  {
    let outcome = try Session().run("nestbox --doctor | grep -A 3 'limits of'")
    let text = outcome.lines.joined(separator: "\n")
    #expect(text.contains(/works  limits of processes +held by the user namespace/))
    #expect(text.contains(/works  limits of time +held by the monitor/))
    #expect(text.contains(/works  limits of output +held by the monitor/))
    #expect(text.contains(/(works|FAILS)  limits of memory +(held by a control group|Can't make)/))
  }

  // Red: the same, for root.
  @Test("For root as well", .asRoot, .ofStaticExecutable) func root() throws {
    #expect(try examine("", as: .root) == ["status 0"])
  }

  // Red: the same, inside.
  @Test(.ofStaticExecutable) func `Every feature works inside a sandbox`() throws {
    // Reviews need a place that can be written to.
    let lines = try examine(
      "XDG_STATE_HOME=/dev/shm nestbox --ro-bind / / --unshare-all --proc /proc --dev /dev")
    #expect(lines == ["status 0"])
  }

  // Red: where nothing works it says that something does, or does not say why.
  @Test func `Where user namespaces are forbidden it says so`() throws {
    let lines = try examine("nestbox --dev-bind / / --unshare-user --disable-userns")
    #expect(lines.first?.contains("fails: user namespaces") == true)
    #expect(lines.first?.contains("the sysctl user.max_user_namespaces is 0 here") == true)
    #expect(lines.last == "status 1" && !lines.contains { $0.contains("a lie") }, "\(lines)")
  }

  // Red: what works in containers and what does not is not told apart.
  @Test(.ofStaticExecutable) func `Where parts of /proc are covered procfs alone fails`() throws {
    let lines = try examine(
      "nestbox --dev-bind / / --unshare-pid --proc /proc --tmpfs /proc/tty")
    #expect(lines.count == 2 && lines.last == "status 0", "\(lines)")
    #expect(lines.first?.contains("fails: procfs cause: parts of /proc are covered here") == true)
  }

  // Red: it crashes, or blames something else, where it can look at nothing.
  @Test func `Where /proc is missing it says so`() throws {
    let outcome = try Session().run(
      "nestbox --ro-bind / / --tmpfs /proc \(Program.directory.path)/nestbox --doctor")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("cause: /proc is not mounted here"), "\(outcome.output)")
  }

  // Red: escape sequences end up in files, or a person has to read without colours.
  @Test("Colours are for terminals, and not with NO_COLOR", .needs("script"))
  func colours() throws {
    let outcome = try Session().run(
      """
      export TERM=xterm
      count() { grep -c $'\\e\\[3[12]m'; }
      script -qec 'nestbox --doctor' /dev/null </dev/null | count
      NO_COLOR=1 script -qec 'nestbox --doctor' /dev/null </dev/null | count
      nestbox --doctor | count
      """)
    let counts = outcome.lines.compactMap { Int($0) }
    try #require(counts.count == 3, "\(outcome.output) \(outcome.errors)")
    #expect(counts[0] > 10 && counts[1...] == [0, 0])
  }
}

@Suite("After the end", .needs("python3"))
struct AfterEndTests {
  // Red: a program that fails for a library which the sandbox does not show says so in its own
  // words, and nobody learns what to add.
  @Test("A library that is not visible is named, with what shows it", .needs("ls"))
  func library() throws {
    let outcome = try Session().run(
      """
      loader=$(python3 -c 'if True:
        data = open("/usr/bin/ls", "rb").read(4096); start = data.index(b"/lib")
        print(data[start:data.index(b"\\0", start)].decode())')
      line="nestbox --ro-bind /usr/bin /usr/bin --symlink usr/bin /bin --ro-bind $loader $loader"
      for try in 1 2 3 4 5 6 7 8; do
        $line ls / >/dev/null 2>errors && break
        if [[ $(tail -n 2 errors) != "nestbox: the library "*" is not visible inside"* ]]; then
          cat errors; exit
        fi
        remedy=$(sed -n 's/^nestbox: remedy: //p' errors); line=${remedy%% ls /}
      done
      echo "works after $((try > 1))"
      """)
    #expect(outcome.output == "works after 1", "\(outcome.errors)")
  }

  // Red: a shell that does not find a command is blamed on a library.
  @Test func `A command's own status 127 gets no message`() throws {
    let outcome = try Session().run("nestbox --ro-bind / / bash -c 'exit 127'")
    #expect(outcome.status == 127 && outcome.errors == "")
  }

  // Red: the message does not say that the filter ended it.
  @Test func `A command that the filter ended is followed by a line that says so`() throws {
    let outcome = try Session().run(
      """
      python3 -c 'if True:
        import struct, sys
        number = 39 if __import__("platform").machine() == "x86_64" else 172
        program = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x80000000), (6, 0, 0, 0x7fff0000)]
        sys.stdout.buffer.write(b"".join(struct.pack("HBBI", *line) for line in program))' > filter
      nestbox --ro-bind / / --seccomp 3 /usr/bin/python3 -ISc 'import os; os.getpid()' 3<filter
      echo $?; nestbox --ro-bind / / bash -c 'kill -SYS $$'; echo $?
      """)
    #expect(outcome.lines == ["159", "159"])
    // The shell has lines of its own about a launcher that died of the signal.
    let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("nestbox: ") }
    #expect(lines.count == 1 && lines[0].contains("seccomp filter killed the command (SIGSYS)"))
  }
}
