// SPDX-License-Identifier: Apache-2.0
// Why a launch failed and what to do about it. The search begins only after the failure, and on this
// machine, so a message names only what was found here.

internal import Linux
internal import SystemPackage
public import Text

/// The cause of a failure, and what helps against it.
public struct Diagnosis: Equatable, Sendable {
  /// What was found.
  public let cause: String
  /// What makes the same line work.
  public let remedy: Remedy?

  init(_ cause: String, remedy: Remedy?) {
    self.cause = cause
    self.remedy = remedy
  }

  init(_ cause: String, _ advice: String? = nil) {
    self.init(cause, remedy: advice.map { .advice($0) })
  }

  /// The lines to print after the message.
  public var lines: [String] {
    ["cause: " + cause] + (remedy.map { [$0.text] } ?? [])
  }
}

extension LaunchError {
  /// The cause of the failure of `sandbox`, if it can be found.
  /// - Parameters:
  ///   - sandbox: What was launched.
  ///   - caller: Who called.
  ///   - words: The line that failed, if it is not the caller's.
  ///   - displacedProfile: The default profile, if options about files replaced it.
  /// - Returns: The cause and the remedy; nil if no known cause applies.
  public func diagnosis(
    of sandbox: Sandbox, for caller: Caller, line words: [ByteString]? = nil,
    displacedProfile: ByteString? = nil
  ) -> Diagnosis? {
    let failure = Failure(self, sandbox, caller, words, displacedProfile)
    for cause in Cause.all where cause.concerns(self) {
      if let diagnosis = cause.find(failure) { return diagnosis }
    }
    return nil
  }
}

/// A failure, and everything that a cause may look at.
final class Failure {
  let error: LaunchError
  let sandbox: Sandbox
  let machine = Machine()
  private let caller: Caller
  /// The line that failed.
  let words: [ByteString]
  /// The default profile, if options about files replaced it.
  let displacedProfile: ByteString?
  /// What the launch would have done; computed when a cause first asks.
  private(set) lazy var plan = sandbox.plan(for: caller)

  init(
    _ error: LaunchError, _ sandbox: Sandbox, _ caller: Caller, _ words: [ByteString]?,
    _ displacedProfile: ByteString?
  ) {
    self.error = error
    self.sandbox = sandbox
    self.caller = caller
    self.words = words ?? caller.image.arguments
    self.displacedProfile = displacedProfile
  }

  /// What the failure is about.
  var subject: FilePath { (error.subject ?? error.cause.subject ?? "").path }

  /// The subject as it is written in messages.
  var name: String { (error.subject ?? error.cause.subject ?? "").quoted }

  /// The option that failed.
  var option: String { error.option?.name ?? "" }

  /// The kinds of namespaces that the launch makes.
  var namespaces: Namespaces { sandbox.newNamespaces(for: CurrentProcess.identity.user) }

  /// The operation that failed, as far as the option and the subject tell.
  var operation: PlannedOperation? {
    let candidates = plan.operations.filter {
      $0.operation.written == error.option
    }
    // The subject may be a directory that had to be made on the way.
    let named = candidates.filter {
      $0.operation.action.destination.starts(with: subject)
        || $0.operation.action.source == subject
    }
    return named.first { $0.problem != nil } ?? named.first ?? candidates.first
  }

  /// A path as it is written in messages.
  func quoted(_ path: FilePath) -> String { ByteString(path).quoted }
}

/// A known cause: the failures that it can explain, and how to check for it.
struct Cause: Sendable {
  /// What failed; empty for anything.
  let actions: [LaunchError.Action]
  /// The errors that point to it; empty for any.
  let errors: [Errno]
  /// Checks whether it is the cause here.
  let find: @Sendable (Failure) -> Diagnosis?

  init(
    _ actions: [LaunchError.Action], _ errors: [Errno] = [],
    find: @escaping @Sendable (Failure) -> Diagnosis?
  ) {
    self.actions = actions
    self.errors = errors
    self.find = find
  }

  /// A cause that the error alone proves.
  init(
    _ actions: [LaunchError.Action], _ errors: [Errno], cause: String, hint: String? = nil
  ) {
    self.init(actions, errors) { _ in Diagnosis(cause, hint) }
  }

  func concerns(_ error: LaunchError) -> Bool {
    (actions.isEmpty || actions.contains(error.action))
      && (errors.isEmpty || errors.contains(error.cause.errno))
  }

  /// Every cause, the more particular before the more general.
  static let all = command + sources + places + namespaces + mounts + others + general
}
