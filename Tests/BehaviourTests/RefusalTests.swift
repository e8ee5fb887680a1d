// SPDX-License-Identifier: Apache-2.0
// Calls that a filter around the launcher refuses and that have a replacement: it keeps what the
// line promises. Calls without one are among the broken machines.

import TestSupport
import Testing

@Suite("Refused calls", .needs("python3"))
struct RefusalTests {
  /// Runs the rest of the words where the calls $1 fail with $2.
  private static let refusal = #"""
    without() {
      printf 'default allow\nforeign kill\nerrno %s %s\n' "$2" "$1" > refuse.policy; shift 2
      nestbox --dev-bind / / --seccomp-policy ./refuse.policy "$@"
    }

    """#
  private static let errors = ["ENOSYS", "EPERM"]

  private func run(_ script: String) throws -> Outcome {
    try Session().run(RefusalTests.refusal + script)
  }

  // Red: nothing starts in a service of systemd with RestrictSUIDSGID= or RestrictNamespaces=.
  @Test(
    "A launch starts without openat2 and clone3",
    arguments: ["openat2", "clone3", "openat2 clone3"], errors)
  func replaced(_ calls: String, _ error: String) throws {
    let outcome = try run(
      """
      mkdir outside; ln -s / root; ln -s ../../../../../../../../etc up
      without '\(calls)' \(error) nestbox --ro-bind / / --tmpfs /tmp --dev /dev --unshare-all \\
        --proc /proc --bind . /tmp/d --file 3 /tmp/d/outside/../../f \\
        sh -c 'cat /tmp/f; ls /tmp/d; cut -d " " -f 2 /proc/1/stat' 3< <(echo text) 2>&1
      ls; without '\(calls)' \(error) nestbox id -u
      """)
    #expect(
      outcome.lines == [
        "text", "outside", "refuse.policy", "root", "up", "(nestbox)", "outside", "refuse.policy",
        "root", "up", String(User.ordinaryID),
      ], "\(outcome)")
  }

  // Red: a link within the new root leads a mount out of it.
  @Test("Without openat2 a link does not lead out of the new root", arguments: errors)
  func roots(_ error: String) throws {
    let outcome = try run(
      """
      mkdir -p tree/etc target
      line="nestbox --ro-bind / / --tmpfs /tmp --bind tree /tmp/t --symlink ../../../../../etc /tmp/l \\
        --tmpfs /tmp/l --symlink ../../../../tmp /tmp/m --dir /tmp/m/new \\
        sh -c 'grep -c . /etc/passwd; ls /etc | wc -l; ls -d /tmp/new'"
      eval "$line" > expected 2>&1; expected=$?
      without openat2 \(error) bash -c "$line" > seen 2>&1; echo $(($? == expected))
      sed -i 's/openat2/openat/' expected seen; diff expected seen && echo same
      """)
    #expect(outcome.lines == ["1", "same"], "\(outcome)")
  }

  // Red: filters cannot be installed behind one that allows prctl and refuses seccomp.
  @Test("Without seccomp(2) a policy is in force all the same", arguments: errors)
  func policy(_ error: String) throws {
    let outcome = try run(
      """
      without seccomp \(error) nestbox python3 -c 'if True:
        import ctypes
        call = ctypes.CDLL(None, use_errno=True).syscall
        print(call(ctypes.c_long(__import__("platform").machine() == "x86_64" and 272 or 97), 0x10000000), ctypes.get_errno())
        print([line.split()[1] for line in open("/proc/self/status") if line.startswith("Seccomp")])'
      printf 'default allow\\nforeign kill\\nerrno \(error) seccomp\\n' > first
      printf 'default allow\\nforeign kill\\nerrno EXFULL getppid\\n' > second
      nestbox --seccomp-compile ./first > 1; nestbox --seccomp-compile ./second > 2
      nestbox --ro-bind / / --add-seccomp-fd 8 --add-seccomp-fd 9 python3 -c 'if True:
        import os
        try: os.getppid()
        except OSError: pass
        print([line.split()[1] for line in open("/proc/self/status") if line.startswith("Seccomp")])
        ' 8<1 9<2
      """)
    #expect(outcome.lines == ["-1 1", "['2', '2']", "['2', '2']"], "\(outcome)")
  }

  /// A server at an abstract address, which starts the rest of the words.
  private static let sockets = #"""
    cat > sockets.py <<'END'
    import socket, subprocess, sys
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); server.bind("")
    stream = socket.socket(socket.AF_UNIX); stream.bind(""); stream.listen()
    names = [server.getsockname().hex(), stream.getsockname().hex()]
    subprocess.run(sys.argv[1:] + ["/usr/bin/python3", "-c", r"""
    import ctypes, socket, sys
    one, other = map(bytes.fromhex, sys.argv[1:])
    def attempt(name, body):
        try: body(); print(name, "reached")
        except OSError as error: print(name, error.errno)
    def pair(kind, name=one):
        left, right = socket.socketpair(socket.AF_UNIX, kind); right.close(); left.connect(name)
    attempt("stream", lambda: socket.socket(socket.AF_UNIX).connect(other))
    attempt("datagram", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect(one))
    attempt("pair of datagrams", lambda: pair(socket.SOCK_DGRAM))
    attempt("raw pair", lambda: pair(socket.SOCK_RAW))
    attempt("pair of streams", lambda: pair(socket.SOCK_STREAM, other))
    ring = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(425), 1, bytes(120))
    print("ring", ring)
    socket.socketpair(); socket.socket(socket.AF_INET); socket.socket(socket.AF_INET6)
    """] + names)
    END
    """#

  // Red: --profile host-network does not start, or a program in it reaches the X server's abstract socket.
  @Test(
    "Without scopes of Landlock the network is shown without Unix sockets",
    arguments: ["--profile host-network", "--ro-bind / / --landlock-scope abstract-unix"], errors)
  func scopes(_ options: String, _ error: String) throws {
    let outcome = try run(
      RefusalTests.sockets + """

        without landlock_create_ruleset \(error) python3 sockets.py nestbox \(options)
        python3 sockets.py nestbox --ro-bind / / | head -4
        """)
    #expect(
      outcome.lines == [
        "stream 97", "datagram 97", "pair of datagrams 97", "raw pair 97",
        // Unix(7): EISCONN.
        "pair of streams 106", "ring -1",
        "stream reached", "datagram reached", "pair of datagrams reached", "raw pair reached",
      ], "\(outcome)")
    #expect(outcome.errors.contains("nestbox: this kernel has no scopes of Landlock"))
  }

  // Red: the signal scope is silently left out where it was demanded.
  @Test("Without scopes of Landlock signals are not kept out silently", arguments: errors)
  func signals(_ error: String) throws {
    let outcome = try run(
      """
      without landlock_create_ruleset \(error) \\
        nestbox --ro-bind / / --landlock-scope signal,abstract-unix echo started; echo $?
      """)
    #expect(outcome.lines == ["125"], "\(outcome)")
  }
}
