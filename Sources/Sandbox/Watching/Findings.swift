// SPDX-License-Identifier: Apache-2.0
// What the sandbox kept from the command: each thing that was asked for is looked at inside and on
// the host. A thing is the sandbox's doing only where the host would have answered otherwise.

internal import Linux
internal import Network
internal import Seccomp
internal import SystemPackage
internal import Text

/// All findings of a run, those of the last calls first.
struct Findings {
  var all: [Finding] = []
  /// How many calls were watched.
  let calls: Int
  /// Whether everything could be noted.
  private(set) var isComplete: Bool
  let resolved: ResolvedSandbox
  private let inside: InsideLook
  let namesNoProfile: Bool
  /// Whether it is known for which hosts name servers were asked.
  private let asksByName: Bool
  /// The names that the command made, or wanted to.
  private let made: Set<ByteString>
  /// The sandbox on paper; made when something is missing.
  lazy var plan = resolved.plan()
  /// The files that are secret.
  lazy var secrets = resolved.secretFiles(on: plan.root.host)
  /// Who is in the sandbox's network now.
  lazy var members: [NetworkMember] =
    NamedNetworks(registry: resolved.sandbox.network.directory).list()
    .first { $0.name == resolved.sandbox.network.shared?.value }?.members ?? []
  private var places: [ByteString: Int] = [:]
  /// What the command finds empty; nil if it finds nothing so.
  private(set) lazy var standIns = StandIns(plan, of: resolved)
  /// Whether the command opened its working directory, as programs do that list it.
  private(set) var hasListedDirectory = false
  /// Whether the host did not have the last thing either.
  private var isMissing = false

  /// How many findings are made at most, and of how many bytes of names: a payload decides how many things
  /// it asks for.
  private static let most = (findings: 5000, bytes: 512 << 10)
  private var size = 0
  /// When looking ends: a payload also decides how long its paths are.
  private var deadline: Int

  /// Looks at everything that was noted; `words` is the line that was typed.
  init(
    _ observations: Observations, root: CInt, of resolved: ResolvedSandbox,
    line words: [ByteString] = []
  ) {
    self.resolved = resolved
    namesNoProfile = !words.dropLast(resolved.sandbox.command.count).contains {
      $0.bytes.starts(with: "--profile".utf8)
    }
    inside = InsideLook(root: root)
    calls = observations.calls
    isComplete = !observations.isFull
    asksByName = observations.all.contains { $0.kind == .host }
    made = Set(observations.all.lazy.filter(\.kind.makesName).map(\.subject))
    deadline = MonotonicClock.milliseconds + Watcher.timeForFindings
    for seen in observations.all where !observations.isTriedByTCP(seen) {
      guard hasTime() else { break }
      examine(seen)
    }
    findPrograms(observations)
    all.sort { $0.last > $1.last }
    for index in all.indices {
      guard hasTime() else {
        // Without an option or an objection they would say too little.
        all.removeSubrange(index...)
        break
      }
      var finding = all[index]
      complete(&finding)
      all[index] = finding
    }
    all = all.filter { !$0.isUnlikely } + all.filter(\.isUnlikely)
    putDirectoriesFirst()
  }

  /// Puts a missing directory before what the command missed in it: with the file alone, it would miss the
  /// directory again.
  private mutating func putDirectoriesFirst() {
    var directories: [ByteString: Int] = [:]
    for (index, finding) in all.enumerated()
    where finding.kind == .notShown && finding.isFollowed && !finding.options.isEmpty {
      directories[finding.subject] = index
    }
    var (order, isPut): ([Int], [Bool]) = ([], [Bool](repeating: false, count: all.count))
    for index in all.indices {
      var (way, path) = ([index], all[index].subject.path)
      // The first directories of a path show too much, and a payload chooses how long a path is.
      while all[index].kind == .notShown, path.components.count > 2, way.count < 16 {
        path.removeLastComponent()
        if let place = directories[ByteString(path)] { way.append(place) }
      }
      for place in way.reversed() where !isPut[place] {
        order.append(place)
        isPut[place] = true
      }
    }
    all = order.map { all[$0] }
  }

  /// Gives the next who looks as much time again.
  mutating func renewTime() { deadline = MonotonicClock.milliseconds + Watcher.timeForFindings }

  /// Whether there is time for more; if not, the report says that it is incomplete.
  mutating func hasTime() -> Bool {
    if MonotonicClock.milliseconds < deadline { return true }
    isComplete = false
    return false
  }

