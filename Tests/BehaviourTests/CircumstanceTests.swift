// SPDX-License-Identifier: Apache-2.0
// Real programs, and surroundings that a launcher may start in.

import TestSupport
import Testing

@Suite("Circumstances")
struct CircumstanceTests {
  private static let full =
    "--ro-bind / / --unshare-all --unshare-user --unshare-cgroup --proc /proc --dev /dev --tmpfs /tmp"

  // Red: the main job cannot be done.
  @Test("A C program is compiled and run", .needs("gcc"))
  func compiler() throws {
    let outcome = try Session().run(
      """
      nestbox \(CircumstanceTests.full) --chdir /tmp bash -c '
        echo "int main(void) { return 42; }" > a.c && gcc a.c -o a && ./a; echo $?'
      """)
    #expect(outcome.output == "42", "\(outcome.errors)")
  }

  // Red: the same, for an interpreter with threads, processes and sockets.
  @Test("A Python program works with processes, sockets and files", .needs("python3"))
  func interpreter() throws {
    let outcome = try Session().run(
      """
      nestbox \(CircumstanceTests.full) python3 -c '
      import concurrent.futures, multiprocessing, socket, subprocess, tempfile
      with concurrent.futures.ProcessPoolExecutor(2) as pool: print(sum(pool.map(abs, [-1, -2])))
      with tempfile.TemporaryFile() as file: print(file.write(b"text"))
      a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1))
      print(subprocess.check_output(["echo", "child"]))'
      """)
    #expect(outcome.lines == ["3", "4", "b'x'", #"b'child\n'"#], "\(outcome.errors)")
  }

  // Red: a tool that sandboxes its jobs cannot itself be sandboxed.
  @Test func `Three nested sandboxes work`() throws {
    let outcome = try Session().run(
      """
      nest="nestbox --bind / / --unshare-all --unshare-user --proc /proc --dev /dev"
      $nest $nest $nest bash -c 'echo $$; exit 42'; echo $?
      """)
    #expect(outcome.lines == ["2", "42"], "\(outcome.errors)")
  }

  // Red: in a systemd service with RestrictNamespaces= no launch works, even with allowed
  // namespaces.
  @Test func `Where a filter hides clone3, clone does the same`() throws {
    let outcome = try Session().run(
      """
      printf 'errno? ENOSYS clone3\\ndefault allow\\n' > policy; mkfifo go
      nestbox --dev-bind / / --seccomp-policy policy bash <<'END'
      nestbox \(CircumstanceTests.full) --info-fd 3 sh -c 'echo $$; read word <&4' 3> about 4<> go >first &
      # A launch that enters before the command exists takes its number.
      until grep -q } about && [ -s first ]; do sleep 0.02; done; cat first
      pid=$(grep -o '"child-pid": [0-9]*' about | grep -o '[0-9]*$')
      exec 5< /proc/$pid/ns/user 6< /proc/$pid/ns/pid
      for options in "" --unshare-pid; do
        nestbox --userns 5 --pidns 6 $options --ro-bind / / --proc /proc readlink /proc/self/ns/pid
      done | sort -u | wc -l
      nestbox --ro-bind / / --unshare-user --assert-userns-disabled true 2> message; echo $?
      echo > go; wait
      END
      """)
    #expect(outcome.lines == ["2", "2", "125"], "\(outcome)")
  }

  // Red: without /proc the program crashes instead of naming what is missing.
  @Test(.ofStaticExecutable) func `Where /proc is missing the message says so`() throws {
    let outcome = try Session().run(
      "nestbox --ro-bind / / --tmpfs /proc nestbox --ro-bind / / true")
    #expect(outcome.status == 125)
    #expect(
      outcome.errors.split(separator: "\n") == [
        """
        nestbox: setting up uid map: No such file or directory (open /proc/self/setgroups)
        """,
        "nestbox: cause: /proc is not mounted here, and setting up a user namespace needs it",
        "nestbox: hint: mount it with mount -t proc proc /proc, or in a sandbox with --proc /proc",
      ])
  }

  // Red: the same, for what needs no /proc.
  @Test("What needs no /proc works without it", arguments: ["--help", "--version"])
  func pagesWithoutProc(_ option: String) throws {
    let outcome = try Session().run(
      "nestbox --ro-bind / / --tmpfs /proc nestbox \(option); nestbox \(option) > expected")
    #expect(outcome.status == 0 && !outcome.output.isEmpty, "\(outcome.errors)")
  }

  // Red: a machine's limit is reported as something else, or not at all.
  @Test func `Where no user namespace can be made the message names the limit`() throws {
    let outcome = try Session().run(
      """
      unshare --user --map-root-user bash -c '
        echo 0 > /proc/sys/user/max_user_namespaces; nestbox --unshare-user --ro-bind / / true'
      """)
    #expect(outcome.status == 125)
    #expect(
      outcome.errors.hasPrefix(
        "nestbox: Creating new namespace failed: No space left on device (clone3)\n"))
    #expect(outcome.errors.contains("user.max_user_namespaces"))
  }

  // Red: three thousand mounts, as some build tools ask for, do not work.
  @Test func `3000 binds work`() throws {
    let outcome = try Session().run(
      """
      mkdir tree tree/{1..3000}; touch tree/2999/file
      nestbox --ro-bind / / --args 3 bash -c 'ls /mnt/2999; grep -c " /mnt/[0-9]* " /proc/self/mountinfo' \\
        3< <(printf '%s\\0' --tmpfs /mnt; for i in {1..3000}; do
          printf '%s\\0' --ro-bind "tree/$i" "/mnt/$i"
        done)
      """)
    #expect(outcome.lines == ["file", "3000"], "\(outcome.errors)")
  }

  // Red: the cost of a bind grows with the number of binds.
  @Test("Each bind takes the same few system calls", .needs("strace"))
  func costOfBinds() throws {
    let outcome = try Session().run(
      """
      mkdir tree tree/{1..400}
      for count in 100 200 400; do
        strace -f -o log nestbox --ro-bind / / --args 3 true 3< <(printf '%s\\0' --tmpfs /mnt
          for ((i = 1; i <= count; i++)); do printf '%s\\0' --ro-bind "tree/$i" "/mnt/$i"; done)
        wc -l < log
      done
      grep -c mountinfo log
      """)
    let counts = outcome.lines.compactMap { Int($0) }
    try #require(counts.count == 4, "\(outcome.errors)")
    #expect(10 * (counts[2] - counts[1]) <= 22 * (counts[1] - counts[0]), "\(counts)")
    #expect((100 * 3...100 * 20).contains(counts[1] - counts[0]), "\(counts)")
    #expect(counts[3] == 0)
  }
}
