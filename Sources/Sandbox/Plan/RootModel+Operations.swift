// SPDX-License-Identifier: Apache-2.0
// The operations on a root on paper; each is the shadow of one in Setup/.

internal import Linux
internal import SystemPackage
internal import Text

/// What becomes of one operation.
struct PlannedOperation {
  let operation: FilesystemOperation
  /// Where its source leads.
  var source: FoundFile?
  /// Where its destination leads, inside.
  var place: FilePath?
  /// Whether nothing is done, as its source is optional and does not exist.
  var isSkipped = false
  /// Why it will fail.
  var problem: PlanProblem?
  /// The operation that covers all of it.
  var coveredBy: Int?
}

extension RootModel {
  /// Carries out the operation with the number `index`.
  mutating func perform(_ operation: FilesystemOperation, _ index: Int) -> PlannedOperation {
    var planned = PlannedOperation(operation: operation)
    do throws(PlanProblem) {
      try perform(operation.action, index, &planned)
    } catch {
      planned.problem = error
    }
    return planned
  }

  private mutating func perform(
    _ action: FilesystemOperation.Action, _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    switch action {
    case .bind(let source, let destination, let access, let isOptional):
      try bind(source, destination, access, isOptional, index, &planned)
    case .bindDescriptor(let number, let destination, let access):
      let source = FilePath("/proc/self/fd/" + String(number))
      try bind(source, destination, access, false, index, &planned)
    case .overlay(let overlay, let path): try mount(overlay, path, index, &planned)
    case .proc(let path): try mountProc(path, index, &planned)
    case .dev(let path): try mountDevices(path, index, &planned)
    case .tmpfs(let path, _, _): try mount("tmpfs", path, index, &planned)
    case .mqueue(let path): try mount("mqueue", path, index, &planned)
    case .data(_, let path, _, let access):
      let trail = try place(path, .file)
      planned.place = trail.path
      _ = try attach(index, "tmpfs", .file, isReadOnly: access == .readOnly, at: trail)
    case .text(_, let path, _): planned.place = try coverFile(path, index)
    case .userFiles(let path):
      for name in ["passwd", "group"] { _ = try coverFile(path.appending(name), index) }
      planned.place = find(path)?.path
    case .mask(let path): try mask(path, index, &planned)
    case .same(let path, let isOptional):
      if let target = host.target(of: path) {
        planned.place = try link(path, to: target)
      } else {
        try bind(path, path, .readOnly, isOptional, index, &planned)
      }
    case .program: try showProgram(index, &planned)
    default: planned.place = try change(action)
    }
  }

  /// Carries out what makes no mount.
  private mutating func change(
    _ action: FilesystemOperation.Action
  ) throws(PlanProblem) -> FilePath? {
    switch action {
    case .remountReadOnly(let path): return try remountReadOnly(path)
    case .directory(let path, _): return try directory(path).path
    case .file(_, let path, _): return try file(path)
    case .symbolicLink(let target, let path): return try link(path, to: target.path)
    case .permissions(_, let path):
      guard let trail = find(path) else {
        throw PlanProblem(errno: .noSuchFileOrDirectory, subject: path)
      }
      return trail.path
    default: return nil
    }
  }

  private mutating func file(_ path: FilePath) throws(PlanProblem) -> FilePath {
    let trail = try place(path, .file)
    if node(at: trail.end) == .directory {
      throw PlanProblem(errno: .isDirectory, subject: path)
    }
    if mounts[decidingMount(at: trail.end)].isReadOnly {
      throw PlanProblem(
        errno: .readOnlyFileSystem, subject: path, host: hostPath(of: trail.end))
    }
    return trail.path
  }
}

// MARK: - Mounts

