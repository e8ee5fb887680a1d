// SPDX-License-Identifier: Apache-2.0
// How the executable of `make build` is laid out, in its file and in a running launcher.

import Foundation
import TestSupport
import Testing

@Suite("The image of the executable", .ofStaticExecutable, .needs("nm"))
struct ImageTests {
  // Red: a stray write in the monitor changes a policy's program, a path or a message. Without
  // Sources/nestbox/layout.ld the linker makes all constants writable.
  @Test func `Constants are read-only in a running launcher`() throws {
    let outcome = try Session().run(
      """
      nm "$(command -v nestbox)" | grep ' linux_constants_'
      mkfifo begin end
      nestbox --ro-bind / / sh -c 'echo > begin; read line < end' & read line < begin
      grep /nestbox /proc/$!/maps
      echo > end; wait
      """)
    let constants = outcome.lines.filter { $0.contains(" linux_constants_") }
      .compactMap { UInt64($0.prefix { $0 != " " }, radix: 16) }.sorted()
    try #require(constants.count == 2, "\(outcome.output)\(outcome.errors)")
    // The compiler's literals, the runtime's and the C library's.
    #expect(constants[1] - constants[0] > 1 << 19)
    let mappings = outcome.lines.compactMap(Mapping.init)
    let touched = mappings.filter { $0.end > constants[0] && $0.start < constants[1] }
    #expect(touched.map(\.access) == ["r--p"], "\(outcome.output)")
    #expect(mappings.contains { $0.access == "rw-p" }, "the mappings of the launcher are not seen")
  }

