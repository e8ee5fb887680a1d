// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Network
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
      draft.sandbox.network.allowed.append(typed.setting(try typed.networkRule(0, denies: false)))
      draft.sandbox.namespaces.others.insert(.network)
    },
    Option(
      "--net-deny", [.rule], in: .network, "Refuse what RULE names, whatever --net-allow says",
      """
      RULE is a host, or a host and ports, as for --net-allow. Without ports it means all of them, and
      without `/tcp` or `/udp` both. A network is also refused to names that lead there.

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
      let text = Array("host.nestbox.internal:".utf8) + typed.text(0).bytes + "=127.0.0.1".utf8
      draft.sandbox.network.allowed.append(
        typed.setting(try Occurrence.networkRule(ByteString(text), denies: false)))
      draft.sandbox.namespaces.others.insert(.network)
    },
    Option(
      "--publish", [.publishedPort], in: .network, "Let a port of the host lead to one inside",
      """
      The operand is `PORT`, `PORT:INSIDE` or `ADDRESS:PORT:INSIDE`, by TCP, or with `/udp` at its end by
      UDP; an IPv6 address is in brackets. Without INSIDE it is the same port, and without ADDRESS only
      programs of this machine can connect. The command's server must listen on 127.0.0.1 or on all
      addresses. At most 64 connections at a time, and 64 who send datagrams. The option makes a new
      network namespace.

          nestbox --publish 8080:8000 python3 -m http.server 8000
      """
    ) { (draft, typed) throws(UsageError) in
      do throws(NetworkRule.Mistake) {
        draft.sandbox.network.published.append(typed.setting(try PublishedPort(typed.text(0))))
      } catch {
        throw UsageError(error.message)
      }
      draft.sandbox.namespaces.others.insert(.network)
    },
    Option(
      "--net-log", [.descriptor], in: .network, "Write look-ups and connections to FD",
      """
      Each is a line of JSON with `time` in seconds and `event`. A `look-up` has `name`, `allowed`,
      `reason` and `found`; a `connection`, written when it ends, has `host`, `port`, `transport`,
      the `address` outside, `allowed`, and `reason` or `connected`, `sent` and `received`, in bytes.
      nestbox waits for a reader that is slow. The log says what the command asked for: keep it from
      other users.

          nestbox --net-allow example.org --net-log 3 curl https://example.org/ 3>log
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.networkLog = typed.setting(try typed.output(0))
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
    _ text: ByteString, denies: Bool
  ) throws(UsageError) -> NetworkRule {
    do throws(NetworkRule.Mistake) {
      return try NetworkRule(text, denies: denies)
    } catch {
      throw UsageError(error.message)
    }
  }
}
