// SPDX-License-Identifier: Apache-2.0
// Random command lines, the same ones for the same seed.

import TestSupport

/// Makes command lines that mean something most of the time.
struct LineGenerator {
  private var random: Chance
  /// The descriptors that the line opens.
  private var redirections: [String] = []
  /// Where something has been put so far.
  private var places: [String] = []
  private var hasHostRoot = false
  /// Whether options occur that bubblewrap does not have.
  private let hasOwnOptions: Bool

  init(seed: UInt64, hasOwnOptions: Bool = false) {
    random = Chance(seed: seed)
    self.hasOwnOptions = hasOwnOptions
  }

  /// The next line.
  mutating func line() -> Line {
    (redirections, places) = ([], [])
    var words = root()
    let settings = settings()
    var operations = (0..<Int.random(in: 1...8, using: &random)).map { _ in operation() }
    for setting in settings {
      operations.insert(setting, at: Int.random(in: 0...operations.count, using: &random))
    }
    if hasOwnOptions, chance(2) { operations.append(buses()) }
    if chance(8), let place = places.randomElement(using: &random) {
      operations.append("--lock-file \(pick(["/usr/bin/env", "\(place)/file"]))")
    }
    words += chance(5) ? [hidden(operations)] : operations
    return Line("bwrap \((words + redirections).joined(separator: " ")) observe")
  }

  private mutating func root() -> [String] {
    hasHostRoot = chance(3)
    if hasHostRoot {
      let bind = pick(["--ro-bind", "--ro-bind", "--bind", "--dev-bind"])
      return [
        "\(bind) / /", pick(["--tmpfs /mnt", "--bind work /mnt", "--ro-bind source /mnt"]),
      ]
    }
    // The command's own file is at /usr/bin, which the last two do not show.
    let system =
      hasOwnOptions
      ? pick([
        "$system", "--ro-same /usr --ro-same /bin --ro-same /lib --ro-same-try /lib64",
        "--ro-same /usr/lib --ro-same /lib --ro-same-try /lib64 --bind-program",
        "--ro-bind-glob '/usr/li[b]' --ro-same /lib --ro-same-try /lib64 --bind-program",
      ]) : "$system"
    return [pick(["", "", "", "--tmpfs /", "--perms 0711 --tmpfs /", "--bind work /"]), system]
      .filter { !$0.isEmpty }
  }

  /// Moves options into the data of `--args`.
  private mutating func hidden(_ options: [String]) -> String {
    guard let number = descriptor("< <(printf '%s\\0' \(options.joined(separator: " ")))") else {
      return options.joined(separator: " ")
    }
    return "--args \(number)"
  }

  private mutating func pick(_ choices: [String]) -> String {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

  /// Opens one more descriptor, of those that a shell leaves alone.
  private mutating func descriptor(_ redirection: String) -> Int? {
    let number = 3 + redirections.count
    guard number < 9 else { return nil }
    redirections.append("\(number)\(redirection)")
    return number
  }
}

// MARK: - What is shown

extension LineGenerator {
  private mutating func source() -> String {
    pick([
      "source", "source", "source/dir", "source/file", "source/link", "work", "work/dir",
      "work/file", "empty", "data", "source/dir/../dir", "$PWD/source", "./work//dir/",
    ])
  }

  private mutating func place() -> String {
    if chance(4), let place = places.randomElement(using: &random) {
      return place + pick(["", "", "/dir", "/new", "/file"])
    }
    let roots = hasHostRoot ? ["/mnt"] : ["/a", "/b", "/mnt", "/a/b", "/c/c"]
    let place = pick(roots) + pick(["", "/dir", "/new", "/new/deep", "/file", "/other", "/x/y/z"])
    places.append(place)
    return place
  }

  private mutating func permissions() -> String {
    chance(2) ? "" : "--perms \(pick(["0755", "0711", "0705", "0777", "01777", "0775"])) "
  }