  // Red: functions of a launch lie all over the executable, and each start reads more of it than it
  // needs to.
  @Test(
    .needs("gcc"),
    .enabled(if: Program.isOptimized, "needs the functions of a release build: make test"))
  func `The order of symbols is that of this executable`() throws {
    let benchmarks = Workspace.repository.appending(path: "Benchmarks").path
    let order = Workspace.repository.appending(path: "Sources/nestbox/order.txt").path
    let outcome = try Session().run(
      """
      gcc -O2 -o order "$1/order.c" || exit
      export LC_ALL=C
      nm "$(command -v nestbox)" >all
      ./order "$(command -v nestbox)" --ro-bind / / true >launch || exit
      # By address, as a function may have several names.
      addresses() { awk 'FNR == NR { wanted[$0]; next } $3 in wanted { print $1 }' "$1" all | sort -u; }
      grep -v '^#' "$2" >listed
      addresses listed >listed.at
      awk '$2 ~ /[tTwWiI]/ { print $3 }' all | sort -u >functions
      grep -Fxf functions launch >entered
      addresses entered >entered.at
      awk '{ print $3 }' all | sort -u >names
      echo "$(grep -c . listed) $(grep -vFxf names listed | grep -c .)"
      echo "$(grep -c . entered.at) $(comm -23 entered.at listed.at | grep -c .)"
      """, benchmarks, order)
    let counts = outcome.lines.map { $0.split(separator: " ").compactMap { Int($0) } }
    try #require(counts.count == 2 && counts.allSatisfy { $0.count == 2 }, "\(outcome)")
    let (listed, gone, entered, missing) = (counts[0][0], counts[0][1], counts[1][0], counts[1][1])
    #expect(listed > 500 && entered > 300)
    #expect(gone * 20 <= listed, "\(gone) of \(listed) names are gone: make order")
    #expect(
      missing * 20 <= entered, "\(missing) of \(entered) functions are not listed: make order")
  }

  // Red: a launch touches more pages. Each costs as much as several system calls. The bounds are what
  // was counted on Linux 6.18, with those of `true`, and some more: machines differ by a few.
  @Test(
    .needs("python3"), .enabled(if: Program.isOptimized, "needs a release build: make test"),
    arguments: [
      ("--ro-bind / /", 148),
      (desktopOptions, 220),
    ])
  func `A launch has few page faults`(options: String, most: Int) throws {
    let count = try ImageTests.faults(of: options)
    #expect(count[0] <= most)
  }

  // Red: limits and the report use parts of the library that nothing else in a launch needs. Ten pages
  // more were counted; it had been 27.
  @Test(.needs("python3"), .enabled(if: Program.isOptimized, "needs a release build: make test"))
  func `Limits and a report add few page faults`() throws {
    let line = "--unshare-pid --ro-bind / /"
    let counts = try ImageTests.faults(
      of: line, line + " --timeout 10 --processes-try 100 --rlimit core=0 --report 2")
    #expect(counts[1] - counts[0] <= 20, "\(counts)")
  }

  /// How many page faults launches with each of these options have.
  private static func faults(of lines: String...) throws -> [Int] {
    let outcome = try Session().run(
      ImageTests.copying + """

        exec python3 -c 'import ctypes, os, resource, sys
        # So that init, which may outlive the launcher, is waited for and counted.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
        def faults(): return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
        lines = sys.argv[1].split(";")
        counts = [[] for _ in lines]
        for _ in range(15):
          for line, list in zip(lines, counts):
            before = faults()
            os.posix_spawn("./nestbox", ["nestbox", *line.split(), "true"], os.environ)
            try:
              while True: os.wait()
            except ChildProcessError: list.append(faults() - before)
        # What else runs on the machine can only add to a count.
        for list in counts: print(sorted(list)[2])' "$1"
        """, lines.joined(separator: ";"))
    let counts = outcome.lines.compactMap { Int($0) }
    try #require(counts.count == lines.count, "\(outcome)")
    return counts
  }

  // Red: each start executes some sixty CPUID instructions, which a virtual machine traps.
  @Test(.enabled(if: Program.isOptimized, "needs a release build: make test"))
  func `A start does not ask the processor what it can do`() throws {
    let outcome = try Session().run(
      """
      # For others Sources/nestbox/process.c is empty.
      [ "$(uname -m)" = x86_64 ] && [ "$(getconf GNU_LIBC_VERSION)" = 'glibc 2.36' ] || exit 0
      nm "$(command -v nestbox)" >all
      grep -w '[TW] __libc_start_main' all >found || echo 'no start'
      grep -E ' [tT] (update_active|get_common_indices|handle_amd)' all
      """)
    #expect(outcome.output.isEmpty, "\(outcome)")
  }

  // Red: something links a large part of a library, such as regular expressions by a search for text. The
  // bound leaves room for nestbox's own code, of which a feature adds some kilobytes.
  @Test(.enabled(if: Program.isOptimized, "needs a release build: make test"))
  func `The stripped executable has at most 9.6 megabytes`() throws {
    let outcome = try Session().run(
      "strip -o stripped \"$(command -v nestbox)\" && stat -c %s stripped")
    let size = try #require(Int(outcome.lines.first ?? ""), "\(outcome)")
    #expect(size <= 9_600_000)
  }

  // Red: each running sandbox costs its user more memory. A process that waits has let go of its
  // instructions, of constants, and of what the launch used of the stack.
  @Test(.needs("python3"), .enabled(if: Program.isOptimized, "needs a release build: make test"))
  func `Monitor and init keep little memory while the command runs`() throws {
    let outcome = try Session().run(
      ImageTests.copying + """

        mkfifo begin end
        ./nestbox --unshare-all --ro-bind / / --proc /proc sh -c 'echo > begin; read line < end' &
        read line < begin
        # A short wait keeps everything.
        sleep 0.5
        init=$(cat /proc/$!/task/$!/children)
        awk '/^Pss:/ { sum += $2 } END { print sum }' /proc/$!/smaps_rollup /proc/${init% }/smaps_rollup
        echo > end; wait
        """)
    let kilobytes = outcome.lines.compactMap { Int($0) }
    try #require(kilobytes.count == 1, "\(outcome)")
    #expect(kilobytes[0] <= 300, "\(outcome.output)")
  }

  /// Makes ./nestbox as `make install` does.
  private static let copying = """
    strip -o stripped "$(command -v nestbox)" && dd if=stripped of=nestbox bs=64k status=none
    chmod 755 nestbox
    """

  /// Some of what a script for a program of a desktop gives.
  private static let desktopOptions = """
    --unshare-all --die-with-parent --new-session --ro-bind /usr /usr --ro-bind /etc /etc
    --symlink usr/bin /bin --symlink usr/sbin /sbin --symlink usr/lib /lib --symlink usr/lib64 /lib64
    --proc /proc --dev /dev --dev-bind /dev/shm /dev/shm --ro-bind /sys/class /sys/class
    --ro-bind /sys/dev /sys/dev --ro-bind /sys/devices /sys/devices --tmpfs /tmp --tmpfs /run
    --dir /run/user/1000 --dir /var --symlink ../run /var/run --symlink ../tmp /var/tmp
    --ro-bind /var/lib /var/lib --tmpfs /home --dir /home/user/.config
    --bind /var/tmp /home/user/Downloads --ro-bind /etc/passwd /etc/passwd
    --setenv HOME /home/user --setenv XDG_RUNTIME_DIR /run/user/1000 --chdir /home/user
    """
}

/// A line of /proc/PID/maps.
private struct Mapping {
  let start: UInt64
  let end: UInt64
  let access: Substring

  init?(_ line: some StringProtocol) {
    let words = line.split(separator: " ")
    guard let bounds = words.first?.split(separator: "-"), bounds.count == 2, words.count > 1,
      let start = UInt64(bounds[0], radix: 16), let end = UInt64(bounds[1], radix: 16)
    else { return nil }
    (self.start, self.end, access) = (start, end, Substring(words[1]))
  }
}
