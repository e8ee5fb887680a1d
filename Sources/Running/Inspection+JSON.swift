// SPDX-License-Identifier: Apache-2.0
// One sandbox as a program reads it.

internal import Linux
internal import SystemPackage
public import Text

extension Inspection {
  /// The report as one object.
  public var json: JSON {
    .object(
      [.init("version", .number(1))] + listed.members + [
        .init("namespaces", .object(namespaces.map { .init($0.kindName, $0.json) })),
        .init("user-map", .array(maps.users.map(\.json))),
        .init("group-map", .array(maps.groups.map(\.json))),
        .init("setgroups", .optional(maps.setgroups)),
        .init("members", .array(processes.map(\.json))), .init("privileges", protection.json),
        .init("mounts", .array(mounts.map(\.json))),
        .init("interfaces", .array((network?.interfaces ?? []).map { .bytes($0) })),
        .init("addresses", .array((network?.addresses ?? []).map { .string($0) })),
        .init("shared-network", sharedNetwork?.json ?? .null),
        .init("limits", .array(limits.map(\.json))),
        .init("control-groups", .array(groups.map(\.json))), .init("use", use.json),
        .init("launcher", .array(launcherWords.map { .bytes($0) })),
        .init("launch", launch?.json ?? .null),
        .init("messages", .array(messages.map { .bytes($0) })),
      ])
  }
}

extension NamespaceUse {
  fileprivate var json: JSON {
    let most = Inspection.mostProcesses
    return .object([
      .init("name", .string(name)), .init("number", .unsigned(number)),
      .init("is-own", .boolean(!isOwn)),
      .init("members", .array(members.prefix(most).map(\.json))),
      .init("others", .array(others.prefix(most).map(\.json))),
      .init(
        "sandboxes",
        .array(
          sandboxes.map { sandbox in
            .object([
              .init("name", sandbox.name.map { .bytes($0) } ?? .null),
              .init("process", .number(Int64(sandbox.first.number))),
            ])
          })),
    ])
  }
}

extension ProcessFacts {
  fileprivate var json: JSON {
    .object([.init("process", .number(Int64(number))), .init("name", .bytes(name))])
  }
}

extension Inspection.Member {
  fileprivate var json: JSON {
    .object([
      .init("process", .number(Int64(facts.number))), .init("name", .bytes(facts.name)),
      .init("parent", .number(Int64(facts.parent))),
      .init("process-inside", facts.numbersInside.last.map { .number(Int64($0)) } ?? .null),
      .init("command", .array(words.map { .bytes($0) })),
    ])
  }
}

extension IdentityMaps.Line {
  fileprivate var json: JSON {
    .object([
      .init("inside", .unsigned(inside)), .init("outside", .unsigned(outside)),
      .init("count", .unsigned(count)),
    ])
  }
}

extension Protection {
  fileprivate var json: JSON {
    .object([
      .init("no-new-privs", hasNoNewPrivileges.map { .boolean($0) } ?? .null),
      .init("seccomp", .number(seccomp)), .init("filters", .number(filters)),
      .init(
        "capabilities",
        .object(
          capabilities.map { name, set in
            .init(name, .array(set.names.map { .string($0) }))
          })),
    ])
  }
}

extension MountUse {
  fileprivate var json: JSON {
    .object([
      .init("point", .bytes(ByteString(entry.point))), .init("type", .string(entry.type)),
      .init("root", .bytes(ByteString(entry.root))), .init("source", .bytes(entry.source)),
      .init("options", .array(entry.options.map { .string(String($0)) })),
      .init("filesystem-options", .array(entry.filesystemOptions.map { .string(String($0)) })),
      .init("size", .number(use?.size)), .init("used", .number(use?.used)),
      .init("files", .number(use?.files)), .init("used-files", .number(use?.usedFiles)),
    ])
  }
}

extension ResourceLimit {
  fileprivate var json: JSON {
    .object([
      .init("name", .string(name)), .init("soft", .number(soft)), .init("hard", .number(hard)),
      .init("unit", .string(unit)),
    ])
  }
}

extension ControlGroup {
  fileprivate var json: JSON {
    .object([
      .init("controllers", .string(controllers)), .init("path", .bytes(path)),
      .init("figures", .object(figures.map { .init($0.name, .bytes($0.text)) })),
    ])
  }
}

extension ProcessUse {
  fileprivate var json: JSON {
    .object([
      .init("processes", .number(Int64(processes))), .init("threads", .unsigned(threads)),
      .init("memory", .unsigned(memory)), .init("processor-milliseconds", .unsigned(ticks &* 10)),
    ])
  }
}

extension JSON {
  /// A number that may be missing.
  fileprivate static func number(_ value: UInt64?) -> JSON { value.map { .unsigned($0) } ?? .null }
}
