// SPDX-License-Identifier: Apache-2.0
// A shell in a fresh directory, run as an ordinary user: every test of the executable starts it in
// one.

package import Foundation

/// Who runs a script.
package enum User: Sendable {
  /// A user without privileges: the tests' own, or where they run as root a fixed one.
  case ordinary
  /// The superuser.
  case root

  /// Whether the tests can act as root.
  package static let isRoot = geteuid() == 0

  /// The id of the ordinary user; no machine's user database is expected to have it.
  package static let ordinaryID = isRoot ? 61_234 : geteuid()
}

/// What a script did.
package struct Outcome: Sendable {
  /// Its exit status.
  package let status: Int32
  /// What it wrote to standard output, without the newlines at the end.
  package let output: String
  /// What it wrote to standard error, without the newlines at the end.
  package let errors: String

  /// The lines of the output.
  package var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// A new directory, and a shell in it.
package final class Session: Sendable {
  /// The directory.
  package let directory: URL
  private let user: User

  /// Makes the directory.
  package init(as user: User = .ordinary) throws {
    self.user = user
    directory = Workspace.root.appending(
      path: "sessions/\(Workspace.mark)-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    try giveAway(directory)
  }

  private func giveAway(_ file: URL) throws {
    guard User.isRoot, user == .ordinary else { return }
    try FileManager.default.setAttributes(
      [.ownerAccountID: User.ordinaryID, .groupOwnerAccountID: User.ordinaryID],
      ofItemAtPath: file.path)
  }

  deinit {
    if (try? FileManager.default.removeItem(at: directory)) == nil {
      // Overlays leave directories without any permission.
      _ = try? Spawn(
        arguments: ["/bin/sh", "-c", "chmod -R u+rwX \"$0\"; rm -rf \"$0\"", directory.path],
        environment: [:], output: file("out"), errors: file("out")
      ).run()
    }
    for stream in ["out", "err"] { try? FileManager.default.removeItem(at: file(stream)) }
  }

  /// Runs `script` in bash and waits until it has ended.
  ///
  /// Output goes to files, so that processes which a script leaves behind keep nobody waiting.
  /// - Parameters:
  ///   - script: What bash is to run; `nestbox` is found in PATH.
  ///   - arguments: `$1` and those after it.
  ///   - path: A directory to be searched first.
  ///   - isMerged: Whether standard error joins the output, in the order of writing.
  /// - Returns: What it did.
  /// - Throws: `Failure` where it does not come to an end.
  package func run(
    _ script: String, _ arguments: String..., path: URL = Program.directory,
    isMerged: Bool = false
  ) throws -> Outcome {
    let program = try Spawn(
      arguments: ["/usr/bin/timeout", "--kill-after=10", Session.patience] + privileges
        + ["/bin/bash", "-c", Session.preamble + script, "bash"] + arguments,
      environment: [
        "PATH": "\(path.path):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": directory.path, "LC_ALL": "C",
      ],
      output: empty("out"), errors: empty(isMerged ? "out" : "err"))
    let status = try program.run()
    if status == 124 || status == 137 { throw Failure("timed out: \(script)") }
    return Outcome(
      status: status, output: try text("out"), errors: isMerged ? "" : try text("err"))
  }

  /// How many seconds a script may take; long runs have more.
  private static let patience = ProcessInfo.processInfo.environment["NESTBOX_PATIENCE"] ?? "150"

  /// Begins as a login shell does, regardless of the test process's open descriptors.
  private static let preamble = """
    cd; unset OLDPWD; umask 022
    for number in /proc/$$/fd/*; do
      number=${number##*/}; if ((number > 2)); then eval "exec $number>&-"; fi
    done; unset number

    """

  private var privileges: [String] {
    guard User.isRoot, user == .ordinary else { return [] }
    let id = User.ordinaryID
    return ["/usr/bin/setpriv", "--reuid=\(id)", "--regid=\(id)", "--clear-groups"]
  }

  /// Beside the directory rather than in it, where a script would see it.
  private func file(_ stream: String) -> URL {
    directory.appendingPathExtension(stream)
  }

  private func empty(_ stream: String) throws -> URL {
    guard FileManager.default.createFile(atPath: file(stream).path, contents: nil) else {
      throw Failure("can't write \(file(stream).path)")
    }
    // So that it can be opened again, as /dev/stdout.
    try giveAway(file(stream))
    return file(stream)
  }

  private func text(_ stream: String) throws -> String {
    var text = String(decoding: try Data(contentsOf: file(stream)), as: UTF8.self)
    while text.hasSuffix("\n") { text.removeLast() }
    return text
  }
}

extension Session {
  /// Writes a file into the session's directory.
  package func write(_ name: String, _ text: String) throws {
    try text.write(to: directory.appending(path: name), atomically: false, encoding: .utf8)
  }

  /// Runs a Python program: the driver of tests that need more than a shell.
  package func python(_ program: String, _ arguments: String...) throws -> Outcome {
    try python(program, with: arguments)
  }

  /// The same with arguments from elsewhere.
  package func python(_ program: String, with arguments: [String]) throws -> Outcome {
    try write("driver.py", program)
    let words = arguments.map { "'" + $0.replacing("'", with: #"'\''"#) + "'" }
    return try run("exec /usr/bin/python3 driver.py " + words.joined(separator: " "))
  }
}
