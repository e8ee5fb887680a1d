// SPDX-License-Identifier: Apache-2.0
// The parent of a path and its last name, from its bytes. The library's own properties are generic code
// over slices: the first use in a process has the runtime make a dozen types, which costs a launch some
// thirty page faults.

public import SystemPackage

extension FilePath {
  /// The path without its last component, as `removingLastComponent()` makes it.
  public var parent: FilePath {
    let bytes = ByteString(self).bytes
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    // The root is its own parent.
    return ByteString(bytes[...max(slash - 1, bytes.startIndex)]).path
  }

  /// The last component; empty if there is none.
  public var lastName: ByteString {
    let bytes = ByteString(self).bytes
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return ByteString(bytes) }
    return ByteString(bytes[(slash + 1)...])
  }

  /// Whether the path ends in the name of an entry: not in `.` or `..`, and not at the root.
  public var endsInName: Bool {
    let name = lastName
    return !name.isEmpty && name != "." && name != ".."
  }
}
