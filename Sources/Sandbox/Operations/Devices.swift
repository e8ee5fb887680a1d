// SPDX-License-Identifier: Apache-2.0
// A minimal /dev: the devices that every program may expect and that do no harm.

internal import Linux
internal import SystemPackage
internal import Text

/// What a minimal /dev has in it.
enum HarmlessDevices {
  /// Devices of the host, with their numbers as mknod(1) takes them.
  static let devices: [(name: FilePath, host: FilePath, numbers: String)] = [
    ("null", "/dev/null", "1 3"), ("zero", "/dev/zero", "1 5"), ("full", "/dev/full", "1 7"),
    ("random", "/dev/random", "1 8"), ("urandom", "/dev/urandom", "1 9"),
    ("tty", "/dev/tty", "5 0"),
  ]

  /// Symbolic links.
  static let links: [(name: FilePath, target: ByteString)] = [
    ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
    ("fd", "/proc/self/fd"), ("core", "/proc/kcore"), ("ptmx", "pts/ptmx"),
  ]
}

extension RootBuilder where Self: ~Copyable {
  /// Makes the directory of devices `path`.
  mutating func mountDevices(on path: FilePath) throws(LaunchError) {
    let label = resolved.sandbox.fileLabel?.value
    try step(.mountDevices, ByteString(path)) { root throws(SystemCallError) in
      let tree = try root.makeMemory(.standardDirectory)
      // Attach it first: the kernel mounts nothing in a detached tree.
      try root.attach(tree, .directory, at: path)
      try root.populate(tree, label)
    }
  }

  private mutating func populate(
    _ dev: borrowing Tree, _ label: ByteString?
  ) throws(SystemCallError) {
    for device in HarmlessDevices.devices { try bind(device.host, on: device.name, in: dev) }
    for link in HarmlessDevices.links { try makeLink(link.name, to: link.target, in: dev) }
    try make(.directory, "shm", in: dev)
    try make(.directory, "pts", in: dev)
    // A new devpts: terminals opened inside are not visible outside, nor the other way round.
    let terminals = try make("devpts", [.noSetUserID, .noExecution]) {
      context throws(SystemCallError) in
      try context.set("ptmxmode", to: "0666")
      try context.set("mode", to: "620")
      try context.set(label: label)
    }
    try attach(terminals, on: "pts", in: dev)
    if !resolved.terminals.isEmpty {
      let console = try makeTerminal(in: terminals)
      try make(.other, "console", in: dev)
      try attach(console, on: "console", in: dev)
    } else if let terminal {
      try bind(terminal, on: "console", in: dev)
    }
  }

  /// Shows a device of the host: a user namespace cannot make device nodes.
  private mutating func bind(
    _ host: FilePath, on name: FilePath, in dev: borrowing Tree
  ) throws(SystemCallError) {
    do throws(SystemCallError) {
      let tree = try hostTree(host)
      try restrict(tree, [.noSetUserID])
      try make(.other, name, in: dev)
      try attach(tree, on: name, in: dev)
    } catch {
      throw error.about(ByteString(host))
    }
  }
}
