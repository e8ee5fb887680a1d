// SPDX-License-Identifier: Apache-2.0
// Limits of what a sandbox may use, and who holds each of them: the kernel for each process, the
// kernel for the user namespace, a control group, or the monitor.

public import Linux
internal import SystemPackage
internal import Text

/// A limit of what the command and everything that it starts may use.
public enum Limit: Equatable, Sendable {
  /// A resource of each process; `Resource.unlimited` is no limit.
  case resource(Resource, soft: UInt64, hard: UInt64)
  /// Processes and threads, init not counted; where the kernel cannot limit them, `orNone` says
  /// whether the command runs nevertheless.
  case processes(UInt32, orNone: Bool)
  /// Time by the clock, in milliseconds.
  case time(Int64)
  /// The time between SIGTERM and SIGKILL, in milliseconds.
  case grace(Int64)
  /// What is written to standard output and error, in bytes.
  case output(UInt64)
  /// Memory of all processes together, in bytes; `orNone` as above.
  case memory(UInt64, orNone: Bool)
  /// Memory of all of them that is written to swap, in bytes.
  case swap(UInt64, orNone: Bool)
  /// Processors that all of them have together, in thousandths.
  case processors(UInt32, orNone: Bool)
  /// Processor time of all of them together, in microseconds.
  case processorTime(Int64, orNone: Bool)

  /// Whether both limit the same, so that the later one counts.
  func replaces(_ other: Limit) -> Bool {
    switch (self, other) {
    case (.resource(let one, _, _), .resource(let two, _, _)): one == two
    case (.processes, .processes), (.time, .time), (.grace, .grace): true
    case (.output, .output): true
    case (.memory, .memory), (.swap, .swap), (.processors, .processors): true
    case (.processorTime, .processorTime): true
    default: false
    }
  }
}

extension Sandbox {
  /// Adds a limit, in place of an earlier one of the same kind.
  public mutating func limit(_ setting: Setting<Limit>) {
    limits.removeAll { setting.value.replaces($0.value) }
    limits.append(setting)
  }

  /// The number of processes, its option, and whether the command runs where nobody can hold it.
  var processLimit: (number: UInt32, orNone: Bool, option: WrittenOption)? {
    for setting in limits {
      if case .processes(let number, let orNone) = setting.value {
        return (number, orNone, setting.option)
      }
    }
    return nil
  }

  /// The time that the command has, in milliseconds.
  public var timeLimit: Setting<Int64>? {
    for setting in limits {
      if case .time(let time) = setting.value { return Setting(time, setting.option) }
    }
    return nil
  }

  /// Whether the monitor ends the command after some time, by the clock or of processors.
  var limitsTime: Bool { timeLimit != nil || processorTimeLimit != nil }

  /// How many bytes the command may write to standard output and error.
  var outputLimit: Setting<UInt64>? {
    for setting in limits {
      if case .output(let bytes) = setting.value { return Setting(bytes, setting.option) }
    }
    return nil
  }

  /// The time that it has left after SIGTERM, in milliseconds.
  var grace: Int64 {
    for setting in limits {
      if case .grace(let time) = setting.value { return time }
    }
    return 2000
  }
}

extension Resource.Unit {
  /// What a page writes after a number of this unit.
  var suffix: String {
    switch self {
    case .bytes: " bytes"
    case .seconds: " s"
    case .microseconds: " us"
    case .count: ""
    }
  }
}

extension ResolvedSandbox {
  /// Throws if a limit that was asked for cannot be held.
  func checkLimits() throws(UsageError) {
    // A control group, if there is one anyway, counts root's processes too.
    guard let limit = sandbox.processLimit, !countsProcesses, !limit.orNone, !sandbox.needsGroup
    else { return }
    let reason =
      hasUserNamespace
      ? "does not work for root, as the kernel does not limit root's processes; start nestbox "
        + "as an ordinary user"
      : "needs --unshare-user"
    throw UsageError("\(limit.option.name) \(reason)").at(limit.option.origin)
  }

  /// How many processes of nestbox the kernel counts beside those of the command.
  private var ownProcesses: UInt64 { hasInit ? 1 : 0 }

  /// Applies the limits of single processes and of their number to this process, which becomes the
  /// command.
  func applyLimits() throws(LaunchError) {
    for setting in sandbox.limits {
      switch setting.value {
      case .resource(let resource, let soft, let hard):
        try apply(resource, soft, hard, setting.option)
      case .processes(let number, _):
        guard countsProcesses else { continue }
        // A caller that may have fewer cannot raise that.
        let most = (try? Resource.processes.limits().hard) ?? Resource.unlimited
        let all = min(UInt64(number) + ownProcesses, most)
        try apply(.processes, all, all, setting.option)
      case .time, .grace, .output, .memory, .swap, .processors, .processorTime: continue
      }
    }
  }

  /// The limits of the command, where this process has `limits`, by their numbers.
  func applied(to limits: [ResourceLimit]) -> [ResourceLimit] {
    var limits = limits
    func set(_ resource: Resource, _ soft: UInt64, _ hard: UInt64) {
      guard limits.indices.contains(Int(resource.number)) else { return }
      limits[Int(resource.number)] = ResourceLimit(soft: soft, hard: hard)
    }
    for setting in sandbox.limits {
      switch setting.value {
      case .resource(let resource, let soft, let hard): set(resource, soft, hard)
      case .processes(let number, _):
        let all = UInt64(number) + ownProcesses
        if countsProcesses { set(.processes, all, all) }
      case .time, .grace, .output, .memory, .swap, .processors, .processorTime: continue
      }
    }
    return limits
  }

  private func apply(
    _ resource: Resource, _ soft: UInt64, _ hard: UInt64, _ option: WrittenOption
  ) throws(LaunchError) {
    try doing(.limit, option: option, ByteString(resource.name)) { () throws(SystemCallError) in
      try resource.limit(soft: soft, hard: hard)
    }
  }
}