  /// An operation that bubblewrap does not have.
  private mutating func ownOperation() -> String {
    let access = pick(["--ro-bind-glob", "--bind-glob", "--dev-bind-glob"])
    let pattern = pick([
      "\"$PWD/source/*\"", "\"$PWD/wor[k]\"", "\"$PWD/source/f?le\"", "'/dev/nul*'", "'/none/*'",
    ])
    return switch Int.random(in: 0..<12, using: &random) {
    case 0, 1:
      "--\(pick(["mask", "hide"])) \(chance(2) ? place() : pick(["/usr/share", "/etc", "/usr/bin/env", "/no"]))"
    case 2:
      "--ro-same\(pick(["", "-try"])) "
        + pick(["\"$PWD/source/link\"", "\"$PWD/source\"", "\"$PWD/data\"", "/sbin", "/etc/hosts"])
    case 3: "--user-files \(chance(2) ? "/etc" : place())"
    case 4, 5: "\(permissions())--ro-bind-text text \(place())\(pick(["", "/file", "/new"]))"
    case 6: "--bind-program"
    case 7: "--bind-kept \(pick(["kept", "kept/deep", "work", "data"])) \(place())"
    case 8: "--hosts-file \(place())"
    case 9: pick(["--x11", "--read-arguments", "--write-arguments"])
    // Those of repositories are missing: a plan does not search trees, and says what they do.
    case 10:
      "--\(pick(["read", "write"])) \(pick(["\"$PWD/source\"", "source/dir", "work", "data"]))"
    default: "\(access) \(pattern)"
    }
  }

  /// Buses: the session's has a socket, and the system's may have one.
  private mutating func buses() -> String {
    "--dbus-try " + pick(["--dbus-session", "--dbus-talk org.example.One", "--dbus-system"])
  }

  private mutating func operation() -> String {
    if hasOwnOptions, chance(2) { return ownOperation() }
    switch Int.random(in: 0..<20, using: &random) {
    case 0...5:
      let kind = pick(["--bind", "--ro-bind", "--dev-bind"])
      let end = pick(["", "", "-try"])
      return "\(kind)\(end) \(end != "" && chance(2) ? "missing" : source()) \(place())"
    case 6:
      guard let number = descriptor("<\(source())") else { return "--dir \(place())" }
      return "\(pick(["--bind-fd", "--ro-bind-fd"])) \(number) \(place())"
    case 7, 8:
      let size = pick(["", "", "--size 65536 "])
      return "\(permissions())\(size)--tmpfs \(place())"
    case 9, 10: return "\(permissions())--dir \(place())"
    case 11, 12:
      guard let number = descriptor(pick(["<data", "<source/file", "</dev/null"])) else {
        return "--dir \(place())"
      }
      let kind = pick(["--file", "--bind-data", "--ro-bind-data"])
      return "\(permissions())\(kind) \(number) \(place())"
    case 13: return "--symlink \(pick(["file", "dir", "/usr", "../x"])) \(place())/alias"
    case 14:
      guard let place = places.randomElement(using: &random) else { return "--dir /mnt" }
      return "--chmod \(pick(["0755", "0711", "0744", "0500"])) \(place)"
    case 15:
      guard let place = places.randomElement(using: &random) else { return "--tmpfs /mnt" }
      return "--remount-ro \(place)"
    case 16: return "--dev \(pick(["/dev", place()]))"
    case 17: return "--proc \(hasHostRoot ? "/proc" : pick(["/proc", place()]))"
    case 18:
      // Of one message queue file system no second mount can lie on the first in bubblewrap.
      return "--unshare-ipc --mqueue \(place())/queue\(Int.random(in: 0..<10_000, using: &random))"
    default: return hasHostRoot ? "--tmpfs /mnt" : "--bind source \(place())"
    }
  }
}

// MARK: - What holds for the sandbox

extension LineGenerator {
  private mutating func settings() -> [String] {
    let number = Int.random(in: 0...6, using: &random)
    return (0..<number).map { _ in chance(2) ? namespace() : chance(4) ? channel() : process() }
  }

  private mutating func namespace() -> String {
    pick([
      "--unshare-user", "--unshare-user-try", "--unshare-ipc", "--unshare-pid", "--unshare-pid",
      "--unshare-net", "--unshare-uts", "--unshare-cgroup", "--unshare-cgroup-try",
      "--unshare-all", "--unshare-all --share-net", "--share-net",
      "--unshare-uts --hostname name", "--unshare-user --disable-userns",
      "--unshare-user --disable-userns --assert-userns-disabled", "--uid 0", "--uid 1234",
      "--gid 0", "--gid 4321",
    ])
  }

  private mutating func process() -> String {
    pick([
      "--chdir /usr", "--chdir /", "--chdir /mnt", "--chdir usr/bin", "--setenv A 1",
      "--setenv A 2", "--setenv HOME /usr", "--setenv EMPTY ''", "--unsetenv A",
      "--unsetenv HOME", "--clearenv", "--new-session", "--die-with-parent",
      "--unshare-pid --as-pid-1", "--cap-add ALL", "--cap-add CAP_KILL", "--cap-drop ALL",
      "--cap-drop CAP_NET_RAW", "--cap-add cap_sys_admin",
    ])
  }

  private mutating func channel() -> String {
    let (option, redirection) =
      [
        ("--info-fd", ">info"), ("--json-status-fd", ">status"), ("--sync-fd", "<data"),
        ("--block-fd", "<data"), ("--seccomp", "<filter"), ("--add-seccomp-fd", "<filter"),
      ].randomElement(using: &random) ?? ("--sync-fd", "<data")
    return descriptor(redirection).map { "\(option) \($0)" } ?? "--new-session"
  }
}
