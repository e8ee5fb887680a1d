// SPDX-License-Identifier: Apache-2.0
// Directories under review: where their overlays stand among the operations on the new root.

internal import Linux
public import SystemPackage
public import Text

extension Sandbox {
  /// The options that put directories under review.
  var reviewed: [WrittenOption] {
    filesystem.compactMap { if case .review = $0.action { $0.option } else { nil } }
  }

  /// Whether there are any.
  public var isUnderReview: Bool {
    for operation in filesystem { if case .review = operation.action { return true } }
    return false
  }

  /// Whether changes at `path` of the host, which has no links, wait in a review.
  func holdsBack(_ path: FilePath) -> Bool {
    let path = path.lexicallyNormalized()
    return filesystem.contains {
      if case .review(_, let layer?) = $0.action { path.starts(with: layer.base) } else { false }
    }
  }

  /// The directories under review, in the order of their operations.
  public var directoriesUnderReview: [FilePath] {
    filesystem.compactMap { if case .review(let path, _) = $0.action { path } else { nil } }
  }

  /// Puts directories under review, as `--resume` does.
  public mutating func review(_ directories: [FilePath], _ option: WrittenOption) {
    for path in directories {
      filesystem.append(FilesystemOperation(.review(path, nil), option: option))
    }
  }

  /// Gives the directories under review their layers, and keeps a lock while the sandbox lives.
  fileprivate mutating func give(_ layers: [ReviewLayer], lock: CInt) {
    var rest = layers[...]
    for index in filesystem.indices {
      guard case .review(let path, _) = filesystem[index].action else { continue }
      filesystem[index].action = .review(path, rest.popFirst())
      if channels.sync.first?.value != lock {
        channels.sync.insert(Setting(lock, filesystem[index].option), at: 0)
      }
    }
  }

  /// Shows the store of reviews read-only wherever an operation shows it writable: a command that
  /// changes records there would choose what --apply writes, and where.
  fileprivate mutating func protectStore(
    of layers: [ReviewLayer], _ home: ByteString, inside: FilePath
  ) {
    guard let layer = layers.first else { return }
    let store = layer.upper.parent.parent
    for index in filesystem.indices.reversed() {
      for shown in shownWritable(filesystem[index].action, inside) {
        if let source = Sandbox.realPath(shown.source, home) {
          protect(store, source, shown, at: index)
        }
      }
    }
  }

  /// Keeps a command from the store, if that lies in the directory `source` or around it.
  ///
  /// Each directory on the way is a mount as well, which cannot be renamed: else a command could put another
  /// store in the place of this one.
  private mutating func protect(
    _ store: FilePath, _ source: FilePath, _ shown: ShownDirectory, at index: Int
  ) {
    guard store.starts(with: source) || source.starts(with: store) else { return }
    var (source, place) = (source, shown.place ?? source)
    var rest = store.components.dropFirst(source.components.count)
    var last = index
    repeat {
      if let name = rest.popFirst() {
        source.append(name)
        place.append(name)
      }
      var step = FilesystemOperation(
        .bind(
          source: source, destination: place,
          access: source.starts(with: store) ? .readOnly : shown.access, isOptional: true),
        option: filesystem[index].option)
      step.isGuard = true
      last += 1
      filesystem.insert(step, at: last)
    } while !rest.isEmpty
  }

  /// Puts each directory under review where another option shows it writable, so that what a profile
  /// protects in it stays protected, and nothing that is written after the review covers it.
  /// - Throws: `UsageError` where an option would show it writable all the same, by another path.
  public mutating func arrangeReviews(home: ByteString) throws(UsageError) {
    var index = 0
    var known: [FilePath] = []
    while index < filesystem.count {
      let operation = filesystem[index]
      index += 1
      guard case .review(let typed, let layer) = operation.action,
        let found = try? FoundFile(following: Sandbox.expand(typed, home), findsMount: false)
      else { continue }
      let path = found.path
      if known.contains(path) {
        index -= 1
        filesystem.remove(at: index)
        continue
      }
      known.append(path)
      // Files that the command's words name would stand on the overlay.
      for other in filesystem[index...] where other.action == .arguments(access: .readWrite) {
        try requireReview(of: path, operation.option, path, other.option, true)
      }
      guard found.kind == .directory else { continue }
      let place = try placeForReview(of: path, index - 1, home)
      filesystem[index - 1].action = .review(path, layer)
      guard let place else { continue }
      guard place < index else {
        // It would cover the overlay. The loop comes to the review again, at its new place.
        filesystem[place] = FilesystemOperation(
          .review(path, layer), option: operation.option, parents: filesystem[place].parents)
        index -= 1
        filesystem.remove(at: index)
        known.removeLast()
        continue
      }
      try requireNothingWritable(in: path, (place + 1)..<index, operation.option, home)
      filesystem[place] = FilesystemOperation(
        .review(path, layer), option: operation.option, parents: filesystem[place].parents)
      index -= 1
      filesystem.remove(at: index)
    }
  }

