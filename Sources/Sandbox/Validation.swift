// SPDX-License-Identifier: Apache-2.0
// What has to go together, and what cannot.

internal import Linux
internal import Text

/// A mistake in what was typed: one sentence that names the option.
public struct UsageError: Error, Equatable, Sendable {
  /// The sentence.
  public let message: String

  /// Says what is wrong.
  public init(_ message: String) {
    self.message = message
  }
}

extension Sandbox {
  /// Throws where parts of the sandbox contradict each other or ask for what cannot be had.
  public func validate() throws(UsageError) {
    try validateIdentity()
    try validateNamespaces()
    try validateProcess()
    try validateContents()
    try forEachDescriptor { (option, number) throws(UsageError) in
      if !Descriptors.isOpen(number) {
        throw UsageError("\(option): descriptor \(String(number)) is not open")
      }
    }
  }

  private var hasNewUserNamespace: Bool {
    joined.user == nil && (namespaces.user != .share || CurrentProcess.identity.user != 0)
  }

  private func validateIdentity() throws(UsageError) {
    let hasUser = hasNewUserNamespace || joined.user != nil
    try refuse(user != nil && !hasUser, "--uid needs --unshare-user or --userns")
    try refuse(group != nil && !hasUser, "--gid needs --unshare-user or --userns")
    try refuse(
      joined.user != nil && namespaces.user == .create,
      "--userns cannot be combined with --unshare-user")
    try refuse(
      disablesUserNamespaces && !hasNewUserNamespace, "--disable-userns needs --unshare-user")
    let hasOuterMaps = channels.mapsWritten != nil
    try refuse(
      disablesUserNamespaces && hasOuterMaps,
      "--disable-userns cannot be combined with --userns-block-fd")
    try refuse(hasOuterMaps && !hasNewUserNamespace, "--userns-block-fd needs --unshare-user")
    try refuse(
      hasOuterMaps && channels.information == nil, "--userns-block-fd needs --info-fd")
    try refuse(
      (executionLabel ?? fileLabel) != nil && !SELinux.isActive,
      "--exec-label and --file-label need SELinux, which is not active here")
  }

  private func validateNamespaces() throws(UsageError) {
    let made = namespaces.others
    try refuse(hostname != nil && !made.contains(.uts), "--hostname needs --unshare-uts")
    try refuse(domainName != nil && !made.contains(.uts), "--domainname needs --unshare-uts")
    try refuse(
      clocks.monotonic != nil && !made.contains(.time), "--monotonic needs --unshare-time")
    try refuse(clocks.boottime != nil && !made.contains(.time), "--boottime needs --unshare-time")
    try refuse(
      joined.network != nil && made.contains(.network),
      "--netns cannot be combined with --unshare-net")
  }

  private func validateProcess() throws(UsageError) {
    let hasPid = namespaces.others.contains(.pid)
    try refuse(commandIsInit && !hasPid, "--as-pid-1 needs --unshare-pid")
    try refuse(
      commandIsInit && !lockFiles.isEmpty, "--as-pid-1 cannot be combined with --lock-file")
    try refuse(killsOnExit && !hasPid, "--kill-on-exit needs --unshare-pid")
  }

  /// Content can be read once: the second file would be empty.
  private func validateContents() throws(UsageError) {
    var sources: [CInt] = []
    for operation in filesystem {
      switch operation.action {
      case .file(let number, _, _), .data(let number, _, _, _): sources.append(number)
      default: break
      }
    }
    for filter in filters { sources.append(filter.descriptor) }
    sources.sort()
    for (number, next) in zip(sources, sources.dropFirst()) where number == next {
      throw UsageError("descriptor \(String(number)) is named by two options that read it")
    }
  }

  private func refuse(_ isMistake: Bool, _ message: String) throws(UsageError) {
    if isMistake { throw UsageError(message) }
  }

  /// Whether the command keeps what it takes to undo `--disable-userns`.
  var canRaiseLimits: Bool {
    disablesUserNamespaces && capabilities.applied(to: Capabilities()).contains("sys_resource")
  }

  /// Calls `body` with every descriptor of the caller's that the sandbox makes use of, and the
  /// option that named it.
  func forEachDescriptor<Failure: Error>(
    _ body: (String, CInt) throws(Failure) -> Void
  ) throws(Failure) {
    for operation in filesystem {
      if let number = operation.descriptor { try body(operation.option, number) }
    }
    for filter in filters { try body(filter.option, filter.descriptor) }
    if let number = joined.user { try body("--userns", number) }
    if let number = joined.secondUser { try body("--userns2", number) }
    if let number = joined.pid { try body("--pidns", number) }
    if let number = joined.network { try body("--netns", number) }
    if let number = channels.information { try body("--info-fd", number) }
    if let number = channels.status { try body("--json-status-fd", number) }
    if let number = channels.block { try body("--block-fd", number) }
    if let number = channels.mapsWritten { try body("--userns-block-fd", number) }
    if let number = channels.sync { try body("--sync-fd", number) }
  }

  /// Calls `body` with the descriptors that are used up once the new root is made.
  func forEachSource(_ body: (CInt) -> Void) {
    for operation in filesystem {
      if let number = operation.descriptor { body(number) }
    }
    if let number = joined.user { body(number) }
    if let number = joined.pid { body(number) }
    if let number = joined.network { body(number) }
    if let number = channels.mapsWritten { body(number) }
  }

  /// The descriptors that are made use of after that.
  var laterDescriptors: [CInt] {
    var numbers = filters.map(\.descriptor)
    if let number = joined.secondUser { numbers.append(number) }
    if let number = channels.block { numbers.append(number) }
    if let number = channels.sync { numbers.append(number) }
    return numbers
  }
}
