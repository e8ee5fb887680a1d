// SPDX-License-Identifier: Apache-2.0
// The module Nestbox is for programs that run commands in sandboxes. A sandbox is a value; `run`
// starts the installed executable and returns output, outcome and use. The module contains no code
// that launches, and is not part of the executable.
//
// This file: what a command may see and use.

/// What a command may see and use.
///
/// ```swift
/// var sandbox = Sandbox(profiles: ["untrusted"])
/// sandbox.read = ["answer.txt"]
/// sandbox.limits.timeout = .seconds(10)
/// let result = try await sandbox.run(["./grade", "answer.txt"])
/// print(result.outcome, result.output.text)
/// ```
///
/// Without any options a command sees what `nestbox COMMAND` shows: the system read-only, an empty
/// home directory, no network and no other process. Paths of the host may be relative or begin with
/// `~/`. A wrong value is an error of ``run(_:input:)``, before anything starts.
public struct Sandbox: Hashable, Sendable {
  /// Names of profiles, or paths of their files, which have a slash.
  public var profiles: [String]
  /// Files and directories that the command sees, at their own places.
  public var read: [String] = []
  /// Files and directories that the command sees and may change.
  public var write: [String] = []
  /// A directory that is the command's home directory and is kept.
  public var home: String?
  /// Whether the command sees this user's home directory without secrets; its changes there are
  /// forgotten.
  public var hasTemporaryHome = false
  /// Patterns of files to hide, such as `*.pem`.
  public var hide: [String] = []
  /// What the command may reach on the network, such as `example.org:443`.
  public var netAllow: [String] = []
  /// What it may not reach, whatever ``netAllow`` says.
  public var netDeny: [String] = []
  /// Ports of this machine's localhost that the command reaches at host.nestbox.internal, such as
  /// `8080` or `8000-8010`.
  public var netHost: [String] = []
  /// Ports that lead to a server inside: `8080`, `8080:80` or `0.0.0.0:8080:80`.
  public var publish: [String] = []
  /// Directories that the command may change, whose changes wait for a decision: see ``Review``.
  public var review: [String] = []
  /// What the review is called; if nil, nestbox makes a name of the directory's and the time.
  public var reviewName: String?
  /// A review whose changes the command sees and adds to.
  public var resume: String?
  /// The policy of system calls: a name, a path with a slash, or a file of Docker or Podman.
  public var policy: String?
  /// What the command may use.
  public var limits = Limits()
  /// The command's whole environment; nil for those of the caller's variables that the profile keeps.
  public var environment: [String: String]?
  /// Variables to set besides.
  public var variables: [String: String] = [:]
  /// More of the caller's variables that are kept, such as `TERM` or `CI_*`.
  public var keptVariables: [String] = []
  /// Where the command starts, as a path inside.
  public var directory: String?
  /// A name under which the sandbox is registered while it lives.
  public var name: String?
  /// More options of nestbox(1), each word by itself.
  ///
  /// They come last. As on a command line, options
  /// that bind files replace the default profile.
  public var options: [String] = []
  /// The path of the executable; nil for the one that the variable NESTBOX names, or else the first
  /// one in PATH.
  public var executable: String?

  /// A sandbox with these profiles, or with the default one.
  public init(profiles: [String] = []) {
    self.profiles = profiles
  }

  /// What a command may use.
  ///
  /// A limit that the machine cannot hold is an error.
  public struct Limits: Hashable, Sendable {
    /// Bytes of memory, all processes together.
    public var memory: UInt64?
    /// Bytes of memory that the kernel may write to swap; none if it is nil and ``memory`` is not.
    public var swap: UInt64?
    /// How many processors' time, all processes together.
    public var processors: Double?
    /// The time on processors, all processes together.
    public var processorTime: Duration?
    /// How many processes and threads there may be.
    public var processes: Int?
    /// Whether the command runs without those of the limits above that the machine cannot hold.
    public var isBestEffort = false
    /// The time by the clock, after which the command gets SIGTERM.
    public var timeout: Duration?
    /// The time between SIGTERM and SIGKILL; 2 seconds if it is nil.
    public var timeoutGrace: Duration?
    /// How many bytes the command may write to standard output and error.
    public var output: UInt64?
    /// Limits of each process, by the names of prlimit(1).
    ///
    /// A value is for both the soft and the hard limit, as in `["nofile": "64"]`; `"64:128"` states
    /// each.
    public var resources: [String: String] = [:]

