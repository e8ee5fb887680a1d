// SPDX-License-Identifier: Apache-2.0
// A file system that is about to be made.

internal import CLinux
internal import Glibc
public import Text

/// A file system that is given its parameters, one after the other, before it is made.
///
/// See fsopen(2), fsconfig(2) and fsmount(2).
public struct FilesystemContext: ~Copyable {
  private let descriptor: OwnedDescriptor

  private init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// Begins a file system of the type `type`.
  fileprivate static func open(_ type: StaticString) throws(SystemCallError) -> FilesystemContext {
    let descriptor = OwnedDescriptor(try check(unsafe linux_fsopen(type.cString), "fsopen"))
    // The name that mount tables show as the device.
    try check(
      unsafe linux_fsconfig_string(descriptor.rawValue, "source", type.cString), "fsconfig")
    return FilesystemContext(descriptor)
  }

  /// Gives it a parameter that has a value.
  public borrowing func set(
    _ key: StaticString, to value: ByteString
  ) throws(SystemCallError) {
    let number = descriptor.rawValue
    let result = unsafe value.withCString {
      unsafe linux_fsconfig_string(number, key.cString, $0)
    }
    try check(result, "fsconfig")
  }

  /// Gives it a parameter that is just there.
  public borrowing func set(_ flag: StaticString) throws(SystemCallError) {
    try check(unsafe linux_fsconfig_flag(descriptor.rawValue, flag.cString), "fsconfig")
  }

  /// Gives it a parameter as mount(8) takes it: `key` or `key=value`.
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
  /// Makes a file system of the type `type`; `configure` gives it its parameters.
  ///
  /// Not a list of them: on the way to a launch, each kind of list costs as much as the calls.
  public static func make(
    _ type: StaticString, _ attributes: MountAttributes,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void = { _ in }
  ) throws(SystemCallError) -> MountTree {
    let context = try FilesystemContext.open(type)
    try configure(context)
    return try context.mount(attributes)
  }
}
