// SPDX-License-Identifier: Apache-2.0
// The module Launcher is the program: from argv to the exit status. It parses the command line,
// validates the sandbox, launches it or does another task, and prints every message.

internal import Linux
internal import Options
internal import Running
internal import Sandbox
internal import Seccomp
internal import Text

/// The entry point, which `main` calls.
/// - Parameters:
///   - count: The number of arguments.
///   - arguments: The arguments, the program's name first.
///   - environment: The caller's environment.
/// - Returns: The status to exit with.
@c(launcher_main)
public func launcherMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
  _ environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  let image = unsafe ProcessImage(count: count, arguments: arguments, environment: environment)
  return CInt(Launcher(image).run())
}

/// One run of the program.
struct Launcher {
  let caller: Caller
  let environment: [ByteString]
  var words: ArraySlice<ByteString>
  let persona: Persona

  init(_ image: ProcessImage) {
    caller = Caller(image)
    environment = image.environment
    words = image.arguments.dropFirst()
    persona = Persona(image.arguments.first)
  }

  /// The values that profiles may refer to.
  var surroundings: Surroundings {
    let (user, group) = CurrentProcess.identity
    return Surroundings(
      environment: environment, workingDirectory: CurrentProcess.workingDirectory, user: user,
      group: group)
  }

  /// Does what the command line says.
  /// - Returns: The status to exit with.
  func run() -> UInt8 {
    // Before a process inside could find this one.
    if CurrentProcess.executesForeignFile(calledAs: caller.name) {
      Output.standardError(
        persona.prefix
          + "refusing to run again from inside: a script's first line or a link led to "
          + "nestbox's file outside the sandbox, by /proc/self/exe\n")
      return persona.failure
    }
    var parser = Parser(surroundings, standardProfile: persona.standardProfile)
    let sandbox: ResolvedSandbox
    do throws(UsageError) {
      if words.isEmpty { return noCommand() }
      try parser.parse(Array(words))
      if case .enter(let word) = parser.draft.task {
        return try EnterTask(launcher: self, draft: parser.draft).run(word)
      }
      if let task = parser.draft.task, !task.takesCommand {
        return try perform(task, parser.draft)
      }
      if parser.draft.sandbox.command.isEmpty, !parser.draft.sandbox.isKept {
        if let hint = missingCommand(parser) { tell(.error, hint, parser.draft) }
        return noCommand()
      }
      sandbox = try self.sandbox(parser.draft).resolved(for: caller)
      for warning in parser.draft.warnings { tell(.warning, warning, parser.draft) }
      if let task = parser.draft.task {
        return try perform(task, parser.draft, sandbox, displaced: displacedProfile(parser))
      }
    } catch {
      return fail(error, parser.draft)
    }
    return start(sandbox, parser)
  }

  /// Launches the sandbox, in the background and under its name where the line says so.
  /// - Returns: The status to exit with.
  private func start(_ sandbox: ResolvedSandbox, _ parser: Parser) -> UInt8 {
    var detachment: Detachment?
    if parser.draft.sandbox.detach != nil {
      do throws(SystemCallError) {
        switch try Detachment.begin() {
        case .background(let connection): detachment = connection
        case .isExecuted: return 0
        case .hasFailed(.exited(let status)): return status
        case .hasFailed(.signaled(let signal)): SignalDisposition.die(by: signal)
        }
      } catch {
        tell(.error, "--detach: can't go on in the background: \(error.reason)", parser.draft)
        return persona.failure
      }
    }
    let (status, signal): (UInt8, Signal?)
    do throws(UsageError) {
      (status, signal) = try launchByName(sandbox, parser, detachment)
    } catch {
      return fail(error, parser.draft)
    }
    // So that the caller sees a signal, as of a command that it started itself: a shell ends its
    // loop when Ctrl-C ended the command.
    if let signal, !persona.isBubblewrap { SignalDisposition.die(by: signal) }
    return status
  }

  /// Launches the sandbox under its name, if it has one, or enters the one that runs under it.
  private func launchByName(
    _ sandbox: ResolvedSandbox, _ parser: Parser, _ detachment: Detachment?
  ) throws(UsageError) -> (UInt8, Signal?) {
    guard let name = parser.draft.sandbox.name?.value else {
      return launch(sandbox, parser, [], detachment)
    }
    let registration: Registration
    switch try takeName(name, parser) {
    case .isFree(let taken): registration = taken
    case .isEntered(let status): return (status, nil)
    }
    // For those who enter; without one they make their own.
    let program = OwnProgram.isWritable ? try? OwnProgram.copy().release() : nil
    var held = registration.descriptors
    if let program { held.append(program) }
    var detachment = detachment
    if detachment != nil, let messages = try? registration.makeMessages() {
      detachment?.messages = messages.rawValue
      held.append(messages.release())
    }
    let ended = launch(sandbox, parser, held, detachment)
    registration.end()
    return ended
  }

