// SPDX-License-Identifier: Apache-2.0
// Reviews: changes of commands that wait for a decision.

/// Changes that wait for a decision.
public struct Review: Hashable, Sendable, Decodable {
  /// What it is called.
  public var name: String
  /// The seconds since it began.
  public var age: Double
  /// How many changes there are, if they could be counted.
  public var changes: Int?
  /// Whether its sandbox still runs.
  public var running: Bool
  /// The directories that it is about.
  public var directories: [String]

  /// How functions name it.
  public var reference: ReviewReference { ReviewReference(name) }

  /// The reviews that wait.
  public static func all(executable: String? = nil) async throws(NestboxError) -> [Review] {
    struct List: Decodable { let reviews: [Review] }
    return try await NestboxTask(["--reviews", "--json"], executable).decoded(List.self).reviews
  }
}

/// What a review would change.
public struct Changes: Hashable, Sendable, Decodable {
  /// Whether all changes could be read.
  public var complete: Bool
  /// Each directory under review.
  public var directories: [Directory]

  /// The changes of one directory.
  public struct Directory: Hashable, Sendable, Decodable {
    /// The directory.
    public var path: String
    /// What would be changed.
    public var changes: [Change]
  }

  /// One change.
  public struct Change: Hashable, Sendable, Decodable {
    /// What is changed, below the directory.
    public var path: String
    /// `added`, `changed`, `removed`, `renamed` or another word of nestbox(1).
    public var change: String
    /// Why it deserves a look.
    public var marks: [Mark]
  }

  /// A reason to look at a change.
  public struct Mark: Hashable, Sendable, Decodable {
    /// The reason in a word.
    public var name: String
    /// The reason for people.
    public var text: String
  }
}

/// A review, as one names it.
public struct ReviewReference: Hashable, Sendable {
  /// Its name.
  public var name: String

  /// The review of this name.
  public init(_ name: String) { self.name = name }

  /// What it would change.
  /// - Throws: ``NestboxError/noSuchReview(_:)`` if there is none.
  public func changes(executable: String? = nil) async throws(NestboxError) -> Changes {
    try check()
    return try await NestboxTask(["--changes", name, "--json"], executable, about: self)
      .decoded(Changes.self)
  }

  /// Changes the directory: as the whole review says, or what is below `paths`, as ``Changes`` writes
  /// them.
  /// - Throws: ``NestboxError/changesLeft(_:)`` if changes were left, such as those of files that the
  ///   host has changed since, unless `isOverwriting`.
  public func apply(
    _ paths: [String] = [], isOverwriting: Bool = false, executable: String? = nil
  ) async throws(NestboxError) {
    let overwrite = isOverwriting ? ["--overwrite"] : []
    let words = try overwrite + ["--apply", name] + below(paths)
    _ = try await NestboxTask(words, executable, about: self).output()
  }

  /// Forgets the changes: all of them, or those below `paths`.
  public func discard(
    _ paths: [String] = [], executable: String? = nil
  ) async throws(NestboxError) {
    let words = try ["--discard", name] + below(paths)
    _ = try await NestboxTask(words, executable, about: self).output()
  }

  private func check() throws(NestboxError) { try Sandbox.checkName(name, "review") }

  private func below(_ paths: [String]) throws(NestboxError) -> [String] {
    try check()
    for path in paths { try Sandbox.check(path, "paths") }
    return paths.isEmpty ? [] : ["--"] + paths
  }
}
