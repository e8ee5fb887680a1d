// SPDX-License-Identifier: Apache-2.0
// The list of running sandboxes: a line each for people, an object each for programs.

internal import Linux
public import Text

/// A sandbox as the list shows it.
public struct ListedSandbox: Equatable, Sendable {
  /// The sandbox.
  public let sandbox: RunningSandbox
  /// What its command can reach on the network.
  public let network: NetworkState
  /// The words of its command, as far as they were read.
  public internal(set) var words: [ByteString]
  /// How many seconds ago it began.
  public let age: UInt64
  /// Its place in a network that it shares with others.
  public internal(set) var place: NetworkPlace?

  /// States what the list shows.
  public init(
    sandbox: RunningSandbox, network: NetworkState, words: [ByteString], age: UInt64
  ) {
    (self.sandbox, self.network, self.words, self.age) = (sandbox, network, words, age)
  }
}

/// What can be reached from a network namespace.
public enum NetworkState: String, Equatable, Sendable {
  /// The namespace is this process's own.
  case host
  /// It has only the loopback interface, and belongs to this sandbox alone.
  case none
  /// It leads to what the rules of --net-allow name, and belongs to this sandbox alone.
  case allowed
  /// It has other interfaces, and belongs to this sandbox alone.
  case own
  /// Other sandboxes are in the same one.
  case shared
  /// The kernel does not show it.
  case unknown
}

/// The sandboxes of a user.
public struct SandboxList: Equatable, Sendable {
  /// The sandboxes, the oldest first.
  public internal(set) var entries: [ListedSandbox]
  /// The networks that sandboxes share.
  public internal(set) var networks: [SharedNetwork] = []

  /// A list of these.
  public init(_ entries: [ListedSandbox]) {
    self.entries = entries
  }

  /// Looks at the sandboxes of `survey`, but does not read the words of their commands: these are in
  /// the commands' memory.
  public init(_ survey: Survey) {
    let sandboxes = survey.sandboxes
    let now = BootClock.seconds
    entries = sandboxes.map { sandbox in
      var sandbox = sandbox
      if sandbox.tool == .bubblewrap, sandbox.isOfFlatpak { sandbox.tool = .flatpak }
      if sandbox.tool == .other, sandbox.isOfThisProgram { sandbox.tool = .nestbox }
      let started = sandbox.first.started / BootClock.ticksPerSecond
      var network = NetworkState.unknown
      if let command = sandbox.command, let directory = try? ProcessDirectory.of(command) {
        network = SandboxList.network(of: sandbox, directory, survey, sandboxes)
      }
      return ListedSandbox(
        sandbox: sandbox, network: network, words: [], age: now > started ? now - started : 0)
    }
  }

  /// Adds the words of those commands that let others read them.
  public mutating func readWords() {
    let places = entries.indices.filter { entries[$0].sandbox.hasCommand }
    let words = places.map { entries[$0].sandbox.command ?? entries[$0].sandbox.first }.words()
    for (place, words) in zip(places, words) { entries[place].words = words }
  }

  private static func network(
    of sandbox: RunningSandbox, _ directory: borrowing ProcessDirectory, _ survey: Survey,
    _ sandboxes: [RunningSandbox]
  ) -> NetworkState {
    guard let number = sandbox.namespaces?[.network] else { return .unknown }
    if number == survey.own[.network] { return .host }
    if sandboxes.filter({ $0.namespaces?[.network] == number }).count > 1 { return .shared }
    guard let facts = NetworkFacts(of: directory) else { return .unknown }
    if facts.hasRelay { return .allowed }
    return facts.isLoopbackAlone ? .none : .own
  }
}

// MARK: - Reports

extension SandboxList {
  /// The list for people: a heading, then one line for each sandbox.
  /// - Parameter width: Where a line is cut; nil for nowhere.
  /// - Returns: The lines.
  public func text(width: Int? = nil) -> String {
    let heading = ["NAME", "PROCESS", "AGE", "PROCESSES", "NETWORK", "MADE BY", "COMMAND"]
    return SandboxList.table([heading] + entries.map(\.cells), width: width)
      + networkText(width: width)
  }

