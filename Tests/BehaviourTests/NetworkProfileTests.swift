// SPDX-License-Identifier: Apache-2.0
// The profiles network and host-network, on a machine whose internet is one other host
// (Programs/world.sh): which addresses, ports and sockets a command reaches under each.

import Foundation
import TestSupport
import Testing

@Suite("Profiles of the network", .needs("python3"), .needs("ip"))
struct NetworkProfileTests {
  /// Services of the machine itself, and a program that says what it reaches.
  private static let scene = """
    cat >serve.py <<'END'
    import socket, threading
    servers = [socket.create_server(("127.0.0.1", 4000)), socket.create_server(("203.0.113.1", 4001))]
    servers.append(socket.socket(socket.AF_UNIX)); servers[2].bind("\\0hidden"); servers[2].listen()
    def serve(server):
      while True: server.accept()[0].sendall(b"here")
    for server in servers: threading.Thread(target=serve, args=(server,), daemon=True).start()
    open("ready", "w").close(); threading.Event().wait()
    END
    cat >probe.py <<'END'
    import socket, sys
    def stream(family, address):
      client = socket.socket(family); client.settimeout(20); client.connect(address)
      if address[1] in (80, 443, 8080, 30000): client.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
      return client.recv(9)
    def datagram(name, port):
      family, kind, _, _, address = socket.getaddrinfo(name, port, socket.AF_INET, socket.SOCK_DGRAM)[0]
      client = socket.socket(family, kind); client.settimeout(5); client.connect(address); client.send(b"x")
      return client.recv(99)
    probes = {
      "name": lambda: stream(socket.AF_INET, ("web.test", 80)),
      "other-port": lambda: stream(socket.AF_INET, ("web.test", 30000)),
      "address": lambda: stream(socket.AF_INET, ("203.0.113.8", 8080)),
      "address-6": lambda: stream(socket.AF_INET6, ("2001:db8:113::7", 443)),
      "http-3": lambda: datagram("web.test", 443), "other-udp": lambda: datagram("web.test", 4433),
      "localhost": lambda: stream(socket.AF_INET, ("127.0.0.1", 4000)),
      "own": lambda: stream(socket.AF_INET, ("203.0.113.1", 4001)),
      "own-name": lambda: stream(socket.AF_INET, ("own.test", 4001)),
      "local": lambda: stream(socket.AF_INET, ("10.113.0.7", 80)),
      "local-name": lambda: stream(socket.AF_INET, ("private.test", 80)),
      "abstract": lambda: stream(socket.AF_UNIX, "\\0hidden"),
    }
    reached = []
    for name, probe in probes.items():
      try:
        if probe(): reached.append(name)
      except OSError: pass
    print(*reached)
    END
    python3 serve.py & while ! [ -e ready ]; do sleep 0.02; done
    box() { nestbox "$@" --read probe.py python3 probe.py; }
    # A kernel without nf_tables.
    printf '%s\\n' 'default allow' 'errno EPROTONOSUPPORT socket if arg0 == AF_NETLINK and arg2 == 12' >without-filter.policy
    old() { nestbox --dev-bind / / --seccomp-policy ./without-filter.policy nestbox "$@"; }

    """

  private static let internet = "name other-port address address-6 http-3"
  private static let everything =
    "name other-port address address-6 http-3 other-udp localhost own own-name local local-name"

  private func run(_ script: String) throws -> Outcome {
    let session = try Session()
    for name in ["world.sh", "internet.py"] {
      try session.write(
        name, String(contentsOfFile: ProfileTests.programs + "/" + name, encoding: .utf8))
    }
    try session.write("script", NetworkProfileTests.scene + script)
    return try session.run("bash world.sh bash script")
  }

