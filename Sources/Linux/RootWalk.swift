// SPDX-License-Identifier: Apache-2.0
// Resolves a path inside a root without openat2(2): where a filter hides that call, as the built-in
// policies do, a launcher inside a sandbox would otherwise find no destination.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// A walk from a root directory, which stays its `/` wherever links and `..` lead.
///
/// It holds a descriptor for each directory on the way. So `..` goes back to the directory it came
/// from, and nothing that another process renames or links meanwhile leads out of the root.
struct RootWalk: ~Copyable {
  /// The root, and the directories below it down to the current one.
  private var directories: [CInt]
  private var steps: PathSteps
  private let allowsLinks: Bool
  private let isEmpty: Bool

  /// Begins at the directory `root`, which the walk borrows.
  init(from root: CInt, _ path: FilePath, allowsLinks: Bool) {
    directories = [root]
    steps = PathSteps(path)
    self.allowsLinks = allowsLinks
    isEmpty = path.isEmpty
  }

  deinit {
    for directory in directories.dropFirst() { Descriptors.close(directory) }
  }

  /// Opens what the path leads to.
  /// - Returns: A descriptor, or a negative errno, as openat2(2) does.
  mutating func open(_ flags: CInt, _ permissions: mode_t) -> CInt {
    if isEmpty { return -ENOENT }
    while let next = steps.next() {
      switch next {
      case .up:
        if directories.count > 1 { Descriptors.close(directories.removeLast()) }
      case .entry(let component):
        let result = step(to: component, flags, permissions)
        if let result { return result }
      }
    }
    return entry(".", flags, permissions)
  }

  /// Goes on to an entry of the current directory.
  /// - Returns: What `open` returns, where the walk ends here.
  private mutating func step(
    to component: FilePath.Component, _ flags: CInt, _ permissions: mode_t
  ) -> CInt? {
    let name = FilePath(root: nil, [component])
    let location = entry(name, CInt(LINUX_O_PATH) | O_NOFOLLOW, 0)
    if location < 0 {
      let isCreated = location == -ENOENT && steps.isAtEnd && flags & O_CREAT != 0
      return isCreated ? entry(name, flags | O_NOFOLLOW, permissions) : location
    }
    if let link = target(of: location) {
      Descriptors.close(location)
      return follow(link)
    }
    guard steps.isAtEnd else {
      directories.append(location)
      return nil
    }
    Descriptors.close(location)
    // Should a link take its place now, the kernel refuses it.
    return entry(name, flags | O_NOFOLLOW, permissions)
  }

  private func entry(_ name: FilePath, _ flags: CInt, _ permissions: mode_t) -> CInt {
    let directory = directories[directories.count - 1]
    return unsafe name.withPlatformString {
      unsafe linux_openat(directory, $0, flags | O_CLOEXEC, permissions)
    }
  }

  /// The target of the link at `location`; nil if that is not a link.
  private func target(of location: CInt) -> FilePath? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlinkat(location, "", &buffer, buffer.count - 1)
    guard count >= 0 else { return nil }
    return FilePath(platformString: buffer)
  }

  private mutating func follow(_ link: FilePath) -> CInt? {
    guard allowsLinks, steps.follow(link) else { return -ELOOP }
    guard !link.isEmpty else { return -ENOENT }
    if link.isAbsolute {
      while directories.count > 1 { Descriptors.close(directories.removeLast()) }
    }
    return nil
  }
}
