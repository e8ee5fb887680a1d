// SPDX-License-Identifier: Apache-2.0
// The way into a sandbox of another tool, such as bubblewrap or flatpak. No monitor holds anything of
// it, so its namespaces and its root are those of a process inside, and the conditions are the
// strictest that fit: no capabilities, a session of its own, and a policy that the user must name if
// the sandbox is under filters, which nobody outside can read.

public import Linux
internal import SystemPackage
internal import Text

extension Entrance {
  /// Opens a sandbox that another tool made.
  /// - Parameters:
  ///   - first: Its first process: process 1 of its pid namespace, which the payload cannot move.
  ///   - command: Its command, whose environment an entering command gets.
  ///   - hasPolicy: Whether a policy was named.
  ///   - whenVerified: Called with the first process before anything of the sandbox is opened.
  /// - Throws: `UsageError` if a command would have less protection inside than the sandbox's own, as
  ///   far as this process can see, or if the sandbox cannot be entered.
  public convenience init(
    ofOtherTool first: borrowing ProcessDirectory, command: borrowing ProcessDirectory,
    hasPolicy: Bool, whenVerified: (borrowing ProcessDirectory) throws(UsageError) -> Void
  ) throws(UsageError) {
    let status = try Entrance.status(of: first)
    let ours = try Entrance.verifyRights(against: first, status, "process 1")
    // Filters around both are taken for the same ones if they are as many.
    let filters = max(
      status.number("Seccomp_filters"),
      try Entrance.status(of: command).number("Seccomp_filters"))
    if filters > ours.number("Seccomp_filters"), !hasPolicy {
      throw UsageError(
        "its processes are under filters of system calls, which nestbox cannot read; name a policy "
          + "that is as strict: nestbox --seccomp-policy default --enter \(String(first.number))")
    }
    try whenVerified(first)
    let terms = try Entrance.terms(first, command)
    let (opened, root) = try Entrance.reading(first) { first throws(SystemCallError) in
      let opened = try Entrance.namespaces(of: first) { place, first throws(SystemCallError) in
        do throws(SystemCallError) {
          return try first.open(FilePath("ns/" + Namespaces.names[place].name))
        } catch {
          // An older kernel lacks the kind.
          if error.errno == .noSuchFileOrDirectory { return nil }
          throw error
        }
      }
      return (opened, try first.open("root", .location).release())
    }
    self.init(
      terms: terms, namespaces: opened, root: root,
      controlGroup: try ControlGroup.way(to: first, ownGroup: nil))
  }

  private static func terms(
    _ first: borrowing ProcessDirectory, _ command: borrowing ProcessDirectory
  ) throws(UsageError) -> EntryTerms {
    var terms = EntryTerms()
    // The payload may have written to it, but it is the command's in any case. The caller's own may
    // hold what the sandbox was not to see.
    let number = try reading(command) { command throws(SystemCallError) in
      try command.open("environ").release()
    }
    defer { Descriptors.close(number) }
    guard
      let environment = BoundedReads.results(
        1,
        { _ in
          (try? Descriptors.beginning(of: number, 1 << 20)) ?? []
        })[0]
    else {
      throw UsageError(
        "its command, process \(String(command.number)), keeps others from reading its environment")
    }
    terms.keptVariables = [VariablePattern(name: "TERM", isPrefix: false)]
    terms.environment = environment.split(separator: 0).compactMap { word -> EnvironmentChange? in
      guard let sign = word.firstIndex(of: UInt8(ascii: "=")), sign != word.startIndex else {
        return nil
      }
      return .set(ByteString(word[..<sign]), to: ByteString(word[(sign + 1)...]))
    }
    terms.limits = try reading(first) { first throws(SystemCallError) in
      let limits = try ResourceLimits.current(of: first.number)
      // If it still runs, no other process had its number.
      _ = try first.contents(of: "stat", limit: 4096)
      return limits
    }
    // A process inside can take over one that enters, and with it the terminal of its session.
    terms.hasOwnSession = true
    return terms
  }
}
