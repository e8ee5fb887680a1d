// SPDX-License-Identifier: Apache-2.0
// What a sandbox lets its command do besides the host's files, which Exposure.swift compares. A profile that
// nestbox writes or shortens must not permit more than the line or the profile from which it comes.

internal import Linux
internal import Network
internal import Seccomp
internal import SystemPackage
internal import Text

/// What the settings of a sandbox permit.
public struct Rights {
  private let resolved: ResolvedSandbox
  /// What its policy says, which is read at once: a command may be able to change the file.
  private let calls: Result<Policy, PolicyError>?

  /// Looks at a sandbox.
  public init(_ resolved: ResolvedSandbox) {
    self.resolved = resolved
    calls = resolved.sandbox.policy.map { choice in
      do throws(PolicyError) {
        return .success(try choice.policy())
      } catch {
        return .failure(error)
      }
    }
  }

  private var sandbox: Sandbox { resolved.sandbox }

  /// What a command could do that it cannot under `line`: the rest of a sentence, such as "keep the capability
  /// cap_sys_admin"; nil for nothing.
  ///
  /// Rules about networks and names on buses add up, so a command may also do what `known` permits of these.
  public func excess(over line: Rights, and known: Rights? = nil) -> String? {
    let sources = [line] + (known.map { [$0] } ?? [])
    return namespace(over: line) ?? policy(over: line) ?? capability(over: line)
      ?? identity(over: line) ?? variable(over: line) ?? option(over: line) ?? limit(over: line)
      ?? network(over: sources) ?? bus(over: sources)
  }
}

extension Plan {
  /// Why the new root cannot be made, whatever files the host has; nil if it can.
  public var failure: String? {
    // What a command has removed of the sources, others may put there again.
    let failed = operations.first { planned in
      guard let problem = planned.problem else { return false }
      return planned.operation.action.source == nil
        || problem.error.cause.errno == .tooManySymbolicLinkLevels
    }
    return failed?.problem?.error.message
  }
}

// MARK: - Namespaces, capabilities and ids

extension Rights {
  /// The kinds of namespaces that are not the caller's.
  private var isolated: Namespaces {
    var kinds = resolved.namespaces
    sandbox.joined.forEach { kind, _ in kinds.insert(kind) }
    return kinds
  }

  private func namespace(over line: Rights) -> String? {
    let shared = line.isolated.subtracting(isolated)
    guard let name = Namespaces.names.first(where: { shared.contains($0.namespace) })?.name else {
      return nil
    }
    return "run in the host's namespace of the kind \(name)"
  }

  private func capability(over line: Rights) -> String? {
    let more = resolved.capabilities(of: .all).subtracting(line.resolved.capabilities(of: .all))
    return more.names.first.map { "keep the capability \($0)" }
  }

  private func identity(over line: Rights) -> String? {
    if let user = line.sandbox.user, user.value != resolved.user {
      return "run without \(user.option.name) \(String(user.value))"
    }
    if let group = line.sandbox.group, group.value != resolved.group {
      return "run without \(group.option.name) \(String(group.value))"
    }
    return nil
  }

  /// A variable of the caller that the line keeps from the command.
  private func variable(over line: Rights) -> String? {
    let theirs = Set(line.resolved.environment.strings)
    let inherited = Set(resolved.inherited)
    let more = resolved.environment.strings.first {
      inherited.contains($0) && !theirs.contains($0)
    }
    return more.map { string in
      "get the caller's variable "
        + ByteString(string.bytes.prefix { $0 != UInt8(ascii: "=") }).quoted
    }
  }

  /// An option that restricts the command and is not there, or one that permits and is.
  private func option(over line: Rights) -> String? {
    let (mine, theirs) = (sandbox, line.sandbox)
    let restricting: [KeyPath<Sandbox, WrittenOption?>] = [
      \.disableUserNamespaces, \.assertNoUserNamespaces, \.closeDescriptors, \.newSession,
      \.terminal, \.dieWithParent, \.killOnExit,
    ]
    for option in restricting {
      if mine[keyPath: option] == nil, let name = theirs[keyPath: option]?.name {
        return "run without \(name)"
      }
    }
    let scopes = theirs.landlockScopes.union(theirs.landlockScopesToTry)
    if !mine.landlockScopes.isSuperset(of: theirs.landlockScopes)
      || !mine.landlockScopes.union(mine.landlockScopesToTry).isSuperset(of: scopes)
    {
      return "run without --landlock-scope"
    }
    if let label = theirs.executionLabel, mine.executionLabel?.value != label.value {
      return "run without \(label.option.name)"
    }
    if mine.isNoSecurityBoundary, !theirs.isNoSecurityBoundary {
      return "run with --not-a-security-boundary"
    }
    return mine.followsMounts && !theirs.followsMounts ? "run with --follow-mounts" : nil
  }
}

