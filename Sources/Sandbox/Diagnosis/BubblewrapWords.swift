// SPDX-License-Identifier: Apache-2.0
// bubblewrap's wording for messages that its clients and its tests match, where nestbox's differs.

internal import Linux
internal import SystemPackage
internal import Text

extension LaunchError {
  /// The message in bubblewrap's words, if clients match on them.
  public func messageOfBubblewrap(of resolved: ResolvedSandbox) -> String? {
    let failure = Failure(self, resolved, [], nil)
    let words = "\(failure.name): \(cause.reason)"
    switch (action, cause.errno) {
    case (.execute, _): return "execvp " + words
    case (.readFilter, .invalidArgument): return "Invalid seccomp data, must be multiple of 8"
    case (.lock, _): return "Unable to open lock file " + words
    case (.assertNoUserNamespaces, _): return action.sentence
    case (.setPermissions, .noSuchFileOrDirectory): return "Can't open " + words
    case (.bind, .readOnlyFileSystem), (.mountProc, .readOnlyFileSystem),
      (.mountDevices, .readOnlyFileSystem), (.mountMqueue, .readOnlyFileSystem),
      (.writeFile, .readOnlyFileSystem), (.writeFile, .isDirectory):
      return "Can't create file " + words
    case (.makeSymbolicLink, .fileExists):
      let end = failure.plan.linkTarget(at: failure.subject).map {
        "existing destination is " + failure.quoted($0)
      }
      return action.sentence + " \(failure.name): "
        + (end ?? "destination exists and is not a symlink")
    case (_, .notDirectory) where failure.plan.file(onTheWayTo: failure.subject) != nil:
      return "Can't mkdir parents for " + words
    case (.bind, .notDirectory), (.bind, .invalidArgument):
      guard let kind = failure.operation?.source?.kind else { return nil }
      let expected = kind == .directory ? "directory" : "file"
      return "Destination is not a \(expected) \(failure.name)"
    case (.makeDirectory, .notDirectory), (.makeDirectory, .fileExists),
      (.mountTmpfs, .notDirectory), (.mountProc, .notDirectory), (.mountDevices, .notDirectory):
      return "Destination is not a directory \(failure.name)"
    default: return nil
    }
  }
}

extension Plan {
  /// The target of the symbolic link `path` inside; nil if it is not a link.
  fileprivate func linkTarget(at path: FilePath) -> FilePath? {
    guard let last = path.lastComponent, let parent = root.find(path.removingLastComponent()) else {
      return nil
    }
    let entry = RootModel.Position(
      mount: parent.end.mount, path: parent.end.path.appending(last))
    guard case .link(let target) = root.node(at: entry) else { return nil }
    return target
  }
}
