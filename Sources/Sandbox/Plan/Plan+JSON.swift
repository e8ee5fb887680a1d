// SPDX-License-Identifier: Apache-2.0
// A plan as a program reads it.

internal import Linux
internal import Network
internal import Seccomp
internal import SystemPackage
public import Text

extension Plan {
  /// The plan as one object.
  public var json: JSON {
    .object([
      .init("command", commandObject), .init("namespaces", namespaceObject),
      .init("identity", identityObject),
      .init("filesystem", .array(operations.indices.map(operationObject))),
      .init("mounts", .array(root.mounts.filter { !$0.isLost && $0.place != nil }.map(\.json))),
      .init("network", networkObject),
      .init("network-problem", .optional(networkProblem?.message)),
      .init("buses", busObject), .init("bus-problem", .optional(busProblem?.message)),
      .init("environment", environmentObject),
      .init("capabilities", .strings(capabilities.names)),
      .init("seccomp", .array(sandbox.filters.map(filterObject))),
      .init("seccomp-policy", .optional(sandbox.policy?.name.text)),
      .init("life", lifeObject), .init("limits", .object(resolved.limitMembers())),
      .init("descriptors", descriptorObject), .init("warnings", .array(warnings.map(\.json))),
    ])
  }

  private var commandObject: JSON {
    .object([
      .init("words", .array(sandbox.command.map { .bytes($0) })),
      .init("name", .optional(sandbox.commandName?.text)),
      .init("file", .path(command.file)), .init("host-file", .path(command.host)),
      .init("directory", .path(directory.path)),
      .init("directory-exists", .boolean(directory.exists)),
    ])
  }

  private var namespaceObject: JSON {
    .object(
      Namespaces.names.map { kind, name in
        if namespaces.contains(kind) { return .init(name, .string("new")) }
        return .init(name, .string(joined(kind) == nil ? "shared" : "joined"))
      })
  }

  private var networkObject: JSON {
    .object([
      .init("allowed", .array(sandbox.network.allowed.map { .bytes($0.value.text) })),
      .init("published", .array(sandbox.network.published.map(publishedObject))),
      .init("member-of", sandbox.network.shared.map { .bytes($0.value) } ?? .null),
      .init("link", .boolean(showsLink)),
      .init("denied", .array(sandbox.network.denied.map { .bytes($0.value.text) })),
    ])
  }

  private func publishedObject(_ setting: Setting<PublishedPort>) -> JSON {
    .object([
      .init("address", .string(setting.value.address.text)),
      .init("port", .number(Int64(setting.value.port))),
      .init("inside", .number(Int64(setting.value.inside))),
      .init("transport", .string(setting.value.transport == .udp ? "udp" : "tcp")),
    ])
  }

  private var identityObject: JSON {
    let (user, group) = resolved.identity
    let isMapped = namespaces.contains(.user) && sandbox.channels.mapsWritten == nil
    func map(_ inside: UInt32?, _ outside: UInt32) -> JSON {
      guard isMapped else { return .null }
      return .string("\(String(inside ?? outside)) \(String(outside)) 1")
    }
    return .object([
      .init("user", .number(Int64(sandbox.user?.value ?? user))),
      .init("group", .number(Int64(sandbox.group?.value ?? group))),
      .init("uid-map", map(sandbox.user?.value, user)),
      .init("gid-map", map(sandbox.group?.value, group)),
      .init("maps-written-by-caller", .boolean(sandbox.channels.mapsWritten != nil)),
    ])
  }

