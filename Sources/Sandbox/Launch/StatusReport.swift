// SPDX-License-Identifier: Apache-2.0
// What callers learn about a sandbox, as JSON. The format is bubblewrap's to the letter: clients
// parse it with regular expressions.

internal import Linux
internal import Text

/// A sandbox that exists: its first process and its new namespaces.
struct SandboxDescription {
  /// Names and numbers, in the order of the report.
  private let fields: [(name: String, value: UInt64)]

  /// The reported kinds; the others are younger than the format.
  private static let reported: Namespaces = [.cgroup, .ipc, .mount, .network, .pid, .uts]

  /// Describes the sandbox with the first process `pid`, with `numbers` as `numbers(of:)` has them.
  init(of pid: Int32, _ namespaces: Namespaces, _ numbers: [UInt64]) {
    fields =
      [("child-pid", UInt64(pid))]
      + zip(SandboxDescription.names(of: namespaces), numbers).map { ($0 + "-namespace", $1) }
  }

  /// The numbers of this process's namespaces, of the kinds among `namespaces` that are reported.
  ///
  /// The first process of the sandbox reads them, as it may have to hide from all others.
  static func numbers(of namespaces: Namespaces) throws(SystemCallError) -> [UInt64] {
    var numbers: [UInt64] = []
    for name in names(of: namespaces) { numbers.append(try namespaceNumber(name)) }
    return numbers
  }

  private static func names(of namespaces: Namespaces) -> [String] {
    Namespaces.names.filter { namespaces.contains($0.namespace) && reported.contains($0.namespace) }
      .map(\.name)
  }

  /// The object over several lines, for `--info-fd`.
  var information: String {
    "{\n    " + text(separator: ",\n    ") + "\n}\n"
  }

  /// The object on one line, for `--json-status-fd`.
  var statusLine: String {
    "{ " + text(separator: ", ") + " }\n"
  }

  /// The line that says how the command ended.
  static func exitLine(_ status: UInt8) -> String {
    "{ \"exit-code\": \(String(status)) }\n"
  }

  private func text(separator: String) -> String {
    fields.map { "\"\($0.name)\": \(String($0.value))" }.joined(separator: separator)
  }
}
