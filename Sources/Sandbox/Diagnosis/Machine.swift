// SPDX-License-Identifier: Apache-2.0
// Facts about this machine that decide whether a sandbox can be made, for diagnoses and --doctor.

internal import Linux
internal import SystemPackage
internal import Text

/// This machine, as an ordinary process sees it.
public struct Machine {
  /// The table of mounts.
  let mounts: MountTable

  /// Reads the table of mounts; everything else is read when it is asked for.
  public init() {
    mounts = (try? MountTable.current()) ?? MountTable([])
  }

  /// The value of a sysctl, by its name with dots; nil where the kernel has none of this name.
  public func sysctl(_ name: String) -> Int64? {
    let path = name.split(separator: ".").joined(separator: "/")
    return TextFile.number(in: FilePath("/proc/sys/" + path))
  }

  /// The kernel's release, as `6.1.0-18-amd64`.
  public var release: String? {
    (try? TextFile.lines(of: "/proc/sys/kernel/osrelease"))?.first.map(String.init)
  }

  /// Whether the kernel is of this release or a later one; true where it does not say.
  public func isAtLeast(_ major: Int, _ minor: Int) -> Bool { isAtLeast((major, minor)) }

  /// Whether the kernel is of this release or a later one; true where it does not say.
  func isAtLeast(_ version: (Int, Int)) -> Bool {
    let numbers = (release ?? "").split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else { return true }
    return (numbers[0], numbers[1]) >= version
  }

  /// A field of /proc/self/status.
  func status(_ name: String) -> Substring? {
    let lines = (try? TextFile.lines(of: "/proc/self/status")) ?? []
    let line = lines.first { $0.hasPrefix(name + ":") }
    return line.map { $0.dropFirst(name.count + 1).drop { $0.isWhitespace } }
  }

  /// Whether this process is under a filter of system calls.
  ///
  /// See proc(5), status, Seccomp.
  public var isFiltered: Bool { status("Seccomp") == "2" }

  /// Whether there is a procfs at /proc.
  public var hasProc: Bool { (try? FileFacts(at: "/proc/self")) != nil }

  /// The container engine around this process, as far as its traces tell.
  public var container: String? {
    if CurrentProcess.exists("/run/.containerenv") { return "podman" }
    if CurrentProcess.exists("/.dockerenv") { return "docker" }
    let name = (try? TextFile.lines(of: "/run/systemd/container"))?.first
    if let name { return String(name) }
    let groups = (try? TextFile.text(of: "/proc/self/cgroup")) ?? ""
    for name in ["kubepods", "docker", "lxc"] where groups.includes(name) { return name }
    return nil
  }

  /// Mounts on parts of /proc, because of which the kernel refuses a new procfs in a user
  /// namespace.
  ///
  /// Mount points that are always empty do not count.
  ///
  /// See the kernel's mount_too_revealing().
  var coveredProc: [FilePath] {
    mounts.entries.filter {
      $0.point.starts(with: "/proc") && $0.point != "/proc" && $0.type != "binfmt_misc"
        && $0.type != "autofs"
    }.map(\.point)
  }

  /// Whether /proc can only be read.
  var hasReadOnlyProc: Bool {
    mounts.entries.last { $0.point == "/proc" && $0.type == "proc" }?.isReadOnly ?? false
  }

  /// Whether AppArmor denies unconfined programs all rights in user namespaces, as on Ubuntu since
  /// 23.10.
  public var restrictsByAppArmor: Bool {
    sysctl("kernel.apparmor_restrict_unprivileged_userns") ?? 0 > 0
  }

  /// Whether the root directory is not the root of a mount namespace.
  ///
  /// See user_namespaces(7): a process in a chroot may make no user namespace.
  var isInChroot: Bool { hasProc && !mounts.entries.contains { $0.point == "/" } }

  /// Whether the user namespace maps this process's user and group.
  var isMapped: Bool {
    let (user, group) = CurrentProcess.identity
    return contains(user, "/proc/self/uid_map") && contains(group, "/proc/self/gid_map")
  }

  private func contains(_ id: UInt32, _ path: FilePath) -> Bool {
    guard let lines = try? TextFile.lines(of: path) else { return true }
    return lines.contains { line in
      let numbers = line.split(separator: " ").compactMap { UInt64($0) }
      guard numbers.count == 3 else { return false }
      return (numbers[0]..<(numbers[0] + numbers[2])).contains(UInt64(id))
    }
  }
}

// MARK: - Limits

/// A limit that has been reached.
struct ReachedLimit: Equatable {
  let cause: String
  let remedy: Remedy
}

