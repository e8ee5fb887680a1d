// SPDX-License-Identifier: Apache-2.0
// The words that options take.

/// A word that an option takes.
public struct Operand: Equatable, Sendable {
  /// Its name in the help.
  public let name: String
  /// What it is, for completions.
  public let kind: Kind

  /// What a word can be.
  public enum Kind: String, CaseIterable, Sendable {
    /// A file or directory of the host.
    case hostPath = "host-path"
    /// A directory of the host.
    case hostDirectory = "host-directory"
    /// A path inside, which often exists on the host as well.
    case sandboxPath = "path"
    /// A directory inside, which often exists on the host as well.
    case sandboxDirectory = "directory"
    /// The number of a descriptor that the caller has open.
    case descriptor
    /// A number.
    case number
    /// Anything.
    case text
    /// The name of an environment variable.
    case variable
    /// Names of environment variables, separated by commas.
    case variables
    /// The name of a capability, or ALL.
    case capability
    /// A kind of page or list that the program can print.
    case generated
    /// The name of an option or a section.
    case topic
    /// A program by its name or its path.
    case program
    /// The name of a profile, or the path of its file.
    case profile
    /// The name of a policy of system calls, or the path of its file.
    case policy
    /// Names of system calls and of groups of them, separated by commas.
    case calls
    /// The name of a running sandbox, or the number of one of its processes.
    case sandbox
    /// The name of a review.
    case review
    /// The name of a signal.
    case signal
    /// A limit of a resource: its name, =, and a value.
    case resource
    /// A length of time.
    case time
    /// What Landlock can forbid, separated by commas.
    case scopes
  }

  /// Whether it is always the path of a file.
  var isPath: Bool {
    switch kind {
    case .hostPath, .hostDirectory, .sandboxPath, .sandboxDirectory: true
    default: false
    }
  }

  static var source: Operand { Operand(name: "SRC", kind: .hostPath) }
  static var destination: Operand { Operand(name: "DEST", kind: .sandboxPath) }
  static var directory: Operand { Operand(name: "DIR", kind: .sandboxDirectory) }
  static var path: Operand { Operand(name: "PATH", kind: .sandboxPath) }
  static var descriptor: Operand { Operand(name: "FD", kind: .descriptor) }
  static var seconds: Operand { Operand(name: "SECONDS", kind: .number) }
  static var number: Operand { Operand(name: "N", kind: .number) }
  static var resource: Operand { Operand(name: "RESOURCE", kind: .resource) }
  static var time: Operand { Operand(name: "TIME", kind: .time) }
  static var processors: Operand { Operand(name: "N", kind: .number) }
  static var size: Operand { Operand(name: "SIZE", kind: .number) }
  static var octal: Operand { Operand(name: "OCTAL", kind: .number) }
  static var bytes: Operand { Operand(name: "BYTES", kind: .number) }
  static var variable: Operand { Operand(name: "VAR", kind: .variable) }
  static var value: Operand { Operand(name: "VALUE", kind: .text) }
  static var name: Operand { Operand(name: "NAME", kind: .text) }
  static var target: Operand { Operand(name: "TARGET", kind: .sandboxPath) }
  static var capability: Operand { Operand(name: "CAP", kind: .capability) }
  static var mountOption: Operand { Operand(name: "OPTION", kind: .text) }
  static var upper: Operand { Operand(name: "RWSRC", kind: .hostDirectory) }
  static var work: Operand { Operand(name: "WORKDIR", kind: .hostDirectory) }
  static var label: Operand { Operand(name: "LABEL", kind: .text) }
  static var busName: Operand { Operand(name: "NAME", kind: .text) }
  static var rule: Operand { Operand(name: "RULE", kind: .text) }
  static var publishedPort: Operand { Operand(name: "PORT", kind: .text) }
  static var network: Operand { Operand(name: "NAME", kind: .text) }
  static var ports: Operand { Operand(name: "PORTS", kind: .text) }
  static var policy: Operand { Operand(name: "POLICY", kind: .policy) }
  static var calls: Operand { Operand(name: "LIST", kind: .calls) }
  static var variables: Operand { Operand(name: "NAMES", kind: .variables) }
  static var signal: Operand { Operand(name: "SIGNAL", kind: .signal) }
  static var sandbox: Operand { Operand(name: "SANDBOX", kind: .sandbox) }
  static var review: Operand { Operand(name: "REVIEW", kind: .review) }
  static var scopes: Operand { Operand(name: "SCOPES", kind: .scopes) }
  static var text: Operand { Operand(name: "TEXT", kind: .text) }
  static var hostPath: Operand { Operand(name: "PATH", kind: .hostPath) }
  static var user: Operand { Operand(name: "UID", kind: .number) }
  static var group: Operand { Operand(name: "GID", kind: .number) }
  static var generated: Operand { Operand(name: "KIND", kind: .generated) }
  static var profile: Operand { Operand(name: "NAME", kind: .profile) }
  static var pattern: Operand { Operand(name: "PATTERN", kind: .text) }
  static var hidden: Operand { Operand(name: "PATTERN", kind: .hostPath) }
  static var program: Operand { Operand(name: "PROGRAM", kind: .program) }
  static var hostDirectory: Operand { Operand(name: "DIR", kind: .hostDirectory) }
  static var hostFile: Operand { Operand(name: "PATH", kind: .hostPath) }
  static var learnedFile: Operand { Operand(name: "FILE", kind: .hostPath) }
  static var topic: Operand { Operand(name: "TOPIC", kind: .topic) }
}
