// SPDX-License-Identifier: Apache-2.0
// The file of a learned profile: where it lies before the run, and how it is written after it. The command may
// change where its path leads, so after the run only the directory counts that was open before.

internal import Linux
internal import Options
internal import Sandbox
internal import SystemPackage
internal import Text

/// The file of a learned profile.
struct LearnedFile: ~Copyable {
  /// Its path; of a link, that of the file to which the link leads.
  let path: ByteString
  /// Where its path was typed to lie: of a link, the link.
  private let place: ByteString
  private let name: FilePath
  /// Its permissions; nil if there is none.
  private let permissions: UInt32?
  /// Whether it belongs to the caller.
  private let isOwn: Bool
  /// How many names it has; nil if there is none.
  private let names: UInt64?
  /// The name of the option that is about it.
  private let option: String
  private let directory: OwnedDescriptor

  /// What the launch must leave open.
  var descriptors: [CInt] { directory.isOpen ? [directory.rawValue] : [] }

  /// Looks at the file that was typed as `typed`.
  init(_ typed: ByteString, _ option: String, _ surroundings: Surroundings) throws(UsageError) {
    self.option = option
    guard let place = surroundings.absolute(typed) else {
      throw UsageError("\(option): \(typed.quoted) cannot be written")
    }
    let path = (try? FoundFile(following: place.path)).map { ByteString($0.path) } ?? place
    guard let last = path.path.lastComponent, last.kind == .regular else {
      throw UsageError("\(option): \(typed.quoted) cannot be written")
    }
    (self.path, self.place) = (path, LearnedFile.real(place))
    name = FilePath(root: nil, [last])
    let facts = try? FileFacts(at: path.path)
    permissions = facts?.permissions
    isOwn = facts?.owner == surroundings.user
    names = (try? OwnedDescriptor.open(path.path, .location).entryStatus().links).map { UInt64($0) }
    directory =
      (try? OwnedDescriptor.open(path.path.removingLastComponent(), .directory)) ?? .none
  }

  /// A path, of which only the last name may be a link.
  private static func real(_ place: ByteString) -> ByteString {
    guard let last = place.path.lastComponent, last.kind == .regular,
      let parent = try? FoundFile(following: place.path.removingLastComponent()).path
    else { return place }
    return ByteString(parent.appending(last))
  }

  // MARK: - Before the run

  /// Its text; empty if there is no file.
  borrowing func text() throws(UsageError) -> [UInt8] {
    do throws(SystemCallError) {
      let file = try OwnedDescriptor.open(path.path, .reading)
      return try Descriptors.contents(of: file.rawValue, limit: Profile.maximumSize)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw UsageError("\(option): can't read \(path.quoted): \(error.reason)")
    }
  }

  /// Throws if it has several names.
  borrowing func requireOneName() throws(UsageError) {
    guard let names, names > 1 else { return }
    throw UsageError(
      "\(option): \(path.quoted) has another name (a hard link), under which the command may be able to "
        + "change it; name another file")
  }

  /// Throws if the caller may not write it, or if the command of `plan` may change it.
  borrowing func requireOwn(_ plan: Plan) throws(UsageError) {
    let parent = ByteString(path.path.removingLastComponent())
    guard directory.isOpen, let real = try? Descriptors.path(of: directory.rawValue) else {
      throw UsageError("\(option): there is no directory \(parent.quoted)")
    }
    guard FileAccess.write.isGranted(real) else {
      throw UsageError("\(option): you may not write to the directory \(parent.quoted)")
    }
    // By rename it could be replaced all the same, but its mode says that it is to stay.
    guard permissions == nil || FileAccess.write.isGranted(path.path) else {
      throw UsageError(
        "\(option): you may not write to \(path.quoted); name another file"
          + (isOwn ? ", or type: chmod u+w \(path.quotedForShell)" : ""))
    }
    if place != path, plan.mayChange(place) {
      throw UsageError(
        "\(option): the command could exchange the link \(place.quoted) for a profile of its own; name the file "
          + "to which it leads: \(path.quoted)")
    }
    if plan.mayChange(ByteString(real.appending(name.components))) {
      throw UsageError(
        "\(option): the command could change \(path.quoted) itself; name a file in another directory, "
          + "which the command cannot write to")
    }
  }

  // MARK: - After the run

  /// Replaces it by one with this text.
  borrowing func write(_ text: [UInt8]) throws(UsageError) {
    guard text.count <= Profile.maximumSize else {
      throw UsageError(
        "\(option): nothing was written: the profile would have \(String(text.count)) bytes, "
          + "and nestbox reads no profile of more than \(String(Profile.maximumSize >> 20)) MiB; let the "
          + "command use fewer files and addresses")
    }
    do throws(SystemCallError) {
      try WrapperFile.write(text, to: name, (permissions ?? 0o644) & 0o777, in: directory)
    } catch {
      throw UsageError("\(option): can't write \(path.quoted): \(error.reason)")
    }
  }

  /// What it has now, as another run may have written it meanwhile; nil if there is no file.
  ///
  /// A link is not followed: what it leads to may be the command's.
  borrowing func currentText() throws(UsageError) -> [UInt8]? {
    do throws(SystemCallError) {
      let file = try directory.openRegularEntry(name)
      return try Descriptors.contents(of: file.rawValue, limit: Profile.maximumSize)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw UsageError(
        "\(option): \(path.quoted) has changed meanwhile, and stays as it is: \(error.reason)")
    }
  }

  /// Locks the directory, so that two runs which end at once both add their lines.
  ///
  /// Some file systems have no locks.
  borrowing func locked() throws(UsageError) -> OwnedDescriptor {
    for _ in 0..<500 {
      do throws(SystemCallError) {
        if let lock = try directory.locked(.exclusive) { return lock }
      } catch {
        return .none
      }
      CurrentProcess.sleep(milliseconds: 10)
    }
    throw UsageError(
      "\(option): nothing was written: another program has locked the directory of "
        + "\(path.quoted); once that has ended, run the same line again")
  }
}
