// SPDX-License-Identifier: Apache-2.0
// Which release of Linux runs.

internal import Glibc

/// The release of the kernel.
public enum KernelRelease {
  /// Its first two numbers, as 6 and 18; none if they cannot be read.
  ///
  /// See uname(2).
  public static var numbers: [Int] {
    var names = utsname()
    guard unsafe uname(&names) == 0 else { return [] }
    let text = unsafe withUnsafeBytes(of: names.release) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return text.split(separator: ".").prefix(2).map { part in
      Int(part.prefix { $0.isASCII && $0.isNumber }) ?? 0
    }
  }
}
