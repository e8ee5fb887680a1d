// SPDX-License-Identifier: Apache-2.0
// What a watched run has shown that its command needs, on its way from the watcher to the launcher.

internal import Linux
internal import Network
internal import SystemPackage
public import Text

/// What the watch is for, besides telling what was kept from the command.
public enum Learning: Equatable, Sendable {
  /// To write down what the command needs.
  case profile
  /// To find out whether the profile with this file is enough, and whether it is too much.
  case verification(ByteString)
}

/// Something that a run has used, or has not got.
public struct LearnedItem: Equatable, Sendable {
  /// What it is.
  public enum Kind: UInt8, Sendable {
    /// A file, a link or a directory with all that is in it, to be read; a note says how much of a
    /// directory was used, if that was not all.
    case same = 1
    /// The same, where only a link of the host leads there.
    case linked
    /// The same, to be changed.
    case writable
    /// The same, with devices to be opened.
    case devices
    /// A directory that only has to be there.
    case directory
    /// A directory of the host that the command may change: where it may have put links, no source may lead
    /// through them.
    case linkless
    /// Something that was used, but must not be shown without a second thought; a note says why.
    case objection
    /// Something that the command did not get: a finding, with its kind, what speaks against it,
    /// the programs that asked for it, "usual" if nearly every program does or "unlikely" if it is hardly the
    /// cause of a failure, and the options.
    case missing
    /// What could be used and was not: a path, or what else was possible.
    case unused
    /// The number of a line of the verified profile that was not used.
    case unusedLine
    /// An address that the command connected to, or a host for which it asked a name server, where it
    /// shares a network: a note has the program, and maybe the rule of --net-allow.
    case address
    /// What takes the place of options with the name that is the subject: a note has the operand. If
    /// there is no note, the options stay as they are.
    case rule
    /// A limit with room for what the run used: a note has the operand of the option.
    case limit
    /// How many calls were watched; always there.
    case calls
    /// There was more than nestbox notes.
    case incomplete
    /// A place that the command changed, and not on the host.
    case lost
  }

  /// What it is.
  public let kind: Kind
  /// Which operation of the sandbox shows it, counted from 0; nil if none does.
  public let operation: Int?
  /// The path, or what else it is about.
  public let subject: ByteString
  /// What else there is to say.
  public let notes: [ByteString]

  /// Describes an item.
  public init(
    _ kind: Kind, _ subject: ByteString, operation: Int? = nil, notes: [ByteString] = []
  ) {
    (self.kind, self.subject, self.operation, self.notes) = (kind, subject, operation, notes)
  }
}

// MARK: - In the report

extension LearnedItem {
  /// No line for people begins with this byte.
  private static let mark: UInt8 = 1

  /// The item as fields of the watcher's report: a mark, the kind and two numbers, then the subject
  /// and the notes.
  var fields: [ByteString] {
    let numbers = " " + String(operation ?? -1) + " " + String(notes.count)
    let head = [LearnedItem.mark, kind.rawValue &+ UInt8(ascii: "A")] + Array(numbers.utf8)
    return [ByteString(head), subject] + notes
  }

  /// Takes an item from the beginning of a report's fields; nil for a line for people.
  init?(_ fields: inout ArraySlice<ByteString>) {
    guard let head = fields.first?.bytes, head.count > 2, head.first == LearnedItem.mark,
      let kind = Kind(rawValue: head[head.startIndex + 1] &- UInt8(ascii: "A"))
    else { return nil }
    let numbers = ByteString(head.dropFirst(2)).text.split(separator: " ").compactMap { Int($0) }
    let rest = fields.dropFirst()
    guard numbers.count == 2, let subject = rest.first, (0..<rest.count).contains(numbers[1]) else {
      return nil
    }
    self.init(
      kind, subject, operation: numbers[0] < 0 ? nil : numbers[0],
      notes: Array(rest.dropFirst().prefix(numbers[1])))
    fields = rest.dropFirst(numbers[1] + 1)
  }
}

extension Ending {
  /// Takes over the watcher's report.
  mutating func take(_ report: [ByteString]?) {
    lacksReport = report == nil
    var rest = (report ?? [])[...]
    while let line = rest.first {
      if let item = LearnedItem(&rest) {
        learned.append(item)
      } else {
        explanation.append(line.text)
        rest = rest.dropFirst()
      }
    }
  }
}

