// SPDX-License-Identifier: Apache-2.0
// The network namespace of a member of a network between sandboxes.

public import Linux
internal import Network
internal import SystemPackage
public import Text

/// What a member's child does.
public enum MemberNetwork {
  /// Moves this process, which is in the holder's namespaces, into a new network namespace that is linked to
  /// the holder's bridge.
  /// - Parameters:
  ///   - address: The member's address.
  ///   - group: The group that may send echo requests (ping); nil for none.
  /// - Returns: Whether the command can listen on every port.
  /// - Throws: `SystemCallError` if the kernel lacks something, or if the member would be less protected
  ///   from others.
  public static func enter(
    _ address: IPAddress, group: UInt32?
  ) throws(SystemCallError) -> Bool {
    let holder = try RouteSocket()
    try Namespaces.network.unshare()
    // A new namespace has the host's settings. This one would let members reach 127.0.0.1 of others.
    try KernelSettings.set("net/ipv4/conf/all/route_localnet", to: "0")
    try KernelSettings.set("net/ipv4/conf/default/route_localnet", to: "0")
    // Members answer for the addresses of their link alone: those of lo may lead to a relay.
    try? KernelSettings.set("net/ipv4/conf/default/arp_ignore", to: "1")
    // With rules for every address a command can send from each that is no member's: others drop that.
    try? KernelSettings.set("net/ipv4/conf/default/rp_filter", to: "1")
    // In IPv6 every program can send from addresses of others.
    let hasIPv6 = FileAccess.read.isGranted("/proc/sys/net/ipv6/conf")
    var isOff = !hasIPv6
    if hasIPv6 {
      isOff = (try? KernelSettings.set("net/ipv6/conf/default/disable_ipv6", to: "1")) != nil
    }
    var isOpen = true
    do throws(SystemCallError) {
      try KernelSettings.set("net/ipv4/ip_unprivileged_port_start", to: "0")
    } catch {
      isOpen = false
    }
    if let group {
      try? KernelSettings.set("net/ipv4/ping_group_range", to: "\(String(group)) \(String(group))")
    }
    let own = try NamespaceFiles.open("net")
    try MemberLinks.join(
      own.rawValue, address, length: MemberAddresses.length, through: holder, avoidsIPv6: !isOff)
    return isOpen
  }
}
