// SPDX-License-Identifier: Apache-2.0
// --network: sandboxes that share a network, seen from its members, from other sandboxes and from the host.

import Foundation
import TestSupport
import Testing

@Suite("Networks between sandboxes", .needs("python3"), .needs("ip"))
struct MemberTests {
  /// Starts members and asks them, by Python.
  ///
  /// It adopts the holder, which no launch waits for.
  private static let driver = """
    import ctypes, json, os, select, signal, socket, subprocess, sys, time
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    os.mkdir("run", 0o700); os.environ["XDG_RUNTIME_DIR"] = os.path.abspath("run")
    BOX = ["nestbox", "--unshare-user", "--unshare-pid", "--die-with-parent", "--ro-bind", "/", "/",
           "--dev", "/dev", "--proc", "/proc"]
    # Answers each connection with its name and the address of who asks, and each datagram to port 9 with its name.
    SERVER = '''
    import select, socket, sys
    tcp = socket.create_server(("", int(sys.argv[2])))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("", 9))
    print("up", flush=True)
    while True:
      for ready in select.select([tcp, udp], [], [])[0]:
        if ready is udp:
          _, sender = udp.recvfrom(99); udp.sendto(sys.argv[1].encode(), sender)
        else:
          s, sender = tcp.accept(); s.sendall((sys.argv[1] + " " + sender[0]).encode()); s.close()
    '''
    # What other programs inside use: get(host), which says who answered.
    CLIENT = '''
    import errno, os, socket, struct, sys, time
    def get(host, port=80):
      try:
        with socket.create_connection((host, port), 5) as s: return s.recv(99).decode()
      except socket.gaierror: return "no such name"
      except OSError as error: return "unreachable"
    '''
    def start(*words):
      child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
      child.first = child.stdout.readline().strip()
      if not child.first: print("did not start:", child.stderr.read())
      return child
    def serve(name, *options, network="lab", port=80):
      return start(*BOX, "--network", network, "--name", name, *options, "python3", "-c", SERVER, name, str(port))
    def run(program, *options):
      done = subprocess.run([*BOX, *options, "python3", "-c", CLIENT + program], capture_output=True, text=True)
      return (done.stdout + done.stderr).strip()
    def ask(program, *options): return run(program, "--network", "lab", *options)
    def end(*members, how=signal.SIGTERM):
      for member in members: member.send_signal(how)
      for member in members: member.wait(60)
    def listed(*words):
      return json.loads(subprocess.run(["nestbox", *(words or ["--list"]), "--json"], check=True,
                                       capture_output=True, text=True).stdout)
    def members(): return {x["name"]: x["address"] for n in listed()["networks"] for x in n["members"]}
    def holders():
      # Of the processes here, those that this program has not started.
      own = {x.pid for x in subprocess._active} | {x.pid for x in globals().values() if isinstance(x, subprocess.Popen)}
      for x in globals().values():
        if isinstance(x, list): own |= {y.pid for y in x if isinstance(y, subprocess.Popen)}
      return [x for x in map(int, open("/proc/thread-self/children").read().split()) if x not in own]
    def until(condition):
      for _ in range(3000):
        if condition(): return True
        time.sleep(0.02)
      return False
    def gone():
      # Nothing of a network is left: no process, and no socket where launches look.
      def over():
        try: os.waitpid(-1, os.WNOHANG)
        except ChildProcessError: pass
        return not holders()
      return until(over) and os.listdir("run/nestbox/.networks") == []

    """

  private func run(_ program: String, as user: User = .ordinary) throws -> Outcome {
    let outcome = try Session(as: user).python(MemberTests.driver + program)
    #expect(outcome.errors.isEmpty && outcome.status == 0, "\(outcome)")
    return outcome
  }

