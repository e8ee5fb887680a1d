// SPDX-License-Identifier: Apache-2.0
// What the command gets as standard input, output and error.
//
// A descriptor allows more than its mode says: where there is a /proc, a process can open the same
// file again by /proc/self/fd/N, with any mode that its owner may use, and an open directory leads
// to the whole tree around it. A terminal can be read by every process that has left its session.
// So the command gets some of the caller's descriptors in another form:
//
// - A directory, or a descriptor that only names a file, is refused.
// - A file for reading is opened again through a mount that is read-only.
// - A file for writing that has content, or to which writes are appended, becomes a pipe, from which
//   the monitor copies. An empty file, as after `>file`, can hold only what the command writes.
// - If output is limited, every file, pipe and socket for output becomes such a pipe.
// - If the launcher is in the background, a terminal is withheld: standard input is empty, and the
//   monitor copies the output.
//
// - With --detach a terminal, a pipe or a socket becomes an empty file: a reader or the terminal
//   would otherwise wait for a process in the background.
// - A terminal is given back as it was: the monitor restores its settings and the descriptors' flags.
//   It holds only terminals for that: the reader of a pipe would wait until it closed the pipe.
//
// Under --exec no process is left to copy or restore: files for writing and terminals stay as they
// are.
//
// The command gets everything else as it is, even a file for reading and writing: opening that again
// would gain nothing. If no descriptor needs another form, nestbox sets up none of this.

internal import Linux
internal import SystemPackage
internal import Text

/// The caller's standard descriptors that the command gets in another form.
struct StandardDescriptors {
  /// Files that are opened again through a read-only mount.
  private(set) var readOnly: [CInt] = []
  /// Files and terminals to which the monitor copies.
  private(set) var copies: [Copy] = []
  /// Terminals that are replaced by an empty file, which is open as this descriptor.
  private(set) var withheld: (numbers: [CInt], empty: CInt) = ([], -1)
  /// Whether the command must not have the caller's terminal.
  private(set) var withholdsTerminal = false
  /// Terminals that the command gets.
  private(set) var terminals: [HeldTerminal] = []

  /// A terminal as it was before the command.
  struct HeldTerminal {
    let number: CInt
    let flags: CInt
    let identity: FileIdentity
    /// Its settings; nil if a descriptor before this one is the same terminal.
    let settings: TerminalSettings?
  }

  /// A pipe from the command to a file or terminal of the caller.
  struct Copy {
    /// The command's descriptors: two, if they are open for the same file.
    var numbers: [CInt]
    /// The file of the caller, one of these numbers.
    var target: CInt { numbers[0] }
    let identity: FileIdentity
    let readEnd: CInt
    let writeEnd: CInt
    /// Whether what is copied counts as output that is limited.
    let isCounted: Bool
  }

  /// A descriptor that takes the place of a standard descriptor in the command.
  struct Replacement {
    let number: CInt
    let descriptor: CInt
  }