  /// The sandbox that the line describes, with what follows from the program's name.
  func sandbox(_ draft: Draft) throws(UsageError) -> Sandbox {
    var sandbox = draft.sandbox
    sandbox.passesDescriptorsUnchanged = persona.isBubblewrap
    if sandbox.network.shared != nil { sandbox.network.directory = surroundings.registry.path }
    if let resumed = draft.resumedReview {
      sandbox.review(try ReviewTasks(self, draft).directories(of: resumed), resumed.option)
    }
    if sandbox.isUnderReview { try sandbox.arrangeReviews(home: surroundings.home) }
    return sandbox
  }

  /// Launches the sandbox.
  /// - Parameters:
  ///   - sandbox: The sandbox.
  ///   - parser: What the command line says.
  ///   - registration: Descriptors that the monitor alone holds.
  ///   - detachment: Who waits for the launch, if the launcher is in the background.
  /// - Returns: The status to exit with, and the signal that ended the command.
  private func launch(
    _ sandbox: ResolvedSandbox, _ parser: Parser, _ registration: [CInt],
    _ detachment: Detachment?
  ) -> (status: UInt8, signal: Signal?) {
    guard parser.draft.isUnderReview else {
      return launchNow(sandbox, parser, registration, detachment)
    }
    let tasks = ReviewTasks(self, parser.draft)
    do throws(UsageError) {
      let (review, sandbox) = try tasks.begin(sandbox)
      let result = launchNow(
        sandbox, parser, registration + review.descriptors, detachment,
        whileRunning: review.whileRunning)
      tasks.end(review)
      return result
    } catch {
      return (fail(error, parser.draft), nil)
    }
  }

  /// Launches the sandbox, which has all that it needs.
  private func launchNow(
    _ sandbox: ResolvedSandbox, _ parser: Parser, _ registration: [CInt],
    _ detachment: Detachment?, whileRunning: (() -> Void)? = nil
  ) -> (status: UInt8, signal: Signal?) {
    if parser.draft.isVerbose { StepLog.begin(prefix(.step, parser.draft)) }
    if parser.draft.sandbox.becomesCommand { return (become(sandbox, parser), nil) }
    var lesson: LearningTask?
    if let wanted = parser.draft.lesson {
      do throws(UsageError) {
        lesson = try LearningTask(
          wanted, self, parser.draft, parser.applied, parser.profileWords, sandbox)
      } catch {
        return (fail(error, parser.draft), nil)
      }
    }
    let watch = RepositoryWatch(sandbox)
    var isTold = false
    do throws(LaunchError) {
      let ending = try sandbox.launch(
        for: caller, warningPrefix: prefix(.warning, parser.draft),
        registration: registration + (lesson?.descriptors ?? []),
        whileRunning: whileRunning, detachment: detachment, locks: { surroundings.locks },
        whenFailed: { error in
          tell(error, sandbox, parser.draft)
          isTold = true
        })
      tell(ending, sandbox, parser.draft)
      for text in watch?.findings ?? [] { tell(.warning, text, parser.draft) }
      if sandbox.isMeasured, !tellUse(ending, sandbox, parser.draft) {
        // A program that waits for the report must learn that there is none.
        return (persona.failure, nil)
      }
      if let lesson { return (finish(lesson, ending, parser.draft), nil) }
      return (ending.status, ending.signal)
    } catch {
      if !isTold { tell(error, sandbox, parser.draft) }
      let (diagnosis, hint) = diagnosis(of: error, sandbox, parser)
      for line in diagnosis?.lines ?? [] { tell(.error, line, parser.draft) }
      if let hint { tell(.error, hint, parser.draft) }
      _ = write(EndReport(error, diagnosis, of: sandbox), of: sandbox, parser.draft)
      if error.exitStatus == 127, let command = parser.draft.sandbox.command.first,
        let hint = Suggestion.hint(forCommand: command)
      {
        tell(.error, hint, parser.draft)
      }
      return (persona.isBubblewrap ? persona.failure : error.exitStatus, nil)
    }
  }

  /// Tells what the sandbox kept from a command that has ended, and what is lost with it.
  private func tell(_ ending: Ending, _ sandbox: ResolvedSandbox, _ draft: Draft) {
    let line = [persona.program] + words
    let texts = sandbox.explanation(of: ending, line: line)
    for text in texts { tell(.error, text, draft) }
    if texts.isEmpty, let hint = sandbox.explanationHint(after: ending, line: line) {
      tell(.warning, hint, draft)
    }
    for text in sandbox.report(of: ending, isExplained: !texts.isEmpty) {
      tellExplanation(text, draft)
    }
    if ending.lacksReport, draft.lesson == nil { tellLackOfReport(draft) }
    let refused = ending.refusalTexts(isWhole: draft.sandbox.explain != nil)
    for text in refused + sandbox.discardNotice(after: ending, line: line) {
      tell(.warning, text, draft)
    }
  }