extension RootModel {
  private mutating func bind(
    _ source: FilePath, _ destination: FilePath, _ access: FilesystemOperation.Access,
    _ isOptional: Bool, _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    let found: FoundFile
    do throws(SystemCallError) {
      found = try host.follow(source)
    } catch {
      if isOptional && error.errno == .noSuchFileOrDirectory {
        planned.isSkipped = true
        return
      }
      throw PlanProblem(errno: error.errno, subject: source, host: source)
    }
    planned.source = found
    let trail = try place(destination, found.kind == .directory ? .directory : .file)
    planned.place = trail.path
    try bind(found, access, index, at: trail)
  }

  private mutating func bind(
    _ found: FoundFile, _ access: FilesystemOperation.Access, _ index: Int, at trail: Trail
  ) throws(PlanProblem) {
    let entry = host.mount(of: found)
    let isReadOnly = access == .readOnly
    // What has no path, as a namespace, lies on a mount of the kernel's own.
    let type = entry?.type ?? (found.path.isAbsolute ? "unknown" : "nsfs")
    let bind = try attach(
      index, type, .host(found.path), isReadOnly: isReadOnly || entry?.isReadOnly == true,
      at: trail)
    for entry in host.mounts(below: found) { bring(entry, with: bind, isReadOnly: isReadOnly) }
  }

  private mutating func mount(
    _ type: String, _ path: FilePath, _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    let trail = try directory(path)
    planned.place = trail.path
    _ = try attach(index, type, .memory, isReadOnly: false, at: trail)
  }

  private mutating func mount(
    _ overlay: Overlay, _ path: FilePath, _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    var layers = Array(overlay.sources.reversed())
    if case .kept(let upper, let work) = overlay.writes {
      layers.insert(upper, at: 0)
      try require(work)
    }
    for layer in layers { try require(layer) }
    let trail = try directory(path)
    planned.place = trail.path
    _ = try attach(
      index, "overlay", .layers(layers), isReadOnly: overlay.writes == .refused, at: trail)
  }

  private func require(_ directory: FilePath) throws(PlanProblem) {
    guard try follow(directory).kind == .directory else {
      throw PlanProblem(errno: .notDirectory, subject: directory, host: directory)
    }
  }

  private mutating func mountProc(
    _ path: FilePath, _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    let trail = try directory(path)
    planned.place = trail.path
    let isNew = circumstances.hasProcesses
    let bind = try attach(index, "proc", .host("/proc"), isReadOnly: false, at: trail)
    if !isNew, let found = try? host.follow("/proc") {
      for entry in host.mounts(below: found) { bring(entry, with: bind, isReadOnly: false) }
    }
    for control in NewRoot.machineControls {
      let place = FilePath("/proc").pushing(control)
      guard host.look(at: place) != nil, circumstances.isRoot || host.may(.write, place) else {
        continue
      }
      bring(
        MountTable.Entry(number: -1, parent: -1, point: place, type: "proc"), with: bind,
        isReadOnly: true)
    }
  }

  private mutating func mountDevices(
    _ path: FilePath, _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    let trail = try directory(path)
    planned.place = trail.path
    _ = try attach(index, "tmpfs", .memory, isReadOnly: false, at: trail)
    var devices = NewRoot.devices.map { (name: trail.path.pushing($0.name), host: $0.host) }
    for device in devices { try bindDevice(device.host, on: device.name, index) }
    for entry in NewRoot.links {
      _ = try link(trail.path.pushing(entry.name), to: entry.target.path)
    }
    for name in ["shm", "pts"] { _ = try directory(trail.path.appending(name)) }
    _ = try attach(
      index, "devpts", .memory, isReadOnly: false, at: directory(trail.path.appending("pts")))
    devices = circumstances.terminal.map { [(trail.path.appending("console"), $0)] } ?? []
    for device in devices { try bindDevice(device.host, on: device.name, index) }
  }

  private mutating func bindDevice(
    _ source: FilePath, on name: FilePath, _ index: Int
  ) throws(PlanProblem) {
    let trail = try place(name, .file)
    try bind(try follow(source), .devices, index, at: trail)
  }

  private func follow(_ source: FilePath) throws(PlanProblem) -> FoundFile {
    do throws(SystemCallError) {
      return try host.follow(source)
    } catch {
      throw PlanProblem(errno: error.errno, subject: source, host: source)
    }
  }
}

