// SPDX-License-Identifier: Apache-2.0
// The files that match a pattern, as a shell expands it.

internal import SystemPackage
public import Text

extension PathPattern {
  /// The existing paths that match, in the order of their bytes.
  public func matches() -> [ByteString] {
    var found: [ByteString] = [""]
    for component in components {
      found = found.flatMap { directory in
        PathPattern.names(in: directory, component).map {
          ByteString(directory.bytes + [UInt8(ascii: "/")] + $0.bytes)
        }
      }
    }
    return found.filter { CurrentProcess.exists($0) }
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// The names in `directory` that match `component`.
  private static func names(
    in directory: ByteString, _ component: ArraySlice<UInt8>
  ) -> [ByteString] {
    // A name without a wildcard needs no listing, which the directory may refuse.
    guard component.contains(where: { "*?[\\".utf8.contains($0) }) else {
      return [ByteString(component)]
    }
    let names = (try? Directory.names(of: directory.isEmpty ? "/" : directory.path)) ?? []
    // A name that begins with a dot matches only a pattern that does so as well.
    return names.filter {
      ($0.bytes.first != UInt8(ascii: ".") || component.first == UInt8(ascii: "."))
        && match($0.bytes, component)
    }
  }
}