  // Red: under network a command reaches the machine's own services or its local network, or it does not
  // reach the internet; under host-network it reaches something else than the profile says.
  @Test(
    "A command reaches what the first lines of the profile say, and nothing else",
    arguments: [
      ("--profile network", internet), ("--profile browser --chdir $HOME/project", internet),
      ("--profile build --profile network", internet),
      ("--profile host-network", everything), ("--profile certificates", ""),
      ("--profile network --net-host 4000", internet),
      ("--profile network --net-allow 10.113.0.0/24", internet + " local local-name"),
      ("--profile network --net-deny web.test", "address address-6"),
      (
        "--profile network --net-deny 2001:db8::/32 --net-deny web.test:30000",
        "name address http-3"
      ),
    ])
  func reached(_ options: String, _ expected: String) throws {
    let outcome = try run("mkdir -p project; cp probe.py project; cd project; box \(options)")
    #expect(outcome.lines == [expected] || outcome.output == expected, "\(outcome)")
  }

  // Red: a later option is ignored, and a command has a network that somebody took from it.
  @Test(
    "Of two options about the network the later one counts",
    arguments: [
      ("--profile network --unshare-net", ""),
      ("--profile browser --chdir $HOME --unshare-net", ""),
      ("--profile network --profile offline", ""),
      ("--profile network --unshare-all", internet),
      // The addresses of name servers belong to host-network.
      ("--profile network --share-net", "address address-6 localhost own local abstract"),
      ("--profile network --profile host-network", everything),
      ("--profile browser --chdir $HOME --profile host-network", everything),
      ("--profile host-network --profile network", internet),
      ("--profile host-network --unshare-net", ""),
      ("--profile network --unshare-net --net-allow web.test", "name"),
      // Rules of a profile that builds on another one with a network namespace stay.
      ("--profile rules", "name"),
    ])
  func later(_ options: String, _ expected: String) throws {
    let outcome = try run(
      """
      mkdir -p ~/.config/nestbox/profiles
      echo '--unshare-net' >~/.config/nestbox/profiles/offline.profile
      printf '%s\\n' '--net-allow web.test' '--profile base' >~/.config/nestbox/profiles/rules.profile
      printf '%s\\n' '--profile untrusted' '--unshare-net' >~/.config/nestbox/profiles/base.profile
      box \(options)
      """)
    #expect(outcome.lines == [expected] || outcome.output == expected, "\(outcome)")
  }