  // Red: members do not find each other, cannot both serve one port as an ordinary user, or do not see who
  // asks; or others reach them.
  @Test func `Members serve port 80 each and are found by name; others reach neither`() throws {
    let outcome = try run(
      """
      a, b = serve("a"), serve("b"); place = members()
      print(*[ask(f"print(get('{host}'))") for host in ("a", "B", "a.lab", "b.lab", "c", place["a"])], sep="\\n")
      print(ask("import socket; print(get('a').split()[1] == socket.create_connection(('b', 80)).getsockname()[0])"))
      for options in [["--unshare-net"], ["--network", "other"], []]:
        words = [f"get('{host}')" for host in ("a", "a.lab", place["a"], place["b"])]
        print(run(f"print({', '.join(words)}, sep='|')", *options))
      end(a, b); print(gone())
      """)
    // Who answered, and that it saw an address of the network.
    let answers = outcome.lines.map { $0.replacing(/\ 10\.77\.0\.[2-9]$/, with: " client") }
    let none = "no such name|no such name|unreachable|unreachable"
    #expect(
      answers == [
        "a client", "b client", "a client", "b client", "no such name", "a client", "True",
        none, none, none, "True",
      ], "\(outcome)")
  }

  // Red: names of one network in other capitals, which DNS does not tell apart, lead to another one.
  @Test func `Names of networks that differ in capitals alone mean the same network`() throws {
    let outcome = try run(
      """
      a = serve("a"); b = serve("b", network="LAB")
      print(run("print(get('a').split()[0], get('b.lab').split()[0], get('b.LAB').split()[0])", "--network", "Lab"))
      print([n["name"] for n in listed()["networks"]]); end(a, b); print(gone())
      """)
    #expect(outcome.lines == ["a b b", "['lab']", "True"], "\(outcome)")
  }

  // Red: with rules or published ports a member loses its ports, or others reach the host by it.
  @Test func `With rules and published ports a member keeps all its ports`() throws {
    let outcome = try run(
      """
      out = socket.create_server(("127.0.0.1", 0)); port = out.getsockname()[1]
      free = socket.create_server(("127.0.0.1", 0)); published = free.getsockname()[1]; free.close()
      outside = subprocess.Popen(["python3", "-c", "import socket, sys\\ns = socket.socket(fileno=int(sys.argv[1]))\\n"
        "while True:\\n  c, _ = s.accept(); c.sendall(b'host'); c.close()", str(out.fileno())], pass_fds=[out.fileno()])
      a = serve("a", "--net-allow", f"out.test=127.0.0.1:{port}", "--publish", f"{published}:80")
      b = serve("b")
      print(ask("print(get('a').split()[0])"))
      print(socket.create_connection(("127.0.0.1", published), 5).recv(99).decode().split()[0])
      rule = ["--net-allow", f"out.test=127.0.0.1:{port}"]
      print(ask(f"print(get('out.test', {port}), get('b').split()[0], get('b.lab').split()[0], get('other.test'))", *rule).split("\\n")[0])
      # A rule that covers members' names does not hide them.
      for rules in ["*"], ["b:80"]:
        print(ask("print(get('b').split()[0], get('b.lab').split()[0])", "--net-allow", *rules).split("\\n")[0])
      # What leads a's command to the host leads no other member there.
      place = members()["a"]
      print(ask(f"print(get('out.test'), get('{place}', {port}), get('{place}', 53), get('198.18.0.53', 53))"))
      outside.kill(); end(a, b, outside); print(gone())
      """)
    #expect(
      outcome.lines == [
        "a", "a", "host b b no such name", "b b", "b b",
        "no such name unreachable unreachable unreachable",
        "True",
      ], "\(outcome)")
  }

  // Red: of many questions about names of members at a time some get no answer; or a host outside is asked for a
  // member's name, as the network's name service does not answer.
  @Test func `With rules, each of many questions about members gets an answer`()
    throws
  {
    let outcome = try run(
      """
      a = serve("a"); [holder] = holders()
      program = r'''
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("198.18.0.53", 53)); s.settimeout(20)
      def burst(count):
        for i in range(count): s.send(bytes.fromhex(f"{i:04x}0100000100000000000001" + "6100" + "00010001"))
        answers = [s.recv(999) for _ in range(count)]
        print(len({x[:2] for x in answers}), {x[3] & 15 for x in answers}, flush=True)
      burst(200)
      while not os.path.exists("stopped"): time.sleep(0.02)
      # More than are asked at a time.
      burst(70)
      '''
      child = start(*BOX, "--network", "lab", "--net-allow", "*", "python3", "-c", CLIENT + program)
      print(child.first)
      os.kill(holder, signal.SIGSTOP); open("stopped", "w").close(); print(child.stdout.readline().strip())
      os.kill(holder, signal.SIGCONT); child.wait(60)
      print(ask("print(get('a').split()[0])", "--net-allow", "*").split("\\n")[0])
      end(a); print(gone())
      """)
    #expect(outcome.lines == ["200 {0}", "70 {2}", "a", "True"], "\(outcome)")
  }

  // Red: a member that has left is still found, or has another address when it returns.
  @Test func `Members leave and return`() throws {
    let outcome = try run(
      """
      a, b = serve("a"), serve("b"); place = members()["a"]
      end(a); print(sorted(members()), ask("print(get('a'), get('b').split()[0])"))
      a = serve("a"); print(members()["a"] == place, ask("print(get('a').split()[0])"))
      # The number of its interface is free for another at once, however it ended.
      end(a, how=signal.SIGKILL); print(until(lambda: sorted(members()) == ["b"]))
      a = serve("a"); print(members()["a"] == place, ask("print(get('a').split()[0])"))
      end(a, b); print(gone(), listed()["networks"])
      """)
    #expect(
      outcome.lines == ["['b'] no such name b", "True a", "True", "True a", "True []"], "\(outcome)"
    )
  }

  // Red: a namespace that outlives its processes, as the kernel removes it later, answers for the member that has
  // returned: who connects is refused there.
  @Test func `A member that returns answers alone, while its old namespace is still there`()
    throws
  {
    let outcome = try run(
      """
      def last(process):
        below = open(f"/proc/{process}/task/{process}/children").read().split()
        return last(below[-1]) if below else process
      a, b = serve("a"), serve("b"); place = members()["a"]
      held = os.open(f"/proc/{last(a.pid)}/ns/net", os.O_RDONLY)
      end(a, how=signal.SIGKILL); print(until(lambda: sorted(members()) == ["b"]))
      a = serve("a"); print(members()["a"] == place)
      print({ask("print(get('a').split()[0], get('b').split()[0])") for _ in range(20)})
      os.close(held); end(a, b); print(gone())
      """)
    #expect(outcome.lines == ["True", "True", "{'a b'}", "True"], "\(outcome)")
  }

  // Red: a network that has lost its holder keeps later launches out, or says nothing.
  @Test func `After the holder was killed the next member starts another`() throws {
    let outcome = try run(
      """
      a, b = serve("a"), serve("b"); [first] = holders()
      os.kill(first, signal.SIGKILL); os.waitpid(first, 0)
      def end_with_it():
        # The processes that receive for the holder.
        for x in holders(): os.waitpid(x, os.WNOHANG)
        return holders() == []
      print(until(end_with_it))
      print(a.stderr.readline().strip())
      c = serve("c"); [second] = holders()
      print(sorted(members()), ask("print(get('c').split()[0], get('a'))"), a.poll(), b.poll())
      end(a, b, c); print(gone())
      # Its socket is no network.
      a = serve("a"); [third] = holders(); os.kill(third, signal.SIGKILL); end(a); os.waitpid(third, 0)
      print(os.listdir("run/nestbox/.networks"), listed()["networks"], os.listdir("run/nestbox/.networks"))
      """)
    #expect(
      outcome.lines == [
        "True",
        "nestbox: The network lab has ended, as its holder has; no member reaches another any more",
        "['c'] c no such name None None", "True", "['lab'] [] []",
      ], "\(outcome)")
  }

  // Red: a network takes few members, or a broadcast does not reach all of them.
  @Test func `Fifty members see a broadcast, and all are found by name`() throws {
    let outcome = try run(
      """
      # Another user's, as each launch takes one of 200 keys that a user has.
      if os.geteuid() == 0: os.chown("run", 61500, 61500); os.setgroups([]); os.setgid(61500); os.setuid(61500)
      everyone = [subprocess.Popen([*BOX, "--network", "lab", "--name", f"m{n}", "python3", "-c", SERVER, f"m{n}", "80"],
                                   stdout=subprocess.PIPE, text=True) for n in range(50)]
      print(sum(x.stdout.readline().strip() == "up" for x in everyone))
      print(len(set(members().values())), len(holders()))
      print(ask('''
      print(sum(get(f"m{n}").split()[0] == f"m{n}" for n in range(50)))
      for address in "255.255.255.255", "10.77.255.255":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.settimeout(30); s.sendto(b"who", (address, 9))
        print(len({s.recv(99) for _ in range(50)}))
      '''))
      end(*everyone); print(gone())
      """, as: User.isRoot ? .root : .ordinary)
    #expect(outcome.lines == ["50", "50 1", "50", "50", "50", "True"], "\(outcome)")
  }

  // Red: a killed monitor leaves a process, a member or a network behind.
  @Test func `After SIGKILL of the monitor nothing is left`() throws {
    let outcome = try run(
      """
      a = serve("a"); [inside] = [x["process"] for x in listed()["sandboxes"] if x["name"] == "a"]
      os.kill(a.pid, signal.SIGKILL); a.wait()
      print(gone(), os.path.exists(f"/proc/{inside}"), listed()["networks"])
      """)
    #expect(outcome.lines == ["True False []"], "\(outcome)")
  }

  // Red: a person does not learn who is in a network, or where.
  @Test func `--list and --inspect show networks, members and addresses`() throws {
    let outcome = try run(
      """
      a, b = serve("a"), serve("b", network="other"); place = members()
      box = {x["name"]: x for x in listed()["sandboxes"]}
      print([box[x]["member-of"] for x in "ab"], [box[x]["address"] == place[x] for x in "ab"])
      print([(n["name"], [(m["name"], m["launcher"] == a.pid) for m in n["members"]]) for n in listed()["networks"]])
      text = subprocess.run(["nestbox", "--list"], capture_output=True, text=True).stdout
      print([x.split() == ["lab", place["a"], "a", str(a.pid)] for x in text.split("\\n") if x.startswith("lab")])
      text = subprocess.run(["nestbox", "--inspect", "a"], capture_output=True, text=True).stdout
      print([x.strip() == f"member of lab: a, {place['a']}" for x in text.split("\\n") if "member of" in x])
      # Those who enter are in the network as well.
      print(subprocess.run(["nestbox", "--enter", "a", "python3", "-c", CLIENT + "print(get('a').split()[1])"],
                           capture_output=True, text=True).stdout.strip() == place["a"])
      end(a, b); print(gone())
      """)
    #expect(
      outcome.lines == [
        "['lab', 'other'] [True, True]",
        "[('lab', [('a', True)]), ('other', [('b', False)])]", "[True]", "[True]", "True", "True",
      ], "\(outcome)")
  }

  // Red: --explain says that no network leads to a member which has answered that nothing listens there.
  @Test func `Under --explain a closed port of a member is the member's own refusal`() throws {
    let outcome = try run(
      """
      a = serve("a"); place = members()["a"]
      words = "import socket; print([socket.socket().connect_ex((x, 81)) for x in ('%s', '192.0.2.1')])" % place
      said = ask(words, "--explain"); print(said.split("\\n")[0]); print(place in said, "192.0.2.1" in said)
      end(a); print(gone())
      """)
    #expect(outcome.lines == ["[111, 101]", "False True", "True"], "\(outcome)")
  }

  // Red: a person is not told that no member has the name, or told so of one that is found.
  @Test func `--explain names a look-up of a name that no member has`() throws {
    let outcome = try run(
      """
      a = serve("a")
      words = "print([get(x) for x in ('a', 'a.lab', 'b', 'b.lab', 'b.test', 'localhost')][2:5])"
      said = ask(words, "--explain").split("\\n"); print(said[0])
      print(*sorted(x for x in said if "member" in x or "no network" in x), sep="\\n")
      report = json.loads(ask("get('b')", "--explain", "--json")); print([(x["what"], x["subject"]) for x in report["findings"] if "no-" in x["what"]])
      end(a); print(gone())
      """)
    let none = "nestbox: no member of the network is called"
    #expect(
      outcome.lines == [
        "['no such name', 'no such name', 'no such name']",
        "\(none) b now (python3): nestbox --list shows the members",
        "\(none) b.lab now (python3): nestbox --list shows the members",
        "nestbox: no network inside leads to b.test (python3): --net-allow b.test",
        "[('no-member', 'b')]", "True",
      ], "\(outcome)")
  }

  // Red: a command changes its network or takes another's place, learns from the holder, or ends it.
  @Test(
    "A hostile member takes no other's place", arguments: ["", "--cap-add ALL", "--net-allow *"])
  func hostile(_ options: String) throws {
    let outcome = try run(
      """
      a = serve("a"); place = members()["a"]; [holder] = holders()
      print(ask('''
      import subprocess
      def attempt(name, body):
        try: result = body()
        except OSError: return
        print("succeeded:", name, result)
      place, holder = sys.argv[1:3]
      for words in ([["link", "set", "eth0", "down"], ["link", "set", "eth0", "address", "02:6e:0a:4d:00:09"],
                     ["address", "add", place + "/16", "dev", "eth0"], ["link", "add", "x", "type", "dummy"],
                     ["route", "add", "default", "via", place], ["neighbour", "add", place, "lladdr", "02:00:00:00:00:01", "dev", "eth0"]]):
        if subprocess.run(["ip", *words], capture_output=True).returncode == 0: print("succeeded: ip", words)
      attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 17))
      attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
      def forge(level, option):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(level, option, 1)
        s.bind((place, 0)); s.sendto(b"x", ("10.77.0.1", 53)); return s.getsockname()
      attempt("free bind", lambda: forge(0, 15)); attempt("transparent", lambda: forge(0, 19))
      attempt("device", lambda: socket.socket().setsockopt(socket.SOL_SOCKET, 36, 7))
      for name, value in ("ip_nonlocal_bind", "1"), ("conf/eth0/proxy_arp", "1"), ("conf/all/route_localnet", "1"):
        attempt(name, lambda: open("/proc/sys/net/ipv4/" + name, "w").write(value))
      attempt("IPv6", lambda: open("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "w").write("0"))
      # The name service of the holder's address is the holder's alone, and it has no other port.
      print([get("10.77.0.1", port) for port in (22, 53, 80)])
      ''' .replace("sys.argv[1:3]", repr((place, str(holder)))), *\(options.isEmpty ? "[]" : "'\(options)'.split()")))
      print(ask(f"print(get('a').split()[0], get('{place}').split()[0])"), holder in holders())
      end(a); print(gone())
      """)
    var lines = outcome.lines
    // What --net-allow says at the end of refusals.
    lines.removeAll { $0.hasPrefix("nestbox: ") }
    #expect(
      lines == ["['unreachable', 'unreachable', 'unreachable']", "a a True", "True"], "\(outcome)")
  }

  // Red: another member believes that a datagram comes from somewhere else than from a member, or from another one.
  @Test(
    "What a member sends comes from its own address",
    arguments: ["", "--cap-add ALL", "--net-allow *", "--net-allow 198.51.100.0/24:80"])
  func source(_ options: String) throws {
    let outcome = try run(
      """
      a = serve("a")
      hears = start(*BOX, "--network", "lab", "--name", "b", "python3", "-c", '''
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 7777)); print("up", flush=True)
      while True: print(*(x for x in s.recvfrom(99)[1][:1]), flush=True)''')
      place = members()
      print(ask('''
      a, b = sys.argv[1:3]
      sent = 0
      def send(prepare, source, to=b):
        global sent
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try: prepare(s, source); s.sendto(b"x", (to, 7777)); sent += 1
        except OSError: pass
      def bound(s, source): s.bind((source, 0))
      def freely(s, source): s.setsockopt(0, 15, 1); s.bind((source, 0))
      def through(s, source): s.setsockopt(socket.SOL_SOCKET, 25, b"eth0"); freely(s, source)
      def said(source, to):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        place = socket.inet_aton(source)
        try: s.sendmsg([b"x"], [(0, 8, struct.pack("=I4s4s", 0, place, place))], 0, (to, 7777))
        except OSError: pass
      for source in a, "10.77.0.1", "203.0.113.9", "198.51.100.9", "198.18.0.53", "10.0.2.100", "127.0.0.1":
        for prepare in bound, freely, through: send(prepare, source)
        send(freely, source, "10.77.255.255"); said(source, b)
      # What is honest arrives last.
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((b, 7777)); s.send(b"x"); print(s.getsockname()[0])
      ''' .replace("sys.argv[1:3]", repr((place["a"], place["b"]))), *\(options.isEmpty ? "[]" : "'\(options)'.split()")).split("\\n")[0])
      print(hears.stdout.readline().strip())
      hears.kill(); print(hears.stdout.read().split()); end(a, hears); print(gone())
      """)
    #expect(
      outcome.lines.count == 4 && outcome.lines.first == outcome.lines.dropFirst().first,
      "\(outcome)")
    #expect(outcome.lines.dropFirst(2) == ["[]", "True"], "\(outcome)")
  }

  // Red: on a machine that lacks something, a member starts without what was promised, or nobody is told what is
  // missing.
  @Test(
    "Where the machine lacks something, a network works, or the message names it",
    arguments: [
      ("", "served a"),
      ("refuse EAFNOSUPPORT arg0 == AF_INET6", "served a"),
      ("refuse EPERM 'arg1 & 15 == 3 and arg0 != AF_NETLINK'", "served a"),
      // The packet filter.
      ("refuse EPROTONOSUPPORT arg0 == AF_NETLINK and arg2 == 12", "served a"),
      ("mount -t tmpfs none /proc/sys/net/ipv6", "served a"),
      (
        "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys",
        "nestbox: --network: the command cannot listen on ports below 1024, as /proc/sys is read-only here"
      ),
      (
        "mount -t tmpfs none /proc/sys/net",
        "nestbox: cause: /proc/sys/net is masked or read-only here"
      ),
      (
        "refuse EPROTONOSUPPORT arg0 == AF_NETLINK and arg2 == 0",
        "nestbox: cause: a filter refuses the sockets by which a process sets up its network, as in some containers"
      ),
      ("refuse EPERM arg0 == AF_NETLINK", "nestbox: cause: a filter refuses the sockets by which"),
    ])
  func poor(_ preparation: String, _ expected: String) throws {
    let session = try Session()
    try session.write(
      "script",
      """
      mount -t proc proc /proc; ip link set lo up
      export XDG_RUNTIME_DIR=$PWD/run; mkdir -m 700 run
      echo 'default allow' >policy
      refuse() { local error=$1; shift; echo "errno $error socket if $*" >>policy; }
      \(preparation)
      nestbox --dev-bind / / --cap-add ALL --seccomp-policy policy \\
        nestbox --unshare-user --ro-bind / / --dev /dev --proc /proc --network lab --name a python3 -c '
      import socket
      server = socket.create_server(("", 80)); client = socket.create_connection(("a", 80), 5)
      print("served a")' 2>&1
      """)
    let outcome = try session.run(
      "unshare --user --map-root-user --net --mount --pid --fork --kill-child bash script")
    #expect(outcome.output.contains(expected), "\(outcome)")
  }

  // Red: a command joins a network by the holder's socket, or reads what the holder knows of its launcher.
  @Test func `The holder answers no command, and shows none of its memory`() throws {
    let outcome = try run(
      """
      os.environ["SECRET"] = "of the launcher"
      a = serve("a"); [holder] = holders(); before = members()
      program = '''
      import array, os, socket, time
      for message in b"\\\\x01squatter", b"\\\\x02", b"", b"\\\\xff" * 4000:
        for own in [], [os.open("/proc/self/ns/user", os.O_RDONLY)], [os.open("/dev/null", os.O_RDONLY)]:
          s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout(20)
          s.connect("run/nestbox/.networks/lab")
          try:
            socket.send_fds(s, [message], own)
            if s.recv(9999) not in (b"", b"\\x04"): print("answered", message)
          except ConnectionError: pass
          except TimeoutError:
            if message: print("not closed", message)
      # More than the holder keeps, each silent.
      held = []
      for _ in range(300):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect("run/nestbox/.networks/lab"); held.append(s)
      for name in "mem", "environ", "maps", "fd", "ns/net", "root", "cwd":
        path = f"/proc/HOLDER/{name}"
        try: print("read", name, os.readlink(path) if name[:2] in ("ns", "ro", "cw") else os.listdir(path) if name == "fd" else len(open(path, "rb").read(9)))
        except OSError: pass
      print("tried", flush=True); time.sleep(1000)
      '''.replace("HOLDER", str(holder))
      # With the host's processes and the directory of the networks in sight.
      hostile = start("nestbox", "--unshare-user", "--unshare-net", "--die-with-parent", "--cap-add", "ALL", "--dev-bind", "/", "/",
                      "python3", "-c", program)
      print(hostile.first, members() == before)
      print(ask("print(get('a').split()[0], get('squatter'))"))
      end(hostile, how=signal.SIGKILL); end(a); print(gone())
      """)
    #expect(outcome.lines == ["tried True", "a no such name", "True"], "\(outcome)")
  }

  // Red: who sends the holder a descriptor that takes long to close stops the network for that time.
  @Test func `A descriptor that takes long to close does not stop the network`() throws {
    let outcome = try run(
      """
      a = serve("a")
      # The process that closes the last descriptor of such a connection waits for an hour.
      program = '''
      import os, signal, socket, struct, time
      server = socket.create_server(("127.0.0.1", 0))
      def send(s, message):
        child = os.fork()
        if child:
          time.sleep(0.2); os.kill(child, signal.SIGKILL); return os.wait()
        client = socket.create_connection(server.getsockname()); client.setblocking(False)
        try:
          while True: client.send(bytes(1 << 16))
        except BlockingIOError: pass
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
        try: socket.send_fds(s, [message], [client.fileno()])
        finally: os.close(client.detach()); os._exit(0)
      for messages in [b"\\x01x"], [b""], [b"\\x02", b"\\x02"], [b"\\x01x"] * 9:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect("run/nestbox/.networks/lab")
        for message in messages: send(s, message)
        s.close()
      print("sent", flush=True); time.sleep(1000)
      '''
      hostile = start("nestbox", "--unshare-user", "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/", "python3", "-c", program)
      print(hostile.first, *members(), ask("print(get('a').split()[0])"))
      end(hostile, how=signal.SIGKILL); end(a); print(gone())
      """)
    #expect(outcome.lines == ["sent a a", "True"], "\(outcome)")
  }

  // Red: a launch joins the namespaces of a command that can write where the sockets are, and that has every
  // capability there.
  @Test func `A command does not pass for a holder`() throws {
    let outcome = try run(
      """
      subprocess.run(["mkdir", "-p", "-m", "700", "run/nestbox", "run/nestbox/.networks"])
      hostile = start(*BOX, "--cap-add", "ALL", "--bind", "run", os.path.abspath("run"), "python3", "-c", '''
      import os, socket
      s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind("run/nestbox/.networks/lab"); s.listen()
      print("up", flush=True)
      while True:
        c, _ = s.accept()
        try:
          if c.recv(99): print("asked", flush=True)
          for kind in "user", "net":
            socket.send_fds(c, [bytes([0, 10, 77, 0, 9])], [os.open("/proc/self/ns/" + kind, os.O_RDONLY)])
        except OSError: pass
      ''')
      done = subprocess.run([*BOX, "--network", "lab", "true"], capture_output=True, text=True)
      print(done.returncode, done.stderr.split("\\n")[0], listed()["networks"])
      end(hostile, how=signal.SIGKILL); print(repr(hostile.stdout.read()))
      # Its socket does not keep others out.
      a = serve("a"); end(a); print(gone())
      """)
    #expect(
      outcome.lines == [
        "125 nestbox: Can't join the network lab: Operation not permitted (--network, connect) []",
        "''",
        "True",
      ], "\(outcome)")
  }

  // Red: two members go by one name, or a mistake starts a sandbox without the network that was asked for.
  @Test func `Mistakes are told before the command starts`() throws {
    let outcome = try run(
      """
      a = serve("a")
      def mistake(*words):
        done = subprocess.run([*BOX, *words, "true"], capture_output=True, text=True)
        print(done.returncode, done.stderr.replace(str(a.pid), "PID").replace("\\n", "|"))
      mistake("--network", "lab", "--name", "A")
      mistake("--network", "lab", "--name", "a..b")
      mistake("--network", "a/b")
      mistake("--network", "localhost")
      mistake("--network", "host")
      mistake("--network", "lab", "--net-allow", "10.0.0.0/8")
      mistake("--network", "lab", "--share-net")
      user = os.open("/proc/self/ns/user", os.O_RDONLY); os.set_inheritable(user, True)
      done = subprocess.run([*BOX[:1], *BOX[2:], "--network", "lab", "--userns", str(user), "true"], capture_output=True,
                            text=True, close_fds=False)
      print(done.returncode, done.stderr.replace("\\n", "|"))
      # From within another sandbox.
      done = subprocess.run([*BOX, "--bind", "run", os.path.abspath("run"), "nestbox", "--network", "lab", "--unshare-user", "--ro-bind", "/", "/", "true"],
                            capture_output=True, text=True)
      print(done.returncode, done.stderr.replace("\\n", "|"))
      end(a); print(gone())
      """)
    #expect(
      outcome.lines == [
        "125 nestbox: Can't join the network lab: File exists (--network, recvmsg)|nestbox: cause: a member of the "
          + "network has that name, or one that differs in capitals alone|nestbox: hint: nestbox --list shows the "
          + "members|",
        "125 nestbox: --name: no host can be called a..b, as members of --network are|",
        "125 nestbox: --network: a/b cannot be the name of a network; choose one of letters, "
          + "digits, dots, dashes and underscores, such as lab|",
        "125 nestbox: --network: localhost cannot be the name of a network; choose one of letters, "
          + "digits, dots, dashes and underscores, such as lab|",
        "125 nestbox: --network: a network cannot have the name host; to share the host's network, leave "
          + "--network out, and for no network at all, type --unshare-net|",
        "125 nestbox: --net-allow: 10.0.0.0/8 covers addresses of --network, 10.77.0.0/16|",
        "125 nestbox: --network cannot be combined with --share-net after it|",
        "125 nestbox: --network cannot be combined with --userns: the kernel lets a process join a network only "
          + "from new namespaces below those of the network's holder, which nestbox makes with the maps of one id. "
          + "Leave out --userns; --uid and --gid choose the id|",
        "125 nestbox: Can't join the network lab: Operation not permitted (--network, recvmsg)|nestbox: cause: the "
          + "network was started in another user namespace, outside of this container or sandbox|nestbox: hint: "
          + "choose another name, or start all members in one place|",
        "True",
      ], "\(outcome)")
  }

  // Red: another user joins a network, or keeps its owner out of it.
  @Test(.asRoot) func `Another user cannot join`() throws {
    let outcome = try Session(as: .root).python(
      MemberTests.driver + """
        os.chmod("run", 0o755);
        a = serve("a"); place = members()["a"]
        other = ["setpriv", "--reuid=65500", "--regid=65500", "--clear-groups"]
        done = subprocess.run([*other, *BOX, "--network", "lab", "true"], capture_output=True, text=True)
        print(done.returncode, done.stderr.split("\\n")[0])
        done = subprocess.run([*other, "python3", "-c",
          "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect('run/nestbox/.networks/lab')"],
          capture_output=True, text=True)
        print(done.stderr.strip().split("\\n")[-1])
        end(a); print(gone())
        """)
    #expect(
      outcome.lines == [
        "125 nestbox: Can't join the network lab: Permission denied (--network, open)",
        "PermissionError: [Errno 13] Permission denied", "True",
      ], "\(outcome)")
  }
}
