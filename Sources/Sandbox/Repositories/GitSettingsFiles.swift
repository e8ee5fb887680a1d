// SPDX-License-Identifier: Apache-2.0
// The files that hold git's settings for a repository in a project, and where the paths in them
// lead.

internal import Linux
internal import SystemPackage
internal import Text

/// The settings that git obeys in a project.
struct GitSettingsFiles {
  /// The paths of the project.
  let paths: ProgramPaths
  /// The caller's home directory.
  let home: FilePath

  /// How deep files may include others.
  private static let depth = 8

  /// Calls `body` with each setting that counts in `repository`, and with the path of its file: from
  /// the project on, or from the root on.
  func forEachSetting(
    of repository: Repository, in top: borrowing OwnedDescriptor,
    _ body: (GitSetting, _ file: FilePath) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    // All that git reads: the machine's, the user's, the repository's, and the work tree's own.
    var files: [FilePath] = [
      "/etc/gitconfig", home.appending(".config/git/config"), home.appending(".gitconfig"),
    ]
    let directory = try gitDirectory(of: repository, in: top)
    files += ["config", "config.worktree"].map { directory.appending($0) }
    // A linked work tree has its settings in the common directory.
    if let common = try GitFile.path(in: directory.appending("commondir"), from: top) {
      files.append(directory.pushing(common).appending("config"))
    }
    for file in files { try read(file, in: top, depth: 0, body) }
  }

  private func read(
    _ file: FilePath, in top: borrowing OwnedDescriptor, depth: Int,
    _ body: (GitSetting, _ file: FilePath) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    guard depth < GitSettingsFiles.depth,
      let bytes = try GitFile.bytes(of: file, from: top, limit: GitSettings.limit)
    else { return }
    for setting in GitSettings(bytes).settings {
      try body(setting, file)
      guard setting.use == .settings else { continue }
      for other in paths(of: setting, in: file, of: ".") {
        try read(other, in: top, depth: depth + 1, body)
      }
    }
  }

  /// The directory of the repository: itself, or the one that it names, if it is a file.
  private func gitDirectory(
    of repository: Repository, in top: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> FilePath {
    guard let path = try GitFile.gitDirectory(in: repository.path, from: top) else {
      return repository.path
    }
    return paths.fromProject(repository.directory.pushing(path))
  }

  /// The paths that `setting`, from `file`, may mean in a work tree; each from the project on or
  /// from the root on.
  func paths(of setting: GitSetting, in file: FilePath, of workTree: FilePath) -> [FilePath] {
    switch setting.use {
    case .settings: [place(of: setting.value, from: file.removingLastComponent())]
    case .path: [place(of: setting.value, from: workTree)]
    case .command: setting.words.map { place(of: $0, from: workTree) }
    case nil: []
    }
  }

  private func place(of text: ByteString, from directory: FilePath) -> FilePath {
    let path = text.path
    if path.components.first?.string == "~" {
      return paths.fromProject(home.appending(path.components.dropFirst()))
    }
    return paths.fromProject(directory.pushing(path))
  }
}

/// Small files that git writes for itself.
enum GitFile {
  /// How long a path in one may be.
  private static let limit = 4096

  /// At most `limit` bytes of the regular file `path`, which begins at `top` or at the root; nil if
  /// git could not read it either.
  static func bytes(
    of path: FilePath, from top: borrowing OwnedDescriptor, limit: Int
  ) throws(SystemCallError) -> [UInt8]? {
    try ifPresent { () throws(SystemCallError) -> [UInt8]? in
      if path.isAbsolute { return try TextFile.beginning(of: path, limit) }
      // A device or FIFO is not opened for reading at all.
      guard try top.openInRoot(path, .location).isRegularFile() else { return nil }
      let file = try top.openInRoot(path, .reading)
      guard try file.isRegularFile() else { return nil }
      return try Descriptors.bytes(of: file.rawValue, at: 0, count: limit)
    } ?? nil
  }

  /// The path that the file `path` consists of, as commondir does.
  static func path(
    in path: FilePath, from top: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> FilePath? {
    guard let bytes = try bytes(of: path, from: top, limit: limit) else { return nil }
    return line(bytes[...])
  }

  /// The path that the file `.git` of a work tree names.
  static func gitDirectory(
    in path: FilePath, from top: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> FilePath? {
    guard let bytes = try bytes(of: path, from: top, limit: limit) else { return nil }
    return gitDirectory(bytes)
  }

  /// The path in the text of such a file.
  static func gitDirectory(_ bytes: [UInt8]) -> FilePath? {
    let start = Array("gitdir: ".utf8)
    guard bytes.starts(with: start) else { return nil }
    return line(bytes.dropFirst(start.count))
  }

  private static func line(_ bytes: ArraySlice<UInt8>) -> FilePath? {
    var line = bytes
    while let last = line.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
      line = line.dropLast()
    }
    // A path that was cut off would be another one.
    guard !line.isEmpty, line.count < limit - 8, !line.contains(0),
      !line.contains(UInt8(ascii: "\n"))
    else { return nil }
    return ByteString(line).path
  }
}