  // Red: typed rules and the host's network come together, and the rules do nothing.
  @Test func `Typed rules and the host's network are a mistake`() throws {
    let outcome = try run(
      """
      box --profile network --net-allow web.test --profile host-network; echo $?
      box --profile network --net-deny web.test --share-net; echo $?
      printf '%s\\n' '--net-allow web.test' '--profile host-network' >both.profile
      box --profile ./both.profile; echo $?
      """)
    #expect(outcome.lines == ["125", "125", "125"], "\(outcome)")
    let message =
      "nestbox: --net-allow cannot be combined with --share-net (profile host-network:8) after it"
    #expect(
      outcome.errors.split(separator: "\n").map {
        String($0).replacing("./both.profile:1: ", with: "")
      }
        == [message, "nestbox: --net-deny needs --net-allow", message], "\(outcome)")
  }

  // Red: a sandbox with the host's network silently loses it, and reaches nothing.
  @Test("Of what follows the host's network, rules and other networks alone take its place")
  func kept() throws {
    let outcome = try run(
      """
      mkdir -p ~/.config/nestbox/profiles
      printf '%s\\n' '--profile host-network' '--publish 8080' >~/.config/nestbox/profiles/served.profile
      printf '%s\\n' '--profile host-network' >~/.config/nestbox/profiles/plain.profile
      try() { box "$@" 2>&1 | sed "1s/^.*profile:2: //" | head -n 1; }
      try --profile host-network --publish 8080:80
      try --publish 8080:80 --profile host-network
      try --profile host-network --network lab
      try --profile plain --publish 8080:80
      try --profile served
      try --publish 8080:80 --profile host-network --network lab
      try --net-allow web.test --profile host-network --publish 8080:80
      try --profile host-network --net-link
      # Rules say themselves what is reached, and so does a profile.
      try --profile host-network --net-allow web.test --publish 8080:80
      try --profile host-network --publish 8080:80 --profile network
      """)
    let share = "--share-net (profile host-network:8)"
    let publish = "--publish cannot be combined with \(share)"
    #expect(
      outcome.lines == [
        "nestbox: \(publish) before it", "nestbox: \(publish) after it",
        "nestbox: --network cannot be combined with \(share) before it",
        "nestbox: \(publish) before it", "\(publish) before it",
        "nestbox: --network cannot be combined with \(share) before it",
        "nestbox: \(publish) before it", NetworkProfileTests.everything, "name",
        NetworkProfileTests.internet,
      ], "\(outcome)")
  }

  // Red: where a command finds nothing, nobody is told why, or the rule that is named does not help.
  @Test func `What was refused is told, and the rule that is named helps`() throws {
    let outcome = try run(
      """
      nestbox --profile network curl -sS --max-time 20 http://private.test/ 2>err
      rule=$(sed -n 's/.*add //p' err); echo "$rule"
      nestbox --profile network $rule curl -sS --max-time 20 http://private.test/
      """)
    #expect(
      outcome.lines == ["--net-allow private.test@10.113.0.7", "private.test ::ffff:10.113.0.7"],
      "\(outcome)")
  }

  // Red: a proxy on localhost makes every request fail, and nobody is told why, or the line does not help.
  @Test func `A proxy on localhost is told, with the line that leads there`() throws {
    let outcome = try run(
      """
      # It answers everything itself.
      python3 -c '
      import http.server as h
      class Proxy(h.BaseHTTPRequestHandler):
        def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"by proxy\\n")
        def log_message(self, *words): pass
      server = h.HTTPServer(("127.0.0.1", 0), Proxy); print(server.server_port, flush=True); server.serve_forever()' >port &
      while ! [ -s port ]; do sleep 0.02; done
      export http_proxy=http://127.0.0.1:$(cat port) HTTPS_PROXY=localhost:$(cat port)
      nestbox --profile network curl -sS --max-time 20 http://web.test/ 2>err; echo $?
      grep "names a proxy" err; line=$(sed -n 's/^nestbox: remedy: //p' err); echo "$line" | sed "s/$(cat port)/PORT/g"
      eval "$line"
      # A password is not repeated.
      http_proxy=http://name:password@127.0.0.1:3128 HTTPS_PROXY= nestbox --profile network true
      """)
    #expect(
      outcome.lines == [
        "7",
        "nestbox: http_proxy names a proxy on your localhost, which the command does not reach; --net-host "
          + "leads there",
        "nestbox --profile network --net-host PORT --setenv http_proxy http://host.nestbox.internal:PORT "
          + "--setenv HTTPS_PROXY host.nestbox.internal:PORT curl -sS --max-time 20 http://web.test/",
        "by proxy",
      ], "\(outcome)")
    #expect(outcome.errors.isEmpty, "\(outcome)")
  }

  // Red: on a kernel without nf_tables the profile does not start, or nobody is told what is missing, or a
  // rule that must hold does not.
  @Test func `Without the packet filter the usual ports are reached, and a message says so`() throws
  {
    let outcome = try run(
      """
      old --profile network --read probe.py python3 probe.py
      old --profile network --net-allow web.test:30000 --read probe.py python3 probe.py 2>/dev/null
      old --net-allow '*:*' true; echo $?
      old --profile network --net-allow '*:*' true; echo $?
      """)
    #expect(
      outcome.lines == [
        "name address-6 http-3", "name other-port address-6 http-3", "125", "125",
      ], "\(outcome)")
    let lines = outcome.errors.split(separator: "\n")
    #expect(
      outcome.errors.contains(
        "so --net-allow-try '*:*' is ignored: of TCP the command reaches the ports alone that other rules "
          + "name. To reach another, add --net-allow HOST:PORT"), "\(outcome)")
    #expect(
      lines.count { $0.contains("the kernel cannot lead all ports to one") } == 2, "\(outcome)")
  }
}