  /// Looks at the caller's standard descriptors.
  /// - Parameters:
  ///   - sandbox: What the caller asked for.
  ///   - replaced: Those that the command gets as a terminal of its own (TerminalRelay.swift).
  /// - Returns: What changes; nil if nothing does.
  /// - Throws: `LaunchError` if the command must not get one, or nothing can take its place.
  static func examine(
    for sandbox: Sandbox, without replaced: StandardTerminals
  ) throws(LaunchError) -> StandardDescriptors? {
    let isLimited = sandbox.outputLimit != nil
    guard isLimited || !sandbox.passesDescriptorsUnchanged else { return nil }
    var standard = StandardDescriptors()
    var (terminals, isTerminalKnown): (UInt8, Bool) = (0, false)
    for number in CInt(0)...2 where !sandbox.uses(number) && !replaced.contains(number) {
      let file = try examining(number) { () throws(SystemCallError) in try OpenFile(number) }
      if isLimited, number > 0, file.isOutput {
        try standard.copy(to: number, file, isCounted: true)
        continue
      }
      if sandbox.detach != nil, !file.staysInBackground(number) {
        try standard.replaceByNothing(number)
        continue
      }
      switch (file.kind, file.access) {
      case (.directory, _), (.regular, .location), (.blockDevice, .location):
        throw StandardDescriptors.refusal(of: number, file)
      case (.regular, .reading), (.blockDevice, .reading):
        if !Descriptors.isOnReadOnlyMount(number) { standard.readOnly.append(number) }
      case (.regular, .writing):
        if file.isAppending || !file.isEmpty {
          if !sandbox.becomesCommand {
            try standard.copy(to: number, file)
          } else if sandbox.isFromProfile {
            throw StandardDescriptors.refusalInPlace(of: number)
          }
        }
      case (.characterDevice, _) where !sandbox.becomesCommand:
        standard.hold(number, file)
        guard let group = Terminal.foreground(number) else { continue }
        isTerminalKnown = true
        if group != ProcessGroup.own { terminals |= 1 << UInt8(number) }
      case (.characterDevice, _) where sandbox.isFromProfile:
        if let group = Terminal.foreground(number), group != ProcessGroup.own {
          throw StandardDescriptors.refusalInPlace(of: number)
        }
      default: break
      }
    }
    if terminals != 0 {
      for number in CInt(0)...2 where terminals & 1 << UInt8(number) != 0 {
        try standard.withhold(number)
      }
    } else if !isTerminalKnown, replaced.isEmpty, !sandbox.becomesCommand, !sandbox.hasOwnSession,
      Terminal.isInBackground
    {
      standard.withholdsTerminal = true
    }
    return standard.isNeeded ? standard : nil
  }

  private var isNeeded: Bool {
    withholdsTerminal || !readOnly.isEmpty || !copies.isEmpty || !withheld.numbers.isEmpty
      || !terminals.isEmpty
  }

  /// Notes how a terminal is, if the device is one.
  private mutating func hold(_ number: CInt, _ file: OpenFile) {
    let isKnown = terminals.contains { $0.identity == file.identity }
    let settings = isKnown ? nil : TerminalSettings(of: number)
    guard isKnown || settings != nil else { return }
    terminals.append(
      HeldTerminal(
        number: number, flags: file.flags, identity: file.identity, settings: settings))
  }

  private static func examining<Result: ~Copyable>(
    _ number: CInt, _ body: () throws(SystemCallError) -> Result
  ) throws(LaunchError) -> Result {
    try doing(.passDescriptor, ByteString(String(number)), body)
  }

  private static func refusal(of number: CInt, _ file: OpenFile) -> LaunchError {
    let errno: Errno = file.kind == .directory ? .isDirectory : .badFileDescriptor
    return LaunchError(
      .passDescriptor, subject: ByteString(String(number)),
      cause: SystemCallError(call: "fstat", errno: errno))
  }

  /// A profile means what SECURITY.md promises, and only a process that stays can keep this promise.
  private static func refusalInPlace(of number: CInt) -> LaunchError {
    LaunchError(
      .passDescriptor, subject: ByteString(String(number)),
      cause: SystemCallError(call: "--exec", errno: .notSupported))
  }

  private mutating func copy(
    to number: CInt, _ file: OpenFile, isCounted: Bool = false
  ) throws(LaunchError) {
    // One pipe keeps the order of what is written to both.
    if let index = copies.firstIndex(where: { $0.identity == file.identity }) {
      copies[index].numbers.append(number)
      return
    }
    let pipe = try StandardDescriptors.examining(number) { () throws(SystemCallError) in
      try Pipe()
    }
    copies.append(
      Copy(
        numbers: [number], identity: file.identity, readEnd: pipe.readEnd.release(),
        writeEnd: pipe.writeEnd.release(), isCounted: isCounted))
  }

  /// Keeps a terminal from the command.
  private mutating func withhold(_ number: CInt) throws(LaunchError) {
    withholdsTerminal = true
    terminals.removeAll { $0.number == number }
    let file = try StandardDescriptors.examining(number) { () throws(SystemCallError) in
      try OpenFile(number)
    }
    guard number == 0 || file.access == .reading else { return try copy(to: number, file) }
    try replaceByNothing(number)
  }

