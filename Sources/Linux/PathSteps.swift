// SPDX-License-Identifier: Apache-2.0
// The steps of a path: every walk that resolves paths by itself takes them from here.

public import SystemPackage

/// The names of a path in order; the names of a link's target take the place of the link.
public struct PathSteps {
  /// The names that remain, the next one last.
  private var rest: [FilePath.Component]
  private var links = 0

  /// A step.
  public enum Step {
    /// To the parent directory.
    case up
    /// To an entry of the directory.
    case entry(FilePath.Component)
  }

  /// As many links as the kernel follows (MAXSYMLINKS).
  public static let mostLinks = 40

  /// The steps of `path`.
  public init(_ path: FilePath) { rest = path.components.reversed() }

  /// Whether no name remains.
  public var isAtEnd: Bool { rest.isEmpty }

  /// The names that remain, in order.
  public var remaining: [FilePath.Component] { rest.reversed() }

  /// The next step; nil at the end.
  public mutating func next() -> Step? {
    while let name = rest.popLast() {
      switch name.kind {
      case .currentDirectory: continue
      case .parentDirectory: return .up
      case .regular: return .entry(name)
      }
    }
    return nil
  }

  /// Goes on with the target of a link.
  /// - Returns: Whether the kernel would: it follows only so many.
  public mutating func follow(_ target: FilePath) -> Bool {
    links += 1
    rest += target.components.reversed()
    return links <= PathSteps.mostLinks
  }
}