  /// Notes that something was kept from the command.
  mutating func add(
    _ kind: Finding.Kind, _ subject: ByteString, _ seen: Observation,
    _ mark: (inout Finding) -> Void = { _ in }
  ) {
    let key = ByteString(kind.rawValue + " ").appending(subject)
    defer {
      if let place = places[key] {
        if seen.kind != .lookAtLink { all[place].isFollowed = true }
        mark(&all[place])
      }
    }
    if let place = places[key] {
      all[place].count &+= seen.count
      all[place].last = max(all[place].last, seen.last)
      all[place].isForWriting = all[place].isForWriting || seen.kind.changes
      if let access = Findings.access(for: seen), !all[place].accesses.contains(access) {
        all[place].accesses.append(access)
      }
      let programs = all[place].programs
      if programs.count < Finding.mostPrograms, !programs.contains(seen.program) {
        all[place].programs.append(seen.program)
      }
      return
    }
    guard all.count < Findings.most.findings, size + subject.count <= Findings.most.bytes else {
      isComplete = false
      return
    }
    size += subject.count
    places[key] = all.count
    all.append(
      Finding(
        kind: kind, subject: subject, programs: [seen.program], count: seen.count, last: seen.last,
        isForWriting: seen.kind.changes, accesses: Findings.access(for: seen).map { [$0] } ?? []))
  }

  private mutating func add(_ kind: Finding.Kind, _ path: FilePath, _ seen: Observation) {
    add(kind, ByteString(path), seen)
  }
}

// MARK: - Looking

extension Findings {
  private mutating func examine(_ seen: Observation) {
    switch seen.kind {
    case .address: connect(seen)
    // Where the relay answers, it tells what it refuses by name.
    case .host, .nameServer:
      if isWithoutNetwork, seen.kind == .host || !asksByName {
        add(.noNetwork, seen.subject, seen)
      } else if seen.kind == .host, let name = DomainName(text: seen.subject.bytes[...]) {
        lookForMember(name, seen)
      }
    case .busName: add(.noBusName, seen.subject, seen)
    case .calledBusName, .addition: return
    case .abstractSocket:
      // Clients of X11 try it first, and then the socket in the file system.
      if isWithoutNetwork, !seen.subject.bytes.starts(with: "/".utf8) {
        add(.noNetwork, ByteString("@").appending(seen.subject), seen)
      }
    case .unreadable: add(.unreadable, seen.subject, seen)
    case .port: needs("CAP_NET_BIND_SERVICE", seen)
    case .capability: needs(seen.subject, seen)
    case .userNamespace:
      if resolved.sandbox.disablesUserNamespaces { add(.forbidden, "user namespaces", seen) }
    case .refusal:
      // As older kernels answer: every program can do without.
      if Errno(rawValue: seen.error) != .noFunction {
        let name = Findings.name(ofCall: seen)
        add(.refused, name, seen) { finding in
          if Findings.asksForNamespaces(name, seen) { finding.needsNamespaces = true }
        }
      }
    default: look(for: seen)
    }
  }

  private mutating func needs(_ capability: ByteString, _ seen: Observation) {
    if lacks(capability) { add(.capability, capability, seen) }
  }

  /// Whether the command has not got a capability.
  func lacks(_ capability: ByteString) -> Bool {
    let all = Capabilities(bits: .max)
    return !resolved.capabilities(of: all).contains(
      String(capability.text.dropFirst(4)).lowercased())
  }

  private mutating func look(for seen: Observation) {
    let path = seen.subject.path
    guard path.isAbsolute, path.components.first?.kind == .regular else { return }
    if seen.kind == .read, path == resolved.workingDirectory?.path { hasListedDirectory = true }
    // Python keeps compiled modules there where it can, and does without where it cannot.
    if seen.kind.changes, path.components.contains("__pycache__") { return }
    // A file that is there and open to the command, or that the host has not either, is looked at on
    // one side only: programs look for many missing names in a row.
    let isGuess = isMissing
    if !isGuess, inside.answers(seen.kind, at: path) { return lookAtStandIn(path, seen) }
    // Of a name to be made or removed, its directory counts as well.
    if !seen.kind.changesDirectory {
      isMissing = (try? FileFacts(at: path, followsLinks: seen.kind != .lookAtLink)) == nil
      if isMissing { return }
      if isGuess, inside.answers(seen.kind, at: path) { return lookAtStandIn(path, seen) }
    }
    if seen.kind == .remove || seen.kind == .replace {
      if path.endsInName { lookAtName(path, seen) }
      return
    }
    let followsLast = seen.kind != .lookAtLink && seen.kind != .make
    switch inside.follow(path, followsLast: followsLast) {
    case .procfs: return
    case .file(let file):
      switch seen.kind {
      case .create, .make: check(file, path, seen, .write, isNew: true)
      case .write, .socket: check(file, path, seen, .write)
      case .read: check(file, path, seen, .read)
      case .execute:
        check(file, path, seen, .execute)
        lookForInterpreter(of: file, seen)
      default: return
      }
    case .missing(_, let wanted, let depth, let isLast):
      if seen.kind.changesDirectory {
        guard isLast else { return missing(wanted.parent, depth, seen) }
        look(at: path.parent, seen, wanting: .write)
        return
      }
      // A file of the command's own, which it has removed again.
      if isLast, made.contains(seen.subject) { return }
      missing(wanted, depth, seen)
    case .refused(let error): refused(error, path, seen, seen.kind == .write ? .write : .read)
    }
  }

