// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Network
internal import Running
internal import Sandbox
internal import Text

extension Option {
  static let network: [Option] = [
    Option(
      "--net-allow", [.rule], in: .network, "Let the command reach what RULE names",
      """
      RULE is a host and, after a colon, ports: `example.org`, `example.org:22`,
      `example.org:80,8000-8010`. Without ports it means 80 and 443. A host is a name; `*.NAME` for all
      names below one, at any depth; an address; a network such as `192.0.2.0/24`; or `*` for every
      name and address that is not private. Write an IPv6 address in brackets if ports follow.
      `example.org:*` allows all ports of TCP; for that the kernel needs nf_tables and nft_tproxy.

      A rule is for TCP, or for UDP if it ends with `/udp`: `example.org:443/udp`.

      A name that leads to a private address or to one of this machine is refused.
      `NAME@NETWORK` permits one in that network. `NAME=ADDRESS` leads to an address whatever DNS
      says, and `NAME=ADDRESS:PORT` to a port there: so the command reaches a service on the
      caller's localhost.

      The option may be repeated, and makes a new network namespace.

          nestbox --ro-bind / / --net-allow example.org curl https://example.org/
          nestbox --ro-bind / / --net-allow api.test=127.0.0.1:8080 curl http://api.test:8080/
      """
    ) { (draft, typed) throws(UsageError) in
      draft.allow(typed.setting(try typed.networkRule(0, denies: false)))
    },
    Option(
      "--net-allow-try", [.rule], in: .network, "The same, as far as the kernel can",
      """
      The same as --net-allow, but a rule for all ports, such as `*:*`, is ignored if the kernel lacks
      nf_tables or nft_tproxy. nestbox says so when the command starts.

          nestbox --net-allow '*:22,80,443' --net-allow-try '*:*' curl http://example.org:8080/
      """
    ) { (draft, typed) throws(UsageError) in
      draft.allow(
        typed.setting(try Occurrence.networkRule(typed.text(0), denies: false, isTried: true)))
    },
    Option(
      "--net-deny", [.rule], in: .network, "Refuse what RULE names, whatever --net-allow says",
      """
      RULE is a host, or a host and ports, as for --net-allow. Without ports it means all of them, and
      without `/tcp` or `/udp` both. A network is also refused to names that lead there. Members of a
      --network reach each other all the same.

          nestbox --ro-bind / / --net-allow '*' --net-deny '*.example.org' curl https://example.com/
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.network.denied.append(typed.setting(try typed.networkRule(0, denies: true)))
    },
    Option(
      "--net-host", [.ports], in: .network, "Let the command reach PORTS of the caller's localhost",
      """
      They are those of the host `host.nestbox.internal`, by TCP. The same as
      `--net-allow host.nestbox.internal:PORTS=127.0.0.1`.

          nestbox --net-host 8080 curl http://host.nestbox.internal:8080/
      """
    ) { (draft, typed) throws(UsageError) in
      let ports = typed.text(0)
      guard !ports.bytes.contains(UInt8(ascii: ":")) else {
        throw UsageError("expected ports, such as 8080 or 8000-8010, found \(ports.quoted)")
      }
      let text = Array((NetworkRule.callersHost + ":").utf8) + ports.bytes + "=127.0.0.1".utf8
      draft.allow(typed.setting(try Occurrence.networkRule(ByteString(text), denies: false)))
    },
    Option(
      "--publish", [.publishedPort], in: .network, "Let a port of the host lead to one inside",
      """
      The operand is `PORT`, `PORT:INSIDE` or `ADDRESS:PORT:INSIDE`, by TCP, or with `/udp` at its end by
      UDP; an IPv6 address is in brackets. Without INSIDE it is the same port, and without ADDRESS only
      programs of this machine can connect. The command's server must listen on 127.0.0.1 or on all
      addresses. At most 64 connections at a time, and 64 who send datagrams. The option makes a new
      network namespace; with the host's network, the server's port is the host's without it. If nestbox
      is killed by SIGKILL, the sandbox and its published ports go on, unless --die-with-parent is given.

          nestbox --publish 8080:8000 python3 -m http.server 8000
      """
    ) { (draft, typed) throws(UsageError) in
      do throws(NetworkRule.Mistake) {
        draft.sandbox.network.published.append(typed.setting(try PublishedPort(typed.text(0))))
      } catch {
        throw UsageError(error.message)
      }
      draft.makeNetwork(for: typed.option)
    },
    Option(
      "--network", [.network], in: .network, "Share a network of its own with other sandboxes",
      """
      Sandboxes of one user that name the same NAME, which is written like a sandbox's, are members of one
      network, which ends with its last member. Each member has an address (10.77.X.Y, the interface eth0) and
      all ports: several can serve port 80. It reaches all ports of the others; broadcasts and multicasts
      reach all. By IPv4 only. Nothing else reaches the network, and the command reaches nothing else,
      unless --net-allow or --publish says so.

      A member that has a name by --name is found by it, in the forms `web` and `web.lab`, also where a rule of
      --net-allow covers that name; a name has the same address in each sandbox. --list and --inspect show networks, members and addresses.

      No member can take another's address or see what is sent to others, even with capabilities: the
      command has no right over its network, and --cap-add gives none. Where `/proc/sys` is read-only, ports
      below 1024 are closed, and nestbox says so. With --net-allow, a port that a rule names is taken at the
      address 0.0.0.0 if it is of UDP, or if the kernel lacks nf_tables. Makes a new network namespace below a
      process of nestbox that holds the network.

          nestbox --network lab --name web --unshare-pid --ro-bind / / --dev /dev --proc /proc python3 -m http.server 80 &
          nestbox --network lab --ro-bind / / curl http://web/
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      guard SandboxName.isValid(typed.text(0)),
        let name = DomainName(text: typed.text(0).bytes[...]), !name.isLocalhost
      else {
        throw UsageError(
          "\(typed.text(0).quoted) cannot be the name of a network; choose one of letters, digits, "
            + "dots, dashes and underscores, such as lab")
      }
      // Other programs mean something else by these.
      if name.text == "host" || name.text == "none" {
        throw UsageError(
          "a network cannot have the name \(typed.text(0).quoted); to share the host's network, leave "
            + "--network out, and for no network at all, type --unshare-net")
      }
      // Programs look names up in either case.
      draft.sandbox.network.shared = typed.setting(ByteString(name.bytes))
      draft.makeNetwork(for: typed.option)
    },
    Option(
      "--net-link", in: .network, "Show programs a network link besides lo",
      """
      Some programs, such as browsers, take a machine whose only interface is lo for one without a network,
      although --net-allow lets them reach hosts. They see an interface eth0 with an address and a default
      route. It leads nowhere: what --net-allow does not name is refused as without it. The option has no
      effect where the sandbox has the host's network, or has eth0 by --network.

          nestbox --net-allow example.org --net-link --ro-bind / / --dev /dev --proc /proc chromium
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.network.link = typed.option },
    Option(
      "--net-link-try", in: .network, "The same with --net-allow, if the kernel can",
      """
      The same as --net-link where --net-allow lets the command reach something and the kernel has pairs of
      interfaces (veth). Otherwise it has no effect. The profile desktop has it.

          nestbox --net-allow example.org --net-link-try --ro-bind / / --dev /dev --proc /proc chromium
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.network.triesLink = true },
    Option(
      "--net-log", [.descriptor], in: .network, "Write look-ups and connections to FD",
      """
      Each is a line of JSON with `time` in seconds and `event`. A `look-up` has `name`, `allowed`,
      `reason` and `found`; a `connection`, written when it ends, has `host`, `port`, `transport`,
      the `address` outside, `allowed`, and `reason` or `connected`, `sent` and `received`, in bytes.
      `published` is the same of a connection to a port of --publish, by TCP: instead of `host` and
      `address` it has `from`, the address of who has connected, and its `port` is the one inside.
      nestbox waits for a reader that is slow. Once the command has ended, it waits 10 seconds for each line and a
      minute for all of them, and then the log ends without a word. If data is still to be sent, the line of a connection may come up to a
      minute after the command's end. Datagrams to a port that no rule names are a `connection` for
      the first of each address and port, up to 256 of each family. The log says what the command asked for: keep it from
      other users.

      A command that connects in a loop does not fill the disk: a file takes 64 MiB of lines, of which 16 MiB
      are for connections to ports of --publish. A pipe takes any number. If a line cannot be written, the log ends there. The command's connections go on, and nestbox says so at
      the end; so does `net-log-ended-because` of --report.

          nestbox --net-allow example.org --net-log 3 curl https://example.org/ 3>log
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      let log = try typed.output(0)
      guard log > 2 else {
        throw UsageError(
          "\(String(log)) is the command's own; type --net-log 3, and 3>FILE at the end of the line, or "
            + "3>&2 for standard error")
      }
      draft.sandbox.channels.networkLog = typed.setting(log)
    },
  ]
}

extension Occurrence {
  /// The word at `index` as a rule about the network.
  fileprivate func networkRule(
    _ index: Int, denies: Bool
  ) throws(UsageError) -> NetworkRule {
    try Occurrence.networkRule(text(index), denies: denies)
  }

  fileprivate static func networkRule(
    _ text: ByteString, denies: Bool, isTried: Bool = false
  ) throws(UsageError) -> NetworkRule {
    do throws(NetworkRule.Mistake) {
      return try NetworkRule(text, denies: denies, isTried: isTried)
    } catch {
      throw UsageError(error.message)
    }
  }
}