    /// No limits.
    public init() {}
  }
}

// MARK: - As words

extension Sandbox {
  /// The options as nestbox reads them from `--args`.
  /// - Throws: ``NestboxError/invalidOption(_:reason:)`` at the first wrong value.
  func words() throws(NestboxError) -> [String] {
    var words: [String] = []
    func add(_ option: String, _ values: [String]) throws(NestboxError) {
      for value in values {
        try Sandbox.check(value, option)
        words += [option, value]
      }
    }
    func add(_ option: String, _ value: String?) throws(NestboxError) {
      if let value { try add(option, [value]) }
    }
    try add("--profile", profiles)
    try add("--net-allow", netAllow)
    try add("--net-deny", netDeny)
    for ports in netHost { try Sandbox.checkPorts(ports) }
    try add("--net-host", netHost)
    for port in publish { try Sandbox.checkPublished(port) }
    try add("--publish", publish)
    if hasTemporaryHome { words.append("--tmp-home") }
    try add("--read", read)
    try add("--write", write)
    try add("--home", home)
    try add("--hide", hide)
    try add("--seccomp-policy", policy)
    try add("--review", review)
    if let reviewName {
      if review.isEmpty { throw .invalidOption("--review-name", reason: "expected a review") }
      try Sandbox.checkName(reviewName, "--review-name")
      words += ["--review-name", reviewName]
    }
    if let resume {
      if !review.isEmpty {
        throw .invalidOption("--resume", reason: "a review has its directories already")
      }
      try Sandbox.checkName(resume, "--resume")
      words += ["--resume", resume]
    }
    for (option, value) in try limits.words() { words += [option, value] }
    if environment != nil {
      if !keptVariables.isEmpty {
        throw .invalidOption("--keep-env", reason: "the whole environment is named")
      }
      words.append("--clearenv")
    }
    for name in keptVariables where name.utf8.contains(where: { $0 == 0x2c || $0 == 0x3d }) {
      throw .invalidOption("--keep-env", reason: "expected the name of one variable: \(name)")
    }
    try add("--keep-env", keptVariables)
    for (name, value) in (environment ?? [:]).sorted(by: { $0.key < $1.key })
      + variables.sorted(by: { $0.key < $1.key })
    {
      try Sandbox.check(variable: name, value)
      words += ["--setenv", name, value]
    }
    try add("--chdir", directory)
    if let name {
      try Sandbox.checkName(name, "--name")
      words += ["--name", name]
    }
    for word in options {
      try Sandbox.check(word, "options", mayBeEmpty: true)
      if Sandbox.own.contains(word) {
        throw .invalidOption("options", reason: "\(word) cannot be used here")
      }
      words.append(word)
    }
    return words
  }

  /// Options that the library needs to follow a command to its end.
  private static let own = [
    "--args", "--report", "--info-fd", "--detach", "--keep", "--exec", "--",
  ]

  static func check(variable name: String, _ value: String) throws(NestboxError) {
    try check(name, "--setenv")
    try check(value, "--setenv", mayBeEmpty: true)
    if name.utf8.contains(UInt8(ascii: "=")) {
      throw .invalidOption("--setenv", reason: "the name of a variable has no =: \(name)")
    }
  }

  static func check(command: [String]) throws(NestboxError) {
    if command.isEmpty { throw .invalidOption("command", reason: "expected at least one word") }
    for (index, word) in command.enumerated() {
      try check(word, "command", mayBeEmpty: index > 0)
    }
  }

  /// Refuses a text that the kernel would cut.
  static func check(
    _ text: String, _ option: String, mayBeEmpty: Bool = false
  ) throws(NestboxError) {
    if text.isEmpty, !mayBeEmpty {
      throw .invalidOption(option, reason: "expected a text that is not empty")
    }
    if text.utf8.contains(0) {
      throw .invalidOption(option, reason: "the text contains a NUL character")
    }
  }
}

