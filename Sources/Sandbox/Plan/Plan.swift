// SPDX-License-Identifier: Apache-2.0
// What a launch would do, computed without doing any of it.

internal import Linux
internal import SystemPackage
public import Text

/// Facts about the caller and the machine that a plan needs and a launch does not.
struct PlanCaller {
  var permitted = Capabilities()
  /// Open descriptors above 2, with what they stand for.
  var descriptors: [(number: CInt, path: FilePath, isDirectory: Bool)] = []
  /// The terminal among the standard descriptors.
  var terminal: FilePath?
  /// Whether a program may push characters into its terminal's input.
  var allowsInput = false
  /// The names of abstract sockets with a listener.
  var abstractSockets: [String] = []

  /// Empty, for tests to fill in.
  init() {}
}

/// What a launch would do.
public struct Plan {
  let caller: PlanCaller
  let resolved: ResolvedSandbox
  /// The outcome of each operation on the new root.
  let operations: [PlannedOperation]
  /// The new root when all of them are done.
  let root: RootModel
  /// How building the root changes the environment.
  let variables: [EnvironmentChange]
  /// Why the name service cannot be shown.
  let networkProblem: LaunchError?
  /// Why a bus cannot be shown.
  let busProblem: LaunchError?
  /// The environment of the command.
  let environment: Environment
  let directory: PlannedDirectory
  let command: PlannedCommand
  /// Why the launch will fail, if `explain` has found the cause.
  private(set) var diagnosis: Diagnosis?

  init(_ resolved: ResolvedSandbox, for caller: PlanCaller, on host: any HostFiles) {
    self.resolved = resolved
    self.caller = caller
    let sandbox = resolved.sandbox
    var root = RootModel(host, resolved, terminal: caller.terminal)
    var operations: [PlannedOperation] = []
    for (index, operation) in resolved.operations.enumerated() {
      operations.append(root.plan(operation, index))
    }
    root.markCovered(&operations)
    self.operations = operations
    do throws(LaunchError) {
      if let (server, _) = sandbox.network.nameServer { try root.showResolver(server) }
      if resolved.namespaces.contains(.network) { try root.maskNameServices() }
      networkProblem = nil
    } catch {
      networkProblem = error
    }
    do throws(LaunchError) {
      variables = try root.showBuses(resolved.servedBuses())
      busProblem = nil
    } catch {
      (variables, busProblem) = ([], error)
    }
    self.root = root
    var environment = resolved.environment
    environment.change(variables)
    directory = PlannedDirectory(resolved, environment, root)
    environment.set("PWD", to: ByteString(directory.path))
    self.environment = environment
    command = PlannedCommand(sandbox, environment, directory, root)
  }
}

/// Where the command will start.
struct PlannedDirectory {
  /// The path inside.
  let path: FilePath
  /// The option that says so, if one does.
  let option: WrittenOption?
  /// Whether it is there.
  let exists: Bool

  init(_ resolved: ResolvedSandbox, _ environment: Environment, _ root: RootModel) {
    func isDirectory(_ path: FilePath) -> Bool {
      root.find(path).map { root.node(at: $0.end) == .directory } ?? false
    }
    if let setting = resolved.sandbox.workingDirectory {
      path = setting.value.path
      option = setting.option
      exists = isDirectory(path)
      return
    }
    option = nil
    exists = true
    path =
      resolved.startDirectories(environment).lazy.map(\.path).first { isDirectory($0) }
      ?? "/"
  }
}

/// The command as it will be found.
struct PlannedCommand {
  /// The file, inside; nil where none is found.
  let file: FilePath?
  /// Its path on the host, if it comes from there.
  let host: FilePath?
  /// Where it was looked for.
  let searched: [FilePath]

  init(
    _ sandbox: Sandbox, _ environment: Environment, _ directory: PlannedDirectory,
    _ root: RootModel
  ) {
    let word = sandbox.command.first ?? ""
    // As the launch does: the file that was shown for the command, or a search.
    searched =
      root.program.map { [$0.path] }
      ?? CommandSearch(word, in: environment).map { directory.path.pushing($0.path) }
    let trail = searched.lazy.compactMap { root.find($0) }.first {
      guard root.node(at: $0.end) == .file else { return false }
      return root.hostPath(of: $0.end).map { root.host.may(.execute, $0) } ?? true
    }
    file = trail?.path
    host = trail.flatMap { root.hostPath(of: $0.end) }
  }
}

