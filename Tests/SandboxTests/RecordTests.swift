// SPDX-License-Identifier: Apache-2.0
// What the processes of a launch tell each other, as bytes and back.

import Linux
import Seccomp
import SystemPackage
import Testing
import Text

@testable import Sandbox

@Suite("Records")
struct RecordTests {
  private static let longName = ByteString([UInt8](repeating: 0xe4, count: 255))

  private static let use = {
    var use = ResourceUse()
    (use.user, use.system, use.largestProcess, use.read, use.written) = (1, 2, 3, 4, 5)
    (use.minorFaults, use.majorFaults, use.voluntarySwitches) = (6, 7, 8)
    use.forcedSwitches = .max
    return use
  }()

  private static let messages: [SetupMessage] = [
    .hasMoved, .isReady, .hasStarted, .hasSettled, .hasAdvised, .willDiscard(entries: 9),
    .hasTimedOut,
    .isDescribed([]),
    .isHeld(place: 9),
    .isCreating(true), .isCreating(false), .haveUsed(ResourceUse()),
    .isDescribed([0, 4_026_532_237, .max]),
    .hasStopped(.stop), .wasTyped(.interrupt), .hasReopened(0),
    .hasEnded(.exited(0), wasLast: false), .hasEnded(.exited(255), wasLast: true),
    .hasEnded(.signaled(.kill), wasLast: true),
    .hasEndedAlone(.exited(3), nil), .hasEndedAlone(.exited(0), use),
    .hasEndedAlone(.signaled(.kill), nil), .hasEndedAlone(.signaled(.terminate), use),
    .haveUsed(use),
    .hasEnded(.signaled(Signal(rawValue: 64)), wasLast: false),
    .hasLeft("name", .directory, stamp: .max, isElsewhere: true),
    .hasLeft(longName, .other, stamp: 0, isElsewhere: false),
    .hasFailed(SystemCallError(call: "wait4", errno: .noChildProcess)),
  ]

  // Red: the monitor misunderstands init, or cannot take a message of the longest kind.
  @Test(arguments: messages) func `A message is read as it was written`(_ message: SetupMessage) {
    #expect(SetupMessage(message.bytes[...]) == message)
    #expect(message.bytes.count <= SetupMessage.capacity)
  }

  /// The terms with something in every field.
  private static var terms: EntryTerms {
    var terms = EntryTerms()
    terms.capabilities = Capabilities(bits: .max)
    terms.hasUserNamespace = false
    (terms.user, terms.group) = (0, .max)
    (terms.hasOwnSession, terms.landlock) = (true, .signals)
    terms.limits = [ResourceLimit(soft: 1, hard: .max)]
    terms.keptVariables = [VariablePattern(name: "LC_", isPrefix: true)]
    let value = ByteString([UInt8](repeating: 0xff, count: 100_000))
    terms.environment = [
      .clear, .set("A", to: value), .unset("B"),
      .keep([VariablePattern(name: "PATH", isPrefix: false)]),
    ]
    (terms.workingDirectory, terms.defaultCommand) = ("/srv", "sh")
    terms.filters = [BuiltInPolicy.initProgram]
    terms.controlGroup = "/user.slice/nestbox-1"
    (terms.policy, terms.obstacle) = (BuiltInPolicy.initProgram, "--exec-label")
    terms.record.profiles = ["untrusted", "gpu"]
    (terms.record.policy, terms.record.filters) = ("/etc/x.policy", 2)
    terms.record.policyChanges = ["--seccomp-allow keyctl"]
    terms.record.landlock = .signals
    terms.record.others = [LaunchRecord.Fact(name: "network-rules", values: ["*.example.org"])]
    return terms
  }

