// SPDX-License-Identifier: Apache-2.0
// Starting a program in a session without a terminal, with no signal blocked or ignored.
// Foundation's Process passes on a socket and the signals that its thread has blocked, and leaves
// the program in the session of the tests; the tests would notice each of these.

import Foundation

/// A program to be run to its end.
struct Spawn {
  /// The program's file, and its arguments.
  let arguments: [String]
  let environment: [String: String]
  /// The files that standard output and standard error go to; the same one for both, or two.
  let output: URL
  let errors: URL

  /// Runs the program.
  /// - Returns: Its exit status, or 128 and the signal that ended it.
  func run() throws -> Int32 {
    var pid: pid_t = 0
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output.path, O_WRONLY, 0)
    if output == errors {
      unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, 2, errors.path, O_WRONLY, 0)
    }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | Spawn.setSession)
    let strings = environment.map { "\($0)=\($1)" }
    let path = arguments[0]
    let result = unsafe withCStrings(arguments) { arguments in
      unsafe withCStrings(strings) { environment in
        unsafe posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
      }
    }
    guard result == 0 else {
      throw Failure("can't start \(path): \(unsafe String(cString: strerror(result)))")
    }
    return try wait(for: pid)
  }

  /// `POSIX_SPAWN_SETSID`, which glibc's header shows to GNU sources alone.
  private static let setSession: Int16 = 0x80

  private func wait(for pid: pid_t) throws -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { throw Failure("can't wait for \(arguments[0])") }
    }
    let signal = status & 0x7f
    return signal == 0 ? status >> 8 & 0xff : 128 + signal
  }
}

/// Calls `body` with `strings` as an array of C strings that ends with a null pointer.
@unsafe private func withCStrings(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
) -> Int32 {
  var pointers = unsafe strings.map { unsafe strdup($0) }
  unsafe pointers.append(nil)
  defer { unsafe pointers.forEach { unsafe free($0) } }
  return unsafe body(pointers)
}
