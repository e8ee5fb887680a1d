// SPDX-License-Identifier: Apache-2.0
// What --explain says when there is too much to tell, or no time for it.

import TestSupport
import Testing

@Suite("Explanations: bounds", .needs("python3"))
struct ExplainedBoundsTests {
  // Red: a command that ended well is said not to have started, as its list is long or the watcher is slow.
  @Test(
    "A command keeps its status and report when the list does not come",
    arguments: ["--explain", "--explain --json", "--verify ./p.profile"])
  func lacking(_ option: String) throws {
    let isVerified = option.hasPrefix("--verify")
    let outcome = try Session().run(
      """
      mkfifo go; printf '%s\\n' '--ro-bind / /' --unshare-pid >p.profile
      nestbox \(option) \(isVerified ? "" : "--report 3 --ro-bind / / --unshare-pid") sh -c 'echo begun; read line; exit 3' >out 2>err 3>report <go &
      launcher=$!
      \(StoppedWatcher.lines)
      grep -o '"outcome": "[a-z-]*"' report; cat err
      """)
    let told = isVerified ? ["3"] : ["3", #""outcome": "exited""#]
    #expect(outcome.lines.starts(with: told), "\(outcome)")
    let text = option.contains("json") ? #""complete": false"# : "did not come whole within "
    #expect(outcome.output.contains(text), "\(outcome)")
  }

  // Red: looking at what a hostile command asked for takes longer than anybody waits.
  @Test func `Paths that are long to follow cost a bounded time`() throws {
    let session = try Session()
    try session.write(
      "climb.py",
      """
      # A link that goes up and down 500 times, 38 times in each of 1500 paths to a file that is not shown.
      import os
      w = os.path.abspath("w"); os.symlink("/" + "tmp/../" * 500 + w[1:], "w/L")
      for i in range(1500):
          try: os.stat(w + "/" + "L/" * 38 + "./" * i + "../hidden")
          except OSError: pass
      os._exit(4)
      """)
    let outcome = try session.run(
      """
      mkdir w; : >hidden
      nestbox --explain --json --read climb.py --write w python3 climb.py 2>err; echo $?
      grep -o '"calls": [1-9]' err; grep -o '"complete": false' err
      """)
    #expect(outcome.lines.first == "4" && outcome.lines.count == 3, "\(outcome)")
  }

  // Red: a list that was cut says that it is complete.
  @Test func `A list of more than 5000 things says that it is not complete`() throws {
    let outcome = try Session().run(
      """
      mkdir d; (cd d; seq 5200 | xargs touch)
      for n in 100 5200; do
        nestbox --explain --json sh -c "for i in $(seq -s ' ' $n); do [ -e $PWD/d/\\$i ]; done; true" 2>&1 | grep -o '"complete": [a-z]*'
      done
      """)
    #expect(outcome.lines == [#""complete": true"#, #""complete": false"#], "\(outcome)")
  }

  // Red: a launch waits for ever behind its own filter, or the command gets other limits than the caller has.
  @Test func `Descriptors that others let pile up change nothing in a watched launch`() throws {
    let outcome = try Session().run(
      """
      printf 'default allow\\nforeign kill\\nerrno EPERM %s\\n' \
        'prlimit64 getrlimit setrlimit nanosleep clock_nanosleep' >mine.policy
      hard=$(ulimit -Hn)
      for option in "--seccomp-policy ./mine.policy" "--seccomp-policy none" ""; do
        python3 \(ProfileTests.programs)/crowd.py 256 $hard \
          nestbox --explain $option --unshare-pid --ro-bind / / --proc /proc grep -o 'open files *256 ' /proc/self/limits
      done
      """)
    #expect(outcome.lines.count { $0.hasPrefix("open files") } == 3, "\(outcome)")
  }

  // Red: a program's name has an option in the report that nobody should type.
  @Test func `A program's name cannot look like an option`() throws {
    let session = try Session()
    try session.write(
      "named.py",
      """
      import ctypes, os, threading
      def look():
          ctypes.CDLL(None).prctl(15, b"a): --bind / /", 0, 0, 0)
          os.path.exists(os.path.abspath("f"))
      # In a thread of its own, as its name has not been read yet.
      thread = threading.Thread(target=look); thread.start(); thread.join()
      """)
    let outcome = try session.run("touch f; nestbox --explain --read named.py python3 named.py")
    #expect(
      outcome.errors.contains("/f is not shown inside ('a): --bind / /'): --read "), "\(outcome)")
  }

  // Red: who opens a page is told to allow UDP, or who sends datagrams is not.
  @Test func `Addresses for datagrams are told, but not what the C library only sorts`() throws {
    let session = try Session()
    try session.write(
      "network.py",
      """
      import ctypes, socket, threading
      def attempt(call, *arguments):
          try: call(*arguments)
          except OSError: pass
      def connect(kind, host, port):
          attempt(socket.socket(type=kind).connect, (host, port))
      # Sorted in another thread.
      for host in "203.0.113.1", "203.0.113.2":
          thread = threading.Thread(target=connect, args=(socket.SOCK_DGRAM, host, 443))
          thread.start(); thread.join()
      connect(socket.SOCK_STREAM, "203.0.113.1", 443)
      # Both protocols.
      attempt(socket.socket(type=socket.SOCK_DGRAM).sendto, b"x", ("203.0.113.3", 5000))
      connect(socket.SOCK_STREAM, "203.0.113.3", 5000)
      # sendmmsg(2): an address, a part, and both in a message.
      address = ctypes.create_string_buffer(bytes([2, 0, 0, 77, 203, 0, 113, 4]) + bytes(8), 16)
      part = (ctypes.c_uint64 * 2)(ctypes.addressof(address), 1)
      message = (ctypes.c_uint64 * 8)(ctypes.addressof(address), 16, ctypes.addressof(part), 1)
      sender = socket.socket(type=socket.SOCK_DGRAM)
      ctypes.CDLL(None).sendmmsg(sender.fileno(), message, 1, 0)
      """)
    let outcome = try session.run(
      """
      nestbox --explain --json --read network.py python3 network.py 2>&1 |
        grep -o '203.0.113[^"]* port [^"]*' | sort
      """)
    #expect(
      outcome.lines == [
        "203.0.113.1 port 443", "203.0.113.3 port 5000", "203.0.113.3 port 5000/udp",
        "203.0.113.4 port 77/udp",
      ], "\(outcome)")
  }

  // Red: who makes a link is offered to write where it leads.
  @Test func `Making a link asks for nothing where the link leads`() throws {
    let outcome = try Session().run(
      """
      mkdir d; echo x >d/f
      nestbox --explain sh -c "ln -s $PWD/d/f /tmp/l; mkdir /tmp/m; ln -s $PWD/d /tmp/m/n; true" 2>&1 | grep -c '/d'
      nestbox --explain --read d sh -c "ln -s x d/l" 2>&1 | grep -o '/d is read-only inside (ln).*--write'
      """)
    #expect(outcome.lines.first == "0", "\(outcome)")
    #expect(outcome.lines.last?.contains("--write") == true, "\(outcome)")
  }
}
