// SPDX-License-Identifier: Apache-2.0
// What a launch under a name notes about itself, for --inspect: no running process shows it.

public import Linux
internal import Network
internal import Seccomp
internal import SystemPackage
public import Text

/// Facts about the launch of a running sandbox.
public struct LaunchRecord: Equatable, Sendable {
  /// The profiles that were read, in order.
  var profiles: [ByteString] = []
  /// The system call policy: the name of a built-in one, or the path of a file.
  var policy: ByteString?
  /// The options that changed the policy, each with its operand.
  var policyChanges: [ByteString] = []
  /// How many filters the caller gave.
  var filters: UInt32 = 0
  /// What Landlock forbids.
  var landlock: LandlockScopes = []
  /// Further facts: the name of a JSON member, and its strings.
  var others: [Fact] = []

  /// A fact of another feature.
  struct Fact: Equatable {
    var name: ByteString
    var values: [ByteString]
  }

  /// Nothing.
  init() {}
}

extension LaunchRecord {
  /// Notes what `plan` says.
  init(_ plan: LaunchPlan, filters: [SeccompProgram]) {
    let sandbox = plan.sandbox
    profiles = sandbox.profileNames
    if let choice = sandbox.policy {
      policy = choice.name
      policyChanges = choice.adjustments.map {
        ByteString(Array(($0.option + " ").utf8) + $0.list.bytes)
      }
    }
    self.filters = UInt32(truncatingIfNeeded: filters.count)
    landlock = sandbox.landlockScopes.union(sandbox.landlockScopesToTry)
    if sandbox.network.isUsed { noteNetwork(sandbox.network) }
  }

  private mutating func noteNetwork(_ network: NetworkRules) {
    func note(_ name: ByteString, _ values: [ByteString]) {
      if !values.isEmpty { others.append(Fact(name: name, values: values)) }
    }
    note("member-of", network.shared.map { [$0.value] } ?? [])
    note("net-deny", network.denied.map(\.value.text))
    note("net-allow", network.allowed.map(\.value.text))
    note("publish", network.published.map { ByteString($0.value.operand) })
  }

  /// What `monitor` holds; nil if that is none that this process can believe, or holds nothing.
  public init?(heldBy monitor: borrowing ProcessDirectory) {
    // A payload that can write to the registry cannot make a process in this user namespace.
    guard let own = try? ProcessDirectory(CurrentProcess.number),
      let namespace = try? own.link("ns/user"), (try? monitor.link("ns/user")) == namespace,
      let held = try? Held(of: monitor, patience: 0)
    else { return nil }
    self = held.terms.record
  }
}

extension LaunchRecord: Record {
  private static let longest = 1 << 16

  init(from reader: inout RecordReader) throws(MalformedRecord) {
    let text = { (reader: inout RecordReader) throws(MalformedRecord) in
      try reader.longText(limit: LaunchRecord.longest)
    }
    profiles = try reader.list(text)
    policy = try reader.optional(text)
    policyChanges = try reader.list(text)
    filters = try reader.number()
    landlock = LandlockScopes(rawValue: try reader.number())
    others = try reader.list { reader throws(MalformedRecord) in
      Fact(name: try text(&reader), values: try reader.list(text))
    }
  }

  func write(to writer: inout RecordWriter) {
    let text = { (writer: inout RecordWriter, text: ByteString) in
      writer.write(long: text.bytes.prefix(LaunchRecord.longest))
    }
    writer.write(list: profiles, text)
    writer.write(optional: policy, text)
    writer.write(list: policyChanges, text)
    writer.write(filters)
    writer.write(landlock.rawValue)
    writer.write(list: others) { writer, fact in
      text(&writer, fact.name)
      writer.write(list: fact.values, text)
    }
  }
}

// MARK: - Reports

extension LaunchRecord {
  private var scopes: [String] {
    (landlock.contains(.signals) ? ["signal"] : [])
      + (landlock.contains(.abstractSockets) ? ["abstract-unix"] : [])
  }

  /// For people, a line each.
  public var lines: [String] {
    func names(_ values: [ByteString]) -> String { values.map(\.quoted).joined(separator: ", ") }
    var lines = ["profiles: " + (profiles.isEmpty ? "none" : names(profiles))]
    lines.append("system call policy: " + (policy?.quoted ?? "none"))
    if !policyChanges.isEmpty { lines.append("changes of the policy: " + names(policyChanges)) }
    if filters > 0 { lines.append("filters from the caller: " + String(filters)) }
    if !scopes.isEmpty { lines.append("Landlock scopes: " + scopes.joined(separator: ", ")) }
    return lines + others.map { "\($0.name.quoted): " + names($0.values) }
  }

  /// For programs.
  public var json: JSON {
    func list(_ values: [ByteString]) -> JSON { .array(values.map { .bytes($0) }) }
    return .object(
      [
        .init("profiles", list(profiles)), .init("policy", policy.map { .bytes($0) } ?? .null),
        .init("policy-changes", list(policyChanges)), .init("filters", .number(Int64(filters))),
        .init("landlock-scopes", .array(scopes.map { .string($0) })),
      ] + others.map { .init($0.name.text, list($0.values)) })
  }
}
