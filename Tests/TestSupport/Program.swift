// SPDX-License-Identifier: Apache-2.0
// What the tests of the executable share: the executable itself, a shell for an ordinary user to
// start it in, the conditions for skipping a test, scripts, and chance that can be repeated.
//
// This file: the executable under test, and the directory that holds everything the tests make.

package import Foundation

/// The executable under test.
package enum Program {
  /// A directory that holds it under the name `nestbox`, open to every user.
  package static let directory = Workspace.root.appending(path: "bin")
  /// A directory that holds it under the name `bwrap`.
  package static let bubblewrapDirectory = Workspace.root.appending(path: "as-bwrap")

  /// Whether it needs no libraries, as that of `make build`; what `swift build` makes needs some.
  ///
  /// See elf(5), PT_INTERP.
  package static let isStatic: Bool = {
    guard let file = try? Data(contentsOf: locate(), options: .alwaysMapped) else { return false }
    func number(_ offset: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
    }
    let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2))
    return (0..<count).allSatisfy { number(start + $0 * size, 4) != 3 }
  }()

  /// Whether it is the one of `make build`, a release build; the tests' own is none.
  package static let isOptimized =
    isStatic && ((try? locate().path.contains("/release/")) ?? false)

  /// The executable under test: the one that the variable NESTBOX names, as `make test` does, or
  /// else the one that was built together with the tests.
  static func locate() throws -> URL {
    if let path = ProcessInfo.processInfo.environment["NESTBOX"] {
      return URL(filePath: path)
    }
    // Every product lies beside the bundle of the tests or above it.
    var place = URL(filePath: CommandLine.arguments[0]).standardizedFileURL
    while place.path != "/" {
      place = place.deletingLastPathComponent()
      let candidate = place.appending(path: "nestbox")
      let attributes = try? FileManager.default.attributesOfItem(
        atPath: candidate.resolvingSymlinksInPath().path)
      if attributes?[.type] as? FileAttributeType == .typeRegular { return candidate }
    }
    throw Failure("there is no executable nestbox beside the tests; NESTBOX may name one")
  }
}

/// Why the tests themselves cannot go on.
package struct Failure: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// The directory for everything that the tests make; it is removed when they end.
package enum Workspace {
  /// The directory.
  package static let root: URL = {
    // A short name: sockets lie in it, whose paths have 108 bytes at most (unix(7)).
    let root = FileManager.default.temporaryDirectory
      .appending(path: "nestbox-tests-\(UUID().uuidString.prefix(8))")
    do {
      try prepare(root)
    } catch {
      fatalError("the tests can't be prepared: \(error)")
    }
    atexit { try? FileManager.default.removeItem(at: Workspace.root) }
    return root
  }()

  /// The name of this run: what a test makes elsewhere has the name of its session's directory in
  /// its own, and with it this one, by which Tests/run.py finds what was left behind.
  package static let mark = ProcessInfo.processInfo.environment["NESTBOX_TEST_RUN"] ?? "nestbox"

  /// The checkout that the tests were built from.
  package static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Copies the executable to where every user can start it, even if another user owns the build.
  private static func prepare(_ root: URL) throws {
    let files = FileManager.default
    for name in ["", "bin", "as-bwrap", "sessions"] {
      try files.createDirectory(
        at: root.appending(path: name), withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o755])
    }
    let copy = root.appending(path: "bin/nestbox")
    try files.copyItem(at: Program.locate().resolvingSymlinksInPath(), to: copy)
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy.path)
    try files.createSymbolicLink(
      at: root.appending(path: "as-bwrap/bwrap"), withDestinationURL: copy)
  }
}
