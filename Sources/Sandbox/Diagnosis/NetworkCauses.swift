// SPDX-License-Identifier: Apache-2.0
// Why a sandbox does not get its network.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let network: [Cause] = [
    Cause([.makeNetwork], [.protocolNotSupported, .noSuchFileOrDirectory, .notSupported]) {
      failure in
      guard failure.error.cause.call.hasSuffix("(NETLINK_NETFILTER)") else { return nil }
      return Diagnosis(
        "the kernel cannot lead all ports to one: it lacks nf_tables or nft_tproxy, or may not load them "
          + "in this container", "name up to 1024 ports: --net-allow NAME:22,80,443")
    },
    Cause(
      [.publish], [.addressInUse], cause: "another program listens on that port",
      hint: "choose another port: --publish PORT:INSIDE"),
    Cause([.publish], [.permissionDenied]) { _ in
      Diagnosis(
        "only root may listen on a port below "
          + String(TextFile.number(in: "/proc/sys/net/ipv4/ip_unprivileged_port_start") ?? 1024),
        "choose a larger port: --publish PORT:INSIDE")
    },
    Cause(
      [.publish], [.addressNotAvailable], cause: "this machine does not have that address",
      hint: "ip address lists those that it has"),
  ]
}
