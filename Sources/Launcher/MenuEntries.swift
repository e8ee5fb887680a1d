// SPDX-License-Identifier: Apache-2.0
// The search for a program's entry in the desktop's menus.

internal import Linux
internal import Options
internal import Sandbox
internal import Text

/// The entries of the menus.
///
/// See the XDG Base Directory Specification and the Desktop Entry Specification, "File naming".
struct MenuEntries {
  private let directories: [ByteString]
  /// The user's own directory of entries.
  let ownDirectory: ByteString
  private static let ending: ByteString = ".desktop"

  init(_ surroundings: Surroundings) {
    let own =
      surroundings.variable("XDG_DATA_HOME").flatMap { $0.isEmpty ? nil : $0 }
      ?? surroundings.home.appending("/.local/share")
    ownDirectory = own.appending("/applications")
    let others =
      surroundings.variable("XDG_DATA_DIRS").flatMap { $0.isEmpty ? nil : $0 }
      ?? "/usr/local/share:/usr/share"
    directories =
      ([own] + others.bytes.split(separator: UInt8(ascii: ":")).map { ByteString($0) })
      .filter { $0.bytes.first == UInt8(ascii: "/") }.map { $0.appending("/applications") }
  }

  /// The entry `identifier`.
  ///
  /// If that is nil or does not exist, the entry with the name of the program `name`; otherwise the
  /// only entry that starts a program that `isProgram` accepts.
  func find(
    named identifier: ByteString?, startedBy name: ByteString, _ isProgram: (ByteString) -> Bool
  ) throws(UsageError) -> (identifier: ByteString, entry: DesktopEntry) {
    for identifier in [identifier, name.appending(MenuEntries.ending)] {
      guard let identifier else { continue }
      for directory in directories {
        let files = self.files(in: directory, prefix: "")
        if let file = files.first(where: { $0.identifier == identifier }),
          let entry = entry(file.path)
        {
          return (identifier, entry)
        }
      }
    }
    var found: [(identifier: ByteString, entry: DesktopEntry)] = []
    for directory in directories {
      for file in files(in: directory, prefix: "")
      where !found.contains(where: { $0.identifier == file.identifier }) {
        guard let entry = entry(file.path), entry.starts(isProgram) else { continue }
        found.append((file.identifier, entry))
      }
    }
    if found.count == 1, let only = found.first { return only }
    if found.isEmpty {
      let places = directories.map(\.quoted).joined(separator: ", ")
      throw UsageError(
        "--desktop-file: no entry in \(places) starts \(name.quoted); leave the option out, and "
          + "nestbox writes the wrapper alone")
    }
    let names = found.map(\.identifier.quoted).sorted().joined(separator: ", ")
    throw UsageError(
      "--desktop-file: several entries start \(name.quoted): \(names); end the path with the name of one "
        + "of them")
  }

  /// Whether `find` finds an entry of the program in the file `program`.
  func has(for program: ByteString, _ isProgram: (ByteString) -> Bool) -> Bool {
    (try? find(named: nil, startedBy: program.baseName, isProgram)) != nil
  }

  /// The entry in the file `path`, unless --wrap wrote it.
  private func entry(_ path: ByteString) -> DesktopEntry? {
    guard let text = WrapperFile.text(of: path), !DesktopEntry.isOurs(text) else { return nil }
    return DesktopEntry(text)
  }

  /// The entries in and below `directory`, with a dash for each slash in their names.
  private func files(
    in directory: ByteString, prefix: ByteString
  ) -> [(identifier: ByteString, path: ByteString)] {
    var files: [(identifier: ByteString, path: ByteString)] = []
    for name in (try? Directory.names(of: directory.path)) ?? [] {
      let path = directory.appending("/").appending(name)
      if name.bytes.suffix(MenuEntries.ending.count).elementsEqual(MenuEntries.ending.bytes) {
        files.append((prefix.appending(name), path))
      } else if !name.bytes.contains(UInt8(ascii: ".")) {
        files += self.files(in: path, prefix: prefix.appending(name).appending("-"))
      }
    }
    return files
  }
}