  /// The last option that shows the directory of the review `index` writable at its own place.
  /// - Throws: `UsageError` where another one, which shows more, leads past the review.
  private func placeForReview(
    of path: FilePath, _ index: Int, _ home: ByteString
  ) throws(UsageError) -> Int? {
    let option = filesystem[index].option
    var place: Int?
    for other in filesystem.indices where other != index {
      guard let shown = filesystem[other].action.shownWritable(home.path),
        let source = Sandbox.realPath(shown.source, home)
      else { continue }
      let isAtItsPlace = shown.place.map { Sandbox.realPath($0, home) == source } ?? true
      if source == path, isAtItsPlace {
        place = other
      } else if path.starts(with: source) {
        let isCovered = other > index && isAtItsPlace
        try requireReview(of: path, option, source, filesystem[other].option, isCovered)
      }
    }
    return place
  }

  /// Throws if one of some options shows a directory writable that lies in the reviewed one: it would stand on
  /// the overlay, and write to the host.
  private func requireNothingWritable(
    in path: FilePath, _ between: Range<Int>, _ option: WrittenOption, _ home: ByteString
  ) throws(UsageError) {
    for index in between {
      guard let shown = filesystem[index].action.shownWritable(home.path),
        let source = Sandbox.realPath(shown.source, home),
        source != path, source.starts(with: path)
      else { continue }
      let other = filesystem[index].option
      throw UsageError(
        "\(option.name): \(other.name) shows \(ByteString(source).quoted) writable, which "
          + "lies in \(ByteString(path).quoted); write \(other.name) after it, or leave it out"
      ).at(option.origin)
    }
  }

  /// Throws if `other`, which shows a directory around a reviewed one writable, leads past the review.
  private func requireReview(
    of path: FilePath, _ option: WrittenOption, _ source: FilePath, _ other: WrittenOption,
    _ isCovered: Bool
  ) throws(UsageError) {
    let name = ByteString(source)
    let place = "\(option.name): \(ByteString(path).quoted) lies in \(name.quoted), which "
    if case .profile = other.origin {
      throw UsageError(
        place + "the profile shows writable; to hold back all changes there: "
          + "\(option.name) \(name.quotedForShell)"
      ).at(option.origin)
    }
    guard isCovered else { return }
    throw UsageError(
      place + "\(other.name) shows writable; write \(other.name) before \(option.name)"
    ).at(option.origin)
  }

  /// The directories of the host that an operation shows writable.
  func shownWritable(
    _ action: FilesystemOperation.Action, _ home: FilePath
  ) -> [ShownDirectory] {
    switch action {
    case .arguments(.readWrite):
      command.dropFirst().prefix(ArgumentWord.most).compactMap { word in
        ArgumentWord.path(word).map { ShownDirectory(source: $0, place: nil) }
      }
    // What another layer has below these is not shown then.
    case .overlay(let overlay, let place) where overlay.writes.areKept:
      overlay.layers.prefix(1).map {
        ShownDirectory(source: $0, place: place, access: .readOnly)
      }
    default: action.shownWritable(home).map { [$0] } ?? []
    }
  }

  /// Where a path of the host leads without links; nil if nothing is there.
  static func realPath(_ path: FilePath, _ home: ByteString) -> FilePath? {
    try? FoundFile(following: expand(path, home), findsMount: false).path
  }

  private static func expand(_ path: FilePath, _ home: ByteString) -> FilePath {
    guard path.components.first?.string == "~" else { return path }
    return home.path.appending(path.components.dropFirst())
  }
}

extension ResolvedSandbox {
  /// The directories under review, in the order of their operations.
  public final var directoriesUnderReview: [FilePath] { sandbox.directoriesUnderReview }

  /// The same sandbox, whose directories under review have these layers, and which keeps a lock while
  /// it lives.
  ///
  /// Nothing of that depends on the caller or the machine: what is resolved stays.
  /// - Parameters:
  ///   - layers: The layers, in the store that the command must not write to.
  ///   - lock: The lock's descriptor.
  ///   - home: The caller's home directory, for `~`.
  /// - Returns: The same sandbox, with the layers in place.
  public final func writing(
    to layers: [ReviewLayer], lock: CInt, home: ByteString
  ) -> ResolvedSandbox {
    var sandbox = sandbox
    sandbox.give(layers, lock: lock)
    sandbox.protectStore(of: layers, home, inside: self.home)
    return ResolvedSandbox(
      sandbox, policy: policy, inherited: inherited, identity: identity,
      workingDirectory: workingDirectory, refusesUnixSockets: refusesUnixSockets,
      namespaces: namespaces)
  }
}

/// A directory of the host that an operation shows writable.
struct ShownDirectory {
  let source: FilePath
  /// Where; nil for its own place.
  let place: FilePath?
  var access = FilesystemOperation.Access.readWrite
}

extension FilesystemOperation.Action {
  /// The directory of the host that it shows writable, and where: nil for its own place.
  fileprivate func shownWritable(_ home: FilePath) -> ShownDirectory? {
    switch self {
    case .bind(let source, let place, let access, _) where access != .readOnly:
      ShownDirectory(source: source, place: place, access: access)
    case .bindDescriptor(let number, let place, let access) where access != .readOnly:
      ShownDirectory(
        source: FilePath("/proc/self/fd/" + String(number)), place: place, access: access)
    case .kept(let source, let place): ShownDirectory(source: source, place: place)
    case .home(let source): ShownDirectory(source: source, place: home)
    case .show(let path, let access) where access != .readOnly:
      ShownDirectory(source: path, place: nil, access: access)
    default: nil
    }
  }
}
