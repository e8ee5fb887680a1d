// SPDX-License-Identifier: Apache-2.0
// Options from the data of --args.

internal import Linux
internal import Sandbox
internal import Text

extension Parser {
  /// Reads more options from a descriptor, separated by NUL bytes; the last NUL is optional.
  mutating func parseNested(_ descriptor: CInt) throws(UsageError) {
    guard !isNested else { throw UsageError("--args: not allowed in the data of --args") }
    var bytes = try contents(of: descriptor)
    if bytes.last == 0 { bytes.removeLast() }
    guard !bytes.isEmpty else { return }
    let words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { ByteString($0) }
    isNested = true
    let rest = try parseOptions(words[...], .arguments)
    isNested = false
    if let word = rest.first {
      throw UsageError("--args: expected an option in the data, found \(word.quoted)")
    }
  }

  private mutating func contents(of descriptor: CInt) throws(UsageError) -> [UInt8] {
    if dataIndex == data.count {
      do throws(SystemCallError) {
        data.append(try Descriptors.contents(of: descriptor))
        Descriptors.close(descriptor)
      } catch {
        throw UsageError("--args: can't read descriptor \(String(descriptor)): \(error.reason)")
      }
    }
    dataIndex += 1
    return data[dataIndex - 1]
  }
}