extension Plan {
  /// The number of the first operation that will fail.
  var failing: Int? { operations.firstIndex { $0.problem != nil } }

  /// Looks for the cause of the first failure, as the launch would.
  /// - Parameters:
  ///   - words: The line.
  ///   - displacedProfile: The default profile, if options about files replaced it.
  public mutating func explain(line words: [ByteString], displacedProfile: ByteString?) {
    let error: LaunchError
    if let problem = failing.flatMap({ operations[$0].problem }) {
      error = problem.error
    } else if command.file == nil {
      error = LaunchError(
        .execute, subject: sandbox.command.first,
        cause: SystemCallError(call: "execve", errno: .noSuchFileOrDirectory))
    } else {
      return
    }
    diagnosis = error.diagnosis(of: resolved, line: words, displacedProfile: displacedProfile)
  }

  /// What was asked for.
  var sandbox: Sandbox { resolved.sandbox }

  /// The kinds of namespaces that are new.
  var namespaces: Namespaces { resolved.namespaces }

  /// The caller's descriptors that the command gets.
  var passedDescriptors: [(number: CInt, path: FilePath, isDirectory: Bool)] {
    if sandbox.closesDescriptors || !resolved.terminals.isEmpty { return [] }
    var used: [CInt] = []
    sandbox.forEachDescriptor { _, number in used.append(number) }
    return caller.descriptors.filter { !used.contains($0.number) }
  }

  /// Whether the command can connect to the host's abstract sockets.
  var reachesAbstractSockets: Bool {
    !namespaces.contains(.network) && sandbox.joined.network == nil
      && !sandbox.landlockScopes.contains(.abstractSockets)
  }
}

extension ResolvedSandbox {
  /// What a launch would do.
  ///
  /// Changes nothing, and opens only files in /proc.
  public func plan() -> Plan { Plan(self, for: PlanCaller.current(), on: RunningHost()) }
}

extension PlanCaller {
  /// Examines this process and the machine.
  static func current() -> PlanCaller {
    var caller = PlanCaller()
    caller.look()
    return caller
  }

  private mutating func look() {
    permitted = (try? Capabilities.permitted()) ?? Capabilities()
    for number in (try? Descriptors.allOpen()) ?? [] where number > 2 {
      guard let path = try? Descriptors.path(of: number) else { continue }
      let found = try? FoundFile(following: FilePath("/proc/self/fd/" + String(number)))
      descriptors.append((number, path, found?.kind == .directory))
    }
    terminal = Terminal.standard
    // Kernels before 6.2 have no such switch and allow it.
    allowsInput = TextFile.number(in: "/proc/sys/dev/tty/legacy_tiocsti") != 0
    abstractSockets = PlanCaller.listeningAbstractSockets()
  }

  /// See unix(7), proc(5), /proc/net/unix.
  private static func listeningAbstractSockets() -> [String] {
    let lines = (try? TextFile.lines(of: "/proc/net/unix")) ?? []
    var names: [String] = []
    for line in lines {
      let words = line.split(separator: " ")
      // The flag __SO_ACCEPTCON marks sockets that somebody listens on.
      guard words.count == 8, words[3] == "00010000", words[7].hasPrefix("@") else { continue }
      if !names.contains(String(words[7])) { names.append(String(words[7])) }
    }
    return names
  }
}

extension ResolvedSandbox {
  /// The buses that a proxy will serve.
  fileprivate func servedBuses() throws(LaunchError) -> [ProxiedBus] {
    if sandbox.buses.isOptional {
      let path = Environment.value(of: "PATH", in: inherited)
      let program = try doing(.findProgram, BusProxy.program) { () throws(SystemCallError) in
        try ProgramSearch.find(BusProxy.program, in: path)
      }
      if program == nil { return [] }
    }
    return try proxiedBuses()
  }
}
