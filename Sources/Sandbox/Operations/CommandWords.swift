// SPDX-License-Identifier: Apache-2.0
// Finds in the words of a command the program that a wrapper starts and the script that an
// interpreter reads. The words alone decide; nothing here looks at files.

internal import Text

/// A program and its arguments.
struct CommandWords {
  /// The program, then its arguments.
  let words: ArraySlice<ByteString>

  init(_ words: ArraySlice<ByteString>) {
    self.words = words
  }

  /// The command that the program, if its name is that of a known wrapper such as timeout(1),
  /// starts.
  func wrapped(by program: ByteString) -> CommandWords? {
    guard let wrapper = Wrapper.named(program.baseName) else { return nil }
    guard case .operand(var rest) = wrapper.syntax.firstOperand(of: words.dropFirst()) else {
      return nil
    }
    while wrapper.takesVariables, rest.first?.bytes.contains(UInt8(ascii: "=")) == true {
      rest = rest.dropFirst()
    }
    rest = rest.dropFirst(wrapper.operands)
    return rest.isEmpty ? nil : CommandWords(rest)
  }

  /// The script, if the program's name is that of a known interpreter that reads one.
  ///
  /// The word may still name no file: `java Main` runs a class.
  func script(for program: ByteString) -> ByteString? {
    let name = CommandWords.withoutVersion(program.baseName)
    guard let syntax = Interpreter.syntax(of: name) else { return nil }
    switch syntax.firstOperand(of: words.dropFirst()) {
    case .operand(let rest):
      // A dash stands for standard input.
      guard let script = rest.first, !script.isEmpty, script != "-" else { return nil }
      return script
    case .script(let script): return script.isEmpty ? nil : script
    case .none: return nil
    }
  }

  /// A name without a version behind it: `python3.11` is `python`.
  private static func withoutVersion(_ name: ByteString) -> ByteString {
    var name = name.bytes
    let version = Array("0123456789.-".utf8)
    while let last = name.last, version.contains(last) { name.removeLast() }
    return ByteString(name)
  }
}

/// How a program reads the options before its first operand.
private struct OptionSyntax: Sendable {
  /// The letters of options that take a value: the rest of their word, or else the next word.
  var valued = ""
  /// The letters of options that bring a program along, so that no operand is a script.
  var replacing = ""
  /// The letters of options that take the script as their value.
  var scripted = ""
  /// The letters of options that take the rest of their word.
  var attached = ""
  /// Options with several letters that take the next word as their value.
  var longValued: [ByteString] = []
  /// Options with several letters that bring a program along.
  var longReplacing: [ByteString] = []
  /// Options with several letters that take the script as their value.
  var longScripted: [ByteString] = []
  /// Whether a word with one dash may be an option of several letters, as those of java(1).
  var hasLongSingleDash = false

  enum Found {
    /// The words from the first operand on.
    case operand(ArraySlice<ByteString>)
    /// The value of an option that names the script.
    case script(ByteString)
    /// The program comes from elsewhere, or the words end.
    case none
  }

  /// What the options in front of the first operand say.
  func firstOperand(of words: ArraySlice<ByteString>) -> Found {
    var rest = words
    while let word = rest.first {
      // A plus sign begins an option of shells, which turns something off.
      guard let sign = word.bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+"),
        word.count > 1
      else { return .operand(rest) }
      rest = rest.dropFirst()
      if word == "--" { return rest.isEmpty ? .none : .operand(rest) }
      let isLong = word.bytes.dropFirst().first == UInt8(ascii: "-") || hasLongSingleDash
      if isLong {
        let name = ByteString(word.bytes.prefix { $0 != UInt8(ascii: "=") })
        if longReplacing.contains(name) { return .none }
        if longScripted.contains(name) { return rest.first.map { .script($0) } ?? .none }
        if longValued.contains(name), name == word { rest = rest.dropFirst() }
        continue
      }
      switch cluster(word.bytes.dropFirst()) {
      case .plain: break
      case .takesNext: rest = rest.dropFirst()
      case .replaces: return .none
      case .names(let script): return .script(script)
      case .namesNext: return rest.first.map { .script($0) } ?? .none
      }
    }
    return .none
  }

  private enum Cluster {
    case plain, takesNext, replaces, namesNext
    case names(ByteString)
  }

  /// Reads options of one letter in one word.
  private func cluster(_ letters: ArraySlice<UInt8>) -> Cluster {
    for (index, letter) in zip(letters.indices, letters) {
      let rest = letters[(index + 1)...]
      if attached.utf8.contains(letter) { return .plain }
      if replacing.utf8.contains(letter) { return .replaces }
      if scripted.utf8.contains(letter) {
        return rest.isEmpty ? .namesNext : .names(ByteString(rest))
      }
      if valued.utf8.contains(letter) { return rest.isEmpty ? .takesNext : .plain }
    }
    return .plain
  }
}

