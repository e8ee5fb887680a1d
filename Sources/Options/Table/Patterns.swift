// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import SystemPackage
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
    pattern(name, in: .binds, summary, discussion) {
      .bind(source: $0, destination: $0, access: access, isOptional: true)
    }
  }

  /// An option that adds the operation `operation` for each file that matches a pattern.
  static func pattern(
    _ name: String, in section: Section, _ summary: String, _ discussion: String,
    _ operation: @escaping @Sendable (FilePath) -> FilesystemOperation.Action
  ) -> Option {
    Option(name, [.pattern], in: section, summary, discussion) {
      (draft, typed) throws(UsageError) in
      guard let pattern = PathPattern(typed.text(0)) else {
        throw UsageError("expected a pattern that begins with /, found \(typed.text(0).quoted)")
      }
      // Expanded here, as by a shell: the sandbox then lists what it shows.
      do throws(SystemCallError) {
        for path in try pattern.matches() { draft.add(typed, operation(path.path)) }
      } catch {
        throw UsageError(
          "can't find out what matches \(typed.text(0).quoted): \(error.call): \(error.reason)")
      }
    }
  }
}