// MARK: - What stands in for the host's

extension RootModel {
  private mutating func coverFile(
    _ path: FilePath, _ index: Int
  ) throws(PlanProblem) -> FilePath {
    let trail = try place(path, .file)
    _ = try attach(index, "tmpfs", .file, isReadOnly: true, at: trail)
    return trail.path
  }

  private mutating func mask(
    _ path: FilePath, _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    guard case .found(let trail) = try lookUp(path) else {
      planned.isSkipped = true
      return
    }
    planned.place = trail.path
    let content: Content = node(at: trail.end) == .directory ? .memory : .file
    _ = try attach(index, "tmpfs", content, isReadOnly: true, at: trail)
  }
}

// MARK: - The program

extension RootModel {
  private mutating func showProgram(
    _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    guard let command = circumstances.command.first else { return }
    var file = command
    if !command.bytes.contains(UInt8(ascii: "/")) {
      let isFound = circumstances.searchPath.bytes.split(separator: UInt8(ascii: ":")).contains {
        find(ByteString($0).path.appending(command.path.components))
          .map { node(at: $0.end) == .file } ?? false
      }
      if isFound { return try showScript(index, &planned) }
      guard let found = ProgramSearch.find(command, in: circumstances.callerPath) else { return }
      program = found.path
      file = found
    }
    if try show(file.path, index, &planned) { return try showScript(index, &planned) }
  }

  private mutating func showScript(
    _ index: Int, _ planned: inout PlannedOperation
  ) throws(PlanProblem) {
    guard let script = Interpreter.script(in: circumstances.command) else { return }
    _ = try show(script.path, index, &planned, isOptional: true)
  }

  /// Shows a file where it lies; answers whether it was visible there before.
  private mutating func show(
    _ path: FilePath, _ index: Int, _ planned: inout PlannedOperation, isOptional: Bool = false
  ) throws(PlanProblem) -> Bool {
    let found: FoundFile
    do throws(PlanProblem) {
      found = try follow(path)
    } catch {
      if isOptional { return false }
      throw error
    }
    if isOptional && found.kind != .regular { return false }
    guard let place = path.fromWorkingDirectory(circumstances.workingDirectory) else {
      return false
    }
    switch try? lookUp(place) {
    case .found, nil: return true
    // A link that was followed on the way: NewRoot leaves it alone.
    case .missing(let trail, let name, _):
      let isDirect = place.lexicallyNormalized().starts(with: trail.path.appending(name))
      if !isDirect { return true }
    }
    let trail = try self.place(place, .file)
    planned.source = found
    planned.place = trail.path
    try bind(found, .readOnly, index, at: trail)
    return false
  }
}

// MARK: - Buses

extension RootModel {
  /// Shows the proxy's sockets for `buses` where the buses' own would be reached, as
  /// `NewRoot.showBuses` does, and answers the variables that say where.
  mutating func showBuses(
    _ buses: Buses, _ environment: Environment, user: (inside: UInt32, outside: UInt32)
  ) -> [EnvironmentChange] {
    buses.shown.compactMap { bus, _ in
      let address = BusAddress(of: bus, environment, user: user.outside)
      if address == nil && buses.isOptional { return .unset(bus.variable) }
      let place = FilePath(bus.path(for: user.inside))
      var covered: FilePath?
      for path in (address?.paths ?? []) + [place] {
        guard path.isAbsolute, let trail = find(path), node(at: trail.end) == .file,
          (try? attach(nil, "tmpfs", .file, isReadOnly: false, at: trail)) != nil
        else { continue }
        covered = path
      }
      if covered == nil, let trail = try? self.place(place, .file) {
        covered = place
        _ = try? attach(nil, "tmpfs", .file, isReadOnly: false, at: trail)
      }
      return covered.map { .set(bus.variable, to: BusAddress.socket(at: $0)) }
    }
  }
}
