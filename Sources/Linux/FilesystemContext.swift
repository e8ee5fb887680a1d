// SPDX-License-Identifier: Apache-2.0
// A new file system before its first mount.

internal import CLinux
internal import Glibc
public import Text

/// A file system that takes its parameters one after the other before the kernel makes it.
///
/// See fsopen(2), fsconfig(2) and fsmount(2).
public struct FilesystemContext: ~Copyable {
  private let descriptor: OwnedDescriptor

  private init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// Starts a file system of the type `type`.
  fileprivate static func open(_ type: StaticString) throws(SystemCallError) -> FilesystemContext {
    let descriptor = OwnedDescriptor(try check(unsafe linux_fsopen(type.cString), "fsopen"))
    // Mount tables show this name as the device.
    try check(
      unsafe linux_fsconfig_string(descriptor.rawValue, "source", type.cString), "fsconfig")
    return FilesystemContext(descriptor)
  }

  /// Sets a parameter to a value.
  public borrowing func set(
    _ key: StaticString, to value: ByteString
  ) throws(SystemCallError) {
    let number = descriptor.rawValue
    let result = unsafe value.withCString {
      unsafe linux_fsconfig_string(number, key.cString, $0)
    }
    try check(result, "fsconfig")
  }

  /// Sets a parameter that has no value.
  public borrowing func set(_ flag: StaticString) throws(SystemCallError) {
    try check(unsafe linux_fsconfig_flag(descriptor.rawValue, flag.cString), "fsconfig")
  }

  /// Sets a parameter in the form of mount(8): `key` or `key=value`.
  public borrowing func set(option: ByteString) throws(SystemCallError) {
    let number = descriptor.rawValue
    let parts = option.bytes.split(
      separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    let result = unsafe ByteString(parts[0]).withCString { key in
      guard parts.count == 2 else { return unsafe linux_fsconfig_flag(number, key) }
      return unsafe ByteString(parts[1]).withCString {
        unsafe linux_fsconfig_string(number, key, $0)
      }
    }
    try check(result, "fsconfig")
  }

  fileprivate consuming func mount(
    _ attributes: MountAttributes
  ) throws(SystemCallError) -> MountTree {
    try check(linux_fsconfig_create(descriptor.rawValue), "fsconfig")
    let mount = try check(linux_fsmount(descriptor.rawValue, attributes.rawValue), "fsmount")
    return MountTree(OwnedDescriptor(mount))
  }
}

extension MountTree {
  /// Makes a file system of the type `type`; `configure` sets its parameters.
  ///
  /// A closure, because during a launch a list of parameters costs as much as the calls.
  public static func make(
    _ type: StaticString, _ attributes: MountAttributes,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void = { _ in }
  ) throws(SystemCallError) -> MountTree {
    let context = try FilesystemContext.open(type)
    try configure(context)
    return try context.mount(attributes)
  }
}