/// Programs that start the command in their arguments.
private struct Wrapper: Sendable {
  let syntax: OptionSyntax
  /// How many operands stand before the command.
  var operands = 0
  /// Whether words of the form `NAME=VALUE` stand before the command.
  var takesVariables = false

  static func named(_ name: ByteString) -> Wrapper? {
    switch name.text {
    // -C changes the directory where the command's paths begin, and -S splits a word.
    case "env":
      Wrapper(
        syntax: OptionSyntax(
          valued: "u", replacing: "CS", longValued: ["--unset"],
          longReplacing: ["--chdir", "--split-string"]), takesVariables: true)
    case "timeout":
      Wrapper(
        syntax: OptionSyntax(valued: "ks", longValued: ["--kill-after", "--signal"]), operands: 1)
    case "nice": Wrapper(syntax: OptionSyntax(valued: "n", longValued: ["--adjustment"]))
    case "nohup", "setsid": Wrapper(syntax: OptionSyntax())
    case "stdbuf":
      Wrapper(
        syntax: OptionSyntax(valued: "ioe", longValued: ["--input", "--output", "--error"]))
    case "time":
      Wrapper(syntax: OptionSyntax(valued: "fo", longValued: ["--format", "--output"]))
    case "ionice":
      Wrapper(
        syntax: OptionSyntax(
          valued: "cn", replacing: "pPu", longValued: ["--class", "--classdata"],
          longReplacing: ["--pid", "--pgid", "--uid"]))
    case "chrt":
      Wrapper(
        syntax: OptionSyntax(
          valued: "TPD", replacing: "pm",
          longValued: ["--sched-runtime", "--sched-period", "--sched-deadline"],
          longReplacing: ["--pid", "--max"]), operands: 1)
    case "taskset":
      Wrapper(syntax: OptionSyntax(replacing: "p", longReplacing: ["--pid"]), operands: 1)
    case "valgrind": Wrapper(syntax: OptionSyntax())
    default: nil
    }
  }
}

/// Programs that run a script.
private enum Interpreter {
  /// The options of the interpreter `name`; nil for any other program.
  static func syntax(of name: ByteString) -> OptionSyntax? {
    switch name.text {
    case "sh", "bash", "dash", "ksh", "mksh", "zsh":
      OptionSyntax(valued: "oO", replacing: "cs", longValued: ["--rcfile", "--init-file"])
    case "fish":
      OptionSyntax(
        valued: "Cdfo", replacing: "c",
        longValued: ["--init-command", "--features", "--debug-output"], longReplacing: ["--command"]
      )
    case "python", "pypy":
      OptionSyntax(valued: "WX", replacing: "cm", longValued: ["--check-hash-based-pycs"])
    case "perl": OptionSyntax(valued: "I", replacing: "eE", attached: "MmiFxDCVdl0")
    case "ruby":
      OptionSyntax(
        valued: "IrE", replacing: "eCXS",
        longValued: ["--encoding", "--external-encoding", "--internal-encoding"])
    case "node", "nodejs":
      OptionSyntax(
        valued: "rC", replacing: "ep",
        longValued: [
          "--require", "--conditions", "--import", "--loader", "--experimental-loader",
          "--input-type", "--title",
        ], longReplacing: ["--eval", "--print", "--run", "--test"])
    // The chunk of -e runs before the script.
    case "lua": OptionSyntax(valued: "el")
    case "luajit": OptionSyntax(valued: "el", replacing: "b")
    case "php":
      OptionSyntax(
        valued: "cdz", replacing: "rRBESs", scripted: "fF", longValued: ["--php-ini", "--define"],
        longReplacing: ["--run", "--process-code", "--server"],
        longScripted: ["--file", "--process-file"])
    case "tclsh": OptionSyntax(longValued: ["-encoding"], hasLongSingleDash: true)
    case "Rscript": OptionSyntax(replacing: "e")
    case "guile": OptionSyntax(valued: "LCxle", replacing: "c", scripted: "s")
    case "java":
      OptionSyntax(
        longValued: [
          "-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path",
          "--add-modules", "--add-exports", "--add-opens", "--add-reads", "--patch-module",
          "--limit-modules", "--source",
        ], longReplacing: ["-m", "--module"], longScripted: ["-jar"], hasLongSingleDash: true)
    default: nil
    }
  }
}