  /// `rows`, all of the same length, as lines with columns that end at `width`.
  public static func table(_ rows: [[String]], width: Int?) -> String {
    let last = (rows.first?.count ?? 1) - 1
    let widths = (0..<last).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (cell, columnWidth) in zip(row, widths) {
        line += cell + String(repeating: " ", count: columnWidth - cell.count + 2)
      }
      line += row[last]
      return (width.map { cut(line, to: $0) } ?? line) + "\n"
    }.joined()
  }

  /// The beginning of `line` that fills at most `width` columns of a terminal.
  ///
  /// A letter beyond ASCII may fill two columns, and any number of marks none: each counts as two.
  static func cut(_ line: String, to width: Int) -> String {
    let scalars = line.unicodeScalars
    var columns = 0
    var end = scalars.startIndex
    for index in scalars.indices where width > 1 {
      columns += scalars[index].isASCII ? 1 : 2
      if columns > width { return String(scalars[..<end]) + "…" }
      if columns < width { end = scalars.index(after: index) }
    }
    return line
  }

  /// The list for programs.
  public var json: JSON {
    .object([
      .init("version", .number(1)),
      .init("sandboxes", .array(entries.map { .object($0.members) })),
      .init("networks", .array(networks.map(\.json))),
    ])
  }
}

extension ListedSandbox {
  fileprivate var cells: [String] {
    [
      sandbox.name?.quoted ?? "-", String(sandbox.first.number), ListedSandbox.duration(age),
      String(sandbox.processes.count), place?.network.quoted ?? network.rawValue,
      sandbox.tool.rawValue, commandText,
    ]
  }

  /// The command as one line.
  var commandText: String {
    if words.isEmpty, !sandbox.hasCommand { return "(kept, no command)" }
    // A process that wrote over its arguments still has the name of its program.
    if words.isEmpty { return "(\((sandbox.command ?? sandbox.first).name.quoted))" }
    return words.map(\.quotedForShell).joined(separator: " ")
  }

  /// What the list and the description of one sandbox have in common.
  var members: [JSON.Member] {
    [
      .init("name", sandbox.name.map { .bytes($0) } ?? .null),
      .init("made-by", .string(sandbox.tool.rawValue)),
      .init("process", .number(Int64(sandbox.first.number))),
      .init("monitor", sandbox.monitor.map { .number(Int64($0.number)) } ?? .null),
      .init("age", .unsigned(age)),
      .init("processes", .number(Int64(sandbox.processes.count))),
      .init("network", .string(network.rawValue)),
      .init("member-of", place.map { .bytes($0.network) } ?? .null),
      .init("address", .optional(place?.address)),
      .init("kept", .boolean(sandbox.isKept)),
      .init("command", .array(words.map { .bytes($0) })),
    ]
  }

  /// A number of seconds in the two largest units: `3 d 4 h`, `5 min`, `12 s`.
  public static func duration(_ seconds: UInt64) -> String {
    let units: [(UInt64, String)] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
    guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0 s" }
    var text = "\(String(seconds / units[first].0)) \(units[first].1)"
    if first < 2 {
      let rest = seconds % units[first].0 / units[first + 1].0
      if rest > 0 { text += " \(String(rest)) \(units[first + 1].1)" }
    }
    return text
  }
}

// MARK: - Searching

extension SandboxList {
  /// The sandbox with the name `word`, or the one that contains the process of this number or was
  /// started by it.
  public func entry(named word: ByteString) -> ListedSandbox? {
    if let named = entries.first(where: { $0.sandbox.name == word }) { return named }
    guard let number = Int32(decimal: word.bytes) else { return nil }
    let holds = { (entry: ListedSandbox) in
      entry.sandbox.processes.contains { $0.number == number }
    }
    return entries.first(where: holds)
      ?? entries.first { $0.sandbox.monitor?.number == number && $0.sandbox.tool != .other }
  }
}
