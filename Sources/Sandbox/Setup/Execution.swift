// SPDX-License-Identifier: Apache-2.0
// The search for the command and its execution.

internal import Linux
internal import SystemPackage
internal import Text

/// A command about to be executed.
struct Execution {
  /// The file to execute, or its name.
  let file: ByteString
  /// The command as it was typed: the file, then the arguments.
  let words: [ByteString]
  /// The command's argv[0], if it differs from the file.
  let name: ByteString?
  let environment: Environment
  /// The word that a policy requires in the exec call that starts the command.
  var word: UInt64 = 0

  /// Executes the command; returns only on failure, with the reason.
  func run() -> LaunchError {
    let cause =
      file.bytes.contains(UInt8(ascii: "/")) ? attempt(file) : search().about(file)
    return LaunchError(.execute, subject: file, cause: cause)
  }

  /// Tries the directories of PATH in turn, as execvp(3) does, and remembers a file that may not be
  /// executed, in case no later directory has a better one.
  private func search() -> SystemCallError {
    var denied: SystemCallError?
    var last = SystemCallError(call: "execve", errno: .noSuchFileOrDirectory)
    for candidate in CommandSearch(file, in: environment) {
      last = attempt(candidate)
      switch last.errno {
      // Remember a file that may not be executed, but not a directory that may not be searched.
      case .permissionDenied: if CurrentProcess.exists(candidate) { denied = last }
      case .noSuchFileOrDirectory, .notDirectory, .staleNFSFileHandle,
        .operationNotSupportedByDevice:
        continue
      default: return last
      }
    }
    if let denied { return denied }
    let missing = SystemCallError(call: last.call, errno: .noSuchFileOrDirectory)
    // The file exists, but its interpreter or loader does not.
    for candidate in CommandSearch(file, in: environment) where CurrentProcess.exists(candidate) {
      return missing.about(candidate)
    }
    return missing
  }

  private func attempt(_ file: ByteString) -> SystemCallError {
    var arguments = words
    if let name { arguments[0] = name }
    let error = CurrentProcess.execute(
      file, arguments: arguments, environment: environment.strings, word: word)
    // A script without an interpreter in its first line.
    guard error.errno == .execFormatError, !isBinary(file) else { return error }
    let shell = CurrentProcess.execute(
      "/bin/sh", arguments: ["/bin/sh", file] + words.dropFirst(), environment: environment.strings,
      word: word)
    return SystemCallError(call: shell.call, subject: file, errno: shell.errno)
  }

  /// Whether a file is binary and therefore not a script, such as a program for another machine.
  private func isBinary(_ file: ByteString) -> Bool {
    (try? TextFile.beginning(of: file.path, 128))?.contains(0) ?? false
  }
}
