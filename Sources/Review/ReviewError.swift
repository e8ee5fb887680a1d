// SPDX-License-Identifier: Apache-2.0
// What can keep the store from a task.

public import Linux
public import SystemPackage

/// Why the store cannot do a task.
public enum ReviewError: Error, Equatable, Sendable {
  /// No review has the name.
  case isUnknown
  /// Another one has the name.
  case nameIsTaken
  /// A sandbox or another task uses it.
  case isInUse
  /// The record cannot be read.
  case hasNoRecord
  /// A layer is gone.
  case hasNoLayer
  /// The store is not a directory of this user alone.
  case storeIsUnsuitable(FilePath, StoreFlaw)
  /// A directory under review is not where it was.
  case directoryIsGone(FilePath)
  /// What was to be reviewed does not exist.
  case isMissing(FilePath)
  /// What was to be reviewed is a file.
  case isNoDirectory(FilePath)
  /// A system call failed on a path.
  case failed(FilePath, SystemCallError)
}

/// Why a store is not a directory of this user alone.
public enum StoreFlaw: Sendable {
  case isLink, isNoDirectory
  /// Another user owns it.
  case isForeign
  /// Other users may enter it.
  case isOpen
}

/// Adds the path to a failure in `body`.
func failing<Result: ~Copyable>(
  _ path: FilePath, _ body: () throws(SystemCallError) -> Result
) throws(ReviewError) -> Result {
  do throws(SystemCallError) { return try body() } catch { throw .failed(path, error) }
}
