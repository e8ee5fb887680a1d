// SPDX-License-Identifier: Apache-2.0
// --net-allow with real programs, on a machine whose internet is one other host (Programs/world.sh).

import Foundation
import TestSupport
import Testing

@Suite("Network by name", .needs("python3"), .needs("ip"), .needs("curl"))
struct NetworkTests {
  /// Lines of Python that find the relays with a log: `relays()`.
  private static let relays = """
    def line(process):
      try: return open(f"/proc/{process}/cmdline", "rb").read()
      except OSError: return b""
    def relays(): return [p for p in os.listdir("/proc") if p.isdigit() and b"--net-log" in line(p)]
    """

  /// Runs a script on that machine; `box` starts nestbox with the host's files, as another user.
  private func run(_ script: String, _ arguments: String...) throws -> Outcome {
    let session = try Session()
    for name in ["world.sh", "internet.py"] {
      try session.write(
        name, String(contentsOfFile: ProfileTests.programs + "/" + name, encoding: .utf8))
    }
    try session.write(
      "script",
      """
      box() { nestbox --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc "$@"; }
      get() { curl --silent --show-error --max-time 20 "$@"; }
      """ + "\n" + script)
    return try session.run(
      "bash world.sh bash script " + arguments.joined(separator: " "))
  }

  // Red: a program cannot reach what was named.
  @Test(
    "Programs reach a host that a rule names",
    arguments: [
      ("web.test", "get http://web.test/", "web.test ::ffff:203.0.113.7"),
      ("web.test", "get http://WEB.test./", "WEB.test. ::ffff:203.0.113.7"),
      ("web.test", "get -4 http://web.test/", "web.test ::ffff:203.0.113.7"),
      ("web.test", "get -6 http://web.test/", "web.test ::ffff:203.0.113.7"),
      ("six.test", "get http://six.test/", "six.test 2001:db8:113::7"),
      ("'*.web.test'", "get http://www.web.test/", "www.web.test ::ffff:203.0.113.7"),
      ("web.test:8080", "get http://web.test:8080/", "web.test:8080 ::ffff:203.0.113.7"),
      ("203.0.113.7", "get http://203.0.113.7/", "203.0.113.7 ::ffff:203.0.113.7"),
      ("203.0.113.0/24", "get http://203.0.113.8/", "203.0.113.8 ::ffff:203.0.113.8"),
      // More sockets than one message can pass.
      ("web.test:7700-8100", "get http://web.test:8080/", "web.test:8080 ::ffff:203.0.113.7"),
      ("'*'", "get http://203.0.113.8/", "203.0.113.8 ::ffff:203.0.113.8"),
      ("'*'", "get http://other.test/", "other.test ::ffff:203.0.113.8"),
      ("hosts-file.test", "get http://hosts-file.test/", "hosts-file.test ::ffff:203.0.113.7"),
      ("a.test:80=203.0.113.7:8080", "get http://a.test/", "a.test ::ffff:203.0.113.7"),
      // The whole of the name server's answer comes by TCP alone.
      ("cut.test", "get http://cut.test/", "cut.test ::ffff:203.0.113.7"),
      ("'web.test:*'", "get http://web.test:30000/", "web.test:30000 ::ffff:203.0.113.7"),
      ("'web.test:*'", "get -6 http://web.test:30000/", "web.test:30000 ::ffff:203.0.113.7"),
      ("'*:*'", "get http://203.0.113.8:8080/", "203.0.113.8:8080 ::ffff:203.0.113.8"),
      ("'*:*'", "get http://[2001:db8:113::7]:8080/", "[2001:db8:113::7]:8080 2001:db8:113::7"),
      ("private.test@10.0.0.0/8", "get http://private.test/", "private.test ::ffff:10.113.0.7"),
      // One of its addresses is refused.
      ("either.test", "get http://either.test/", "either.test ::ffff:203.0.113.7"),
      // The first address does not answer.
      ("two.test", "get http://two.test/", "two.test 2001:db8:113::7"),
      (
        "web.test",
        "python3 -c 'import urllib.request as r; print(r.urlopen(\"http://web.test/\").read().decode().strip())'",
        "web.test ::ffff:203.0.113.7"
      ),
    ])
  func reached(_ rule: String, _ command: String, _ expected: String) throws {
    let outcome = try run(
      "export -f get; box --net-allow \(rule) bash -c '\(command.replacing("'", with: #"'\''"#))'")
    let seen = outcome.output
    // Either family may be taken where there are both.
    let other = expected.replacing("::ffff:203.0.113.7", with: "2001:db8:113::7")
    #expect(seen == expected || seen == other, "\(outcome)")
    #expect(outcome.errors.isEmpty, "\(outcome)")
  }

  // Red: inside another sandbox every address counts as this machine's, as the outer relay serves it there.
  @Test(
    "A sandbox inside another reaches what both allow",
    arguments: [
      ("web.test", "-4 http://web.test/"), ("web.test", "-6 http://web.test/"),
      ("'*'", "http://203.0.113.8/"), ("'*'", "http://other.test/"),
    ])
  func nested(_ rule: String, _ place: String) throws {
    let outcome = try run(
      """
      # The inner one covers /etc/hosts, which is a file of the outer one's.
      box --uid 1000 --gid 1000 --net-allow \(rule) nestbox --unshare-user --unshare-pid --ro-bind / / \
        --net-allow \(rule) curl --silent --show-error --max-time 20 \(place)
      """)
    let isReached = outcome.output.contains(".test ") || outcome.output.contains("203.0.113.8 ")
    #expect(isReached, "\(outcome)")
  }

  // Red: a log to standard error takes that from the command.
  @Test func `The log takes no descriptor of the command`() throws {
    let outcome = try run(
      """
      box --net-allow web.test --net-log 2 true 2>&1 | grep -c 'type --net-log 3'
      box --net-allow web.test --net-log 3 sh -c 'curl -s http://web.test/ >/dev/null; echo own >&2' 2>err 3>&2
      grep -c '"event": *"connection"' err; grep -x own err
      """)
    #expect(outcome.lines == ["1", "1", "own"], "\(outcome)")
  }

