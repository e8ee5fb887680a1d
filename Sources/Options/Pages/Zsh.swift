// SPDX-License-Identifier: Apache-2.0
// The completion for zsh.

/// Completion for zsh.
///
/// Its function _arguments would mistake an operand that looks like an option for one, so the
/// script itself determines what each word is.
enum Zsh {
  /// The script.
  static var script: String {
    var script = Script(.zsh, firstLine: "#compdef nestbox")
    script.append("# Completion of nestbox for zsh.\n")
    script.append("# Sets `kinds` to the kinds of words that the option $1 takes.")
    script.append("_nestbox_kinds() {\n  case $1 in")
    for group in Option.byKinds {
      script.fill(
        group.names, from: "    (", to: ") kinds=(\(group.words)) ;;", next: "      ",
        between: "|", continued: "\\")
    }
    script.append("    (*) kinds=() ;;\n  esac\n}\n")
    script.append(lists)
    script.append("# Completes a word of the kind $1.")
    script.append("_nestbox_operand() {\n  local expl\n  case $1 in")
    for kind in Option.kinds { script.append(operand(kind)) }
    script.append("  esac\n}\n")
    script.append("# Completes an option; $@ are those that were given.")
    script.append("_nestbox_option() {\n  local option\n  local -a once often")
    script.append("  once=(\n" + lines { !$0.canBeRepeated } + "  )")
    script.append("  often=(\n" + lines(\.canBeRepeated) + "  )")
    script.append(rest)
    return script.text
  }

  private static func lines(_ isWanted: (Option) -> Bool) -> String {
    Option.all.filter(isWanted).map { option in
      let summary = Script.escape(option.summary) { $0 == "'" ? "'\\''" : nil }
      return "    '\(option.name):\(summary)'\n"
    }.joined()
  }

  private static func operand(_ kind: Operand.Kind) -> String {
    let completion = kind.completion
    let words = "_nestbox_words" + (completion.isList ? " -l" : "")
    let commands = completion.sources.map { source in
      switch source {
      case .files: "_files"
      case .directories: "_files -/"
      case .programs: "_command_names -e; _files -g '*(-*)'"
      case .descriptors: "_file_descriptors"
      case .variables: "\(words) ${(k)parameters[(R)*export*]}"
      case .words(let known): "\(words) \(known.joined(separator: " "))"
      case .list(let kind): "\(words) \"${(@f)$(_nestbox_ask \(kind.rawValue))}\""
      }
    }
    let body = commands.joined(separator: "; ")
    return "    (\(kind.rawValue)) \(body.isEmpty ? "_message \(kind.rawValue)" : body) ;;"
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

  private static let rest = #"""
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
