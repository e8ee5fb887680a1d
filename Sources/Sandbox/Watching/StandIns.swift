// SPDX-License-Identifier: Apache-2.0
// Empty files in the place of secrets: a command that reads one finds a file, but not what the host has there.

internal import Linux
internal import SystemPackage
internal import Text

/// The places where something empty is in the place of files of the host.
struct StandIns {
  /// Those that the plan of the sandbox has.
  private let places: Set<ByteString>
  /// What --hide covers, which a plan does not search for.
  private let patterns: [HiddenPaths]

  /// Looks at a plan; nil if its options cover no files.
  init?(_ plan: @autoclosure () -> Plan, of resolved: ResolvedSandbox) {
    let actions = resolved.sandbox.filesystem.map(\.action)
    guard actions.contains(where: \.makesStandIns) else { return nil }
    patterns = actions.compactMap { action in
      guard case .hide(let pattern) = action else { return nil }
      return HiddenPaths(pattern, resolved)
    }
    let plan = plan()
    places = Set(
      plan.root.mounts.compactMap { mount in
        guard mount.isNew, let place = mount.place, place != plan.home,
          let number = mount.operation, plan.operations[number].operation.action.makesStandIns
        else { return nil }
        return ByteString(place)
      })
  }

  /// Whether something empty is at `path`, if the host has a file there.
  func contains(_ path: FilePath) -> Bool {
    places.contains(ByteString(path)) || patterns.contains { $0.matches(path, orAbove: false) }
  }

  /// Whether --hide covers `path` or a directory around it.
  func hides(_ path: FilePath) -> Bool { patterns.contains { $0.matches(path, orAbove: true) } }
}

extension HiddenPaths {
  /// Whether the pattern matches a path without links.
  fileprivate func matches(_ path: FilePath, orAbove: Bool) -> Bool {
    var progress = start
    for name in path.components {
      progress = next(progress, ByteString(FilePath(root: nil, [name])))
      if orAbove, isMatch(progress) { return true }
    }
    return isMatch(progress)
  }
}

extension FilesystemOperation.Action {
  /// Whether it puts something empty in the place of files.
  fileprivate var makesStandIns: Bool {
    switch self {
    case .hide, .mask, .temporaryHome: true
    default: false
    }
  }
}