  // Red: a person is not told which host a command wants, or types a rule that does not help.
  @Test(
    "Without a network --explain names the host, and with its rule the command reaches it",
    arguments: [
      ("http://other.test/", "other.test (curl", "--net-allow other.test"),
      ("-4 http://other.test/", "other.test (curl", "--net-allow other.test"),
      ("http://web.test:8080/", "web.test (curl", "--net-allow web.test"),
      ("http://203.0.113.8/", "203.0.113.8 port 80 (curl", "--net-allow 203.0.113.8"),
      ("http://203.0.113.7:8080/", "203.0.113.7 port 8080 (curl", "--net-allow 203.0.113.7:8080"),
      (
        "http://[2001:db8:113::7]/", "2001:db8:113::7 port 80 (curl",
        "--net-allow '[2001:db8:113::7]'"
      ),
    ])
  func explained(_ place: String, _ thing: String, _ options: String) throws {
    let port = place.hasPrefix("http://web") ? ":8080" : ""
    let outcome = try run(
      """
      nestbox --explain curl -sS \(place) && echo reached
      nestbox \(options)\(port) curl -sS --max-time 20 \(place)
      """)
    #expect(
      outcome.errors.contains("no network inside leads to \(thing)"), "\(outcome.errors)")
    let told = outcome.errors.split(separator: "\n").map(String.init)
    #expect(told.contains { $0.hasSuffix("): \(options)") }, "\(outcome.errors)")
    #expect(
      outcome.lines.count == 1 && outcome.output.contains("203.0.113")
        || outcome.output.contains("2001:db8:113::7"), "\(outcome)")
  }

  // Red: what a rule allows is called kept from the command, or what none allows is not.
  @Test func `Under rules --explain names only what they do not allow`() throws {
    let outcome = try run(
      """
      for place in 203.0.113.7 203.0.113.8 web.test; do
        box --explain --net-allow 203.0.113.7 --net-allow web.test curl -sS http://$place/
      done
      """)
    #expect(outcome.lines.count == 2, "\(outcome)")
    let told = outcome.errors.split(separator: "\n").filter { $0.contains("no network") }
    #expect(
      told == [
        "nestbox: no network inside leads to 203.0.113.8 port 80 (curl): --net-allow 203.0.113.8"
      ],
      "\(outcome.errors)")
  }

  // Red: the command reaches what nobody named; or a program hangs where it should fail at once.
  @Test(
    "Everything else is refused, with a message and the rule that would allow it",
    arguments: [
      (
        "web.test", "http://other.test/", "6",
        "could not reach other.test; to allow it, add --net-allow other.test"
      ),
      ("web.test", "http://www.web.test/", "6", "add --net-allow www.web.test"),
      ("web.test", "http://203.0.113.7/", "7", ""),
      ("web.test", "http://[2001:db8:113::7]/", "7", ""),
      (
        "web.test", "http://web.test:8080/", "7",
        "web.test:8080; to allow it, add --net-allow web.test:8080"
      ),
      (
        "web.test --net-allow other.test:8080", "http://web.test:8080/", "7",
        "add --net-allow web.test:8080"
      ),
      ("203.0.113.7", "http://203.0.113.7:8080/", "7", "add --net-allow 203.0.113.7:8080"),
      ("six.test", "http://six.test:1080/", "7", "add --net-allow six.test:1080"),
      ("'*'", "http://203.0.113.8:1080/", "7", "add --net-allow 203.0.113.8:1080"),
      (
        "web.test --net-allow '*.x.test:8080'", "http://web.test:8080/", "7",
        "add --net-allow web.test:8080"
      ),
      (
        "rebind.test", "http://rebind.test/", "7",
        "as the name leads to 127.0.0.1, a private address or one of this machine; to allow it, add "
          + "--net-allow rebind.test@127.0.0.1"
      ),
      (
        "blocked.test", "http://blocked.test/", "7",
        "as the name leads to 0.0.0.0, which means this machine itself; name servers and /etc/hosts block names so"
      ),
      (
        "blocked6.test", "http://blocked6.test/", "7",
        "as the name leads to ::, which means this machine itself; name servers and /etc/hosts block names so"
      ),
      ("private.test", "http://private.test/", "7", "add --net-allow private.test@10.113.0.7"),
      ("mapped.test", "http://mapped.test/", "7", "add --net-allow mapped.test@10.113.0.7"),
      ("own.test", "http://own.test/", "7", "add --net-allow own.test@203.0.113.1"),
      ("'*'", "http://240.1.2.3/", "7", "240.1.2.3:80, a reserved address, which no rule can"),
      // Nothing listens there, so the message alone tells.
      ("further.test", "http://further.test/", "7", "add --net-allow further.test@203.0.113.2"),
      ("further.test", "http://further.test/", "7", "add --net-allow further.test@2001:db8:114::9"),
      (
        "'*'", "http://203.0.113.2/", "7",
        "203.0.113.2:80, a private address or one of this machine"
      ),
      (
        "'*'", "http://[2001:db8:114::77]/", "7",
        "[2001:db8:114::77]:80, a private address or one of this machine"
      ),
      ("'*'", "http://10.113.0.7/", "7", "10.113.0.7:80, a private address"),
      (
        "'*'", "http://203.0.113.1/", "7",
        "203.0.113.1:80, a private address or one of this machine"
      ),
      ("'*' --net-deny other.test", "http://other.test/", "6", "as --net-deny denies it"),
      ("'*' --net-deny 203.0.113.8", "http://other.test/", "7", "as --net-deny denies it"),
      ("'*' --net-deny web.test:80", "http://web.test/", "7", "as --net-deny denies it"),
      ("none.test", "http://none.test/", "6", ""),
      ("failing.test", "http://failing.test/", "6", "names, answered with an error"),
      ("'*:*'", "http://10.113.0.7:8080/", "7", "10.113.0.7:8080, a private address"),
      ("'*:*'", "http://private.test:8080/", "7", "add --net-allow private.test:8080@10.113.0.7"),
      (
        "'*:*' --net-deny 203.0.113.8:8080", "http://203.0.113.8:8080/", "7",
        "as --net-deny denies it"
      ),
      ("'web.test:*'", "http://203.0.113.8:8080/", "7", ""),
      (
        "'web.test:*' --net-allow six.test", "http://six.test:8080/", "7",
        "add --net-allow six.test:8080"
      ),
      ("'*:*'", "http://127.0.0.1:8080/", "7", ""), ("'*:*'", "http://[::1]:8080/", "7", ""),
      ("'*:*'", "http://10.0.2.100:1/", "7", ""), ("'*:*'", "http://10.0.2.100:8080/", "7", ""),
      ("web.test", "http://127.0.0.1/", "7", ""), ("web.test", "http://localhost/", "7", ""),
      ("web.test", "http://198.18.77.77/", "7", ""),
    ])
  func refused(_ rules: String, _ address: String, _ status: String, _ message: String) throws {
    let outcome = try run(
      """
      status=0
      box --net-allow \(rules) curl --silent --max-time 20 '\(address)' || status=$?
      # A reset may arrive while curl still connects, or later.
      case $status in 55 | 56) status=7 ;; esac
      echo $status
      """)
    #expect(outcome.output == status, "\(outcome)")
    if message.isEmpty {
      #expect(outcome.errors.isEmpty, "\(outcome)")
    } else {
      #expect(outcome.errors.contains(message), "\(outcome)")
    }
  }

  // Red: a command does not find a host that a rule names, as the host's name servers fail, and nobody is told why.
  @Test(
    "A failure of the host's name servers is told",
    arguments: [
      ("203.0.113.53", "failing.test", "answered with an error", "name-servers-failed"),
      // Nothing listens there.
      ("203.0.113.7", "web.test", "did not answer", "name-servers-silent"),
      // The command ends while the relay waits for the second time.
      ("203.0.113.53", "silent.test", "did not answer", "name-servers-silent"),
    ])
  func unanswered(_ server: String, _ name: String, _ text: String, _ word: String) throws {
    let outcome = try run(
      """
      echo nameserver \(server) >/mnt/resolv.conf
      box --net-allow \(name) --report 3 --net-log 4 curl -s --max-time 3 http://\(name)/ 3>report 4>log && echo reached
      grep -o '"refused": [^]]*' report
      grep -o '"allowed": true, "reason": [^,]*, "found": false' log | sort -u
      # A command that does without is not the host's concern, unless somebody asks.
      for option in "" --explain; do
        box $option --net-allow \(name) sh -c 'curl -s --max-time 3 http://\(name)/ || exit 0' 2>&1 | grep -c 'name servers'
      done
      """)
    let refused =
      #""refused": [{"host": "\#(name)", "port": null, "transport": null, "reason": "\#(word)", "address": null}"#
    let logged = #""allowed": true, "reason": "\#(word)", "found": false"#
    #expect(outcome.lines == [refused, logged, "0", "1"], "\(outcome)")
    #expect(
      outcome.errors
        == "nestbox: the command could not look up \(name): the host's name servers, which /etc/resolv.conf names, \(text)",
      "\(outcome)")
  }

  // Red: connections beyond what the relay can lead are reset, and nobody is told.
  @Test func `Connections for which there is no room are told once, and logged`() throws {
    let outcome = try run(
      """
      ulimit -n 600
      box --net-allow web.test --report 3 --net-log 4 python3 -c 'import socket
      held = []
      for _ in range(80):
        try: held.append(socket.create_connection(("web.test", 80), 20))
        except ConnectionError: raise SystemExit(1)
      while True:
        for s in held:
          try: s.recv(1, socket.MSG_DONTWAIT)
          except BlockingIOError: pass
          except ConnectionError: raise SystemExit(1)' 3>report 4>log
      grep -o '"reason": "too-many"' report
      grep -q '"allowed": false, "reason": "too-many"' log && echo logged
      """)
    #expect(outcome.lines == [#""reason": "too-many""#, "logged"], "\(outcome)")
    #expect(
      outcome.errors.contains("has reset connections, such as one to web.test:80"), "\(outcome)")
  }

  // Red: of a published port nobody is told, or the bound that the message names is another one.
  @Test func `Connections to a published port for which there is no room are told and logged`()
    throws
  {
    let outcome = try run(
      """
      mkfifo up
      box --net-allow web.test --publish 5555:5000 --report 3 --net-log 4 python3 -c '
      import socket
      server = socket.create_server(("127.0.0.1", 5000), backlog=200); print("up", flush=True)
      held = [server.accept()[0] for _ in range(64)]
      for s in held: s.sendall(b"x")
      for s in held: s.recv(1)
      raise SystemExit(1)' >up 3>report 4>log &
      read <up
      python3 -c '
      import socket
      def connection():
        # A reset can come before connect() returns.
        try: return socket.create_connection(("127.0.0.1", 5555), 20)
        except ConnectionError: return None
      held = [connection() for _ in range(90)]
      def answer(s):
        try: return s.recv(1) if s else "reset"
        except ConnectionError: return "reset"
      answers = [answer(s) for s in held]; print(answers.count(b"x"), answers.count("reset"))'
      wait
      grep -o '"reason": "too-many"' report
      grep -c '"from": "127.0.0.1", "port": 5000, .*"allowed": false, "reason": "too-many"' log
      """)
    #expect(outcome.lines == ["64 26", #""reason": "too-many""#, "26"], "\(outcome)")
    let told =
      "nestbox: nestbox has reset connections to published ports, such as one to port 5000 inside: "
      + "it leads at most 64 of these at a time"
    #expect(outcome.errors == told, "\(outcome)")
  }

  // Red: a route that refuses packets is taken for this machine, so that the message names a cause and a remedy
  // that are wrong; or nobody is told why a name whose addresses have no route is not reached.
  @Test(
    "Where a route refuses packets, nothing answers",
    arguments: ["blackhole", "prohibit", "unreachable"])
  func refusedByRoute(_ kind: String) throws {
    let outcome = try run(
      """
      ip route add \(kind) 203.0.113.90; ip -6 route add \(kind) 2001:db8:115::1
      echo 203.0.113.90 hole.test >>/mnt/hosts
      for place in 203.0.113.90 '[2001:db8:115::1]' hole.test; do
        box --net-allow '*' curl -s --max-time 20 http://$place/ && echo reached
      done
      true
      """)
    let places = [
      ("203.0.113.90:80", "203.0.113.90:80"), ("[2001:db8:115::1]:80", "[2001:db8:115::1]:80"),
      ("hole.test:80", "203.0.113.90:80"),
    ]
    let told = places.map { place, address in
      "nestbox: the rules let the command reach \(place), but nothing answers at \(address) outside"
    }
    #expect(outcome.output.isEmpty, "\(outcome)")
    #expect(outcome.errors == told.joined(separator: "\n"), "\(outcome)")
  }

  // Red: a name is not found although one family has its addresses, as the answer about the other was cut and the
  // rest of it is not to be had; or it counts as a name without addresses.
  @Test func `A cut answer without its rest does not hide the addresses of the other family`()
    throws
  {
    let outcome = try run(
      """
      cat >names.py <<'END'
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); print("up", flush=True)
      while True:
        m, sender = s.recvfrom(4096); end = m.index(b"\\0", 12) + 5
        is_cut = m[end - 3] == 1; has = not is_cut and b"half" in m
        record = b"\\xc0\\x0c\\0\\x1c\\0\\1\\0\\0\\0\\x1e\\0\\x10" + socket.inet_pton(socket.AF_INET6, "2001:db8:113::7")
        s.sendto(m[:2] + (b"\\x83" if is_cut else b"\\x81") + b"\\x80\\0\\1\\0" + bytes([has]) + b"\\0\\0\\0\\0" + m[12:end]
                 + (record if has else b""), sender)
      END
      mkfifo up; python3 names.py >up & read <up
      echo nameserver 127.0.0.1 >/mnt/resolv.conf
      box --net-allow half.test curl -s --max-time 20 http://half.test/
      box --net-allow neither.test curl -s --max-time 20 http://neither.test/
      kill $!
      """)
    #expect(outcome.output == "half.test 2001:db8:113::7", "\(outcome)")
    let told =
      "nestbox: the command could not look up neither.test: the host's name servers, which "
      + "/etc/resolv.conf names, answered with an error"
    #expect(outcome.errors == told, "\(outcome)")
  }

  // Red: a program that looks up many names at a time gets failures.
  @Test func `Look-ups beyond 64 at a time wait for their turn`() throws {
    let outcome = try run(
      """
      box --net-allow '*.web.test' python3 -c 'import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("198.18.0.53", 53)); s.settimeout(30)
      for i in range(200):
        name = b"%03d" % i
        s.send(i.to_bytes(2, "big") + b"\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\3" + name + b"\\3web\\4test\\0\\0\\1\\0\\1")
      print(sorted({s.recv(999)[3] & 15 for _ in range(200)}))'
      """)
    #expect(outcome.output == "[3]", "\(outcome)")
  }

  // Red: what the command asked for and did not wait for is not in the log; or a reader that stands still
  // holds the relay for ever, and one that others made non-blocking ends the log.
  @Test func `The log has what nobody waited for, and waits for its reader a bounded time`() throws
  {
    let outcome = try run(
      """
      box --net-allow '*' --net-log 4 python3 -c 'import socket, time
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("198.18.0.53", 53))
      s.send(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6silent\\4test\\0\\0\\1\\0\\1")
      # Read after the first one.
      s.send(b"\\0\\2\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\3web\\4test\\0\\0\\1\\0\\1"); s.recv(999)' 4>log
      grep -o '"name": "silent.test"' log
      cat >ask.py <<'END'
      import socket
      place = socket.gethostbyname("web.test")
      for i in range(100):
        try: socket.socket().connect((place, 1000 + i))
        except OSError: pass
      END
      cat >reader.py <<'END'
      import fcntl, os, subprocess, sys, time
      end, log = os.pipe(); fcntl.fcntl(log, 1031, 4096)
      if sys.argv[1] == "slow": os.set_blocking(log, False)
      words = "nestbox --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc --net-allow web.test".split()
      errors = open("errors", "w+")
      box = subprocess.Popen([*words, "--net-log", str(log), "python3", "ask.py"], pass_fds=[log], stderr=errors)
      os.close(log)
      \(NetworkTests.relays)
      if sys.argv[1] == "slow":
        time.sleep(1); text = b""
        while part := os.read(end, 4096): text += part
        box.wait(); errors.seek(0); print(text.count(b"connection"), "incomplete" in errors.read())
      else:
        box.wait(); stays = bool(relays())
        for _ in range(300):
          if not relays(): break
          time.sleep(0.1)
        print(stays, relays())
      END
      python3 reader.py slow; python3 reader.py stalled
      """)
    #expect(outcome.lines == [#""name": "silent.test""#, "100 False", "True []"], "\(outcome)")
  }

  // Red: after the command's end the relay takes another socket, which has got the number of the one that told of
  // it, for a sign that the command lives, and waits for a reader that stands still for ever.
  @Test func `The log's wait is bounded also where sockets were made after the command's end`()
    throws
  {
    let outcome = try run(
      """
      cat >names.py <<'END'
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); print("up", flush=True)
      told = set()
      while True:
        m, sender = s.recvfrom(4096); end = m.index(b"\\0", 12) + 5; question = m[12:end]
        # Answers that hold no second, and then none.
        if question in told: continue
        told.add(question); has = question[-3] == 1
        record = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4" + socket.inet_aton("203.0.113.7") if has else b""
        s.sendto(m[:2] + b"\\x81\\x80\\0\\1\\0" + bytes([has]) + b"\\0\\0\\0\\0" + question + record, sender)
      END
      cat >ask.py <<'END'
      import socket, time
      a, b = (socket.gethostbyname(name) for name in ("a.test", "b.test"))
      held = []
      def connect(place):
        held.append(socket.socket()); held[-1].setblocking(False); held[-1].connect_ex((place, 80))
      time.sleep(1.5)
      # Their lines do not fit into the pipe, and come when the look-up of a.test has failed. That of b.test goes on.
      for _ in range(60): connect(a)
      time.sleep(1); connect(b); time.sleep(1.5)
      END
      cat >reader.py <<'END'
      import fcntl, os, subprocess, time
      end, log = os.pipe(); fcntl.fcntl(log, 1031, 8192)
      words = "nestbox --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc --net-allow a.test --net-allow b.test".split()
      box = subprocess.Popen([*words, "--net-log", str(log), "python3", "ask.py"], pass_fds=[log], stderr=subprocess.DEVNULL)
      os.close(log)
      \(NetworkTests.relays)
      box.wait(); stays = bool(relays())
      for _ in range(300):
        if not relays(): break
        time.sleep(0.1)
      print(stays, relays())
      END
      mkfifo up; python3 names.py >up & read <up
      echo nameserver 127.0.0.1 >/mnt/resolv.conf
      python3 reader.py; kill $!
      """)
    #expect(outcome.output == "True []", "\(outcome)")
  }

  // Red: a name that no rule covers carries data to a name server of the attacker.
  @Test func `Only names of rules are asked for outside`() throws {
    let outcome = try run(
      """
      box --net-allow web.test bash -c '
        for name in secret.other.test web.test; do getent hosts $name >/dev/null; done
        getent hosts $(printf "secret.%s" web.test) other.test'
      cat /mnt/log
      """)
    let asked = Set(outcome.lines.filter { $0.hasPrefix("asked") })
    #expect(asked == ["asked web.test 1", "asked web.test 28"], "\(outcome)")
  }

  // Red: a service of the host looks names up for the command, or its files send it past the relay.
  @Test func `The sandbox has its own name service`() throws {
    let outcome = try run(
      """
      [ -d /run/nscd ] || mount -t tmpfs tmpfs /run; mkdir -p /run/nscd
      python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("/run/nscd/socket")'
      box --net-allow web.test bash -c '
        cat /etc/resolv.conf; grep ^hosts: /etc/nsswitch.conf | tr -s " "; grep -c 203 /etc/hosts
        [ -S /run/nscd/socket ] && echo socket; ip -brief -4 address | sed "s/  */ /g"'
      """)
    #expect(
      outcome.lines == [
        "nameserver 198.18.0.53", "hosts: files dns", "0", "lo UNKNOWN 127.0.0.1/8 10.0.2.100/32 ",
      ], "\(outcome)")
  }

  // Red: an upload is cut, a program waits for ever, or takes a part for the whole.
  @Test func `Ends and resets pass in both directions`() throws {
    let outcome = try run(
      """
      box --net-allow web.test:7,9,11 python3 -c '
      import socket, struct
      def connect(port): return socket.create_connection(("web.test", port), 20)
      echo = connect(7); echo.sendall(b"x" * 1000000); echo.shutdown(socket.SHUT_WR)
      print(sum(len(block) for block in iter(lambda: echo.recv(65536), b"")))
      reset = connect(9); reset.send(b"x")
      try: print(reset.recv(1))
      except ConnectionResetError: print("reset")
      watch = connect(11); watch.send(b"x"); watch.shutdown(socket.SHUT_WR); print(watch.recv(1))
      watch = connect(11); watch.send(b"x")
      import time; time.sleep(0.3)
      watch.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); watch.close()
      time.sleep(0.5)'
      # On a busy machine the relay may try a second address, which ends unused.
      grep watched /mnt/log | sort -u
      """)
    #expect(
      outcome.lines == ["1000000", "reset", "b''", "watched end", "watched reset"], "\(outcome)")
  }

  // Red: datagrams are lost, or their answers come from another address, which programs drop.
  @Test func `Datagrams and their answers pass where a rule names their port`() throws {
    let outcome = try run(
      """
      box --net-allow web.test:443,4433/udp --net-allow six.test:443/udp --net-allow private.test:443/udp \
        python3 -c '
      import socket
      def ask(name, port, data, family=0):
        family, kind, _, _, address = socket.getaddrinfo(name, port, family, socket.SOCK_DGRAM)[0]
        s = socket.socket(family, kind); s.settimeout(5); s.connect(address); s.send(data)
        try: return s.recv(65535)
        except OSError as error: return type(error).__name__
      four, six = socket.AF_INET, socket.AF_INET6
      print(ask("web.test", 443, b"a", four)[-1:], ask("web.test", 443, b"b", six)[-1:])
      print(ask("six.test", 443, b"c", four))
      print(len(ask("web.test", 4433, b"d" * 60000)) > 60000, ask("web.test", 4433, b"", four)[-1:])
      print(ask("web.test", 80, b"e"))
      one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.settimeout(5)
      targets = [socket.getaddrinfo(name, 443, four)[0][4] for name in ("web.test", "six.test")]
      for index, target in enumerate(targets): one.sendto(b"%d" % index, target)
      print(sorted((address == targets[int(data[-1:])], data[-1:]) for data, address in (one.recvfrom(99), one.recvfrom(99))))
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.5)
      s.sendto(b"f", socket.getaddrinfo("private.test", 443, four)[0][4])
      try: print(s.recv(9))
      except TimeoutError: print("nothing")
      for index in range(2000):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"g", targets[0]); s.close()
      print(ask("web.test", 443, b"h")[-1:])'
      """)
    #expect(
      outcome.lines == [
        "b'a' b'b'", "b'2001:db8:113::7 c'", "True b' '", "ConnectionRefusedError",
        "[(True, b'0'), (True, b'1')]", "nothing", "b'h'",
      ], "\(outcome)")
    #expect(
      outcome.errors.contains("add --net-allow private.test:443@10.113.0.7/udp"), "\(outcome)")
  }

  // Red: nobody is told why datagrams get no answer, or the rule that is named does not help; or a command
  // fills the log or keeps the relay busy with them.
  @Test func `Datagrams to other ports are told, each address and port once`() throws {
    let outcome = try run(
      """
      cat >/mnt/send.py <<'END'
      import socket, sys
      def send(name, port):
        family, kind, _, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_DGRAM)[0]
        s = socket.socket(family, kind)
        for _ in range(3): s.sendto(b"x", address)
      for place in sys.argv[1:]:
        name, port = place.rsplit(":", 1); send(name, int(port))
      END
      told() { sed -n 's/.*add //p' err; grep '"connection"' log | sed -n 's/.*"host": "\\([^"]*\\)", "port": \\([0-9]*\\), "transport": "\\(...\\)".*"reason": "\\(.*\\)".*/\\1 \\2 \\3 \\4/p'; }
      # Servers of the command's own, answers of the name service and HTTP/3 are nobody's concern.
      box --net-allow web.test --net-allow 203.0.113.8 --net-allow web.test:4434/udp --net-log 4 python3 /mnt/send.py \
        web.test:4433 web.test:443 203.0.113.8:4433 web.test:4434 127.0.0.1:4433 ::1:4433 4>log 2>err; told | sort
      rule=$(grep -o 'add .*web.test.*' err | cut -c 5-)
      box --net-allow web.test $rule python3 -c '
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
      s.connect(("web.test", 4433)); s.send(b"answer"); print(s.recv(99)[-6:].decode())'
      # Of a name that a rule leads elsewhere, the suggested rule does the same.
      for pin in a.test=203.0.113.7 a.test:80=203.0.113.7:8080; do
        box --net-allow $pin python3 /mnt/send.py a.test:4433 2>err; rule=$(sed -n 's/.*add //p' err); echo $rule
        box --net-allow $pin $rule python3 -c '
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
      s.connect(("a.test", 4433)); s.send(b"answer"); print(s.recv(99)[-6:].decode())'
      done
      # All ports of TCP are one socket there.
      box --net-allow 'web.test:*' python3 /mnt/send.py web.test:4433 2>err; sed -n 's/.*add //p' err
      # Of many, some are told.
      box --net-allow web.test --net-log 4 python3 -c '
      import socket
      place = socket.gethostbyname("web.test"); s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for port in range(2000, 32000): s.sendto(b"x" * 1000, (place, port))' 4>log 2>err
      grep -c add err; [ $(grep -c '"connection"' log) -le 256 ] && echo bounded
      """)
    #expect(
      outcome.lines == [
        "--net-allow 203.0.113.8:4433/udp", "--net-allow web.test:4433/udp",
        "203.0.113.8 4433 udp port-not-named", "web.test 443 udp port-not-named",
        "web.test 4433 udp port-not-named", "answer",
        "--net-allow a.test:4433=203.0.113.7/udp", "answer",
        "--net-allow a.test:4433=203.0.113.7/udp", "answer", "--net-allow web.test:4433/udp", "16",
        "bounded",
      ], "\(outcome)")
  }

  // Red: a rule is named that the parser refuses, or that leads nowhere.
  @Test func `No rule is suggested for addresses of several hosts, or of none`() throws {
    let outcome = try run(
      """
      cat >/mnt/send.py <<'END'
      import socket, sys
      for place in sys.argv[1:]:
        s = socket.socket(socket.AF_INET6 if ":" in place else socket.AF_INET, socket.SOCK_DGRAM)
        if ":" not in place: s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try: s.sendto(b"x", (place, 1900))
        except OSError: pass
      END
      for rules in "--net-allow *:1900/udp" "--net-allow 203.0.113.255:1900/udp" "--net-allow 203.0.113.255:1901/udp"; do
        box $rules python3 /mnt/send.py 203.0.113.255
      done
      box --net-allow '*:1900/udp' python3 /mnt/send.py 240.1.2.3 255.255.255.255 ff02::1
      box --explain --unshare-net python3 /mnt/send.py 203.0.113.7 240.1.2.3 224.0.0.1 255.255.255.255 ff02::1 fe80::1
      """)
    let counts = [("broadcast", 5), ("multicast", 3), ("reserved", 2), ("link-local", 1)]
    for (kind, count) in counts {
      let text = "\(kind) address, which no rule can allow"
      #expect(outcome.errors.components(separatedBy: text).count == count + 1, "\(outcome)")
    }
    #expect(outcome.errors.components(separatedBy: "--net-allow").count == 2, "\(outcome)")
  }

  // Red: a person who started a server outside is not told why the command does not find it, or the option
  // does not lead there; or the command is told of a port that nobody serves.
  @Test func `--explain names the option that leads to the caller's localhost`() throws {
    let outcome = try run(
      """
      cat >serve.py <<'END'
      import http.server as h, sys
      class Page(h.BaseHTTPRequestHandler):
        def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"outside\\n")
        def log_message(self, *words): pass
      server = h.HTTPServer(("127.0.0.1", 0), Page)
      print(server.server_port, file=open("port", "w"), flush=True); server.serve_forever()
      END
      python3 serve.py & while ! [ -s port ]; do sleep 0.02; done; port=$(cat port)
      for options in "--unshare-net" "--net-allow web.test"; do
        box --explain $options curl -sS http://127.0.0.1:$port/ http://127.0.0.1:9/ 2>&1 | grep 'no network' | sed "s/$port/PORT/g"
      done
      box --net-host $port curl -sS http://host.nestbox.internal:$port/
      box --explain curl -sS http://127.0.0.1:$port/
      """)
    let line =
      "nestbox: no network inside leads to 127.0.0.1 port PORT (curl): --net-host PORT, there "
      + "host.nestbox.internal:PORT"
    #expect(outcome.lines == [line, line, "outside", "outside"], "\(outcome)")
    #expect(!outcome.errors.contains("no network"), "\(outcome)")
  }

  // Red: bytes are lost or the relay keeps them in its memory.
  @Test func `Large transfers arrive whole, also to a slow reader and many at a time`() throws {
    let outcome = try run(
      """
      box --net-allow web.test bash -c '
        sum() { sha256sum | cut -c 1-16; }
        curl -s http://web.test/bytes/200000000 | sum
        curl -s --limit-rate 20M http://web.test/bytes/20000000 | sum
        curl -s --parallel --parallel-max 200 "http://web.test/bytes/100000?[1-200]" | wc -c' &
      relay() { pgrep -f "net-allow web[.]test" -n; }
      wait
      python3 -c '
      import hashlib
      for count in 200000000, 20000000:
        block = bytes(range(256)) * 256
        print(hashlib.sha256((block * (count // len(block) + 1))[:count]).hexdigest()[:16])'
      """)
    let lines = outcome.lines
    try #require(lines.count == 5, "\(outcome)")
    #expect(lines[0] == lines[3] && lines[1] == lines[4] && lines[2] == "20000000", "\(outcome)")
  }

  // Red: a fast stream goes through pipes of the kernel's usual 64 KiB, or none, and takes three times as many calls.
  @Test func `A fast stream goes through wide pipes`() throws {
    let outcome = try run(
      """
      mkfifo hold; chmod 666 hold; exec 3<>hold
      nestbox --unshare-user --ro-bind / / --net-allow web.test sh -c '
        curl -s http://web.test/bytes/200000000 | { head -c 30000000 | wc -c; read line <hold; }' >out &
      monitor=$!
      while ! grep -q 30000000 out; do sleep 0.02; done
      python3 - $(pgrep -P $monitor) <<'END'
      import fcntl, os, sys
      for process in sys.argv[1:]:
        directory = f"/proc/{process}/fd/"
        pipes = [n for n in os.listdir(directory) if os.readlink(directory + n).startswith("pipe:")]
        for number in pipes:
          end = os.open(directory + number, os.O_RDONLY | os.O_NONBLOCK)
          if int(number) > 2: print(fcntl.fcntl(end, 1032) >> 10, "KiB")
      END
      echo go >hold; wait
      """)
    #expect(outcome.lines.contains("256 KiB"), "\(outcome)")
    #expect(!outcome.lines.contains("64 KiB"), "\(outcome)")
  }

  // Red: what a program sends waits in megabytes at the relay, and leaves the processor's caches before it is
  // passed on.
  @Test func `Little of a stream waits at the relay`() throws {
    let outcome = try run(
      """
      box --net-allow web.test:12 python3 -c '
      import socket, struct
      s = socket.create_connection(("web.test", 12)); most = 0
      for _ in range(400):
        s.sendall(bytes(1 << 18))
        # How much the relay takes (tcpi_snd_wnd).
        most = max(most, struct.unpack_from("I", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 228)[0])
      print(0 < most < 500000 or most)'
      """)
    #expect(outcome.lines == ["True"], "\(outcome)")
  }

  // Red: what follows urgent data in a stream that goes through pipes is lost without a word.
  @Test func `What follows urgent data arrives`() throws {
    let outcome = try run(
      """
      box --net-allow web.test:12 python3 -c '
      import socket, time
      s = socket.create_connection(("web.test", 12)); s.sendall(b"a" * 3000000)
      # The relay has moved everything, and waits for more.
      time.sleep(0.5); s.send(b"!", socket.MSG_OOB); time.sleep(0.3)
      s.sendall(b"b" * 1000); s.shutdown(socket.SHUT_WR); s.recv(1)'
      grep counted /mnt/log
      """)
    #expect(outcome.lines == ["counted 3001000"], "\(outcome)")
  }

  // Red: a client that has closed both directions keeps its place for two hours.
  @Test func `The relay soon asks whether a client is still there`() throws {
    let outcome = try run(
      """
      box --net-allow web.test:11 python3 -c '
      import re, socket, subprocess
      s = socket.create_connection(("web.test", 11)); s.send(b"x")
      for _ in range(500):
        seen = subprocess.run(["ss", "-Htno", "sport", "=", ":11"], capture_output=True, text=True).stdout
        timer = re.search(r"keepalive,([0-9]+)", seen)
        if timer: break
      print(timer and int(timer[1]) <= 20)'
      """)
    #expect(outcome.lines == ["True"], "\(outcome)")
  }

  // Red: what a program sends last is lost, as the relay ends with it.
  @Test(
    "What a command has sent arrives after its end", arguments: ["--unshare-pid", "--unshare-ipc"])
  func left(_ option: String) throws {
    let outcome = try run(
      """
      nestbox --unshare-user --ro-bind / / \(option) --net-allow web.test:12 --net-allow web.test:13/udp python3 -c '
      import socket, os
      s = socket.create_connection(("web.test", 12)); s.sendall(b"x" * 3000000)
      d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      d.sendto(b"last", socket.getaddrinfo("web.test", 13, socket.AF_INET)[0][4])
      os._exit(0)'
      for i in $(seq 100); do grep -q counted /mnt/log && grep -q datagram /mnt/log && break; sleep 0.05; done
      grep -E "counted|datagram" /mnt/log | sort
      for i in $(seq 100); do pgrep nestbox >/dev/null || break; sleep 0.05; done
      pgrep -l nestbox
      """)
    #expect(outcome.lines == ["counted 3000000", "datagram last"], "\(outcome)")
  }

  // Red: a server of the command cannot use a port of its own localhost that a rule names.
  @Test func `Localhost inside stays the command's`() throws {
    let outcome = try run(
      """
      box --net-allow web.test:8080 python3 -c '
      import socket
      server = socket.create_server(("127.0.0.1", 8080))
      client = socket.create_connection(("localhost", 8080)); print("own")
      print(socket.create_connection(("web.test", 8080)).getpeername()[0][:7])'
      """)
    #expect(outcome.lines.first == "own" && outcome.lines.count == 2, "\(outcome)")
  }

  // Red: with all ports allowed, a server of the command cannot listen, or gets what is for the outside.
  @Test func `With all ports allowed the command has every port of its own`() throws {
    let outcome = try run(
      """
      box --net-allow '*:*' python3 -c '
      import socket
      servers = [socket.create_server((address, 8080)) for address in ("0.0.0.0",)]
      client = socket.create_connection(("localhost", 8080)); print(servers[0].accept()[1][0])
      client = socket.create_connection(("10.0.2.100", 8080)); print(servers[0].accept()[1][0])
      servers[0].settimeout(1)
      outside = socket.create_connection(("203.0.113.7", 8080)); outside.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
      print(outside.recv(99)[:8])
      try: servers[0].accept(); print("stolen")
      except TimeoutError: print("none")'
      """)
    #expect(outcome.lines == ["127.0.0.1", "10.0.2.100", "b'HTTP/1.0'", "none"], "\(outcome)")
  }

  // Red: datagrams to a published port are lost, or an answer goes to another sender.
  @Test func `A published port of UDP leads to one inside`() throws {
    let outcome = try run(
      """
      mkfifo up
      box --publish 5353:5300/udp --publish 203.0.113.1:5354:5300/udp python3 -c '
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 5300)); print("up", flush=True)
      while True:
        data, sender = s.recvfrom(65535)
        for part in data, b"%d" % len(data): s.sendto(part, sender)' >up &
      read <up
      python3 -c '
      import socket
      def ask(s, address, data):
        s.sendto(data, address)
        answers = [s.recvfrom(65535) for _ in range(2)]
        assert {a for _, a in answers} == {address}, answers
        return answers[0][0] == data and answers[1][0]
      def new(): s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); return s
      a, b = new(), new()
      print(ask(a, ("127.0.0.1", 5353), b"one"), ask(b, ("127.0.0.1", 5353), b"three"), ask(a, ("127.0.0.1", 5353), b"x" * 60000))
      print(ask(a, ("203.0.113.1", 5354), b"other"))
      # Each sender has a socket inside; the one that was not used for longest makes room.
      print(sum(ask(new(), ("127.0.0.1", 5353), b"%d" % n) == b"%d" % len("%d" % n) for n in range(200)))
      print(ask(a, ("127.0.0.1", 5353), b"again"))'
      kill $!; wait
      """)
    #expect(
      outcome.lines == ["b'3' b'5' b'60000'", "b'5'", "200", "b'5'"], "\(outcome)")
  }

  // Red: a command without a network still looks names up through a service of the host.
  @Test(
    "Name services of the host are hidden from every command with a network of its own",
    arguments: ["--unshare-net", "--net-allow web.test", "--publish 5555"])
  func hidden(_ option: String) throws {
    let outcome = try run(
      """
      mkdir /mnt/run; mount --bind /mnt/run /run; mkdir -p /run/nscd /run/systemd/resolve /run/avahi-daemon
      python3 -c '
      import socket
      for path in "nscd/socket", "systemd/resolve/io.systemd.Resolve", "avahi-daemon/socket", "other":
        socket.socket(socket.AF_UNIX).bind("/run/" + path)'
      # Not by find -type, which reads the directory below a mount.
      sockets() { for file in $(find "$@" | sort); do [ ! -S $file ] || echo $file; done; }
      export -f sockets
      box \(option) bash -c 'sockets /run /mnt/run'
      nestbox --unshare-user --ro-bind / / --ro-bind /run /srv \(option) bash -c 'sockets /srv'
      box --share-net bash -c 'sockets /run' | wc -l
      """)
    #expect(
      outcome.lines == [
        "/mnt/run/avahi-daemon/socket", "/mnt/run/nscd/socket", "/mnt/run/other",
        "/mnt/run/systemd/resolve/io.systemd.Resolve", "/run/other", "/srv/other", "4",
      ], "\(outcome)")
  }

  // Red: a packet leaves the machine for a host, a port or a name that no rule names.
  @Test(
    "On the wire a hostile command is seen only where the rules let it go",
    arguments: ["", "--cap-add ALL"])
  func captured(_ option: String) throws {
    let outcome = try run(
      """
      cat >/mnt/capture.py <<'END'
      import signal, socket, struct, sys
      signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
      s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)); s.bind(("near", 3))
      print("ready", flush=True)
      while True:
        data, where = s.recvfrom(65535)
        if where[2] != socket.PACKET_OUTGOING: continue
        if where[1] == 0x0800: kind, target, rest = data[9], socket.inet_ntop(socket.AF_INET, data[16:20]), data[(data[0] & 15) * 4:]
        elif where[1] == 0x86dd: kind, target, rest = data[6], socket.inet_ntop(socket.AF_INET6, data[24:40]), data[40:]
        # Neighbours are looked for by ARP and ICMPv6.
        else: continue
        if kind in (0, 58): continue
        port = struct.unpack(">H", rest[2:4])[0] if kind in (6, 17) else ""
        print("packet", kind, target, port, b"secret" in rest, flush=True)
      END
      python3 /mnt/capture.py >/mnt/packets & capture=$!
      while ! grep -q ready /mnt/packets; do sleep 0.02; done
      # It is seen what would be seen.
      python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"secret", ("203.0.113.8", 99))'
      cat >/mnt/hostile.py <<'END'
      import os, socket, struct, subprocess
      def attempt(body, *words):
        try: body(*words)
        except OSError: pass
      addresses = ["203.0.113.8", "203.0.113.53", "203.0.113.1", "10.113.0.7", "8.8.8.8", "169.254.169.254", "255.255.255.255", "224.0.0.251"]
      def stream(family, address, port):
        with socket.socket(family) as s:
          s.settimeout(0.3); s.connect((address, port)); s.send(b"secret")
      def datagram(family, address, port):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
          attempt(s.setsockopt, socket.SOL_SOCKET, socket.SO_BROADCAST, 1); s.sendto(b"secret", (address, port))
      def raw(family, kind, protocol, target):
        with socket.socket(family, kind, protocol) as s: s.sendto(b"secret" * 20, target)
      # What the command can do to its own network, if it has the capabilities.
      for words in ("link add d0 type dummy", "link set d0 up", "address add 203.0.113.9/24 dev d0", "route add default dev lo",
                    "route replace local 0.0.0.0/0 dev lo", "link add v0 type veth peer name v1"):
        subprocess.run(["ip", *words.split()], stderr=subprocess.DEVNULL)
      for _ in range(2):
        for address in addresses:
          for port in 22, 53, 80, 443:
            attempt(stream, socket.AF_INET, address, port); attempt(datagram, socket.AF_INET, address, port)
          attempt(raw, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP, (address, 0))
          attempt(raw, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW, (address, 0))
        for port in 53, 80: attempt(stream, socket.AF_INET6, "2001:db8:113::7", port); attempt(datagram, socket.AF_INET6, "2001:db8:113::7", port)
        attempt(raw, socket.AF_PACKET, socket.SOCK_DGRAM, 0, ("lo", 0x0800))
        for name in "secret.other.test", "other.test", "secret", "secret.web.test", "53.113.0.203.in-addr.arpa": attempt(socket.getaddrinfo, name, 80)
        for server in "198.18.0.53", "203.0.113.53":
          question = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + b"\\6secret\\4test\\0\\0\\20\\0\\1"
          attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(question, (server, 53)))
        for port in 22, 81, 443, 8080: attempt(lambda: stream(socket.AF_INET, socket.gethostbyname("web.test"), port))
      print(socket.create_connection(("web.test", 80), 5).getpeername()[1])
      END
      box \(option) --net-allow web.test:80 python3 /mnt/hostile.py 2>/mnt/err
      sleep 0.3; kill $capture; wait $capture
      grep packet /mnt/packets | sort -u; grep asked /mnt/log | sort -u
      """)
    // The first is the test's own. Either family may be tried.
    let others = outcome.lines.filter {
      !["packet 6 203.0.113.7 80 False", "packet 6 2001:db8:113::7 80 False"].contains($0)
    }
    #expect(
      others == [
        "80", "packet 17 203.0.113.53 53 False", "packet 17 203.0.113.8 99 True",
        "asked web.test 1", "asked web.test 28",
      ], "\(outcome)")
  }

  // Red: a hostile command steals a port of the relay's, makes it spin, or fills it for others.
  @Test("A hostile command neither gets out nor stops the relay", arguments: ["", "--cap-add ALL"])
  func hostile(_ option: String) throws {
    let outcome = try run(
      """
      cat >/mnt/hostile.py <<'END'
      import errno, os, resource, socket, struct, subprocess
      def attempt(name, body):
        try: body()
        except OSError as error: return
        print("succeeded:", name)
      for address in "203.0.113.8", "10.113.0.7", "203.0.113.1", "127.0.0.1":
        def reach(port=80):
          s = socket.create_connection((address, port), 5); s.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
          if not s.recv(1): raise OSError
        attempt("reach " + address, reach)
      if not os.environ.get("CAPABLE"):
        for port in 53, 80: attempt(f"bind {port}", lambda: socket.socket().bind(("", port)))
      hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
      resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
      held = []
      for _ in range(10000):
        s = socket.socket(); s.setblocking(False)
        try: s.connect(("silent-web.test", 80))
        except OSError: pass
        held.append(s)
      target = socket.getaddrinfo("web.test", 443, socket.AF_INET)[0][4]
      # Ports that nothing serves.
      for port in range(1000, 6000): attempt(f"port {port}", lambda: socket.create_connection((target[0], port), 5))
      for _ in range(10000):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", target); s.close()
      dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for index in range(100000):
        name = f"n{index}".encode()
        dns.sendto(struct.pack(">6H", index & 0xffff, 256, 1, 0, 0, 0) + bytes([len(name)]) + name
          + (b"\\4many" if index % 2 else b"") + b"\\4test\\0\\0\\1\\0\\1", ("198.18.0.53", 53))
        if index % 5 == 0: dns.sendto(os.urandom(index % 600), ("198.18.0.53", 53))
      streams = []
      for _ in range(300):
        s = socket.create_connection(("198.18.0.53", 53)); s.send(b"\\0"); streams.append(s)
      for s in held + streams: s.close()
      END
      nestbox --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc \(option) \
        --setenv CAPABLE "\(option)" --net-allow web.test --net-allow web.test:443/udp --net-allow '*.many.test' \
        --net-allow silent-web.test=203.0.113.250 bash -c '
        python3 /mnt/hostile.py
        # The connections that lead nowhere are given up after seconds.
        for i in $(seq 30); do curl -s --max-time 30 http://web.test/ && break; sleep 1; done; echo $?
        echo settled; sleep 3' >/mnt/out 2>/mnt/err &
      monitor=$!
      # The child comes first, the relay beside it.
      until relay=$(pgrep -P $monitor | sed -n 2p) && [ -n "$relay" ]; do sleep 0.05; done
      # Another sandbox does not notice.
      for i in 1 2 3; do
        box --net-allow other.test curl -sS --max-time 20 http://other.test/
      done
      used() { awk '{print $14 + $15}' /proc/$relay/stat; }
      while grep VmHWM /proc/$relay/status >/mnt/now 2>/dev/null; do
        cp /mnt/now /mnt/peak
        # Processor time in hundredths of a second, when the flood is over.
        if grep -q settled /mnt/out && [ -z "${idle:-}" ]; then before=$(used); sleep 2; idle=$(($(used) - before)); fi
        sleep 0.2
      done
      cat /mnt/out; echo idle "$idle"
      awk '{print $2}' /mnt/peak
      """)
    #expect(outcome.lines.filter { $0.hasPrefix("succeeded") } == [], "\(outcome)")
    #expect(outcome.lines.contains("0") && outcome.output.contains("web.test"), "\(outcome)")
    #expect(outcome.lines.filter { $0 == "other.test ::ffff:203.0.113.8" }.count == 3, "\(outcome)")
    let idle = outcome.lines.first { $0.hasPrefix("idle ") }.flatMap { Int($0.dropFirst(5)) }
    #expect(try #require(idle, "\(outcome)") <= 10, "\(outcome)")
    let peak = try #require(Int(outcome.lines.last ?? ""), "\(outcome)")
    // AddressSanitizer keeps what was freed.
    #if !ADDRESS_SANITIZER
      #expect(peak < 20_000, "\(outcome)")
    #endif
  }

  // Red: a process or a namespace is left behind, or the network opens when the relay is gone.
  @Test("Nothing is left, whatever is killed", arguments: ["relay", "monitor", "command"])
  func killed(_ victim: String) throws {
    let outcome = try run(
      """
      mkfifo hold; chmod 666 hold
      nestbox --unshare-user --unshare-pid --die-with-parent --ro-bind / / --net-allow web.test \
        sh -c 'found=$(getent hosts web.test) && echo up; cat hold; getent hosts web.test || echo no name; curl -s http://203.0.113.7/ || echo no address' \
        >out 2>err &
      monitor=$!
      exec 3<>hold
      while ! grep -q up out; do sleep 0.05; done
      relay=$(pgrep -P $monitor | sed -n 2p); command=$(pgrep -x cat | head -n 1)
      case \(victim) in
        relay) kill -9 $relay; sleep 0.3; echo go >hold & exec 3>&- ;;
        monitor) kill -9 $monitor ;;
        command) kill -9 $command; exec 3>&- ;;
      esac
      wait $monitor
      for i in $(seq 100); do pgrep nestbox >/dev/null || break; sleep 0.05; done
      pgrep -l nestbox
      cat out; grep -c 'relay has ended' err
      """)
    switch victim {
    case "relay":
      #expect(outcome.lines == ["up", "go", "no name", "no address", "1"], "\(outcome)")
    case "monitor": #expect(outcome.lines == ["up", "0"], "\(outcome)")
    default: #expect(outcome.lines.first == "up" && outcome.lines.last == "0", "\(outcome)")
    }
  }

  // Red: a part of an answer passes for the whole, as the end of a killed relay ends connections in order.
  @Test func `A killed relay resets what it led to`() throws {
    let outcome = try run(
      """
      nestbox --unshare-user --unshare-pid --ro-bind / / --net-allow web.test:11 --publish 8090:9090 python3 -uc '
      import socket
      served = socket.create_server(("127.0.0.1", 9090)); print("up")
      watch = socket.create_connection(("web.test", 11), 20); watch.send(b"x")
      inner, _ = served.accept(); inner.send(b"part")
      for connection in watch, inner:
        try: print("inside", connection.recv(9) or "end")
        except ConnectionResetError: print("inside reset")' >inside 2>err &
      monitor=$!
      while ! grep -q up inside; do sleep 0.02; done
      python3 -uc '
      import socket
      outer = socket.create_connection(("127.0.0.1", 8090), 20)
      print("outside", outer.recv(4))
      try: print("outside", outer.recv(4) or "end")
      except ConnectionResetError: print("outside reset")' >outside &
      client=$!
      while ! grep -q part outside; do sleep 0.02; done
      while ! ss -Htn state established dport = :11 | grep -q .; do sleep 0.02; done
      kill -9 $(pgrep -P $monitor | sed -n 2p)
      wait $client; wait $monitor
      for i in $(seq 500); do ! grep -q watched /mnt/log || break; sleep 0.02; done
      cat inside outside; grep watched /mnt/log | sort -u
      """)
    #expect(
      outcome.lines == [
        "up", "inside reset", "inside reset", "outside b'part'", "outside reset", "watched reset",
      ], "\(outcome)")
  }

  // Red: a command that does not use the network pays for a process; or one that does gets none, or a
  // second one.
  @Test func `The relay starts when the command first uses the network`() throws {
    let outcome = try run(
      """
      mkfifo hold; chmod 666 hold; exec 3<>hold
      nestbox --unshare-user --ro-bind / / --net-allow web.test --net-allow web.test:443/udp \
        sh -c 'echo up; read line <hold; found=$(getent hosts web.test); echo used; read line <hold' >out 2>err &
      monitor=$!
      while ! grep -q up out; do sleep 0.02; done
      pgrep -P $monitor | wc -l
      echo go >hold
      while ! grep -q used out; do sleep 0.02; done
      pgrep -P $monitor | wc -l
      echo go >hold; wait $monitor; cat err
      # The first use may also be the last thing that a command does.
      for words in "" --unshare-pid; do
        nestbox --unshare-user $words --ro-bind / / --net-allow web.test --net-allow web.test:443/udp \
          --net-log 4 python3 -c 'import socket; socket.getaddrinfo("web.test", 80)' 4>log$words
        grep -c look-up log$words
      done
      """)
    #expect(outcome.lines.prefix(2) == ["1", "2"], "\(outcome)")
    #expect(outcome.lines.count == 4 && !outcome.lines.suffix(2).contains("0"), "\(outcome)")
  }

  // Red: what the raw sockets hold from before the relay's filter is told: connections to ports that are
  // served, those on localhost, or the rest of a connection.
  @Test func `Of packets from before the relay's filter, attempts at other ports alone are told`()
    throws
  {
    let outcome = try run(
      """
      mkfifo hold; chmod 666 hold; exec 3<>hold
      cat >/mnt/burst.py <<'END'
      import socket
      print("up", flush=True); open("hold").readline()
      server = socket.create_server(("127.0.0.1", 9000)); client = socket.create_connection(("127.0.0.1", 9000)); peer, _ = server.accept()
      for _ in range(20): client.sendall(b"x"); peer.sendall(b"y")
      client.close(); peer.close(); kept = []
      for address, port in (("203.0.113.8", 80), ("203.0.113.8", 4431), ("203.0.113.8", 443), ("127.0.0.1", 9001), ("203.0.113.8", 4432)):
        kept.append(socket.socket()); kept[-1].setblocking(False); kept[-1].connect_ex((address, port))
      print("sent", flush=True); open("hold").readline()
      END
      nestbox --unshare-user --ro-bind / / --net-allow 203.0.113.8 --net-log 4 python3 /mnt/burst.py >out 2>err 4>log &
      monitor=$!
      while ! grep -q up out; do sleep 0.02; done
      # It starts the relay.
      kill -STOP $monitor; echo go >hold
      while ! grep -q sent out; do sleep 0.02; done
      pgrep -P $monitor | wc -l; kill -CONT $monitor
      while ! grep -q 4432 log; do sleep 0.02; done
      echo go >hold; wait $monitor
      sed -n 's/.*add //p' err; sed -n 's/.*"port": \\([0-9]*\\),.*"allowed": false.*/\\1/p' log
      """)
    #expect(
      outcome.lines == [
        "1", "--net-allow 203.0.113.8:4431", "--net-allow 203.0.113.8:4432", "4431", "4432",
      ], "\(outcome)")
  }

  // Red: a relay that cannot start leaves programs waiting, or nobody is told.
  @Test func `Without a relay the command reaches nothing, at once, and the user is told`() throws {
    let outcome = try run(
      """
      mkfifo hold; chmod 666 hold; exec 3<>hold
      nestbox --unshare-user --ro-bind / / --net-allow 203.0.113.7 \
        sh -c 'echo up; read line <hold; curl -s --max-time 20 http://203.0.113.7/; echo $?; curl -s http://203.0.113.7/; echo $?' >out 2>err &
      monitor=$!
      while ! grep -q up out; do sleep 0.02; done
      # The monitor has no room for another descriptor.
      free=0; while [ -e /proc/$monitor/fd/$free ]; do free=$((free + 1)); done
      prlimit --pid $monitor --nofile=$free
      echo go >hold; wait $monitor
      cat out err
      """)
    let lines = outcome.lines
    try #require(lines.count == 4, "\(outcome)")
    #expect(["7", "56"].contains(lines[1]) && lines[2] == "7", "\(outcome)")
    #expect(
      lines[3].hasPrefix("nestbox: Can't start the helper network-relay: ")
        && lines[3].hasSuffix("; the command does not reach the network"), "\(outcome)")
  }

  // Red: each launch leaves a dead process where process 1 does not reap, as in some containers.
  @Test func `A launch reaps its relay`() throws {
    let outcome = try run(
      """
      python3 -c '
      import ctypes, subprocess
      ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
      for words in [], ["--unshare-pid"]:
        for _ in range(5):
          subprocess.run(["nestbox", "--unshare-user", *words, "--ro-bind", "/", "/", "--net-allow", "web.test", "true"])
      print(open("/proc/thread-self/children").read().split())'
      """)
    #expect(outcome.output == "[]", "\(outcome)")
  }

  // Red: in a container that lacks something, a launch fails, or does not say what is missing.
  @Test(
    "Where the machine lacks something, rules work, or the message names it",
    arguments: [
      // Root has no user namespace.
      ("", "web.test", "web.test ::ffff:203.0.113.7"),
      (
        "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys", "web.test",
        "web.test ::ffff:203.0.113.7"
      ),
      ("refuse EAFNOSUPPORT arg0 == AF_INET6", "web.test", "web.test ::ffff:203.0.113.7"),
      // Sockets of packets.
      (
        "refuse EPERM 'arg1 & 15 == 3 and arg0 != AF_NETLINK'", "web.test",
        "web.test ::ffff:203.0.113.7"
      ),
      // The packet filter, which only all ports need.
      (
        "refuse EPROTONOSUPPORT arg0 == AF_NETLINK and arg2 == 12", "web.test",
        "web.test ::ffff:203.0.113.7"
      ),
      (
        "refuse EPROTONOSUPPORT arg0 == AF_NETLINK and arg2 == 12", "'web.test:*'",
        "name up to 1024 ports: --net-allow NAME:22,80,443"
      ),
    ])
  func poor(_ preparation: String, _ rule: String, _ expected: String) throws {
    let outcome = try run(
      """
      echo 'default allow' >policy
      refuse() { local error=$1; shift; echo "errno $error socket if $*" >>policy; }
      \(preparation)
      # The outer sandbox changes nothing but what its policy says.
      nestbox --dev-bind / / --cap-add ALL --seccomp-policy policy \
        nestbox --ro-bind / / --dev /dev --proc /proc --net-allow \(rule) curl -4 -sS http://web.test/ 2>&1
      """)
    // The relay takes the address that answers first.
    let other = expected.replacing("::ffff:203.0.113.7", with: "2001:db8:113::7")
    #expect([expected, other].contains { outcome.output.contains($0) }, "\(outcome)")
  }

  // Red: a launch fails without IPv6, which many machines have switched off.
  @Test func `Without IPv6 names have addresses of IPv4 alone`() throws {
    let outcome = try run(
      """
      echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
      box --net-allow web.test bash -c 'curl -s http://web.test/; getent ahosts web.test | cut -d. -f1 | sort -u'
      """)
    #expect(
      outcome.lines.first == "web.test ::ffff:203.0.113.7", "\(outcome)")
  }
}
