// SPDX-License-Identifier: Apache-2.0
// The search for the command and its execution.

internal import Linux
internal import SystemPackage
internal import Text

/// A command as it is about to be executed.
struct Execution {
  /// The file to execute, or its name.
  let file: ByteString
  /// The command as it was typed: the file, then the arguments.
  let words: [ByteString]
  /// The command's own name, where it is not the file's.
  let name: ByteString?
  let environment: Environment
  /// What a policy wants to see of whoever executes the command.
  var word: UInt64 = 0

  /// Where execvp(3) looks when PATH is not set.
  static let standardPath: ByteString = "/bin:/usr/bin"

  /// Executes the command; returns only with the reason why that failed.
  func run() -> LaunchError {
    let cause =
      file.bytes.contains(UInt8(ascii: "/")) ? attempt(file) : search(file).about(file)
    return LaunchError(.execute, subject: file, cause: cause)
  }

  /// Tries one directory of PATH after the other, as execvp(3) does: what may not be executed is
  /// remembered, in case that nothing better follows.
  private func search(_ file: ByteString) -> SystemCallError {
    guard !file.isEmpty else {
      return SystemCallError(call: "execve", errno: .noSuchFileOrDirectory)
    }
    let path = environment.value(of: "PATH") ?? Execution.standardPath
    var denied: SystemCallError?
    var last = SystemCallError(call: "execve", errno: .noSuchFileOrDirectory)
    for directory in SearchPath(path) {
      let candidate = ByteString(directory: directory, name: file)
      last = attempt(candidate)
      switch last.errno {
      // A file that may not be executed; not a directory that may not be searched.
      case .permissionDenied: if CurrentProcess.exists(candidate) { denied = last }
      case .noSuchFileOrDirectory, .notDirectory, .staleNFSFileHandle,
        .operationNotSupportedByDevice:
        continue
      default: return last
      }
    }
    if let denied { return denied }
    let missing = SystemCallError(call: last.call, errno: .noSuchFileOrDirectory)
    // One that exists, and what would interpret or load it does not.
    return existing(file, path).map { missing.about($0) } ?? missing
  }

  private func existing(_ file: ByteString, _ path: ByteString) -> ByteString? {
    for directory in SearchPath(path) where !directory.isEmpty {
      let candidate = ByteString(directory: directory, name: file)
      if CurrentProcess.exists(candidate) { return candidate }
    }
    return nil
  }

  private func attempt(_ file: ByteString) -> SystemCallError {
    var arguments = words
    if let name { arguments[0] = name }
    let error = CurrentProcess.execute(
      file, arguments: arguments, environment: environment.strings, word: word)
    // A script without a first line that names its interpreter.
    guard error.errno == .execFormatError, !isBinary(file) else { return error }
    let shell = CurrentProcess.execute(
      "/bin/sh", arguments: ["/bin/sh", file] + words.dropFirst(), environment: environment.strings,
      word: word)
    return SystemCallError(call: shell.call, subject: file, errno: shell.errno)
  }

  /// Whether a file is no text, and so no script either: a program for another machine for
  /// instance.
  private func isBinary(_ file: ByteString) -> Bool {
    (try? TextFile.beginning(of: file.path, 128))?.contains(0) ?? false
  }
}
