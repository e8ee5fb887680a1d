// SPDX-License-Identifier: Apache-2.0
// Which settings require each other, and which exclude each other.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

extension Sandbox {
  /// Throws if parts of the sandbox contradict each other or request something impossible.
  public func validate() throws(UsageError) {
    try validateIdentity()
    try validateNamespaces()
    try validateProcess()
    try validateContents()
    try validateCommits()
    try forEachDescriptor { (option, number) throws(UsageError) in
      if !Descriptors.isOpen(number) {
        throw UsageError("\(option.name): descriptor \(String(number)) is not open")
          .at(option.origin)
      }
    }
    // The others report something first, and fail before the command runs.
    if let report = channels.report { try requireWritable(report) }
    if let log = channels.networkLog { try requireWritable(log) }
  }

  private func requireWritable(_ descriptor: Setting<CInt>) throws(UsageError) {
    var flaw: String? = "is not open for writing"
    do throws(SystemCallError) {
      if try Descriptors.isWritable(descriptor.value) { flaw = nil }
    } catch {
      flaw = "cannot be checked: \(error.call): \(error.reason)"
    }
    guard let flaw else { return }
    throw UsageError("\(descriptor.option.name): descriptor \(String(descriptor.value)) \(flaw)")
      .at(descriptor.option.origin)
  }

  private var hasNewUserNamespace: Bool {
    joined.user == nil && (namespaces.user != .share || CurrentProcess.identity.user != 0)
  }

  private func validateIdentity() throws(UsageError) {
    let isNew = hasNewUserNamespace
    let hasNamespace = isNew || joined.user != nil
    try require(hasNamespace, for: user?.option, "needs --unshare-user or --userns")
    try require(hasNamespace, for: group?.option, "needs --unshare-user or --userns")
    try require(
      namespaces.user != .create, for: joined.user?.option,
      "cannot be combined with --unshare-user",
      bubblewrap: "--userns is not compatible with --unshare-user")
    try require(isNew, for: disableUserNamespaces, "needs --unshare-user")
    let maps = channels.mapsWritten?.option
    try require(
      maps == nil, for: disableUserNamespaces, "cannot be combined with --userns-block-fd")
    try require(
      isNew, for: maps, "needs --unshare-user",
      bubblewrap: "--userns-block-fd requires --unshare-user")
    try require(
      channels.information != nil, for: maps, "needs --info-fd",
      bubblewrap: "--userns-block-fd requires --info-fd")
    if let label = executionLabel ?? fileLabel {
      try require(
        SELinux.isActive, for: label.option, "needs SELinux, which is not active here",
        bubblewrap: "labeling not supported on this system")
    }
  }

  private func validateNamespaces() throws(UsageError) {
    let made = namespaces.others
    try require(
      made.contains(.uts), for: hostname?.option, "needs --unshare-uts",
      bubblewrap: "Specifying --hostname requires --unshare-uts")
    try require(made.contains(.uts), for: domainName?.option, "needs --unshare-uts")
    try require(made.contains(.time), for: clocks.monotonic?.option, "needs --unshare-time")
    try require(made.contains(.time), for: clocks.boottime?.option, "needs --unshare-time")
    // Why --network cannot is told with it.
    try require(
      !made.contains(.network) || network.shared != nil, for: joined.network?.option,
      "cannot be combined with \(network.option?.name ?? "--unshare-net")")
    try validateNetwork(made.contains(.network))
  }

  private func validateNetwork(_ isNew: Bool) throws(UsageError) {
    // Most launches stop here, and load no code of the rules.
    guard network.isUsed || channels.networkLog != nil else { return }
    let share = network.share?.nameAndPlace ?? "--share-net"
    if isNew {
      try require(
        false, for: network.afterShare?.first, "cannot be combined with \(share) before it")
    }
    try require(
      isNew, for: network.shared?.option, "cannot be combined with \(share) after it")
    try validateSharedNetwork()
    let first = network.allowed.first
    try require(first != nil, for: network.denied.first?.option, "needs --net-allow")
    try require(
      network.option != nil, for: channels.networkLog?.option, "needs --net-allow or --publish")
    try require(isNew, for: network.option, "cannot be combined with \(share) after it")
    guard network.option != nil else { return }
    try require(
      network.policy.listeners.count <= NetworkRule.mostPorts, for: network.allowed.last?.option,
      "names more than 1024 ports, together with the others")
  }

  private func validateSharedNetwork() throws(UsageError) {
    guard let shared = network.shared else { return }
    let option = shared.option
    // The sandbox's user namespace has to lie below that of the network's holder.
    let others = [joined.user?.option, joined.secondUser?.option, joined.pid?.option]
    for other in others + [joined.network?.option, channels.mapsWritten?.option] {
      let name = other?.name ?? ""
      try require(
        other == nil, for: option,
        "cannot be combined with \(name): the kernel lets a process join a network only from new namespaces "
          + "below those of the network's holder, which nestbox makes with the maps of one id. Leave out "
          + "\(name); --uid and --gid choose the id")
    }
    try require(hasNewUserNamespace, for: option, "needs --unshare-user")
    for rule in network.allowed {
      guard case .addresses(let range) = rule.value.target,
        range.contains(MemberAddresses.range) || MemberAddresses.range.contains(range)
      else { continue }
      throw UsageError(
        "\(rule.option.name): \(rule.value.text.quoted) covers addresses of --network, "
          + MemberAddresses.range.text
      ).at(rule.option.origin)
    }
    guard let name else { return }
    guard let host = DomainName(text: name.value.bytes[...]), !host.isLocalhost else {
      throw UsageError(
        "\(name.option.name): no host can be called \(name.value.quoted), as members of --network are"
      ).at(name.option.origin)
    }
  }