  private func operationObject(_ index: Int) -> JSON {
    let planned = operations[index]
    let diagnosis = index == failing ? diagnosis : nil
    return .object([
      .init("cause", .optional(diagnosis?.cause)),
      .init("remedy", .optional(diagnosis?.remedy?.words)),
      .init("line", .number(Int64(index + 1))),
      .init("option", .string(planned.operation.option.name)),
      .init("origin", planned.operation.option.origin.json),
      .init("source", .path(planned.operation.action.source)),
      .init("source-found", .path(planned.source?.path)),
      .init("destination", .path(planned.operation.action.destination)),
      .init("place", .path(planned.place)), .init("skipped", .boolean(planned.isSkipped)),
      .init("covered-by", planned.coveredBy.map { .number(Int64($0 + 1)) } ?? .null),
      .init("problem", .optional(planned.problem.map { "\(quoted($0.subject)): \($0.errno)" })),
    ])
  }

  private func filterObject(_ filter: Setting<CInt>) -> JSON {
    .object([
      .init("option", .string(filter.option.name)),
      .init("descriptor", .number(Int64(filter.value))),
    ])
  }

  private var busObject: JSON {
    .object(
      sandbox.buses.shown.map { bus, access in
        .init(
          bus.rawValue, .strings(access.rules.map { "\($0.policy.rawValue) \($0.pattern.text)" }))
      })
  }

  private var environmentObject: JSON {
    .object([
      .init(
        "inherited",
        .number(
          Int64(
            Environment(resolved.inherited, keeping: sandbox.keptVariables, []).strings.count))),
      .init("changes", .array((sandbox.environment + variables).map(\.json))),
      .init("names", .array(environment.names.map { .bytes($0) })),
    ])
  }

  private var lifeObject: JSON {
    .object([
      .init("name", .optional(sandbox.name?.value.text)),
      .init("init", .boolean(resolved.hasInit)),
      .init("command-is-init", .boolean(sandbox.commandIsInit)),
      .init("exec", .boolean(sandbox.becomesCommand)),
      .init("new-session", .boolean(sandbox.hasOwnSession)),
      .init("own-terminal-for", .array(resolved.terminals.all.map { .number(Int64($0)) })),
      .init("die-with-parent", .boolean(sandbox.diesWithParent)),
      .init("kill-on-exit", .boolean(sandbox.killsOnExit)),
      .init("keep", .boolean(sandbox.isKept)),
      .init("explain", .boolean(sandbox.explain != nil)),
      .init("single", .boolean(sandbox.single != nil)),
      .init("detach", .boolean(sandbox.detach != nil)),
      .init("lock-files", .array(sandbox.lockFiles.map { .bytes($0.value) })),
    ])
  }

  private var descriptorObject: JSON {
    var used: [JSON] = []
    sandbox.forEachDescriptor { option, number in
      used.append(
        .object([.init("number", .number(Int64(number))), .init("option", .string(option.name))]))
    }
    return .object([
      .init("used", .array(used)),
      .init(
        "passed-on",
        .array(
          passedDescriptors.map {
            .object([.init("number", .number(Int64($0.number))), .init("path", .path($0.path))])
          })),
    ])
  }
}

extension RootModel.Mount {
  fileprivate var json: JSON {
    .object([
      .init("mount-point", .path(place)), .init("type", .string(type)),
      .init("read-only", .boolean(isReadOnly)),
      .init("line", operation.map { .number(Int64($0 + 1)) } ?? .null),
      .init("came-along", .boolean(bind != nil)),
    ])
  }
}

extension EnvironmentChange {
  fileprivate var json: JSON {
    switch self {
    case .set(let name, let value):
      .object([
        .init("set", .bytes(name)),
        .init("value", Secrets.isLikely(name, value) ? .null : .bytes(value)),
      ])
    case .unset(let name): .object([.init("unset", .bytes(name))])
    case .clear: .object([.init("clear", .boolean(true))])
    case .display: .object([.init("x11", .boolean(true))])
    case .keep(let patterns): .object([.init("keep", .strings(patterns.map(\.text)))])
    }
  }
}

extension JSON {
  /// A path that may be missing.
  static func path(_ path: FilePath?) -> JSON { path.map { .bytes(ByteString($0)) } ?? .null }

  /// Texts in order.
  static func strings(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
}