  /// Gives the command an empty file, to which it can also write.
  private mutating func replaceByNothing(_ number: CInt) throws(LaunchError) {
    if withheld.empty < 0 {
      withheld.empty = try StandardDescriptors.examining(number) { () throws(SystemCallError) in
        try OwnedDescriptor.open("/dev/null", .readingAndWriting).release()
      }
    }
    withheld.numbers.append(number)
  }
}

extension StandardDescriptors {
  /// Closes what only the command needs.
  func closeCommandsEnds() {
    for copy in copies { Descriptors.close(copy.writeEnd) }
    if withheld.empty >= 0 { Descriptors.close(withheld.empty) }
  }

  /// Whether files are opened again by their names.
  var clonesFiles: Bool { !readOnly.isEmpty }

  /// What the command's process needs to put in the place of standard descriptors.
  var keptByCommand: [CInt] {
    copies.map(\.writeEnd) + (withheld.empty < 0 ? [] : [withheld.empty])
  }

  /// The caller's descriptors that the monitor needs to the end.
  var keptByMonitor: [CInt] {
    readOnly + copies.flatMap { [$0.readEnd, $0.target] } + terminals.map(\.number)
  }

  /// Opens the files again that the command may only read.
  ///
  /// The host's tree must be the root, in a mount namespace of this process, which tells the monitor
  /// about each file through `status`.
  /// - Returns: All descriptors that take the place of others in the command.
  func replacements(
    telling status: borrowing OwnedDescriptor
  ) throws(LaunchError) -> [Replacement] {
    var replacements: [Replacement] = []
    for number in readOnly {
      let file = try StandardDescriptors.examining(number) { () throws(SystemCallError) in
        let file = try StandardDescriptors.readOnlyFile(number)
        if let position = Descriptors.position(of: number) {
          Descriptors.setPosition(of: file.rawValue, to: position)
        }
        if status.rawValue >= 0 {
          try status.send(
            SetupMessage.hasReopened(UInt8(truncatingIfNeeded: number)).bytes,
            passing: file.rawValue)
        }
        return file.release()
      }
      replacements.append(Replacement(number: number, descriptor: file))
    }
    for copy in copies {
      for number in copy.numbers {
        replacements.append(Replacement(number: number, descriptor: copy.writeEnd))
      }
    }
    for number in withheld.numbers {
      replacements.append(Replacement(number: number, descriptor: withheld.empty))
    }
    return replacements
  }

  /// The file `number`, open through a mount that nobody can write to.
  ///
  /// The caller's mount belongs to another namespace and cannot be cloned; the file can be cloned
  /// by its name, if that still leads to it. A file without a name, such as a long here-document,
  /// is copied to memory.
  private static func readOnlyFile(_ number: CInt) throws(SystemCallError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      let tree = try MountTree.clone(of: Descriptors.path(of: number))
      guard try tree.descriptor.fileIdentity() == OpenFile(number).identity else {
        throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
      }
      let file = try tree.descriptor.openedForReading()
      // Afterwards, because a device cannot be opened here any more.
      try tree.restrict([.readOnly, .noSetUserID, .noDevices], propagation: .isolated)
      return file
    } catch {
      guard try OpenFile(number).kind == .regular else { throw error }
      return try OwnedDescriptor.sealedCopy(of: number)
    }
  }
}

extension OpenFile {
  /// Whether it takes output that can be counted: a terminal and other devices do not end.
  fileprivate var isOutput: Bool {
    (kind == .regular || kind == .other) && (access == .writing || access == .both)
  }
}

extension Sandbox {
  /// Whether an option uses the descriptor `number`, which the command does not get then.
  fileprivate func uses(_ number: CInt) -> Bool {
    var isUsed = false
    forEachDescriptor { _, used in if used == number { isUsed = true } }
    return isUsed
  }
}
