// SPDX-License-Identifier: Apache-2.0
// --doctor: which features work on this machine, and what would make the others work. It tries a
// feature by a launch in a child, and reports a failure in the words of that launch.

internal import Linux
internal import Options
internal import Review
internal import Sandbox
internal import SystemPackage
internal import Text

/// A feature, and whether it works here.
struct Finding {
  /// The name of the feature.
  let name: String
  /// What needs it.
  let purpose: String
  /// Whether it works.
  var works: Bool
  /// What the examination saw, in a few words.
  var detail = ""
  /// The options of the trial.
  var line: [ByteString] = []
  /// The cause and the remedy.
  var advice: [String] = []
  /// Whether every sandbox needs it.
  var isRequired = false
}

/// The examination of this machine.
struct Doctor {
  let launcher: Launcher
  let machine = Machine()

  /// Tries every feature and returns the findings.
  func findings() -> [Finding] { trials() + [reviews] + facts() }

  /// The trials: the feature's name, what needs it, and the options.
  private static let lines: [(name: String, purpose: String, options: [String])] = [
    ("user namespaces", everything, ["--unshare-user"]),
    ("binding the host's tree", everything, ["--ro-bind", "/", "/host"]),
    ("tmpfs", everything, ["--tmpfs", "/x"]),
    ("pid namespaces", everything, ["--unshare-pid"]),
    ("procfs", "--proc and the default profile", ["--unshare-pid", "--proc", "/proc"]),
    ("devices and devpts", "--dev and the default profile", ["--dev", "/dev"]),
    ("network namespaces and lo", "--unshare-net and the default profile", ["--unshare-net"]),
    ("a network by name", "--net-allow and --publish", ["--net-allow", "example.org"]),
    ("all ports of TCP", "--profile network and --net-allow '*:*'", ["--net-allow", "*:*"]),
    ("ipc namespaces", "--unshare-ipc and the default profile", ["--unshare-ipc"]),
    ("message queues", "--mqueue", ["--unshare-ipc", "--mqueue", "/x"]),
    (
      "uts namespaces", "--hostname and the default profile",
      ["--unshare-uts", "--hostname", "name"]
    ),
    ("cgroup namespaces", "--unshare-cgroup", ["--unshare-cgroup"]),
    ("time namespaces", "--unshare-time", ["--unshare-time"]),
    (
      "overlayfs", "--overlay, --tmp-overlay and --review",
      ["--overlay-src", "/usr", "--tmp-overlay", "/x"]
    ),
    ("no user namespaces inside", "--disable-userns", ["--unshare-user", "--disable-userns"]),
    ("seccomp filters", "policies and the default profile", ["--seccomp-policy", "default"]),
    ("Landlock scopes", "--landlock-scope signal", ["--landlock-scope", "signal"]),
  ]

  /// The same for limits, and what holds each.
  private static let limits: [(name: String, by: String, options: [String])] = [
    ("limits of processes", "the user namespace", ["--unshare-user", "--processes", "50"]),
    ("limits of time", "the monitor", ["--unshare-pid", "--timeout", "1m"]),
    ("limits of output", "the monitor", ["--unshare-pid", "--output-limit", "1M"]),
    ("limits of memory", "a control group", ["--memory", "64M"]),
    ("limits of swap", "a control group", ["--swap", "64M"]),
    ("limits of processors", "a control group", ["--cpus", "1"]),
    ("limits of processor time", "a control group", ["--unshare-pid", "--cpu-time", "1m"]),
  ]

  /// The purpose of what no sandbox works without.
  static let everything = "every sandbox"

  /// Reviews, tried beside the store, or where it would be made: file systems differ in what they keep.
  private var reviews: Finding {
    var finding = Finding(
      name: "reviews", purpose: "--review", works: true, line: ["--review", "/usr"])
    let store = ByteString(launcher.surroundings.reviews)
    finding.detail = "kept in " + store.quoted
    var place = store.path
    while (try? FileFacts(at: place)) == nil, place.removeLastComponent() {}
    place.append(".nestbox-doctor-" + String(CurrentProcess.number))
    defer { ReviewStore(place).removeEmpty() }
    report(failure(of: finding.line + ["--review-store", ByteString(place)]), in: &finding)
    return finding
  }

  private func report(_ failure: [String]?, in finding: inout Finding) {
    guard let failure else { return }
    finding.works = false
    finding.detail = failure.first ?? "the launch ended without a message"
    finding.advice = Array(failure.dropFirst())
  }

  private func trials() -> [Finding] {
    let features = Doctor.lines.map { line in
      Finding(
        name: line.name, purpose: line.purpose, works: true,
        line: line.options.map { ByteString($0) }, isRequired: line.purpose == Doctor.everything)
    }
    let limits = Doctor.limits.map { line in
      let option = line.options[line.options.count - 2]
      return Finding(
        name: line.name, purpose: option, works: true, detail: "held by " + line.by,
        line: line.options.map { ByteString($0) })
    }
    return (features + limits).map { trial in
      var finding = trial
      report(failure(of: finding.line), in: &finding)
      return finding
    }
  }

  /// Launches this program in a sandbox with these options, in a child; returns the message if that
  /// failed.
  private func failure(of options: [ByteString]) -> [String]? {
    let inside: ByteString = "/nestbox"
    guard let program = launcher.program else { return ["nestbox cannot find its own file"] }
    let words = ["--ro-bind", program, inside] + options + [inside, "--version"]
    do throws(SystemCallError) {
      let pipe = try Pipe()
      guard let child = try ChildProcess.clone() else {
        // Messages of the launch and output of the command both go through the pipe.
        try pipe.writeEnd.replace(1)
        try pipe.writeEnd.replace(2)
        var trial = launcher
        trial.words = words[...]
        CurrentProcess.exit(trial.run())
      }
      Descriptors.close(pipe.writeEnd.release())
      let text = String(
        decoding: try Descriptors.contents(of: pipe.readEnd.rawValue), as: UTF8.self)
      if try child.wait() == .exited(0) { return nil }
      let prefix = launcher.persona.prefix
      return text.split(separator: "\n").map {
        String($0.hasPrefix(prefix) ? $0.dropFirst(prefix.utf8.count) : $0)
      }
    } catch {
      return ["\(error.call): \(error.reason)"]
    }
  }
}

extension Launcher {
  /// The file of this program; if /proc does not say, the file that the caller named.
  fileprivate var program: ByteString? {
    if let path = CurrentProcess.executable { return ByteString(path) }
    let called = persona.program
    return called.bytes.contains(UInt8(ascii: "/")) ? called : search(called.text)
  }
}
