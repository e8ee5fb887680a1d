// SPDX-License-Identifier: Apache-2.0
// Why a launch failed and what to do about it: looked for only after the failure, and on this
// machine, so that what is named is what was found.

internal import Linux
internal import SystemPackage
internal import Text

/// The cause of a failure, and what helps against it.
public struct Diagnosis: Equatable, Sendable {
  /// What was found.
  public let cause: String
  /// What makes the same line work.
  public let remedy: String?

  init(_ cause: String, _ remedy: String? = nil) {
    self.cause = cause
    self.remedy = remedy
  }

  /// Whether the remedy is to show a file or directory that is not shown.
  public var showsMore: Bool { remedy?.includes("show it: ") == true }

  /// The lines to print after the message.
  public var lines: [String] {
    ["cause: " + cause] + (remedy.map { ["remedy: " + $0] } ?? [])
  }
}

extension LaunchError {
  /// The cause of the failure of `sandbox`, started by `caller`, where it can be told.
  public func diagnosis(of sandbox: Sandbox, for caller: Caller) -> Diagnosis? {
    let failure = Failure(self, sandbox, caller)
    for cause in Cause.all where cause.concerns(self) {
      if let diagnosis = cause.find(failure) { return diagnosis }
    }
    return nil
  }
}

/// A failure, and everything that may be looked at for its cause.
final class Failure {
  let error: LaunchError
  let sandbox: Sandbox
  let machine = Machine()
  private let caller: Caller
  /// What the launch would have done; worked out by the first that asks.
  private(set) lazy var plan = sandbox.plan(for: caller)

  init(_ error: LaunchError, _ sandbox: Sandbox, _ caller: Caller) {
    self.error = error
    self.sandbox = sandbox
    self.caller = caller
  }

  /// What the failure is said of.
  var subject: FilePath { (error.subject ?? error.cause.subject ?? "").path }

  /// The subject as it is written in messages.
  var name: String { (error.subject ?? error.cause.subject ?? "").quoted }

  /// The option that failed.
  var option: String { error.option?.name ?? "" }

  /// The kinds of namespaces that are to be new.
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

/// A cause that is known: of which failures it is one, and how it is found.
struct Cause: Sendable {
  /// What failed; empty for anything.
  let actions: [LaunchError.Action]
  /// The errors that point to it; empty for any.
  let errors: [Errno]
  /// Looks whether it is the cause here.
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
    _ actions: [LaunchError.Action], _ errors: [Errno], cause: String, remedy: String? = nil
  ) {
    self.init(actions, errors) { _ in Diagnosis(cause, remedy) }
  }

  func concerns(_ error: LaunchError) -> Bool {
    (actions.isEmpty || actions.contains(error.action))
      && (errors.isEmpty || errors.contains(error.cause.errno))
  }

  /// Every cause, the more particular before the more general.
  static let all = command + sources + places + namespaces + mounts + others + general
}
