// SPDX-License-Identifier: Apache-2.0
// The executable under test, and the directory in which everything that the tests make lies.

import Foundation

/// The executable under test.
enum Program {
  /// A directory that holds it under the name `nestbox`, open to every user.
  static let directory = Workspace.root.appending(path: "bin")
  /// A directory that holds it under the name `bwrap`.
  static let bubblewrapDirectory = Workspace.root.appending(path: "as-bwrap")

  /// Whether it needs no libraries; with NESTBOX_INSTRUMENTED it is built otherwise (Package.swift).
  static let isStatic = ProcessInfo.processInfo.environment["NESTBOX_INSTRUMENTED"] == nil

  /// The executable that was built, or the one that the variable NESTBOX names.
  fileprivate static func locate() throws -> URL {
    if let path = ProcessInfo.processInfo.environment["NESTBOX"] {
      return URL(filePath: path)
    }
    // `swift test` builds every product; they lie beside the bundle of the tests or above it.
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
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// What the tests leave behind while they run, and nothing of it afterwards.
enum Workspace {
  /// The directory that holds all of it.
  static let root: URL = {
    let root = FileManager.default.temporaryDirectory
      .appending(path: "nestbox-tests-\(UUID().uuidString)")
    do {
      try prepare(root)
    } catch {
      fatalError("the tests can't be prepared: \(error)")
    }
    atexit { try? FileManager.default.removeItem(at: Workspace.root) }
    return root
  }()

  /// Copies the executable to where every user can start it, whoever owns the build.
  private static func prepare(_ root: URL) throws {
    let files = FileManager.default
    for name in ["bin", "as-bwrap", "sessions"] {
      try files.createDirectory(
        at: root.appending(path: name), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o755])
    }
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: root.path)
    let copy = root.appending(path: "bin/nestbox")
    try files.copyItem(at: Program.locate().resolvingSymlinksInPath(), to: copy)
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy.path)
    try files.createSymbolicLink(
      at: root.appending(path: "as-bwrap/bwrap"), withDestinationURL: copy)
  }
}
