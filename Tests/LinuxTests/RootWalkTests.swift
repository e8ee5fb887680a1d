// SPDX-License-Identifier: Apache-2.0
// Paths inside a root, with openat2(2) and without.

import CLinux
import Foundation
import Glibc
import SystemPackage
import Testing

@testable import Linux

@Suite("Paths inside a root")
struct RootWalkTests {
  private static let paths: [FilePath] = [
    "", "/", ".", "..", "a", "/a/b/c", "a/b/../b/./c", "../../a/b", "a/b/c/d", "a/missing",
    "missing/a",
    "absolute", "relative", "relative/../c", "outside", "outside/passwd", "up/up/up/a/b/c", "loop",
    "dangling",
    "dangling/x", "through", "chain", "a/b/back/a/b/c", "absolute/c", "dots", "dots/a",
  ]

  /// A tree with links of all kinds; `outside` leads out of it unless the tree is the root.
  private static func makeTree() throws -> URL {
    let root = FileManager.default.temporaryDirectory.appending(path: "walk-\(UUID().uuidString)")
    let files = FileManager.default
    try files.createDirectory(
      at: root.appending(path: "a/b"), withIntermediateDirectories: true)
    try Data("text".utf8).write(to: root.appending(path: "a/b/c"))
    let links = [
      "absolute": "/a/b", "relative": "a/b", "outside": "../../../../../../etc", "up": "..",
      "loop": "loop", "dangling": "nothing", "through": "absolute/c", "chain": "through",
      "a/b/back": "/", "dots": "/../../.",
    ]
    for (name, target) in links {
      try files.createSymbolicLink(
        atPath: root.appending(path: name).path, withDestinationPath: target)
    }
    return root
  }

  // Red: under a filter that hides openat2(2), a launcher mounts elsewhere than without it, or out
  // of the new root.
  @Test(
    "A walk ends where openat2 ends",
    arguments: paths,
    [(CInt(LINUX_O_PATH), true), (CInt(LINUX_O_PATH) | O_DIRECTORY, false), (O_RDONLY, true)])
  func agreement(_ path: FilePath, _ how: (flags: CInt, allowsLinks: Bool)) throws {
    let tree = try RootWalkTests.makeTree()
    defer { try? FileManager.default.removeItem(at: tree) }
    let root = try OwnedDescriptor.open(FilePath(tree.path), .directory)
    #expect(try walked(root, path, how) == resolved(root, path, how), "\(path)")
  }

  // Red: a file that has to be made is not, or is made outside.
  @Test(
    "A walk creates what openat2 creates",
    arguments: ["new", "a/b/new", "absolute/new", "dangling", "outside/new", "loop", "a"])
  func creation(_ path: String) throws {
    var listings: [[String]] = []
    var results: [Bool] = []
    let flags = O_WRONLY | O_CREAT
    for isWalk in [false, true] {
      let tree = try RootWalkTests.makeTree()
      defer { try? FileManager.default.removeItem(at: tree) }
      let root = try OwnedDescriptor.open(FilePath(tree.path), .directory)
      let result =
        isWalk
        ? try walked(root, FilePath(path), (flags, true))
        : try resolved(root, FilePath(path), (flags, true))
      results.append(result.number == 0)
      listings.append(try FileManager.default.subpathsOfDirectory(atPath: tree.path).sorted())
    }
    #expect(results[0] == results[1])
    #expect(listings[0] == listings[1])
  }

  /// What was opened, or the number of the error.
  private struct Result: Equatable {
    var identity: FileIdentity?
    var number: CInt = 0
  }

  private func result(_ descriptor: CInt) throws -> Result {
    guard descriptor >= 0 else { return Result(number: descriptor) }
    let file = OwnedDescriptor(descriptor)
    return Result(identity: try file.fileIdentity())
  }

  private func walked(
    _ root: borrowing OwnedDescriptor, _ path: FilePath, _ how: (flags: CInt, allowsLinks: Bool)
  ) throws -> Result {
    var walk = RootWalk(from: root.rawValue, path, allowsLinks: how.allowsLinks)
    return try result(walk.open(how.flags, 0o644))
  }

  private func resolved(
    _ root: borrowing OwnedDescriptor, _ path: FilePath, _ how: (flags: CInt, allowsLinks: Bool)
  ) throws -> Result {
    // RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS and RESOLVE_NO_SYMLINKS.
    let resolve: UInt64 = 0x10 | 0x02 | (how.allowsLinks ? 0 : 0x04)
    let permissions: UInt64 = how.flags & O_CREAT != 0 ? 0o644 : 0
    var opened = -EAGAIN
    // While others mount or rename anything, the kernel gives up on paths with `..`.
    while opened == -EAGAIN {
      opened = unsafe path.withPlatformString {
        unsafe linux_openat2(
          root.rawValue, $0, UInt64(how.flags | O_CLOEXEC), permissions, resolve)
      }
    }
    return try result(opened)
  }
}
