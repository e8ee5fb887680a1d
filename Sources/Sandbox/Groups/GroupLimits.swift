// SPDX-License-Identifier: Apache-2.0
// Groups/ holds limits of a sandbox as a whole, which only a control group of the unified hierarchy
// can hold (cgroups(7)). GroupBase.swift finds a group that this user may divide, or asks the user's
// systemd for one; SandboxGroup.swift makes a group in it for one sandbox, and reads what was used;
// GroupFiles.swift parses what the kernel says there.
//
// This file: which limits need a group, and what each writes there.

internal import Linux

/// The limits that need a control group.
struct GroupLimits {
  /// A limit, its option, and whether the command runs where nobody can hold it.
  struct Item {
    /// The limit.
    let limit: Limit
    let option: WrittenOption
    let isOptional: Bool
    /// The controller that holds it; nil where every group counts what it limits.
    let controller: Controller?
  }

  /// A part of the kernel that limits what a group uses.
  enum Controller: UInt8, CaseIterable {
    case memory, processors, processes
    /// It counts what is read and written, and limits nothing here.
    case storage

    /// The kernel's name.
    var name: String {
      switch self {
      case .memory: "memory"
      case .processors: "cpu"
      case .processes: "pids"
      case .storage: "io"
      }
    }
  }

  /// Some of them: a `Set` would cost each launch the type's making.
  struct Controllers: Equatable {
    private var bits: UInt8 = 0

    /// The controllers among the words of `text`.
    init(in text: [UInt8]) {
      for word in GroupText.words(text) {
        for controller in Controller.allCases where word.elementsEqual(controller.name.utf8) {
          insert(controller)
        }
      }
    }

    init() {}

    var isEmpty: Bool { bits == 0 }

    func contains(_ controller: Controller) -> Bool { bits & 1 << controller.rawValue != 0 }

    mutating func insert(_ controller: Controller) { bits |= 1 << controller.rawValue }
  }

  let items: [Item]

  /// The first limit without which the command must not run, or else the first one.
  var first: Item? { items.first { !$0.isOptional } ?? items.first }

  /// Whether the command runs where no group can be made.
  var areOptional: Bool { items.allSatisfy(\.isOptional) }
}

extension Sandbox {
  /// The limits that need a control group; nil if there are none.
  var groupLimits: GroupLimits? {
    var items: [GroupLimits.Item] = []
    for setting in limits {
      guard let (isOptional, controller) = setting.value.needOfGroup else { continue }
      items.append(
        GroupLimits.Item(
          limit: setting.value, option: setting.option, isOptional: isOptional,
          controller: controller))
    }
    return items.isEmpty ? nil : GroupLimits(items: items)
  }

  /// Whether a limit needs a control group.
  var needsGroup: Bool { limits.contains { $0.value.needOfGroup != nil } }

  /// The processor time that all processes have together, in microseconds.
  var processorTimeLimit: Setting<Int64>? {
    for setting in limits {
      if case .processorTime(let time, _) = setting.value {
        return Setting(time, setting.option)
      }
    }
    return nil
  }
}

extension Limit {
  /// Whether the command runs without the limit, and the controller that holds it; nil if it needs
  /// no control group.
  fileprivate var needOfGroup: (isOptional: Bool, controller: GroupLimits.Controller?)? {
    switch self {
    case .memory(_, let orNone), .swap(_, let orNone): (orNone, .memory)
    case .processors(_, let orNone): (orNone, .processors)
    case .processorTime(_, let orNone): (orNone, nil)
    case .resource, .processes, .time, .grace, .output: nil
    }
  }

  /// The name of the limit in reports and messages.
  var name: String {
    switch self {
    case .memory: "memory"
    case .swap: "swap"
    case .processors: "cpus"
    case .processorTime: "cpu-time"
    case .resource(let resource, _, _): resource.name
    case .processes: "processes"
    case .time: "timeout"
    case .grace: "timeout-grace"
    case .output: "output"
    }
  }
}
