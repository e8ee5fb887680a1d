// SPDX-License-Identifier: Apache-2.0
// What callers are told of a sandbox, as JSON. The forms are bubblewrap's to the letter: clients
// take them apart with regular expressions.

internal import Linux

/// A sandbox that has come to be: its first process and its new namespaces.
struct SandboxDescription {
  /// Names and numbers, in the order in which they are written.
  private let fields: [(name: String, value: UInt64)]

  /// Kinds that are told of; the others are younger than the form.
  private static let reported: Namespaces = [.cgroup, .ipc, .mount, .network, .pid, .uts]

  /// Looks up the namespaces of `pid`.
  init(of pid: Int32, _ namespaces: Namespaces) throws(SystemCallError) {
    var fields = [(name: "child-pid", value: UInt64(pid))]
    for (kind, name) in Namespaces.names
    where namespaces.contains(kind) && SandboxDescription.reported.contains(kind) {
      fields.append((name + "-namespace", try namespaceNumber(of: pid, name)))
    }
    self.fields = fields
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
