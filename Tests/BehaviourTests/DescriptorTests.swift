// SPDX-License-Identifier: Apache-2.0
// Which open descriptors reach the command, for any set that the caller has open or closed.

import TestSupport
import Testing

@Suite("Descriptors")
struct DescriptorTests {
  /// Much that a launcher opens descriptors for.
  private static let busy =
    "--ro-bind / / --dev /dev --unshare-all --proc /proc --tmpfs /tmp --dir /tmp/a --symlink a /tmp/b"

  // Red: a descriptor of the launcher leads out of the sandbox, or a caller's is missing.
  @Test("The command gets the caller's descriptors and no other", .needs("python3"))
  func inheritance() throws {
    let outcome = try Session().run(
      """
      list='import os; print(sorted(map(int, os.listdir("/proc/self/fd"))))'
      nestbox \(DescriptorTests.busy) python3 -c "$list"
      nestbox \(DescriptorTests.busy) --file 8 /tmp/file --ro-bind-data 9 /tmp/data --args 10 \
        python3 -c "$list" 7< /dev/null 8< /dev/null 9< /dev/null 10< /dev/null 23> /dev/null
      """)
    // The last is the directory that is being read.
    #expect(outcome.lines == ["[0, 1, 2, 3]", "[0, 1, 2, 3, 7, 23]"], "\(outcome.errors)")
  }

  // Red: what a build tool or a shell hands down does not arrive.
  @Test func `An inherited descriptor can be used`() throws {
    let outcome = try Session().run(
      "nestbox \(DescriptorTests.busy) sh -c 'read -r word <&7; echo $word' 7<<< hello")
    #expect(outcome.output == "hello", "\(outcome.errors)")
  }

  // Red: a file of the launcher takes the place of a closed standard stream, and is read, written
  // or leaked.
  @Test("Closed standard descriptors stay closed, and disturb nothing", arguments: 0..<8)
  func closedStandard(_ closed: Int) throws {
    var redirections = ""
    for number in 0...2 where closed >> number & 1 == 1 { redirections += " \(number)>&-" }
    let outcome = try Session().run(
      """
      echo content > data
      nestbox \(DescriptorTests.busy) --ro-bind-data 7 /tmp/data --bind . /mnt sh -c '
        open=0
        for number in 0 1 2; do
          if test -e /proc/$$/fd/$number; then open=$((open | 1 << number)); fi
        done
        echo $open > /mnt/open; cat /tmp/data > /mnt/seen' 7< data\(redirections)
      echo $?; cat open seen
      """)
    #expect(outcome.lines == ["0", "\(7 & ~closed)", "content"], "\(outcome.errors)")
  }

  // Red: a failure looks like a success if standard error is closed.
  @Test func `Without standard error a failure still has its status`() throws {
    let outcome = try Session().run(
      "nestbox --ro-bind /missing / true 2>&-; echo $?; nestbox --no-such-option 0>&- 1>&- 2>&-; echo $?"
    )
    #expect(outcome.lines == ["125", "125"])
  }

  // Red: servers with many connections cannot start a sandbox.
  @Test(
    "A thousand open descriptors are inherited", .needs("python3"),
    .enabled(if: DescriptorTests.hasRoom, "needs a limit of more than 1100 open files"))
  func thousand() throws {
    let outcome = try Session().python(
      """
      import os, resource, subprocess
      limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
      resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 4096), limit))
      files = [os.open("/dev/null", os.O_RDONLY) for _ in range(1000)]
      for form in [], ["--unshare-pid", "--as-pid-1"], ["--unshare-all", "--proc", "/proc"]:
        subprocess.run(["nestbox", "--ro-bind", "/", "/", *form, "python3", "-c",
          'import os; print(len(os.listdir("/proc/self/fd")))'], close_fds=False, check=True,
          pass_fds=files)
      """)
    #expect(outcome.lines == ["1004", "1004", "1004"], "\(outcome.errors)")
  }

  static var hasRoom: Bool {
    let outcome = try? Session().run("ulimit -Hn")
    return outcome.map { $0.output == "unlimited" || Int($0.output) ?? 0 > 1100 } ?? false
  }

  // Red: init misses the end of its command, and sees it only after fifty milliseconds. (SIGCHLD
  // itself is let through for as long as it waits; SIGWINCH is not.)
  @Test func `Init has all signals blocked`() throws {
    let outcome = try Session().run(
      "nestbox --ro-bind / / --unshare-pid --proc /proc grep SigBlk /proc/1/status")
    let mask = outcome.output.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
    #expect(mask & 1 << 27 != 0, "\(outcome)")
  }

  // Red: signals that the caller blocks or ignores, as nohup does, are not so for the command.
  @Test("Blocked and ignored signals are the caller's", .needs("python3"))
  func signalState() throws {
    let outcome = try Session().python(
      """
      import os, signal, subprocess
      signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
      signal.signal(signal.SIGHUP, signal.SIG_IGN)
      look = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]
      def see(*words): return subprocess.run([*words, *look], restore_signals=False,
        capture_output=True, text=True).stdout
      outside = see()
      blocked, ignored = (int(line.split()[1], 16) for line in outside.splitlines())
      print(blocked == 0x4200, ignored & 1)
      for form in [], ["--unshare-pid"], ["--unshare-pid", "--as-pid-1"]:
        print(see("nestbox", "--ro-bind", "/", "/", *form) == outside)
      """)
    #expect(outcome.lines == ["True 1", "True", "True", "True"], "\(outcome.errors)")
  }
}
