// SPDX-License-Identifier: Apache-2.0
// This module finds the sandboxes that run on this machine, in /proc, and describes them to people
// and programs. Processes that may be hostile wrote most of what it reads, so it bounds each text and
// quotes each name, and expects a process to end or be replaced at any time.
//
// This file: the facts about one process that decide which sandbox it belongs to.

public import Linux
public import Text

/// The namespaces of a process, by number.
public struct NamespaceNumbers: Hashable, Sendable {
  /// In the order of `Namespaces.names`; 0 where the kind is not known.
  private var numbers: [UInt64]

  /// Without any number.
  public init() { numbers = Namespaces.names.map { _ in 0 } }

  /// The number of the namespace of this one kind; nil where it is not known.
  public subscript(kind: Namespaces) -> UInt64? {
    get {
      guard let index = Namespaces.names.firstIndex(where: { $0.namespace == kind }) else {
        return nil
      }
      return numbers[index] == 0 ? nil : numbers[index]
    }
    set {
      guard let index = Namespaces.names.firstIndex(where: { $0.namespace == kind }) else { return }
      numbers[index] = newValue ?? 0
    }
  }

  /// The kinds whose two numbers are known and differ.
  public func differences(from other: NamespaceNumbers) -> Namespaces {
    var kinds: Namespaces = []
    for (index, (kind, _)) in Namespaces.names.enumerated() {
      let (own, others) = (numbers[index], other.numbers[index])
      if own != 0, others != 0, own != others { kinds.insert(kind) }
    }
    return kinds
  }

  /// The number in a link of /proc/PID/ns, as in `net:[4026532196]`; nil where it has another form.
  public static func number(in link: ByteString) -> UInt64? {
    let bytes = link.bytes
    guard let start = bytes.firstIndex(of: UInt8(ascii: "[")), bytes.last == UInt8(ascii: "]")
    else { return nil }
    return UInt64(String(decoding: bytes[(start + 1)...].dropLast(), as: UTF8.self))
  }
}

/// What decides which sandbox a process belongs to.
public struct ProcessFacts: Equatable, Sendable {
  /// The process id.
  public var number: Int32
  /// The parent's; 0 if this process cannot see the parent.
  public var parent: Int32
  /// When it started, in ticks since the machine did.
  public var started: UInt64
  /// Its own name, which it can change at any time.
  public var name: ByteString
  /// Its real user id.
  public var user: UInt32
  /// Its ids in the pid namespaces from this one inwards, its own last.
  public var numbersInside: [Int32]
  /// Its namespaces; nil if the kernel does not show them, as for a process that hides.
  public var namespaces: NamespaceNumbers?
  /// The namespaces that its monitor holds, if it hides and is process 1 of a sandbox with a name.
  public var heldNamespaces: NamespaceNumbers?
  /// The user namespace directly below this process's own that it is in or below, and who made
  /// that.
  public var outerUser: (number: UInt64, owner: UInt32)?
  /// The pid namespace directly below this process's own that it is in or below.
  public var outerPid: UInt64?

  /// States facts.
  public init(
    number: Int32, parent: Int32, started: UInt64 = 0, name: ByteString, user: UInt32 = 0,
    numbersInside: [Int32] = [], namespaces: NamespaceNumbers? = nil,
    outerUser: (number: UInt64, owner: UInt32)? = nil, outerPid: UInt64? = nil
  ) {
    (self.number, self.parent, self.started) = (number, parent, started)
    (self.name, self.user, self.numbersInside) = (name, user, numbersInside)
    (self.namespaces, self.outerUser, self.outerPid) = (namespaces, outerUser, outerPid)
  }

  /// Whether it is process 1 of a pid namespace, and hides, as nestbox's is.
  var isHidingInit: Bool { namespaces == nil && numbersInside.last == 1 }

  /// Whether both state the same facts about the same process.
  public static func == (left: ProcessFacts, right: ProcessFacts) -> Bool {
    left.number == right.number && left.parent == right.parent && left.started == right.started
      && left.name == right.name && left.user == right.user
      && left.numbersInside == right.numbersInside && left.namespaces == right.namespaces
      && left.heldNamespaces == right.heldNamespaces
      && left.outerUser?.number == right.outerUser?.number
      && left.outerUser?.owner == right.outerUser?.owner && left.outerPid == right.outerPid
  }
}

/// The line of /proc/PID/stat.
///
/// See proc_pid_stat(5).
public struct StatLine: Equatable, Sendable {
  /// What the process calls itself, up to 15 bytes of any kind.
  public let name: ByteString
  /// Whether it is a zombie.
  public let hasEnded: Bool
  /// Whether it is a thread of the kernel.
  public let isKernelThread: Bool
  /// The parent's process id.
  public let parent: Int32
  /// When it started, in ticks since the machine did.
  public let started: UInt64
  /// The processor time that it has used, in ticks.
  public let processorTime: UInt64
  /// How many threads it has.
  public let threads: UInt64

  /// Reads the line; nil where it has another form.
  public init?(_ line: [UInt8]) {
    // The name may contain anything, even `) `; after it the kernel writes only numbers.
    guard let open = line.firstIndex(of: UInt8(ascii: "(")),
      let close = line.lastIndex(of: UInt8(ascii: ")")), open < close
    else { return nil }
    let fields = line[(close + 1)...].split(separator: UInt8(ascii: " "))
    let numbers = fields.map { UInt64(decimal: $0) ?? 0 }
    guard fields.count >= 20, let parent = Int32(decimal: fields[1]),
      let started = UInt64(decimal: fields[19])
    else { return nil }
    hasEnded = fields[0].first == UInt8(ascii: "Z")
    // PF_KTHREAD of include/linux/sched.h.
    isKernelThread = numbers[6] & 0x20_0000 != 0
    processorTime = numbers[11].addingReportingOverflow(numbers[12]).partialValue
    threads = numbers[17]
    name = ByteString(line[(open + 1)..<close])
    self.parent = parent
    self.started = started
  }
}

/// The lines of /proc/PID/status, each a name and a value.
///
/// See proc_pid_status(5).
public struct StatusLines: Equatable, Sendable {
  private var values: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = []

  /// Reads the lines.
  ///
  /// The kernel escapes what a process calls itself, so that it is one line.
  public init(_ text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      values.append((line[..<colon], line[(colon + 1)...]))
    }
  }

  /// The words of the first line of this name.
  public func words(of name: String) -> [ArraySlice<UInt8>] {
    let line = values.first { $0.name.elementsEqual(name.utf8) }
    return line?.value.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") } ?? []
  }

  /// The first word of the line as a number.
  public func number(_ name: String) -> UInt64? {
    words(of: name).first.flatMap { UInt64(decimal: $0) }
  }

  /// The first word of the line as a set of capabilities.
  public func capabilities(_ name: String) -> Capabilities? {
    words(of: name).first.flatMap { UInt64(String(decoding: $0, as: UTF8.self), radix: 16) }
      .map { Capabilities(bits: $0) }
  }

  /// Whether both hold the same lines.
  public static func == (left: StatusLines, right: StatusLines) -> Bool {
    left.values.elementsEqual(right.values) { $0.name == $1.name && $0.value == $1.value }
  }
}

extension FixedWidthInteger {
  /// Reads a decimal number: only digits, and perhaps a minus before them.
  ///
  /// Nil for anything else, and for a number that does not fit.
  package init?(decimal text: ArraySlice<UInt8>) {
    guard text.first != UInt8(ascii: "+") else { return nil }
    self.init(String(decoding: text, as: UTF8.self))
  }
}