  private func validateProcess() throws(UsageError) {
    let hasPid = namespaces.others.contains(.pid)
    try require(
      hasPid, for: commandAsInit, "needs --unshare-pid",
      bubblewrap: "Specifying --as-pid-1 requires --unshare-pid")
    try require(
      lockFiles.isEmpty, for: commandAsInit, "cannot be combined with --lock-file",
      bubblewrap: "Specifying --as-pid-1 and --lock-file is not permitted")
    try require(hasPid, for: killOnExit, "needs --unshare-pid")
    // Without it, processes that left the command's group would go on.
    try require(hasPid, for: timeLimit?.option, "needs --unshare-pid")
    try require(name != nil, for: keep, "needs --name NAME, by which --enter and --stop find it")
    try validateSingle()
    // Without it, nothing would end with process 1.
    try require(hasPid, for: keep, "needs --unshare-pid")
    try require(commandAsInit == nil, for: keep, "cannot be combined with --as-pid-1")
    try require(timeLimit == nil, for: keep, "cannot be combined with --timeout")
    try require(
      processorTimeLimit == nil, for: keep, "cannot be combined with --cpu-time")
    try require(outputLimit == nil, for: keep, "cannot be combined with --output-limit")
    try require(
      dieWithParent == nil, for: detach, "cannot be combined with --die-with-parent")
    try require(hasPid, for: processorTimeLimit?.option, "needs --unshare-pid")
    try require(hasPid, for: outputLimit?.option, "needs --unshare-pid")
    try validateExplanation(hasPid)
    if becomesCommand, let (option, task) = tasksBesideCommand.first(where: { $0.option != nil }) {
      try require(
        false, for: becomeCommand,
        "leaves no process of nestbox, but \(option ?? "") needs one, which \(task): leave out "
          + "--exec")
    }
  }

  /// Nobody answers watched calls once the monitor has ended.
  private func validateExplanation(_ hasPid: Bool) throws(UsageError) {
    guard explain != nil else { return }
    try require(hasPid, for: explain, "needs --unshare-pid")
    for option in [keep, detach, single] {
      try require(option == nil, for: explain, "cannot be combined with \(option?.name ?? "")")
    }
  }

  /// Only equal words stand for the same sandbox, and a launch in the background is not entered.
  private func validateSingle() throws(UsageError) {
    guard single != nil else { return }
    try require(name != nil, for: single, "needs --name NAME")
    try require(detach == nil, for: single, "cannot be combined with --detach")
    var reader: WrittenOption?
    forEachDescriptor { option, _ in reader = reader ?? option }
    try require(
      reader == nil, for: single,
      "cannot be combined with \(reader?.name ?? ""): what a descriptor leads to cannot be compared"
    )
  }

  /// The options that need a process beside the command, and what that process does; nil for an
  /// option that was not given.
  private var tasksBesideCommand: [(option: String?, task: String)] {
    let project = filesystem.first { operation in
      if case .repositories = operation.action { true } else { false }
    }
    let bus = buses.session ?? buses.system
    return [
      (namespaces.others.contains(.pid) ? "--unshare-pid" : nil, "enters the new pid namespace"),
      (joined.pid?.option.name, "enters the pid namespace"),
      (lockFiles.first?.option.name, "holds the lock"),
      (channels.sync.first?.option.name, "holds the descriptor"),
      (channels.status?.option.name, "reports the exit code"),
      (channels.report?.option.name, "reports the end"),
      (tellsUse?.name, "prints what was used"),
      (outputLimit?.option.name, "counts the output"),
      (explain?.name, "reports what was kept from it"),
      (groupLimits?.first?.option.name, "removes the control group"),
      (bus?.option.name, "ends the proxy"),
      (network.option?.name, "connects to the network"),
      (network.shared?.option.name, "holds the place in the network"),
      (name?.option.name, "holds the registration"),
      (terminal?.name, "passes on keys and output"),
      (detach?.name, "goes on in the background"),
      (reviewed.first?.name, "ends the review"),
      (project?.option.name, "looks for new repositories afterwards"),
    ]
  }

  /// Content can be read once: the second file would be empty.
  private func validateContents() throws(UsageError) {
    var sources = filesystem.compactMap(\.content)
    for filter in filters { sources.append(filter.value) }
    sources.sort()
    for (number, next) in zip(sources, sources.dropFirst()) where number == next {
      let message = "two options read descriptor \(String(number))"
      let isFilter = filters.contains { $0.value == number }
      throw UsageError(
        message, bubblewrap: isFilter ? "Can't read seccomp data: " + message : nil)
    }
  }

  /// Names that the repository lacks are kept free only where its other parts are protected.
  private func validateCommits() throws(UsageError) {
    for operation in filesystem {
      guard case .commits(let path) = operation.action else { continue }
      let isProtected = filesystem.contains { $0.action == .repositories(path) }
      let rest = ByteString(path).quotedForShell
      try require(
        isProtected, for: operation.option, "needs --ro-repositories \(rest) before it")
      try require(killOnExit != nil, for: operation.option, "needs --kill-on-exit")
    }
  }

  /// Throws where `option` was given and its condition does not hold.
  private func require(
    _ condition: Bool, for option: WrittenOption?, _ message: String,
    bubblewrap: String? = nil
  ) throws(UsageError) {
    guard !condition, let option else { return }
    throw UsageError("\(option.name) \(message)", bubblewrap: bubblewrap).at(option.origin)
  }

  /// Whether the command keeps the capabilities to undo `--disable-userns`.
  var canRaiseLimits: Bool {
    disablesUserNamespaces && capabilities.applied(to: Capabilities()).contains("sys_resource")
  }
}
