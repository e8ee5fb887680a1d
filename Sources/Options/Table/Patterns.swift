// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let patterns: [Option] = [
    pattern(
      "--ro-bind-glob", .readOnly, "Show all that matches PATTERN read-only, where it is",
      """
      Each of the host's files and directories that match is bound at its own place. In PATTERN,
      which begins at the root, * stands for any part of a name, ? for one byte and [a-z] for one of
      these; names that begin with a dot match only where the pattern has the dot. It is no error if
      there is none, and what is made later does not appear. See glob(7).

          nestbox --ro-bind / / --tmpfs /etc --ro-bind-glob '/etc/ld.so*' ls /etc
      """),
    pattern(
      "--bind-glob", .readWrite, "The same, and writable",
      """
      As --ro-bind-glob, but what is written inside is written on the host.
      """),
    pattern(
      "--dev-bind-glob", .devices, "The same, with usable device files",
      """
      As --bind-glob, but device files work.

          nestbox --ro-bind / / --dev /dev --dev-bind-glob '/dev/nvidia*' nvidia-smi
      """),
  ]

  private static func pattern(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String, _ discussion: String
  ) -> Option {
    Option(name, [.pattern], in: .binds, summary, discussion) { (draft, typed) throws(UsageError) in
      guard let pattern = PathPattern(typed.text(0)) else {
        throw UsageError("\(typed.text(0).quoted) does not begin with /")
      }
      // Here, as a shell would have done it: the sandbox is then a list of what it shows.
      for path in pattern.matches() {
        draft.add(
          typed,
          .bind(source: path.path, destination: path.path, access: access, isOptional: true))
      }
    }
  }
}