  /// Looks whether a file that the command read is an empty one in the place of the host's.
  private mutating func lookAtStandIn(_ path: FilePath, _ seen: Observation) {
    guard seen.kind == .read, let standIns else { return }
    let path = path.lexicallyNormalized()
    if standIns.contains(path), (try? FileFacts(at: path)) != nil { add(.notShown, path, seen) }
  }

  /// Whether the command can reach a file at `path`.
  func isShown(_ path: ByteString) -> Bool {
    if case .file = inside.follow(path.path, followsLast: true) { return true }
    return false
  }

  /// Looks at a name that is removed, or that a renamed file gets.
  private mutating func lookAtName(_ path: FilePath, _ seen: Observation) {
    look(at: path.parent, seen, wanting: .write)
    guard case .file(let directory) = inside.follow(path.parent, followsLast: true),
      directory.refusal(of: .write) == nil, (try? FileFacts(at: path)) != nil
    else { return }
    switch inside.follow(path, followsLast: false) {
    case .file(let file):
      // The kernel says EBUSY.
      if (try? file.isMountPoint()) == true { add(.fixed, path.lexicallyNormalized(), seen) }
    case .missing:
      // The command has removed what it made itself, and what the sandbox showed in a layer.
      guard seen.kind == .remove, !made.contains(seen.subject), plan.root.find(path) == nil else {
        return
      }
      add(.notShown, ByteString(path.lexicallyNormalized()), seen) { $0.isForReplacing = true }
    default: return
    }
  }

  /// Looks at a directory in which a name is made or removed.
  private mutating func look(at path: FilePath, _ seen: Observation, wanting access: FileAccess) {
    switch inside.follow(path, followsLast: true) {
    case .file(let file):
      // Before permissions, as the kernel does for new names.
      if Descriptors.isOnReadOnlyMount(file.rawValue) {
        return add(.readOnly, path.lexicallyNormalized(), seen)
      }
      check(file, path, seen, access)
    case .missing(_, let wanted, let depth, _):
      if (try? FileFacts(at: path, followsLinks: true)) != nil { missing(wanted, depth, seen) }
    case .refused(let error): refused(error, path, seen, access)
    case .procfs: return
    }
  }

  /// Notes that `wanted` is not shown, if the host has it.
  private mutating func missing(_ wanted: FilePath, _ depth: Int, _ seen: Observation) {
    guard (try? FileFacts(at: wanted)) != nil else { return }
    // One file of the system is of little use without the rest.
    if depth == 1, let top = wanted.components.first, Findings.system.contains(top.string) {
      return add(.notShown, FilePath(root: "/", [top]), seen)
    }
    add(.notShown, wanted, seen)
  }

  static let system = [
    "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "proc", "dev", "sys",
  ]

  private mutating func check(
    _ file: borrowing OwnedDescriptor, _ path: FilePath, _ seen: Observation,
    _ access: FileAccess, isNew: Bool = false
  ) {
    // mkdir(2) and its like just say that the name exists.
    if isNew, (try? file.isRegularFile()) != true { return }
    if let error = file.refusal(of: access) { refused(error, path, seen, access) }
  }

  private mutating func refused(
    _ error: Errno, _ path: FilePath, _ seen: Observation, _ access: FileAccess
  ) {
    switch error {
    case .readOnlyFileSystem: add(.readOnly, path.lexicallyNormalized(), seen)
    case .permissionDenied where access.isGranted(path):
      add(.notPermitted, path.lexicallyNormalized(), seen)
    default: return
    }
  }

  /// The kernel itself opens what a program names, and nobody hears of that.
  private mutating func lookForInterpreter(
    of file: borrowing OwnedDescriptor, _ seen: Observation
  ) {
    let place = FilePath("/proc/self/fd/" + String(file.rawValue))
    guard
      let interpreter = ELFFile.interpreter(of: place), interpreter.isAbsolute,
      case .missing(_, let wanted, let depth, _) = inside.follow(interpreter, followsLast: true)
    else { return }
    missing(wanted, depth, seen)
  }
}