extension Ending {
  /// Notes which rules of --net-allow the run has used.
  mutating func learn(_ reached: [ReachedHost], of sandbox: Sandbox) {
    guard let learning = sandbox.learning else { return }
    let allowed = sandbox.network.allowed
    // Names that were only looked up as well, but not those that were also connected to.
    let hosts = reached.filter { host in
      host.port != nil || !reached.contains { $0.host == host.host && $0.port != nil }
    }
    switch learning {
    case .verification(let file):
      for setting in allowed {
        guard case .profile(_, let path, let line) = setting.option.origin, path == file,
          !hosts.contains(where: { setting.value.permits($0) || $0.host.isEmpty })
        else { continue }
        learned.append(LearnedItem(.unusedLine, ByteString(String(line))))
      }
    case .profile:
      // The option that says only ports stays as it is.
      let others = allowed.filter { $0.option.name == "--net-allow" }.map(\.value)
      if hosts.contains(where: \.host.isEmpty) {
        learned.append(LearnedItem(.rule, "--net-allow"))
      }
      for host in hosts {
        guard let rule = NetworkRule.narrowest(of: others, for: host) else { continue }
        learned.append(LearnedItem(.rule, "--net-allow", notes: [rule]))
      }
      if sandbox.network.isUsed, hosts.isEmpty {
        learned.append(LearnedItem(.unused, "the network"))
      }
    }
  }

  /// How much more than a run has used its limits permit, at least.
  private static let room: Int64 = 4

  /// Notes limits with room for what the run has used.
  mutating func learnUse(of sandbox: Sandbox) {
    guard sandbox.learning == .profile, let wall else { return }
    func add(_ option: ByteString, _ used: Int64?, _ unit: Int64, least: Int64, _ suffix: String) {
      guard let used else { return }
      var limit = least
      while limit < 1 << 40, limit * unit < used * Ending.room { limit *= 2 }
      learned.append(
        LearnedItem(.limit, option, notes: [ByteString(String(limit) + suffix)]))
    }
    var processors: Int64?
    if let user = groupUse?.user ?? use?.user, let system = groupUse?.system ?? use?.system {
      processors = user + system
    }
    add("--timeout", wall, 1_000_000, least: 2, "s")
    add("--cpu-time", processors, 1_000_000, least: 2, "s")
    add("--memory", groupUse?.memoryPeak ?? use?.largestProcess, 1 << 20, least: 64, "M")
    add("--processes", groupUse?.processesPeak, 1, least: 16, "")
  }
}

extension FilesystemOperation.Action {
  /// Whether it shows a file of the host read-only.
  public var isReadOnly: Bool {
    switch self {
    case .bind(_, _, .readOnly, _), .same, .show(_, .readOnly): true
    default: false
    }
  }

  /// Whether a learned profile shows what was used of it in its place: it shows files of the host
  /// where they lie.
  public var isLearned: Bool {
    switch self {
    case .bind(let source, let destination, _, _): source == destination && source.isAbsolute
    case .same, .show, .temporaryHome, .review: true
    default: false
    }
  }
}

extension Plan {
  /// Whether the command may change the file `path` of the host, or what is in its directory: itself, or once a
  /// person applies the changes of a review.
  public func mayChange(_ path: ByteString) -> Bool {
    let path = path.path
    return (writablePlaces + layers(ofReviews: true) + repositories).contains {
      path.starts(with: $0)
    }
  }

  /// The files and directories of the host that the command may change, with all that is in them; those under
  /// review only once a person applies the changes.
  var writablePlaces: [FilePath] {
    let places = root.mounts.compactMap { mount -> FilePath? in
      if let path = mount.reviewed { return real(path) }
      guard case .host(let path) = mount.content, !mount.isReadOnly, !mount.isLost else {
        return nil
      }
      return path
    }
    return places + layers(ofReviews: false)
  }

  /// The directories of the host to which the writes to overlays go.
  private func layers(ofReviews isReview: Bool) -> [FilePath] {
    root.mounts.flatMap { mount -> [FilePath] in
      guard case .layers = mount.content, !mount.isLost, (mount.reviewed != nil) == isReview,
        case .kept(let upper, let work)? = mount.operation.flatMap({
          operations[$0].operation.action.overlay?.writes
        })
      else { return [] }
      return [real(upper), real(work)]
    }
  }

  private func real(_ path: FilePath) -> FilePath { (try? root.host.follow(path).path) ?? path }

  /// The git directories that --rw-repository makes writable, which a plan does not search for: they may lie
  /// outside of the project.
  private var repositories: [FilePath] {
    operations.flatMap { planned -> [FilePath] in
      guard case .commits(let path) = planned.operation.action else { return [] }
      guard let trail = root.find(path), let top = root.hostPath(of: trail.end) else { return [] }
      do throws(SystemCallError) {
        let found = try GitDirectories.find(in: OwnedDescriptor.open(top, .directory), at: top)
        return try [found?.common.path, found?.own.path].compactMap { $0 }
          .map { path throws(SystemCallError) in try root.host.follow(path).path }
      } catch {
        // Anything may be writable.
        return ["/"]
      }
    }
  }
}

extension LearnedItem {
  /// What a note says against a secret.
  public static let secrecy = Secrets.objection
}

extension Sandbox {
  /// Whether a value of this variable looks like a secret.
  public static func isLikelySecret(_ variable: ByteString, _ value: ByteString) -> Bool {
    Secrets.isLikely(variable, value)
  }
}
