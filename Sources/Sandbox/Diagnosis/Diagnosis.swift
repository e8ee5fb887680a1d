// SPDX-License-Identifier: Apache-2.0
// Why a launch failed and what to do about it. The search begins only after the failure, and on this
// machine, so a message names only what was found here.

internal import Linux
internal import SystemPackage
public import Text

/// The cause of a failure, and its remedy.
public struct Diagnosis: Equatable, Sendable {
  /// What was found.
  public let cause: String
  /// What makes the same line work.
  public let remedy: Remedy?

  init(_ cause: String, remedy: Remedy?) {
    self.cause = cause
    self.remedy = remedy
  }

  /// A cause, and advice that no line can express.
  public init(_ cause: String, _ advice: String? = nil) {
    self.init(cause, remedy: advice.map { .advice($0) })
  }

  /// What `BoundedLook` hands over.
  fileprivate init?(_ parts: [String]) {
    guard let cause = parts.first else { return nil }
    self.cause = cause
    remedy = parts.count < 3 ? nil : parts[1] == "line" ? .line(parts[2]) : .advice(parts[2])
  }

  fileprivate var parts: [String] {
    switch remedy {
    case .line(let words): [cause, "line", words]
    case .advice(let words): [cause, "advice", words]
    case nil: [cause]
    }
  }

  /// The lines to print after the message.
  public var lines: [String] {
    ["cause: " + cause] + (remedy.map { [$0.text] } ?? [])
  }
}

extension LaunchError {
  /// The cause of the failed launch of `resolved`, if it can be found.
  /// - Parameters:
  ///   - resolved: What was launched.
  ///   - words: The line that failed.
  ///   - displacedProfile: The default profile, if options about files replaced it.
  /// - Returns: The cause and the remedy; nil if no known cause applies.
  public func diagnosis(
    of resolved: ResolvedSandbox, line words: [ByteString], displacedProfile: ByteString? = nil
  ) -> Diagnosis? {
    let parts = BoundedLook.lines {
      let failure = Failure(self, resolved, words, displacedProfile)
      for cause in Cause.all where cause.concerns(self) {
        if let diagnosis = cause.find(failure) { return diagnosis.parts }
      }
      return []
    }
    return Diagnosis(parts)
  }
}

/// A failure, and everything that a cause may look at.
final class Failure {
  let error: LaunchError
  let resolved: ResolvedSandbox
  let machine = Machine()
  /// The line that failed.
  let words: [ByteString]
  /// The default profile, if options about files replaced it.
  let displacedProfile: ByteString?
  /// The plan of the launch; computed when a cause first needs it.
  private(set) lazy var plan = resolved.plan()

  init(
    _ error: LaunchError, _ resolved: ResolvedSandbox, _ words: [ByteString],
    _ displacedProfile: ByteString?
  ) {
    self.error = error
    self.resolved = resolved
    self.words = words
    self.displacedProfile = displacedProfile
  }

  /// What was asked for.
  var sandbox: Sandbox { resolved.sandbox }

  /// The path that failed.
  var subject: FilePath { (error.subject ?? error.cause.subject ?? "").path }

  /// The subject as it is written in messages.
  var name: String { (error.subject ?? error.cause.subject ?? "").quoted }

  /// The option that failed.
  var option: String { error.option?.name ?? "" }

  /// The kinds of namespaces that the launch makes.
  var namespaces: Namespaces { resolved.namespaces }

  /// The failed operation, found by its option and subject.
  var operation: PlannedOperation? {
    let candidates = plan.operations.filter { $0.operation.option == error.option }
    // The subject may be a directory to create on the way.
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

  /// The same, with lines to type.
  init(
    _ actions: [LaunchError.Action], _ errors: [Errno], cause: String,
    remedy: Remedy
  ) {
    self.init(actions, errors) { _ in Diagnosis(cause, remedy: remedy) }
  }

  func concerns(_ error: LaunchError) -> Bool {
    (actions.isEmpty || actions.contains(error.action))
      && (errors.isEmpty || errors.contains(error.cause.errno))
  }

  /// Every cause, specific ones before general ones.
  static let all =
    command + sources + places + namespaces + network + groups + terminals + mounts + others
    + general
}
