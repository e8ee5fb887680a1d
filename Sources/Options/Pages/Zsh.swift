// SPDX-License-Identifier: Apache-2.0
// The completion for zsh.

/// Completion for zsh.
///
/// Its function _arguments would mistake an operand that looks like an option for one, so the
/// script itself determines what each word is.
enum Zsh: CompletionScript {
  static var generated: Generated { .zsh }
  static var firstLine: String? { "#compdef nestbox" }

  static let kindsOpening = """
    # Completion of nestbox for zsh.

    # Sets `kinds` to the kinds of words that the option $1 takes.
    _nestbox_kinds() {
      case $1 in
    """

  static func appendKinds(of group: OptionGroup, to script: inout Script) {
    script.fill(
      group.names, from: "    (", to: ") kinds=(\(group.words)) ;;", next: "      ",
      between: "|", continued: "\\")
  }

  static var kindsEnd: String { "    (*) kinds=() ;;\n  esac\n}\n\n" + lists }

  static let operandOpening = """
    # Completes a word of the kind $1.
    _nestbox_operand() {
      local expl
      case $1 in
    """

  static func offering(_ source: Completion.Source, isList: Bool) -> String {
    let words = "_nestbox_words" + (isList ? " -l" : "")
    return switch source {
    case .files: "_files"
    case .directories: "_files -/"
    case .programs: "_command_names -e; _files -g '*(-*)'"
    case .descriptors: "_file_descriptors"
    case .variables: "\(words) ${(k)parameters[(R)*export*]}"
    case .words(let known): "\(words) \(known.joined(separator: " "))"
    case .list(let kind): "\(words) \"${(@f)$(_nestbox_ask \(kind.rawValue))}\""
    }
  }

  static func operand(_ kind: String, _ commands: [String]) -> String {
    let body = commands.joined(separator: "; ")
    return "    (\(kind)) \(body.isEmpty ? "_message \(kind)" : body) ;;"
  }

  static let operandEnd = "  esac\n}\n"

  static func appendOptions(once: [Option], often: [Option], to script: inout Script) {
    script.append("# Completes an option; $@ are those that were given.")
    script.append("_nestbox_option() {\n  local option\n  local -a once often")
    script.append("  once=(\n" + lines(once) + "  )")
    script.append("  often=(\n" + lines(often) + "  )")
  }

  private static func lines(_ options: [Option]) -> String {
    options.map { option in
      let summary = Script.escape(option.summary) { $0 == "'" ? "'\\''" : nil }
      return "    '\(option.name):\(summary)'\n"
    }.joined()
  }

  private static let lists = #"""
    # Prints a list that the program knows, one a line: they are names, which are split at the ends
    # of lines alone.
    _nestbox_ask() {
      _call_program $1 $words[1] --generate $1
    }

    # Offers the words; with -l for the last element of a list with commas.
    _nestbox_words() {
      local -a separator offered
      if [[ $1 == -l ]]; then
        shift
        compset -P '*,'
        compset -S ',*'
        separator=(-qS ,)
      fi
      offered=("$@")
      _wanted values expl value compadd $separator -a offered
    }

    """#

  static let rest = #"""
      for option in "$@"; do
        # Nothing changes by giving these again.
        once=(${once:#$option:*})
      done
      _describe -o option once -- often
    }

    # Leaves the completion to the command, which begins at word $1.
    _nestbox_command() {
      shift $(($1 - 1)) words
      ((CURRENT -= $1 - 1))
      _normal -p nestbox
    }

    _nestbox() {
      local index=2 kind
      local -a kinds given
      while ((index < CURRENT)) && [[ $words[index] == -* ]]; do
        if [[ $words[index] == -- ]]; then
          _nestbox_command $((index + 1))
          return
        fi
        given+=($words[index])
        _nestbox_kinds $words[index]
        ((index++))
        for kind in $kinds; do
          if ((index == CURRENT)); then
            _nestbox_operand $kind
            return
          fi
          ((index++))
        done
      done
      if ((index == CURRENT)) && [[ $words[index] == -* ]]; then
        _nestbox_option $given
      else
        _nestbox_command $index
      fi
    }

    _nestbox "$@"
    """#
}