extension Machine {
  /// The name in sysctls of a kind of namespace.
  static func sysctlName(of kind: Namespaces) -> String? {
    Namespaces.names.first { $0.namespace == kind }.map { "user.max_\($0.name)_namespaces" }
  }

  /// The first of `kinds` whose limit of namespaces is reached, and that limit.
  func exhausted(_ kinds: Namespaces) -> ReachedLimit? {
    // The user namespace first: the others depend on it.
    let names = Namespaces.names.filter { $0.namespace == .user } + Namespaces.names
    for (kind, name) in names where kinds.contains(kind) {
      guard let sysctl = Machine.sysctlName(of: kind) else { continue }
      let value = self.sysctl(sysctl)
      if value == 0 {
        return ReachedLimit(
          cause: "the sysctl \(sysctl) is 0 here, so no \(name) namespace can be made",
          remedy: .asRoot("sysctl -w \(sysctl)=15000"))
      }
      guard Trial.run(in: kind == .user ? .user : [.user, kind]) == .failure(.noSpace) else {
        continue
      }
      // A new user namespace starts practically without a limit.
      guard let value, value < 1 << 30 else {
        return ReachedLimit(
          cause: "an outer user namespace has as many \(name) namespaces as \(sysctl) allows there",
          remedy: .advice("as root there: sysctl -w \(sysctl)=15000"))
      }
      return ReachedLimit(
        cause: "as many \(name) namespaces exist as \(sysctl) allows here (\(String(value))) or in "
          + "an outer user namespace",
        remedy: .asRoot("sysctl -w \(sysctl)=\(String(max(15_000, 2 * value)))"))
    }
    return nil
  }

  /// The limit of processes that is reached.
  func exhaustedProcesses() -> ReachedLimit? {
    for (directory, file) in processGroups {
      guard let maximum = TextFile.number(in: directory.appending("pids.max")),
        let current = TextFile.number(in: directory.appending("pids.current")),
        current + 2 >= maximum
      else { continue }
      return ReachedLimit(
        cause: "the cgroup \(file) holds \(String(current)) processes, and its pids.max "
          + "allows \(String(maximum))",
        remedy: .line(
          "echo \(String(maximum + 100)) > "
            + ByteString(directory.appending("pids.max")).quotedForShell))
    }
    let count = processCount
    if let limit = processLimit, count >= limit {
      return ReachedLimit(
        cause: "user \(String(CurrentProcess.identity.user)) has \(String(count)) processes and "
          + "threads, and the limit of this shell is \(String(limit))",
        remedy: .line("ulimit -S -u \(String(count + 100))"))
    }
    return nil
  }

  /// The soft limit of processes (RLIMIT_NPROC).
  private var processLimit: Int64? {
    let lines = (try? TextFile.lines(of: "/proc/self/limits")) ?? []
    let line = lines.first { $0.hasPrefix("Max processes") }
    return line?.split(separator: " ").dropFirst(2).first.flatMap { Int64($0) }
  }

  /// How many processes and threads belong to this user.
  private var processCount: Int64 {
    let user = String(CurrentProcess.identity.user)
    var count: Int64 = 0
    for name in (try? Directory.names(of: "/proc")) ?? [] where Int(name.text) != nil {
      let lines = (try? TextFile.lines(of: FilePath("/proc/\(name.text)/status"))) ?? []
      guard
        lines.first(where: { $0.hasPrefix("Uid:") })?.split(separator: "\t").dropFirst().first
          .map(String.init) == user
      else { continue }
      let threads = lines.first { $0.hasPrefix("Threads:") }?.split(separator: "\t").last
      count += threads.flatMap { Int64($0) } ?? 1
    }
    return count
  }

  /// The directories of the cgroups that count this process, the innermost first.
  private var processGroups: [(directory: FilePath, name: String)] {
    let lines = (try? TextFile.lines(of: "/proc/self/cgroup")) ?? []
    var groups: [(directory: FilePath, name: String)] = []
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1] == "pids" else { continue }
      guard let top = cgroupRoot(isUnified: parts[1].isEmpty) else { continue }
      var path = FilePath(String(parts[2]))
      while true {
        groups.append((top.appending(path.components), ByteString(path).quoted))
        if path.components.isEmpty { break }
        path.removeLastComponent()
      }
    }
    return groups
  }

  /// Where the cgroup hierarchy that counts processes is mounted.
  private func cgroupRoot(isUnified: Bool) -> FilePath? {
    mounts.entries.first {
      isUnified
        ? $0.type == "cgroup2" : $0.type == "cgroup" && $0.point.lastComponent?.string == "pids"
    }?.point
  }
}
