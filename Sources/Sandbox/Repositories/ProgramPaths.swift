// SPDX-License-Identifier: Apache-2.0
// Collects files of a project that something outside executes by their paths, with the links on the
// way: who can replace a link decides what is executed.

internal import Linux
internal import SystemPackage
internal import Text

/// Files in a project, found by paths.
struct ProgramPaths {
  /// The project's path.
  private let project: FilePath
  /// Those that exist.
  private(set) var found: [Repository] = []

  /// Begins with none, in the project at `project`.
  init(_ project: FilePath) {
    self.project = project
  }

  /// A path in the project as one from there, and any other as one from the root.
  func fromProject(_ path: FilePath) -> FilePath {
    let path = path.lexicallyNormalized()
    let whole = path.isAbsolute ? path : project.pushing(path).lexicallyNormalized()
    guard whole.starts(with: project) else { return whole }
    return FilePath(root: nil, whole.components.dropFirst(project.components.count))
  }

  /// Adds what `path` leads to, if it exists, and each link on the way.
  mutating func add(
    _ path: FilePath, in top: borrowing OwnedDescriptor, mayBeDirectory: Bool = true
  ) throws(SystemCallError) {
    var place: FilePath = "."
    var steps = PathSteps(path)
    var isOutside = path.isAbsolute
    while !isOutside, let step = steps.next() {
      guard case .entry(let component) = step else {
        guard place != "." else { return }
        place = place.removingLastComponent()
        continue
      }
      let here = Repository(directory: place, name: FilePath(root: nil, [component]))
      guard let (kind, target) = try here.look(in: top) else { return }
      if let target {
        let next = target.isAbsolute ? fromProject(target) : target
        guard steps.follow(next) else { return }
        insert(here)
        if target.isAbsolute { place = "." }
        isOutside = next.isAbsolute
      } else if steps.isAtEnd {
        if kind == .regular || kind == .directory && mayBeDirectory { insert(here) }
      } else {
        place = place.appending(component)
      }
    }
  }

  /// Adds what the link `path` leads to, if it is one.
  mutating func addTarget(
    ofLink path: FilePath, in top: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    guard let link = Repository(at: path), try link.look(in: top)?.target != nil else { return }
    try add(path, in: top)
  }

  /// Adds what the links in the directory `path` lead to, and the directory's own target, if it is
  /// a link.
  mutating func addLinks(
    in path: FilePath, in top: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    guard !path.isAbsolute, !path.isEmpty else { return }
    try addTarget(ofLink: path, in: top)
    let entries = try ifPresent { () throws(SystemCallError) in
      try Directory.entries(of: top.openInRoot(path, .directory))
    }
    for entry in (entries ?? []).prefix(256) where entry.kind == .link {
      try add(path.appending(entry.name.path.components), in: top)
    }
  }

  private mutating func insert(_ program: Repository) {
    if !found.contains(program) { found.append(program) }
  }
}
