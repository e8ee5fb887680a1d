// SPDX-License-Identifier: Apache-2.0
// A minimal /dev: the devices that every program may expect and none that does harm.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  static let devices: [(name: FilePath, host: FilePath)] = [
    ("null", "/dev/null"), ("zero", "/dev/zero"), ("full", "/dev/full"),
    ("random", "/dev/random"), ("urandom", "/dev/urandom"), ("tty", "/dev/tty"),
  ]

  static let links: [(name: FilePath, target: ByteString)] = [
    ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
    ("fd", "/proc/self/fd"), ("core", "/proc/kcore"), ("ptmx", "pts/ptmx"),
  ]

  /// Makes the directory of devices `path`.
  mutating func mountDevices(
    _ path: FilePath, _ circumstances: Circumstances, _ option: String
  ) throws(LaunchError) {
    do throws(SystemCallError) {
      let tree = try MountTree.make("tmpfs", [.noSetUserID, .noDevices]) {
        context throws(SystemCallError) in
        try context.set("mode", to: "0755")
        try circumstances.label(context)
      }
      try own(tree)
      // Attached first: nothing can be mounted in a tree that hangs nowhere.
      try attach(tree, at: .found(directory(path)))
      try NewRoot.populate(tree.descriptor, circumstances)
    } catch {
      throw LaunchError(.mountDevices, option: option, subject: ByteString(path), cause: error)
    }
  }

  private static func populate(
    _ dev: borrowing OwnedDescriptor, _ circumstances: Circumstances
  ) throws(SystemCallError) {
    for device in devices { try bind(device.host, on: device.name, in: dev) }
    for link in links { try dev.makeSymbolicLink(link.name, target: link.target) }
    try dev.makeDirectory("shm", .standardDirectory)
    try dev.makeDirectory("pts", .standardDirectory)
    // A devpts of its own: terminals opened inside are not visible outside, nor the other way.
    let terminals = try MountTree.make("devpts", [.noSetUserID, .noExecution]) {
      context throws(SystemCallError) in
      try context.set("ptmxmode", to: "0666")
      try context.set("mode", to: "620")
      try circumstances.label(context)
    }
    try terminals.attach(on: "pts", in: dev)
    if let terminal = Terminal.path(of: 1) { try bind(terminal, on: "console", in: dev) }
  }

  /// Device nodes cannot be made in a user namespace; those of the host are shown instead.
  private static func bind(
    _ host: FilePath, on name: FilePath, in dev: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    do throws(SystemCallError) {
      let tree = try MountTree.clone(of: host)
      try tree.restrict([.noSetUserID])
      try dev.makeFile(name, .mountPoint)
      try tree.attach(on: name, in: dev)
    } catch {
      throw error.about(ByteString(host))
    }
  }
}
