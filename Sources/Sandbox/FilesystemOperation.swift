// SPDX-License-Identifier: Apache-2.0
// What can be done to the new root.

public import Linux
public import SystemPackage

/// One step in the making of the new root.
///
/// Destinations are paths as they will be inside.
public struct FilesystemOperation: Equatable, Sendable {
  /// The option that asked for it, as it was typed.
  public var option: String
  /// What is to be done.
  public var action: Action

  /// Names a step.
  public init(option: String, action: Action) {
    self.option = option
    self.action = action
  }

  /// What may be done with a bound tree.
  public enum Access: Equatable, Sendable {
    /// Reading.
    case readOnly
    /// Reading and writing.
    case readWrite
    /// Reading, writing and opening device files.
    case devices
  }

  /// What a step does.
  public enum Action: Equatable, Sendable {
    /// Shows a file or tree of the host; a missing source is passed over where it is optional.
    case bind(source: FilePath, destination: FilePath, access: Access, isOptional: Bool)
    /// Makes a mount read-only.
    case remountReadOnly(FilePath)
    /// Shows the processes of the sandbox.
    case proc(FilePath)
    /// Makes a minimal directory of devices.
    case dev(FilePath)
    /// Mounts an empty filesystem in memory, of `size` bytes at most.
    case tmpfs(FilePath, permissions: FilePermissions, size: UInt64?)
    /// Mounts the POSIX message queues of the ipc namespace.
    case mqueue(FilePath)
    /// Makes a directory.
    case directory(FilePath, permissions: FilePermissions)
    /// Makes a file with the content of an open descriptor.
    case file(descriptor: CInt, destination: FilePath, permissions: FilePermissions)
    /// Mounts a file with the content of an open descriptor.
    case data(
      descriptor: CInt, destination: FilePath, permissions: FilePermissions, access: Access)
    /// Makes a symbolic link.
    case symbolicLink(target: ByteString, FilePath)
    /// Changes permissions.
    case permissions(FilePermissions, FilePath)
  }
}

extension FilesystemOperation {
  /// The descriptor of the caller's that the step reads, if any.
  public var descriptor: CInt? {
    switch action {
    case .file(let descriptor, _, _), .data(let descriptor, _, _, _): descriptor
    default: nil
    }
  }
}
