// SPDX-License-Identifier: Apache-2.0
// Links on the way to the store of reviews. A directory there can be kept from a command by a mount; a
// link cannot, and a command that replaces one chooses which store a later --apply reads.

internal import Linux
public import SystemPackage
public import Text

extension ResolvedSandbox {
  /// A link on the way to `path` of the host, an absolute path, that the command could replace.
  ///
  /// It is nil if there is none. `home` is the caller's home directory, for `~`.
  public final func replaceableLink(on path: FilePath, home: ByteString) -> FilePath? {
    let links = ResolvedSandbox.replaceableLinks(on: path)
    if links.isEmpty { return nil }
    for operation in sandbox.filesystem {
      for shown in sandbox.shownWritable(operation.action, self.home) {
        guard let source = Sandbox.realPath(shown.source, home) else { continue }
        if let link = links.first(where: { $0.starts(with: source) }) { return link }
      }
    }
    return nil
  }

  /// The links on the way to `path` that this user could replace, each by its path without links.
  private static func replaceableLinks(on path: FilePath) -> [FilePath] {
    var steps = PathSteps(path)
    var place: FilePath = "/"
    var links: [FilePath] = []
    while let step = steps.next() {
      guard case .entry(let name) = step else {
        place.removeLastComponent()
        continue
      }
      let next = place.appending(name)
      guard
        let target = try? OwnedDescriptor.open(next, .linkLocation).ownLinkTarget()?.path
      else {
        place = next
        continue
      }
      if FileAccess.write.isGranted(place) { links.append(next) }
      if target.isAbsolute { place = "/" }
      guard steps.follow(target) else { break }
    }
    return links
  }
}