  // Red: an entered command gets another filter or other variables, or what is cut off is believed.
  @Test func `The terms of an entrance are read as they were written, or not at all`() {
    for terms in [EntryTerms(), RecordTests.terms] {
      let bytes = terms.bytes
      #expect(EntryTerms(bytes[...]) == terms)
      for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 97)) {
        #expect(EntryTerms(bytes[..<count]) == nil)
      }
      #expect(EntryTerms((bytes + [0])[...]) == nil)
    }
  }

  private static let reports: [LaunchReport] = [
    .isExecuting,
    .hasFailed(LaunchError(.bind, cause: SystemCallError(call: "", errno: .ioError))),
    .hasFailed(
      LaunchError(
        .findSource, option: WrittenOption("--ro-bind", at: .arguments), subject: "",
        cause: SystemCallError(call: "open_tree", errno: .noSuchFileOrDirectory))),
    .hasFailed(
      LaunchError(
        .execute,
        option: WrittenOption("--x", at: .profile(name: "untrusted", path: nil, line: 12)),
        subject: ByteString([UInt8](repeating: 0x80, count: 2000)),
        cause: SystemCallError(call: "execve", errno: .permissionDenied))),
    .hasFailed(
      LaunchError(
        .execute,
        option: WrittenOption(
          "--x", at: .profile(name: "mine", path: "/home/mine.profile", line: 2_147_483_647)),
        subject: "x", cause: SystemCallError(call: "execve", errno: .permissionDenied))),
    .hasFound(.missing), .hasFound(.foreign("/bin/x", machine: 65_535)),
    .hasFound(.interpreterMissing("/bin/\u{1b}", of: "")), .hasFound(.carriageReturn("a", of: "b")),
    .hasFound(.loaderMissing("a", of: "b")), .hasFound(.directory("/")),
    .hasFound(.notExecutable("a")), .hasFound(.noExecution("a")), .hasFound(.unknownFormat("a")),
    .hasFound(.noShell("a")), .hasFound(.unsearchable("a")), .hasFound(.descriptor("a")),
  ]

  // Red: the message gives a wrong reason.
  @Test(arguments: reports) func `A line of a report is read as it was written`(
    _ report: LaunchReport
  ) {
    let (lines, isWhole) = LaunchReport.lines(report.line + report.line)
    #expect(lines == [report, report] && isWhole)
  }

  // Red: no launch succeeds.
  @Test func `The line of a command that runs is a line`() {
    #expect(LaunchReport.executing == LaunchReport.isExecuting.line)
  }

  // Red: a write of a long path blocks, or is mixed with another.
  @Test func `A line fits a pipe however long its texts are`() throws {
    let long = ByteString([UInt8](repeating: 0x41, count: 100_000))
    let error = LaunchError(
      .bind, option: WrittenOption(long.text, at: .profile(name: long, path: long, line: .max)),
      subject: long, cause: SystemCallError(call: long.text, errno: .ioError))
    for report in [
      LaunchReport.hasFailed(error), .hasFound(.interpreterMissing(long, of: long)),
    ] {
      #expect(report.line.count <= LaunchReport.capacity)
      let (lines, isWhole) = LaunchReport.lines(report.line)
      #expect(lines.count == 1 && isWhole)
    }
  }

  // Red: half a record passes for a whole one.
  @Test func `A truncated record is rejected`() {
    for message in RecordTests.messages {
      for count in 0..<message.bytes.count {
        let part = SetupMessage(message.bytes.prefix(count))
        // Of numbers there may be fewer.
        if case .isDescribed = message { continue }
        #expect(part == nil, "\(message) cut to \(count)")
      }
      #expect(SetupMessage((message.bytes + [0])[...]) == nil, "\(message) and one more")
    }
    for report in RecordTests.reports {
      for count in 1..<report.line.count {
        let (lines, isWhole) = LaunchReport.lines(Array(report.line.prefix(count)))
        #expect(lines.isEmpty && !isWhole, "\(report) cut to \(count)")
      }
    }
  }

  // Red: a process of the sandbox has the monitor remove a file elsewhere, or end with a status that
  // no process has.
  @Test(arguments: [
    [], [0], [99], [255],
    // Names that are paths, or none.
    [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x2e],
    [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0x2e, 0x2e],
    [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0x61, 0x2f, 0x62],
    [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0x61, 0x00, 0x62],
    // A call whose name drives a terminal.
    [9, 1, 0, 0, 0, 2, 0, 0x1b, 0x63],
    // A signal that is none, a flag that is neither.
    [6, 0, 0], [6, 65, 0], [5, 0, 2],
    // More numbers than there are kinds of namespaces.
    [2] + [UInt8](repeating: 1, count: 8 * 17),
  ]) func `Records that nestbox never writes are rejected`(_ bytes: [UInt8]) {
    #expect(SetupMessage(bytes[...]) == nil)
  }
}

@Suite("Phases")
struct PhaseTests {
  private static let phases: [Phase] = [
    .settingUp(movesLeft: 0), .settingUp(movesLeft: 2), .between(movesLeft: 1), .running, .dying,
  ]

  private func permitted(_ message: SetupMessage) -> [Phase] {
    PhaseTests.phases.filter { $0.permits(message) }
  }

  // Red: init, taken over by a payload, has the monitor follow another process, write to the caller
  // again, or remove files.
  @Test func `Each phase permits only what the child can mean in it`() {
    #expect(
      permitted(.hasMoved) == [.settingUp(movesLeft: 2), .between(movesLeft: 1)])
    let early: [Phase] = [.settingUp(movesLeft: 0), .settingUp(movesLeft: 2)]
    #expect(permitted(.isDescribed([])) == early)
    #expect(permitted(.isReady) == early)
    // A child that does not wait for an answer may execute the command before these are read.
    #expect(permitted(.hasReopened(0)) == early + [.running])
    #expect(permitted(.hasAdvised) == early + [.running])
    #expect(permitted(.willDiscard(entries: 0)) == early + [.running])
    #expect(permitted(.hasTimedOut) == early + [.running])
    #expect(
      permitted(.hasLeft("a", .other, stamp: 0, isElsewhere: false)) == early + [.dying])
    #expect(permitted(.hasEnded(.exited(0), wasLast: true)) == early + [.running, .dying])
    #expect(permitted(.hasEndedAlone(.exited(0), nil)) == early + [.running, .dying])
  }

  @Test func `A move lowers the number of moves left`() {
    #expect(Phase.settingUp(movesLeft: 2).afterMove == .settingUp(movesLeft: 1))
    #expect(Phase.between(movesLeft: 1).afterMove == .settingUp(movesLeft: 0))
    #expect(Phase.settingUp(movesLeft: 0).afterMove == nil)
    #expect(Phase.running.afterMove == nil)
  }
}
