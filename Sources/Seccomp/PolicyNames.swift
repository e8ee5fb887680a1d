// SPDX-License-Identifier: Apache-2.0
// The names of policies, groups and system calls, for completion.

/// The names that a policy or an option can use.
public enum PolicyNames {
  /// The policies that come with the program.
  public static var policies: [String] { BuiltInPolicy.all.map(\.name) }

  /// The groups of system calls that every policy knows, and then the calls of this machine.
  public static var calls: [String] {
    var groups: [String] = []
    for line in BuiltInPolicy.groups.description.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let first = words.first, first == "group" || first == "group?", words.count > 1 else {
        continue
      }
      let name = String(words[1])
      if !groups.contains(name) { groups.append(name) }
    }
    return groups + Architecture.native.calls.map(\.name)
  }
}
