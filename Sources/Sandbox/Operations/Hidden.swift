// SPDX-License-Identifier: Apache-2.0
// --hide: covers the files with names that match a pattern, at every place in the new root.

internal import Linux
internal import SystemPackage
public import Text

/// Which files to hide.
public struct HiddenPattern: Equatable, Sendable {
  /// The pattern as it was typed.
  public let text: ByteString

  /// Reads a pattern; nil if it names no file, or all of them.
  public init?(_ text: ByteString) {
    let names = text.bytes.split(separator: UInt8(ascii: "/"))
    guard names.contains(where: { !$0.elementsEqual("**".utf8) && !$0.elementsEqual(".".utf8) })
    else { return nil }
    self.text = text
  }
}

/// A pattern of paths from the root on, with `**` for any number of directories.
struct HiddenPaths {
  enum Name {
    case literal(ArraySlice<UInt8>)
    case pattern(ArraySlice<UInt8>)
    case anyDirectories
  }

  private let names: [Name]
  /// Whether it matches in any directory, as a pattern without a slash does.
  let isAnywhere: Bool

  /// The pattern as the caller means it: nil if it is relative to a directory that has no name.
  init?(_ pattern: HiddenPattern, _ resolved: ResolvedSandbox) {
    var typed = pattern.text.bytes.split(separator: UInt8(ascii: "/"))
    var place: FilePath?
    var isAnywhere = false
    if pattern.text.bytes.first == UInt8(ascii: "/") {
      place = "/"
    } else if typed[0].elementsEqual("~".utf8) {
      typed.removeFirst()
      place = resolved.callerHome.path
    } else if typed.count == 1 || typed[0].elementsEqual("**".utf8) {
      typed.insert(Array("**".utf8)[...], at: 0)
      (place, isAnywhere) = ("/", true)
    } else {
      place = resolved.workingDirectory?.path
    }
    guard let place else { return nil }
    self.isAnywhere = isAnywhere
    var names = place.components.map {
      Name.literal(Array(ByteString(FilePath(root: nil, [$0])).bytes)[...])
    }
    for name in typed where !name.elementsEqual(".".utf8) {
      if name.elementsEqual("**".utf8) {
        names.append(.anyDirectories)
      } else if name.elementsEqual("..".utf8) {
        if !names.isEmpty { names.removeLast() }
      } else {
        names.append(
          name.contains(where: { "*?[\\".utf8.contains($0) }) ? .pattern(name) : .literal(name))
      }
    }
    self.names = names
  }

  /// The one path that it matches, if it has no wildcard.
  var path: FilePath? {
    var path = FilePath("/")
    for name in names {
      guard case .literal(let bytes) = name else { return nil }
      path.append(ByteString(bytes).path.components)
    }
    return path
  }

  /// How far a path has matched: the names that may come next.
  typealias Progress = [Int]

  /// Nothing has been matched yet.
  var start: Progress { skipping([0]) }

  /// How far a path has matched after one more name.
  func next(_ progress: Progress, _ name: ByteString) -> Progress {
    var next: Progress = []
    for index in progress where index < names.count {
      switch names[index] {
      case .anyDirectories: next.append(index)
      case .literal(let bytes): if name.bytes.elementsEqual(bytes) { next.append(index + 1) }
      case .pattern(let pattern):
        if PathPattern.match(name.bytes[...], pattern) { next.append(index + 1) }
      }
    }
    return skipping(next)
  }

  /// Whether a path has matched.
  func isMatch(_ progress: Progress) -> Bool { progress.contains(names.count) }

  /// `**` also matches no directory.
  private func skipping(_ progress: Progress) -> Progress {
    var all: Progress = []
    for start in progress {
      var index = start
      while !all.contains(index) {
        all.append(index)
        guard index < names.count, case .anyDirectories = names[index] else { break }
        index += 1
      }
    }
    return all
  }
}

extension RootBuilder where Self: ~Copyable {
  /// Covers everything that matches.
  mutating func hide(_ pattern: HiddenPattern) throws(LaunchError) {
    let paths = try step(.mask, pattern.text) { root throws(SystemCallError) in
      guard let paths = HiddenPaths(pattern, root.resolved) else {
        throw SystemCallError(call: "getcwd", errno: .noSuchFileOrDirectory)
      }
      return if let path = paths.path { [path] } else { try root.matches(paths) }
    }
    for path in paths { try mask(path) }
  }
}

extension NewRoot {
  /// How many directories are searched.
  private static let mostDirectories = 50_000
  /// Directories of the system, which a pattern without a place leaves out: names such as `*.pem`
  /// mean a person's files, and programs need these.
  private static let systemDirectories: [FilePath] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/etc", "/nix", "/gnu",
    "/proc", "/sys", "/dev",
  ]

  /// The paths that match; a directory that matches is not searched further.
  ///
  /// Whatever cannot be searched is an error: something in it might match.
  func matches(_ paths: HiddenPaths) throws(SystemCallError) -> [FilePath] {
    var found: [FilePath] = []
    var pending: [(path: FilePath, progress: HiddenPaths.Progress)] = [("/", paths.start)]
    var count = 0
    while let (path, progress) = pending.popLast() {
      if paths.isAnywhere, NewRoot.systemDirectories.contains(path) { continue }
      count += 1
      guard count <= NewRoot.mostDirectories else {
        throw SystemCallError(call: "readdir", subject: ByteString(path), errno: .fileTooLarge)
      }
      for entry in try entries(of: path) {
        let next = paths.next(progress, entry.name)
        let place = path.appending(entry.name.path.components)
        if paths.isMatch(next) {
          found.append(place)
        } else if entry.kind == .directory, !next.isEmpty {
          pending.append((place, next))
        }
      }
    }
    return found
  }

  /// The entries of the directory `path`; none if it is gone, or if the command may not search it
  /// either.
  private func entries(of path: FilePath) throws(SystemCallError) -> [DirectoryEntry] {
    do throws(SystemCallError) {
      return try Directory.entries(of: root.openDirectlyInRoot(path))
    } catch {
      switch error.errno {
      case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: return []
      case .permissionDenied:
        let directory = try root.openInRoot(path, .location)
        // The owner could change the permissions. Nothing is known of another user's FUSE mount.
        guard try directory.statusIfTold()?.owner == plan.resolved.user else { return [] }
      default: break
      }
      throw error.about(ByteString(path))
    }
  }
}
