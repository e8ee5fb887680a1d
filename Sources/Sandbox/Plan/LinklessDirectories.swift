// SPDX-License-Identifier: Apache-2.0
// Below which directories of the host no source of a learned profile may be reached by a symbolic link.
// Another sandbox that may write to a directory could put a link in the place of one in it, and a profile that
// names a file there would show another one, such as a key.

internal import Linux
internal import SystemPackage
public import Text

/// A path of the host that an option shows.
private struct HostSource {
  let path: FilePath
  /// A link at its end is shown as a link.
  let mayBeLink: Bool
}

/// Where links are refused, and which sources keep them from being refused elsewhere.
public struct LinklessDirectories: Sendable {
  /// The directories that --no-links-in has to name.
  public internal(set) var directories: [ByteString] = []
  /// Sources that are reached by a link, in a directory from which another source could be exchanged.
  public internal(set) var linked: [ByteString] = []

  /// Names none.
  public init() {}
}

extension Plan {
  /// Where only root puts links, or where a package update may do so.
  private static let fixed = Learner.system + ["etc", "sys"]

  /// The directories that --no-links-in has to name beside those that it names, so that every source which
  /// somebody other than root could exchange is reached without links.
  ///
  /// Each is the outermost one below which no source is reached by a link now: the plan does not fail because
  /// of it. A source in `project` has none around that, which may be another directory in another run.
  public func directoriesForNoLinks(project: ByteString?) -> LinklessDirectories {
    let sources = operations.flatMap { self.sources(of: $0.operation.action) }
    var linkedSources: [ByteString: [ByteString]] = [:]
    for source in sources {
      for directory in directoriesAboveLinks(of: source) {
        linkedSources[directory, default: []].append(ByteString(source.path))
      }
    }
    var (known, found) = (sandbox.directoriesWithoutLinks, LinklessDirectories())
    for source in sources where !sandbox.isExamined(source.path) {
      let candidates = changeable(around: source.path.lexicallyNormalized(), project)
      for linked in candidates.first.flatMap({ linkedSources[$0] }) ?? []
      where !found.linked.contains(linked) {
        found.linked.append(linked)
      }
      // One further in does not count: the directory itself could be exchanged.
      guard let directory = candidates.first(where: { linkedSources[$0] == nil }),
        !known.contains(where: { directory.path.starts(with: $0.path) })
      else { continue }
      found.directories.append(directory)
      known.append(directory)
    }
    return found
  }

  /// The paths of the host that an operation looks up, apart from those in the system.
  private func sources(of action: FilesystemOperation.Action) -> [HostSource] {
    let (paths, mayBeLink): ([FilePath], Bool) =
      switch action {
      case .bind(let source, _, _, _), .kept(let source, _), .home(let source): ([source], false)
      case .same(let path, _): ([path], true)
      case .overlay(let overlay, _): (overlay.layers, false)
      default: ([], false)
      }
    return paths.compactMap { path in
      let path = resolved.expandingHome(path)
      guard let path = path.fromWorkingDirectory(resolved.workingDirectory?.path),
        let first = path.lexicallyNormalized().components.first,
        !Plan.fixed.contains(first.string)
      else { return nil }
      let source = HostSource(path: path, mayBeLink: mayBeLink)
      // Only by its links does /proc lead to files that somebody could exchange.
      return first.string == "proc" && directoriesAboveLinks(of: source).isEmpty ? nil : source
    }
  }

  /// The directories from which a link is on the way to a source.
  private func directoriesAboveLinks(of source: HostSource) -> [ByteString] {
    var (place, last): (FilePath, FilePath) = ("/", "/")
    for name in source.path.components {
      place.append(name)
      if source.mayBeLink, place == source.path { break }
      if root.host.look(at: place)?.kind == .link { last = place }
    }
    return Plan.directories(around: last.lexicallyNormalized())
  }

  /// The directories around a file, from the outermost one in which somebody other than root could exchange a
  /// name.
  ///
  /// A caller who is root gives that to sandboxes in any directory.
  private func changeable(around path: FilePath, _ project: ByteString?) -> ArraySlice<ByteString> {
    let directories = Plan.directories(around: path)
    let start =
      directories.firstIndex { $0 == project }
      ?? (resolved.identity.user == 0 || mayBeChanged("/")
        ? 0 : directories.firstIndex { mayBeChanged($0.path) })
    return start.map { directories[$0...] } ?? []
  }

  /// The directories around a file, the outermost one first, without `/`.
  private static func directories(around path: FilePath) -> [ByteString] {
    let names = path.components.dropLast()
    return names.indices.map { ByteString(FilePath(root: "/", names[...$0])) }
  }

  /// Whether somebody other than root may make or remove names in a directory.
  private func mayBeChanged(_ directory: FilePath) -> Bool {
    guard let real = try? root.host.follow(directory), let facts = root.host.look(at: real.path)
    else { return false }
    return facts.owner != 0 || facts.permissions & 0o022 != 0
  }
}