// MARK: - Names and ports

extension Sandbox {
  /// Refuses what cannot be the name of a sandbox or a review.
  static func checkName(_ name: String, _ option: String) throws(NestboxError) {
    func isWord(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
      default: false
      }
    }
    let marks = Array("_.-".utf8)
    guard let first = name.utf8.first, isWord(first), name.utf8.count <= 64,
      name.utf8.allSatisfy({ isWord($0) || marks.contains($0) })
    else {
      throw .invalidOption(
        option, reason: "expected up to 64 letters, digits, dots, dashes and underscores: \(name)")
    }
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } && (UInt16(text) ?? 0) > 0
  }

  /// Refuses what is not ports and ranges of them, with commas between.
  fileprivate static func checkPorts(_ text: String) throws(NestboxError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    for part in parts {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= 2, ends.allSatisfy(isPort),
        (UInt16(ends[0]) ?? 0) <= (ends.last.flatMap { UInt16($0) } ?? 0)
      else {
        throw .invalidOption(
          "--net-host", reason: "expected ports such as 80 or 8000-8010: \(text)")
      }
    }
  }

  /// Refuses what is not a port, with an address before it and a port inside behind it.
  fileprivate static func checkPublished(_ text: String) throws(NestboxError) {
    // The colons of an IPv6 address are in brackets.
    let rest = text.hasPrefix("[") ? text.drop { $0 != "]" }.dropFirst(2) : text[...]
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    let ports = parts.count == 3 ? parts.dropFirst() : parts[...]
    guard ports.count <= 2, !ports.isEmpty, ports.allSatisfy(isPort),
      parts.count < 3 || !parts[0].isEmpty
    else {
      throw .invalidOption(
        "--publish", reason: "expected PORT, PORT:INSIDE or ADDRESS:PORT:INSIDE: \(text)")
    }
  }
}

extension Sandbox.Limits {
  fileprivate func words() throws(NestboxError) -> [(String, String)] {
    var words: [(String, String)] = []
    let suffix = isBestEffort ? "-try" : ""
    if let memory { words.append(("--memory" + suffix, String(memory))) }
    if let swap { words.append(("--swap" + suffix, String(swap))) }
    if let processors {
      guard processors >= 0.01, processors <= 10_000 else {
        throw .invalidOption("--cpus", reason: "expected at least 0.01 processors")
      }
      let thousandths = Int((processors * 1000).rounded())
      let part = String(thousandths % 1000 + 1000).dropFirst()
      words.append(("--cpus" + suffix, "\(thousandths / 1000).\(part)"))
    }
    try add("--cpu-time" + suffix, processorTime, to: &words)
    if let processes {
      guard processes > 0, processes <= Int(Int32.max) else {
        throw .invalidOption("--processes", reason: "expected at least 1")
      }
      words.append(("--processes" + suffix, String(processes)))
    }
    try add("--timeout", timeout, to: &words)
    try add("--timeout-grace", timeoutGrace, to: &words)
    if let output { words.append(("--output-limit", String(output))) }
    for (name, value) in resources.sorted(by: { $0.key < $1.key }) {
      try Sandbox.check(value, "--rlimit")
      words.append(("--rlimit", "\(name)=\(value)"))
    }
    return words
  }

  private func add(
    _ option: String, _ time: Duration?, to words: inout [(String, String)]
  ) throws(NestboxError) {
    guard let time else { return }
    // A hundred years, so that nothing overflows.
    guard time > .zero, time <= .seconds(3600 * 24 * 36525) else {
      throw .invalidOption(option, reason: "expected a time above 0, of at most 100 years")
    }
    let (seconds, rest) = time.components
    // Rounded up: less than a millisecond is not no time.
    let milliseconds = seconds * 1000 + (rest + 999_999_999_999_999) / 1_000_000_000_000_000
    words.append((option, "\(milliseconds)ms"))
  }
}