  /// Finds out why a launch failed.
  /// - Returns: The cause, if one was found, and a line about an option that may have been meant otherwise.
  private func diagnosis(
    of error: LaunchError, _ sandbox: ResolvedSandbox, _ parser: Parser
  ) -> (Diagnosis?, hint: String?) {
    let isCommands = error.exitStatus == 126 || error.exitStatus == 127
    let slip = isCommands ? parser.optionReadAsOperand : nil
    // The path that was meant for the option is the command then.
    if let slip, !slip.isValue,
      parser.draft.sandbox.command.first?.bytes.contains(UInt8(ascii: "/")) == true
    {
      return (Diagnosis(slip.text), nil)
    }
    // No program is called so.
    if isCommands, parser.draft.sandbox.command.first?.text.includes("://") == true,
      let text = parser.programReadAsOperand
    {
      return (Diagnosis(text), nil)
    }
    let diagnosis = error.diagnosis(
      of: sandbox, line: [persona.program] + words, displacedProfile: displacedProfile(parser))
    return (diagnosis, slip.map { Remedy.advice($0.text).text })
  }

  /// Learns or verifies a profile by a run that has ended.
  /// - Returns: The status to exit with.
  private func finish(
    _ lesson: LearningTask, _ ending: Ending, _ draft: Draft
  ) -> UInt8 {
    do throws(UsageError) {
      return try lesson.end(ending)
    } catch {
      return fail(error, draft)
    }
  }

  /// The default profile, if options about files took its place.
  private func displacedProfile(_ parser: Parser) -> ByteString? {
    let isDisplaced =
      parser.namesNoProfile
      && parser.draft.sandbox.filesystem.contains { $0.option.origin == .commandLine }
    return isDisplaced ? persona.standardProfile : nil
  }

  /// Reports how the command ended and what it used.
  /// - Returns: Whether everything that was asked for could be written.
  private func tellUse(_ ending: Ending, _ sandbox: ResolvedSandbox, _ draft: Draft) -> Bool {
    let isWritten = write(
      EndReport(ending, of: sandbox), of: sandbox, draft,
      after: "; the command ended with status \(String(ending.status))")
    if draft.sandbox.tellsUse != nil, let text = ending.useText {
      Output.standardError(prefix(.step, draft) + text + "\n")
    }
    return isWritten
  }

  /// Writes the report of `--report`, or says why it could not be written.
  private func write(
    _ report: EndReport, of sandbox: ResolvedSandbox, _ draft: Draft,
    after end: @autoclosure () -> String = ""
  ) -> Bool {
    guard let failure = report.write(for: sandbox) else { return true }
    tell(.error, failure + end(), draft)
    return false
  }

  /// Becomes the command of the sandbox.
  /// - Returns: The status to exit with, if that fails.
  private func become(_ sandbox: ResolvedSandbox, _ parser: Parser) -> UInt8 {
    let error = sandbox.becomeCommand(
      for: caller, warningPrefix: prefix(.warning, parser.draft))
    tell(error, sandbox, parser.draft)
    let diagnosis = error.diagnosisInPlace(of: sandbox, line: [persona.program] + words)
    // From inside, nestbox cannot look at the host's files.
    let lines =
      diagnosis?.lines ?? [Remedy.advice("without --exec nestbox looks for the cause").text]
    for line in lines { tell(.error, line, parser.draft) }
    return persona.isBubblewrap ? persona.failure : error.exitStatus
  }

  /// Says that a line has no command, and why if the last option took what was meant for it.
  private func missingCommand(_ parser: Parser) -> String? {
    if persona.isBubblewrap { return nil }
    guard let (option, operands) = parser.lastTyped, let word = operands.last,
      let text = parser.programReadAsOperand
    else { return "COMMAND is missing" }
    var hint = "no command is left: " + text
    // As docker and podman write it.
    if let first = operands.first, operands.count == 2, first.bytes.contains(UInt8(ascii: ":")) {
      let parts = first.bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1)
      let words = parts.map { ByteString($0).quotedForShell }.joined(separator: " ")
      hint += "; write the paths as two words: \(option.name) \(words) \(word.quotedForShell)"
    }
    return hint
  }

  func noCommand() -> UInt8 {
    let name = persona.program.quoted
    let isAlone = words.isEmpty && !persona.isBubblewrap
    Output.standardError(isAlone ? FirstSteps.page(name) : Help.usage(name))
    return persona.failure
  }
}
