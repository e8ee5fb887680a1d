// SPDX-License-Identifier: Apache-2.0
// The completion for bash.

/// Completion for bash, with the help of bash-completion.
enum Bash: CompletionScript {
  static var generated: Generated { .bash }

  static let kindsOpening = """
    # Completion of nestbox for bash; it needs bash-completion 2.

    # Sets `kinds` to the kinds of words that the option $1 takes.
    _nestbox_kinds() {
      case $1 in
    """

  static func appendKinds(of group: OptionGroup, to script: inout Script) {
    script.fill(
      group.names, from: "    ", to: ") kinds=(\(group.words)) ;;", next: "      ",
      between: " | ", continued: " \\")
  }

  static var kindsEnd: String { "    *) kinds=() ;;\n  esac\n}\n\n" + lists }

  static let operandOpening = """
    # Completes a word of the kind $1; $2 is the program.
    _nestbox_operand() {
      case $1 in
    """

  static func offering(_ source: Completion.Source, isList: Bool) -> String {
    let words = isList ? "_nestbox_list" : "_nestbox_words"
    return switch source {
    case .files: "_filedir"
    case .directories: "_filedir -d"
    case .programs: "_nestbox_program"
    case .descriptors: "_nestbox_descriptor"
    case .variables: "\(words) \"$(compgen -e)\""
    case .words(let known): "\(words) \"$(printf '%s\\n' \(known.joined(separator: " ")))\""
    case .list(let list): "\(words) \"$(\"$2\" --generate \(list.rawValue) 2>/dev/null)\""
    }
  }

  static func operand(_ kind: String, _ commands: [String]) -> String {
    let body = commands.joined(separator: "; ")
    return "    \(kind)) \(body.isEmpty ? "" : body + " ");;"
  }

  static let operandEnd = "  esac\n}\n"

  static func appendOptions(once: [Option], often: [Option], to script: inout Script) {
    script.append("# Completes an option; $1 are those that were given.")
    script.append("_nestbox_option() {")
    script.fill(often.map(\.name), from: "  local option options=\"", to: "\"", next: "    ")
    script.append("  # Nothing changes by giving these again.\n  for option in \\")
    script.fill(once.map(\.name), from: "    ", to: "; do", next: "    ", continued: " \\")
  }

  private static let lists = #"""
    # Offers the lines in $1 that begin with $2, each with $3 before it.
    #
    # They are names of files and the like, which somebody else may have chosen. compgen -W would
    # expand them, and run what a name says; and what is inserted is not quoted. So each is compared
    # as a text, and one that the shell would not take literally is not offered.
    _nestbox_lines() {
      local line
      while IFS= read -r line; do
        [[ $line == "$2"* && $line != *[^A-Za-z0-9_.:@%+/=-]* && ,$3 != *",$line,"* ]] &&
          COMPREPLY+=("$3$line")
      done <<<"$1"
    }

    # Offers the lines in $1.
    _nestbox_words() {
      _nestbox_lines "$1" "$cur" ''
    }

    # Offers the lines in $1 for the last element of a list with commas.
    _nestbox_list() {
      local before=
      [[ $cur == *,* ]] && before=${cur%,*},
      _nestbox_lines "$1" "${cur##*,}" "$before"
      compopt -o nospace
    }

    # Offers the descriptors that this shell has open, except the one it keeps for itself.
    _nestbox_descriptor() {
      local path
      for path in /proc/$$/fd/*; do
        path=${path##*/}
        [[ $path == 255 ]] || _nestbox_words "$path"
      done
    }

    # Offers programs by their names, or by their paths.
    _nestbox_program() {
      if [[ $cur == */* ]]; then _filedir; else _nestbox_words "$(compgen -c -- "$cur")"; fi
    }

    """#

  static let rest = #"""
        [[ $1 == *" $option "* ]] || options+=" $option"
      done
      _nestbox_words "${options// /$'\n'}"
    }

    # Leaves the completion to the command, which begins at word $1.
    #
    # Here a:b is one word, to the shell it is three, and _command_offset counts as the shell does.
    _nestbox_command() {
      local index offset=1 part joined
      for ((index = 1; index < $1; index++)); do
        joined=
        while [[ $joined != "${words[index]}" ]] && ((offset < COMP_CWORD)); do
          part=${COMP_WORDS[offset++]}
          # What is not part of the word is a redirection.
          if [[ ${words[index]} == "$joined$part"* ]]; then joined+=$part; else joined=; fi
        done
      done
      _command_offset "$offset"
    }

    _nestbox() {
      local cur prev words cword
      _init_completion -n :=@ || return
      local index=1 kind= kinds given=" " program=$1
      [[ $program == "~/"* ]] && program=$HOME/${program#*/}
      while ((index < cword)) && [[ ${words[index]} == -* && -z $kind ]]; do
        if [[ ${words[index]} == -- ]]; then
          _nestbox_command "$((index + 1))"
          return
        fi
        given+="${words[index]} "
        _nestbox_kinds "${words[index]}"
        ((index += 1 + ${#kinds[@]}))
        ((index > cword)) && kind=${kinds[cword - index + ${#kinds[@]}]}
      done
      if [[ -n $kind ]]; then
        _nestbox_operand "$kind" "$program"
      elif ((index == cword)) && [[ $cur == -* ]]; then
        _nestbox_option "$given"
      else
        _nestbox_command "$index"
        return
      fi
      # What readline replaces begins behind the last of these.
      local break breaks=
      for break in : = @; do
        [[ $COMP_WORDBREAKS == *$break* ]] && breaks+=$break
      done
      if [[ -n $breaks && $cur == *[$breaks]* ]]; then
        local before=${cur%"${cur##*[$breaks]}"}
        COMPREPLY=("${COMPREPLY[@]#"$before"}")
      fi
    }

    complete -F _nestbox nestbox
    """#
}
