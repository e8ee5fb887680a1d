// SPDX-License-Identifier: Apache-2.0
// What the kernel shows of one sandbox.

public import Linux
internal import SystemPackage
public import Text

/// The facts about one sandbox.
public struct Inspection: Sendable {
  /// The line of the list.
  public var listed: ListedSandbox
  /// Its namespaces.
  public var namespaces: [NamespaceUse] = []
  /// The processes in it that the report names.
  public var processes: [Member] = []
  /// How its ids are mapped.
  public var maps = IdentityMaps()
  /// What its command may do.
  public var protection = Protection()
  /// Its mounts, in the kernel's order; empty where its mount namespace is the caller's.
  public var mounts: [MountUse] = []
  /// The limits of its command.
  public var limits: [ResourceLimit] = []
  /// Its control groups.
  public var groups: [ControlGroup] = []
  /// The contents of its network namespace; nil if it shares the host's.
  public var network: NetworkFacts?
  /// The network that it shares with others.
  public var sharedNetwork: SharedNetwork?
  /// What all its processes use together.
  public var use = ProcessUse()
  /// The words that its launcher was started with, as far as they were read.
  public var launcherWords: [ByteString] = []
  /// The launcher's record, as text and as JSON; nil if there is none.
  public var launch: (lines: [String], json: JSON)?
  /// The messages of a launcher in the background.
  public var messages: [ByteString] = []

  /// A process of the sandbox.
  public struct Member: Equatable, Sendable {
    /// The process.
    public var facts: ProcessFacts
    /// Its words, as far as they were read.
    public var words: [ByteString]
  }
}

/// A namespace of a sandbox, and who is in it.
public struct NamespaceUse: Equatable, Sendable {
  /// Its kind.
  public var kind: Namespaces
  /// The name of its kind, as in /proc/PID/ns.
  public var kindName: String
  /// Its number.
  public var number: UInt64
  /// Whether this process is in it.
  public var isOwn: Bool
  /// The sandbox's processes in it.
  public var members: [ProcessFacts]
  /// Processes in it that do not belong to the sandbox.
  public var others: [ProcessFacts]
  /// The other sandboxes that these belong to.
  public var sandboxes: [RunningSandbox]

  /// The namespace as /proc/PID/ns names it: `net:[4026532196]`.
  public var name: String { "\(kindName):[\(String(number))]" }
}

/// How ids of a user namespace are mapped to those of its parent.
///
/// See user_namespaces(7).
public struct IdentityMaps: Equatable, Sendable {
  /// The first id inside, the first one outside, and how many.
  public struct Line: Equatable, Sendable {
    /// The first id inside and outside, and how many there are.
    public var inside, outside, count: UInt64
  }

  /// The users and the groups.
  public var users: [Line] = [], groups: [Line] = []
  /// What setgroups(2) is: `allow` or `deny`; nil where that is not known.
  public var setgroups: String?
}

/// What a process may do.
public struct Protection: Equatable, Sendable {
  /// Whether nothing that it executes can gain privileges.
  public var hasNoNewPrivileges: Bool?
  /// How system calls are filtered: 0 not at all, 1 strictly, 2 by filters.
  public var seccomp: UInt64?
  /// How many filters there are.
  public var filters: UInt64?
  /// The five sets of capabilities, by their names in /proc/PID/status.
  public var capabilities: [(name: String, set: Capabilities)] = []

  /// Whether both allow the same.
  public static func == (left: Protection, right: Protection) -> Bool {
    left.hasNoNewPrivileges == right.hasNoNewPrivileges && left.seccomp == right.seccomp
      && left.filters == right.filters
      && left.capabilities.elementsEqual(right.capabilities) {
        $0.name == $1.name && $0.set == $1.set
      }
  }
}

/// A mount, and how full its file system is where that is known.
public struct MountUse: Equatable, Sendable {
  /// The mount.
  public var entry: MountTable.Entry
  /// How full it is; nil if it is not in memory.
  public var use: FilesystemUse?

  /// States a mount.
  public init(entry: MountTable.Entry, use: FilesystemUse? = nil) {
    (self.entry, self.use) = (entry, use)
  }
}

/// A limit of a process.
///
/// See getrlimit(2).
public struct ResourceLimit: Equatable, Sendable {
  /// The limited resource, by the kernel's name.
  public var name: String
  /// The limit in force and the one up to which it can be raised; nil for none.
  public var soft: UInt64?, hard: UInt64?
  /// The unit, in the kernel's word.
  public var unit: String
}

/// A control group.
///
/// See cgroups(7).
public struct ControlGroup: Equatable, Sendable {
  /// The controllers of the hierarchy; empty for the unified one.
  public var controllers: String
  /// The group.
  public var path: ByteString
  /// The contents of its files: limits, and the use of all processes in it.
  public var figures: [Figure] = []

  /// The content of a file.
  public struct Figure: Equatable, Sendable {
    /// The file's name.
    public var name: String
    /// Its only line.
    public var text: ByteString
  }
}

/// What processes use together.
public struct ProcessUse: Equatable, Sendable {
  /// Processes and threads.
  public var processes = 0, threads: UInt64 = 0
  /// Memory in bytes.
  ///
  /// Pages that several processes hold count for each.
  public var memory: UInt64 = 0
  /// Processor time of the processes that still run, in ticks.
  public var ticks: UInt64 = 0
  /// The same in seconds.
  public var processorTime: UInt64 { ticks / BootClock.ticksPerSecond }
}