// MARK: - Limits

extension Rights {
  private func limit(over line: Rights) -> String? {
    for setting in line.sandbox.limits {
      let mine = sandbox.limits.first { $0.value.replaces(setting.value) }
      guard mine?.value.isWithin(setting.value) == true else {
        return "use more than \(setting.option.name) of the line leaves it"
      }
    }
    return nil
  }
}

extension Limit {
  /// Whether it permits no more than `other`, which limits the same.
  fileprivate func isWithin(_ other: Limit) -> Bool {
    switch (self, other) {
    case (.resource(_, let mySoft, let myHard), .resource(_, let soft, let hard)):
      mySoft <= soft && myHard <= hard
    case (.processes(let mine, let orNone), .processes(let most, let mayBeNone)):
      mine <= most && (!orNone || mayBeNone)
    case (.time(let mine), .time(let most)), (.grace(let mine), .grace(let most)): mine <= most
    case (.output(let mine), .output(let most)): mine <= most
    case (.memory(let mine, let orNone), .memory(let most, let mayBeNone)),
      (.swap(let mine, let orNone), .swap(let most, let mayBeNone)):
      mine <= most && (!orNone || mayBeNone)
    case (.processors(let mine, let orNone), .processors(let most, let mayBeNone)):
      mine <= most && (!orNone || mayBeNone)
    case (.processorTime(let mine, let orNone), .processorTime(let most, let mayBeNone)):
      mine <= most && (!orNone || mayBeNone)
    default: false
    }
  }
}

// MARK: - Networks and buses

extension Rights {
  /// What may be reached through nestbox; with the host's network, nothing needs a rule.
  private func network(over sources: [Rights]) -> String? {
    let (mine, isFree) = (sandbox.network, sources.first?.isolated.contains(.network) == false)
    if isFree { return nil }
    let others = sources.map(\.sandbox.network)
    for rule in mine.allowed {
      let isGiven = others.contains { other in
        // What the same source denies has to be denied here as well.
        other.allowed.contains { rule.value.isWithin($0.value) }
          && other.denied.allSatisfy { denied in mine.denied.contains { $0.value == denied.value } }
      }
      if !isGiven { return "reach what \(rule.option.name) \(rule.value.text.quoted) allows" }
    }
    for port in mine.published
    where !others.contains(where: { $0.published.contains { $0.value == port.value } }) {
      return "be reached by a port that \(port.option.name) publishes"
    }
    if let shared = mine.shared, !others.contains(where: { $0.shared?.value == shared.value }) {
      return "join the network \(shared.value.quoted)"
    }
    return nil
  }

  private func bus(over sources: [Rights]) -> String? {
    for bus in [\Buses.session, \Buses.system] {
      guard let mine = sandbox.buses[keyPath: bus] else { continue }
      let others = sources.compactMap { $0.sandbox.buses[keyPath: bus] }
      if others.isEmpty { return "use the bus of \(mine.option.name)" }
      let more = mine.rules.first { rule in
        !others.contains { $0.rules.contains { rule.isWithin($0) } }
      }
      if let more {
        return "use \(more.pattern.quoted) on the bus of \(mine.option.name)"
      }
    }
    return nil
  }
}

extension BusRule {
  /// Whether `other` permits what this rule does.
  fileprivate func isWithin(_ other: BusRule) -> Bool {
    if self == other { return true }
    let group = other.pattern.bytes.dropLast(2)
    guard policy == other.policy, other.pattern.bytes.suffix(2).elementsEqual(".*".utf8) else {
      return false
    }
    return pattern.bytes.elementsEqual(group)
      || pattern.bytes.starts(with: Array(group) + [UInt8(ascii: ".")])
  }
}

// MARK: - System calls

extension Rights {
  private func policy(over line: Rights) -> String? {
    let filters = line.sandbox.filters
    if filters.map(\.value) != sandbox.filters.map(\.value), let filter = filters.first {
      return "run without the filter of \(filter.option.name)"
    }
    guard let theirs = line.sandbox.policy, line.resolved.policy != resolved.policy else {
      return nil
    }
    guard let mine = calls, let others = line.calls else {
      return "run without --seccomp-policy \(theirs.name.quoted)"
    }
    do throws(PolicyError) {
      guard let call = try mine.get().callPermitted(beyond: others.get()) else { return nil }
      return "make \(call)"
    } catch {
      return "make system calls by another policy than \(theirs.name.quoted)"
    }
  }
}
