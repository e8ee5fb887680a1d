// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let patterns: [Option] = [
    pattern(
      "--ro-bind-glob", .readOnly, "Show what matches PATTERN read-only, at its place",
      """
      Binds each file and directory of the host that matches at its own place. PATTERN begins with /;
      in it * matches any part of a name, ? one byte and [a-z] one of these bytes. A name that begins
      with a dot matches only if the pattern has the dot. It is not an error if nothing matches.
      Files made later do not appear. See glob(7).

          nestbox --ro-bind / / --tmpfs /etc --ro-bind-glob '/etc/ld.so*' ls /etc
      """),
    pattern(
      "--bind-glob", .readWrite, "The same, and writable",
      """
      As --ro-bind-glob, but what the command writes it writes on the host.
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
        throw UsageError("expected a pattern that begins with /, found \(typed.text(0).quoted)")
      }
      // Expanded here, as by a shell: the sandbox then lists what it shows.
      for path in pattern.matches() {
        draft.add(
          typed,
          .bind(source: path.path, destination: path.path, access: access, isOptional: true))
      }
    }
  }
}
