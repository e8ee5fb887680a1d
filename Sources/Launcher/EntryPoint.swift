// SPDX-License-Identifier: Apache-2.0
// From argv to the exit status: parse, validate, launch.

internal import Linux
internal import Options
internal import Sandbox

/// What `main` calls.
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
  return CInt(Launcher(Caller(image), image.arguments).run())
}

/// One run of the program.
struct Launcher {
  let caller: Caller
  let words: ArraySlice<ByteString>
  let persona: Persona

  init(_ caller: Caller, _ arguments: [ByteString]) {
    self.caller = caller
    words = arguments.dropFirst()
    persona = Persona(arguments.first)
  }

  /// Does what the command line says.
  /// - Returns: The status to exit with.
  func run() -> UInt8 {
    var parser = Parser()
    do throws(UsageError) {
      if words.isEmpty { return noCommand() }
      try parser.parse(Array(words))
      if let task = parser.draft.task { return perform(task) }
      if parser.draft.sandbox.command.isEmpty { return noCommand() }
      try parser.draft.sandbox.validate()
    } catch {
      tell(.error, error.message, parser.draft)
      return persona.failure
    }
    for warning in parser.draft.warnings { tell(.warning, warning, parser.draft) }
    do throws(LaunchError) {
      let termination = try parser.draft.sandbox.launch(
        for: caller, warningPrefix: prefix(.warning, parser.draft))
      return termination.shellStatus
    } catch {
      tell(.error, error.message, parser.draft)
      if let hint = error.hint { tell(.error, hint, parser.draft) }
      return persona.isBubblewrap ? persona.failure : error.exitStatus
    }
  }

  private func noCommand() -> UInt8 {
    Output.standardError(Help.usage(persona.program.quoted))
    return persona.failure
  }

  private func perform(_ task: Draft.Task) -> UInt8 {
    let text =
      switch task {
      case .help: Help.page(persona.program.quoted)
      case .version: persona.version + "\n"
      }
    return Output.standardOutput(text) ? 0 : persona.failure
  }

  private func tell(_ level: Level, _ message: String, _ draft: Draft) {
    Output.standardError(prefix(level, draft) + message + "\n")
  }

  private func prefix(_ level: Level, _ draft: Draft) -> String {
    (draft.hasLevelPrefix ? level.rawValue : "") + persona.name + ": "
  }

  /// Priorities of syslog(3) in the form of sd-daemon(3).
  private enum Level: String {
    case error = "<3>"
    case warning = "<4>"
  }
}
