// SPDX-License-Identifier: Apache-2.0
// Commands of every kind under --explain: whether each of their calls is heard of, and is answered as
// without a watch.

import Foundation
import TestSupport
import Testing

@Suite("Watched commands", .needs("gcc"))
struct WatchedTests {
  /// What a command does, and what it prints.
  struct Deed: Sendable, CustomTestStringConvertible {
    let mode: String
    let output: String
    /// How many files are told, and how often the first was looked for, as the report says it.
    var files = 1
    var times = ""
    var options = ""

    var testDescription: String { mode }

    static let all: [Deed] = [
      Deed(mode: "look", output: "2"),
      Deed(mode: "threads", output: "wrong 0", files: 16),
      Deed(mode: "crowd", output: "begun 300 wrong 0", times: ", 300 times"),
      Deed(mode: "vfork", output: "2"),
      Deed(mode: "closed", output: "2"),
      Deed(mode: "killed", output: "2", times: ", "),
      Deed(mode: "stopped", output: "wrong 0", times: ", "),
    ]
    static let others: [Deed] = [
      Deed(mode: "signals", output: "wrong 0, interrupted 0", times: ", "),
      Deed(mode: "restarted", output: "wrong 0, interrupted 0", times: ", "),
      Deed(mode: "uring", output: "38", files: 0, options: "--seccomp-allow io_uring_setup"),
      Deed(mode: "listener", output: "16", files: 0),
      Deed(mode: "younger", output: "0 38", files: 0),
      Deed(mode: "trace", output: "0 0", files: 0),
      // 33 of the filter that is put over all threads.
      Deed(mode: "tsync", output: "0 2033"),
      Deed(mode: "nested", output: "2 2", files: 2, options: "--seccomp-allow unshare"),
    ]
  }

