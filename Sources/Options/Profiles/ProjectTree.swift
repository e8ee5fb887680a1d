// SPDX-License-Identifier: Apache-2.0
// The root of the tree in which a directory of a project lies: tools look for their files there.

internal import Linux
internal import SystemPackage
internal import Text

/// The directories above one in a project.
struct ProjectTree {
  private let surroundings: Surroundings
  private let shared: SharedDirectories

  init(_ surroundings: Surroundings, _ shared: SharedDirectories) {
    self.surroundings = surroundings
    self.shared = shared
  }

  /// What marks the root of a tree, the strongest sign first: of the first kind that a directory has
  /// on the way up, the nearest one counts.
  private static let marks: [[FilePath]] = [
    // Version control keeps the whole project together.
    [".git", ".hg", ".jj", ".svn", ".bzr", "_darcs"],
    // Files that name the members of a workspace or what the whole of it needs.
    [
      "Cargo.lock", "go.work", "package-lock.json", "pnpm-workspace.yaml", "yarn.lock",
      "settings.gradle", "settings.gradle.kts", "MODULE.bazel", "WORKSPACE", "uv.lock",
      "poetry.lock",
    ],
    // Files of one package.
    [
      "Cargo.toml", "go.mod", "package.json", "pyproject.toml", "setup.py", "pom.xml",
      "build.gradle", "build.gradle.kts", "Package.swift", "composer.json", "Gemfile", "mix.exs",
      "dune-project", "stack.yaml", "cabal.project", "meson.build", "build.zig", "deno.json",
    ],
  ]

  /// The root of the tree that `directory`, a path without links, lies in; itself if nothing marks
  /// another one.
  ///
  /// A directory that holds more than a project is never the root, and neither is one of another
  /// user, who could otherwise have this user share more by leaving a file there.
  func root(of directory: ByteString) -> ByteString {
    let start = directory.path
    guard let owner = try? FileFacts(at: start).owner else { return directory }
    for marks in ProjectTree.marks {
      var place = start
      repeat {
        guard let found = try? FileFacts(at: place), found.owner == owner else { break }
        guard marks.contains(where: { (try? FileFacts(at: place.pushing($0))) != nil }) else {
          continue
        }
        if place == start || shared.kind(of: ByteString(place)) == nil { return ByteString(place) }
        break
      } while place.removeLastComponent() && !place.components.isEmpty
    }
    return directory
  }
}
