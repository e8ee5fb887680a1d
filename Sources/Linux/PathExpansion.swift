// SPDX-License-Identifier: Apache-2.0
// The files that match a pattern, as a shell expands it.

internal import Glibc
internal import SystemPackage
public import Text

extension PathPattern {
  /// The existing paths that match, in the order of their bytes.
  ///
  /// See glob(7).
  /// - Throws: `SystemCallError` if the kernel does not say what is there.
  public func matches() throws(SystemCallError) -> [ByteString] {
    var found: [ByteString] = [""]
    for component in components {
      var paths: [ByteString] = []
      for directory in found {
        for name in try PathPattern.names(in: directory, component) {
          paths.append(ByteString(directory.bytes + [UInt8(ascii: "/")] + name.bytes))
        }
      }
      found = paths
    }
    var existing: [ByteString] = []
    for path in found {
      let isThere = try unlessMissing { () throws(SystemCallError) in
        try checkErrno(unsafe path.withCString { unsafe access($0, F_OK) }, "access")
        return true
      }
      if isThere == true { existing.append(path) }
    }
    return existing.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// The names in `directory` that match `component`.
  private static func names(
    in directory: ByteString, _ component: ArraySlice<UInt8>
  ) throws(SystemCallError) -> [ByteString] {
    // A name without a wildcard needs no listing, which the directory may refuse.
    guard component.contains(where: { "*?[\\".utf8.contains($0) }) else {
      return [ByteString(component)]
    }
    let path = directory.isEmpty ? "/" : directory.path
    let names =
      try unlessMissing { () throws(SystemCallError) in try Directory.names(of: path) } ?? []
    // A name that begins with a dot matches only a pattern that does so as well.
    return names.filter {
      ($0.bytes.first != UInt8(ascii: ".") || component.first == UInt8(ascii: "."))
        && match($0.bytes, component)
    }
  }
}
