// SPDX-License-Identifier: Apache-2.0
// Why a sandbox does not get its network.

internal import Linux
internal import Network
internal import Relay
internal import SystemPackage
internal import Text

/// The first port on which every user may listen.
private var firstPort: Int {
  TextFile.number(in: "/proc/sys/net/ipv4/ip_unprivileged_port_start").map(Int.init) ?? 1024
}

extension Failure {
  /// The same line with other ports in place of those of the host on which this process cannot listen.
  fileprivate var publishingElsewhere: Remedy {
    let ports = sandbox.network.published.map(\.value)
    var line = typed
    // What it listens on stays taken until this process, which only looks, has ended.
    for port in ports.filter({ (try? PublishedSocket($0)) == nil }) {
      var other = port
      let first = max(Int(port.port) + (port.port < 1024 ? 8000 : 1), firstPort)
      let isFree = (first...first + 100).contains {
        other.port = UInt16(clamping: $0)
        return (try? PublishedSocket(other)) != nil
      }
      let word = words.last { (try? PublishedPort($0)) == port }
      let operand = other.operand
      // The address that it has if none is typed.
      let short = operand.hasPrefix("127.0.0.1:") ? String(operand.dropFirst(10)) : operand
      guard isFree, let word,
        line.replace(["--publish", word], with: ["--publish", ByteString(short)])
      else { return .advice("choose another port: --publish PORT:INSIDE") }
    }
    return .line(line.text)
  }
}

extension Cause {
  static let network: [Cause] = [
    Cause([.makeNetwork], []) { failure in
      guard PortRedirection.isUnsupported(failure.error.cause) else { return nil }
      return Diagnosis(
        "the kernel cannot lead all ports to one: it lacks nf_tables or nft_tproxy, or may not load them "
          + "in this container", "name up to 1024 ports: --net-allow NAME:22,80,443")
    },
    Cause([.publish], [.addressInUse]) { failure in
      Diagnosis(
        "a program listens on that port, or two options publish it",
        remedy: failure.publishingElsewhere)
    },
    Cause([.publish], [.permissionDenied]) { failure in
      Diagnosis(
        "only root may listen on a port below \(String(firstPort))",
        remedy: failure.publishingElsewhere)
    },
    Cause(
      [.publish], [.addressFamilyNotSupported],
      cause: "the kernel has no IPv6, or a filter refuses its sockets, as in some containers",
      hint: "leave out the address, or name one of IPv4"),
    Cause(
      [.publish], [.addressNotAvailable], cause: "this machine does not have that address",
      hint: "ip address lists those that it has"),
    Cause([.makeNetwork], [.notSupported]) { failure in
      guard failure.error.cause.call.hasSuffix("(NETLINK_ROUTE)") else { return nil }
      return Diagnosis(
        "the kernel lacks pairs of interfaces, or has not loaded their module",
        remedy: .asRoot("modprobe veth"))
    },
    Cause(
      [.joinNetwork], [.notSupported],
      cause: "the kernel lacks bridges or pairs of interfaces, or has not loaded their modules",
      remedy: .asRoot("modprobe -a bridge veth")),
    Cause(
      [.joinNetwork, .makeNetwork, .publish], [.tooManyOpenFiles],
      cause: "each port that a rule names needs a descriptor, and `ulimit -n` allows fewer",
      hint: "name fewer ports, or raise that limit first: ulimit -n $(ulimit -Hn)"),
    Cause([.joinNetwork, .makeNetwork], []) { failure in
      guard failure.error.cause.call == "socket" else { return nil }
      return Diagnosis(
        "a filter refuses the sockets by which a process sets up its network, as in some containers",
        "start the container without that filter: --security-opt seccomp=unconfined")
    },
    Cause([.joinNetwork], [.noSuchFileOrDirectory, .readOnlyFileSystem]) { failure in
      guard failure.error.cause.call == "open" else { return nil }
      return Diagnosis(
        "/proc/sys/net is masked or read-only here, as in some containers, so that the localhost of a member "
          + "could not be kept from others",
        "start the container without that: podman run --security-opt unmask=ALL, or docker run --security-opt "
          + "systempaths=unconfined")
    },
    Cause(
      [.joinNetwork], [.fileExists],
      cause: "a member of the network has that name, or one that differs in capitals alone",
      hint: "nestbox --list shows the members"),
    Cause([.joinNetwork], [.notPermitted]) { failure in
      let call = failure.error.cause.call
      if call == "connect" {
        return Diagnosis(
          "another program listens at the network's socket, such as a command that can write to its directory",
          "end that program, or choose another name")
      }
      guard call == "recvmsg" else { return nil }
      return Diagnosis(
        "the network was started in another user namespace, outside of this container or sandbox",
        "choose another name, or start all members in one place")
    },
    Cause(
      [.joinNetwork], [.tooManyUsers], cause: "the network has 1000 members, and takes no more"),
    Cause(
      [.joinNetwork], [.timedOut], cause: "the process that holds the network does not answer",
      hint: "it is stopped, or the machine is very busy; once it is killed, a new one is started"),
  ]
}
