// SPDX-License-Identifier: Apache-2.0
// Errors by their names in errno(3).

internal import CLinux
internal import Glibc
public import SystemPackage

/// The names of errors.
///
/// See errno(3), strerrorname_np(3).
public enum ErrorNames {
  /// The largest error number of a system call (MAX_ERRNO).
  private static let largest: CInt = 4095

  /// The error `name`, such as `EPERM`; nil if no error has this name.
  public static func error(named name: String) -> Errno? {
    all.first { $0.name == name }?.error
  }

  /// The name of `error`, or nil if it has none.
  public static func name(of error: Errno) -> String? {
    guard let name = unsafe linux_error_name(error.rawValue) else { return nil }
    return unsafe String(cString: name)
  }

  /// Every error that has a name.
  public static var all: [(name: String, error: Errno)] {
    (1...largest).compactMap { number in
      let error = Errno(rawValue: number)
      return name(of: error).map { ($0, error) }
    }
  }
}