  private func run(_ deed: Deed, _ flags: String) throws {
    let session = try Session()
    let source = ProfileTests.programs + "/watched.c"
    let built = try session.run(
      "for i in $(seq 0 15); do >f$i; done; gcc \(flags) -o watched $1 -pthread", source)
    guard built.status == 0 else { try Test.cancel("gcc \(flags) builds nothing here") }
    // The default policy kills 32-bit programs.
    let shown =
      flags.hasPrefix("-m32")
      ? "$system --unshare-pid --proc /proc --ro-bind watched $PWD/watched --chdir $PWD"
      : "--read watched"
    let outcome = try session.run(
      BrokenSetup.preamble
        + "nestbox --explain \(deed.options) \(shown) ./watched \(deed.mode)")
    #expect(outcome.output == deed.output, "\(outcome.errors)")
    // A directory of which many files are missing has one line.
    if deed.files > 3 {
      #expect(
        outcome.errors.contains("\(String(deed.files)) files of "), "\(outcome.errors)")
      return
    }
    for number in 0..<deed.files {
      let times = number == 0 ? deed.times : ""
      #expect(
        outcome.errors.contains("/f\(number) is not shown inside (watched\(times)"),
        "\(outcome.errors)")
    }
  }

  // Red: programs that share memory, suspend each other, die or do not use the C library are not heard
  // of, or wait for ever.
  @Test(
    "Dynamic, static and 32-bit programs are heard, whatever their processes do",
    arguments: Deed.all, ["", "-static", "-m32 -static -isystem /usr/include/x86_64-linux-gnu"])
  func heard(_ deed: Deed, _ flags: String) throws { try run(deed, flags) }

  // Red: a signal makes a call answer wrongly, or a command's own filters disturb the watch.
  @Test("Signals and filters of the command change no answer", arguments: Deed.others)
  func answered(_ deed: Deed) throws { try run(deed, "") }

  // Red: the kernel has another answer than the watch counts on, and a call is lost or permitted.
  @Test func `Listeners and closed processes answer as the watch takes it`() throws {
    let session = try Session()
    // From 2 on, the kernel lets no process read its own children.
    guard try session.run("grep -s '[23]' /proc/sys/kernel/yama/ptrace_scope").status != 0 else {
      try Test.cancel("Yama keeps processes apart here")
    }
    let outcome = try session.run(
      "gcc -o listener $1 && ./listener", ProfileTests.programs + "/listener.c")
    if outcome.errors.contains("no_new_privs is set already") || outcome.errors.contains("unshare:")
    {
      try Test.cancel("\(outcome.errors)")
    }
    #expect(
      outcome.lines == [
        "no-new-privileges 13", "all-threads 22", "all-threads-or-none 0",
        "killable-without-listener 22", "listener 0", "permitted-with-error 22", "answered 0",
        "unchecked 1", "received-after-death 2", "valid-after-death 2", "answered-after-death 2",
        "refused-without-listener 1",
        // Memory, its file, the root, a descriptor.
        "open 0 0 0 0", "closed 1 13 13 1", "open-before-exec 0 0 0 0",
        "closed-before-exec 1 13 13 1",
      ], "\(outcome.errors)")
  }

  // Red: when the watcher lacks memory, what the policy refuses is carried out.
  @Test func `A watcher without memory carries out nothing that is refused`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      printf 'default allow\\nforeign kill\\nerrno EDOM mkdir mkdirat\\n' >mine.policy
      mkdir d
      nestbox --explain --write d --seccomp-policy ./mine.policy python3 -c '
      import os, time
      open("d/begun", "w").close()
      while True:
        for i in range(200):
          try: os.mkdir("d/made" + str(i))
          except OSError: pass
          os.path.exists("x" * 4000 + str(time.monotonic_ns()))' &
      launcher=$!
      while [ ! -e d/begun ]; do sleep 0.1; done
      for child in $(pgrep -P $launcher); do
        pgrep -P $child >/dev/null || prlimit --pid $child --as=1000000 --data=1000000
      done
      wait $launcher; echo $?; ls d
      """)
    #expect(outcome.lines == ["125", "begun"], "\(outcome.errors)")
  }

  // Red: a program whose memory is closed is not named, or does not run.
  @Test(.asRoot) func `A program that may not be read runs, and is named`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      gcc -o watched \(ProfileTests.programs)/watched.c -pthread && echo built
      """)
    #expect(outcome.output == "built")
    let program = session.directory.appending(path: "watched").path
    try FileManager.default.setAttributes(
      [.ownerAccountID: 0, .posixPermissions: 0o711], ofItemAtPath: program)
    let second = try session.run("nestbox --explain --read watched ./watched look")
    #expect(second.output == "2", "\(second.errors)")
    #expect(
      second.errors.contains("nobody may read the paths that this program uses (watched"),
      "\(second.errors)")
  }

  // Red: a server of files inside has the watcher wait, and with it everything.
  @Test func `A server of FUSE inside works, and at worst waits for itself`() throws {
    let session = try Session()
    guard try session.run("test -w /dev/fuse").status == 0 else {
      try Test.cancel("an ordinary user cannot open /dev/fuse here")
    }
    try session.write(
      "fuse.py",
      String(contentsOfFile: ProfileTests.programs + "/fuse-server.py", encoding: .utf8))
    let outcome = try session.run(
      #"""
      serve() {
        nestbox --explain --timeout $1 --unshare-user --unshare-pid --ro-bind / / --proc /proc \
          --dev /dev --dev-bind /dev/fuse /dev/fuse --tmpfs /mnt --cap-add CAP_SYS_ADMIN \
          python3 fuse.py "$2"; echo $?
      }
      serve 100s 'print(open("/mnt/f", "rb").read()[22:].decode().strip())'
      # A path in memory that the server has to provide, while the server itself is watched.
      serve 3s 'import ctypes, mmap
      # The file stays open, and the address is not cut to an int: else there is nothing to wait for.
      file = open("/mnt/f", "rb")
      memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_PRIVATE)
      path = ctypes.addressof(ctypes.c_char.from_buffer(memory))
      ctypes.CDLL(None).access(ctypes.c_void_p(path), 0)'
      """#)
    #expect(outcome.lines == ["works", "0", "124"], "\(outcome.errors)")
    #expect(outcome.errors.contains("was ended after 3 s (--timeout)"), "\(outcome.errors)")
  }

  // Red: a debugger inside stops working, or hides calls from the watch.
  @Test(.needs("strace")) func `A tracer works inside`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      >f0; gcc -o watched \(ProfileTests.programs)/watched.c -pthread
      nestbox --explain --seccomp-allow ptrace --read watched strace -f -e trace=%file \
        ./watched look
      """)
    #expect(outcome.output == "2", "\(outcome.errors)")
    #expect(outcome.errors.contains("ENOENT"), "\(outcome.errors)")
    #expect(outcome.errors.contains("/f0 is not shown inside (watched"), "\(outcome.errors)")
  }
}
