// SPDX-License-Identifier: Apache-2.0
// The completion for fish.

/// Completion for fish, which supports options with one operand at most: a function determines what
/// each word is.
enum Fish: CompletionScript {
  static var generated: Generated { .fish }

  static let kindsOpening = """
    # Completion of nestbox for fish.

    # Prints the kinds of words that the option $argv[1] takes, one per line.
    function __nestbox_kinds
        switch $argv[1]
    """

  static func appendKinds(of group: OptionGroup, to script: inout Script) {
    script.fill(group.names, from: "        case ", to: "", next: "          ", continued: " \\")
    script.append("            printf '%s\\n' \(group.words)")
  }

  static let kindsEnd = "    end\nend\n"

  static let operandOpening = """
    # Prints words of the kind $argv[1]; $argv[2] is the program.
    function __nestbox_operand
        switch $argv[1]
    """

  static func offering(_ source: Completion.Source, isList: Bool) -> String {
    let words: String
    switch source {
    case .files: return "__fish_complete_path (commandline -ct)"
    case .directories: return "__fish_complete_directories (commandline -ct) ''"
    case .programs: return "complete -C (commandline -ct)"
    case .descriptors: return "string match -r '[0-9]+$' /proc/$fish_pid/fd/*"
    case .variables: words = "(set -xn)"
    case .words(let known): words = known.joined(separator: " ")
    case .list(let kind): words = "($argv[2] --generate \(kind.rawValue) 2>/dev/null)"
    }
    return (isList ? "__nestbox_list " : "printf '%s\\n' ") + words
  }

  static func operand(_ kind: String, _ commands: [String]) -> String {
    (["        case \(kind)"] + commands.map { "            " + $0 }).joined(separator: "\n")
  }

  static let operandEnd = "    end\nend\n"

  static func appendOptions(once: [Option], often: [Option], to script: inout Script) {
    script.append("# Prints the options with what they do; $argv are those that were given.")
    script.append("function __nestbox_options")
    script.append("    set -l once \\\n" + lines(once))
    script.append("    set -l often \\\n" + lines(often))
    script.append(
      """
          for line in $once
              # Nothing changes by giving these again.
              contains -- (string split \\t -- $line)[1] $argv; or echo $line
          end
          printf '%s\\n' $often
      end

      """)
  }

  private static func lines(_ options: [Option]) -> String {
    options.map { option in
      let summary = Script.escape(option.summary) { character in
        character == "\\" || character == "'" ? "\\\(character)" : nil
      }
      return "        \(option.name)\\t'\(summary)'"
    }.joined(separator: " \\\n")
  }

  static let rest = #"""
    # Prints the words for the last element of a list with commas.
    function __nestbox_list
        set -l before (string match -r '.*,' -- (commandline -ct)); or set before ''
        printf '%s\n' $before$argv
    end

    # Finds out what the word at the cursor is, and prints what it can be.
    function __nestbox_complete
        set -l words (commandline -opc)
        set -l program $words[1]
        set -l given
        set -e words[1]
        while set -q words[1]; and string match -q -- '-*' $words[1]
            if test "$words[1]" = --
                set -e words[1]
                __nestbox_command $words
                return
            end
            set -a given $words[1]
            set -l kinds (__nestbox_kinds $words[1])
            set -e words[1]
            while set -q kinds[1]
                if not set -q words[1]
                    __nestbox_operand $kinds[1] $program
                    return
                end
                set -e kinds[1]
                set -e words[1]
            end
        end
        if not set -q words[1]; and string match -q -- '-*' (commandline -ct)
            __nestbox_options $given
        else
            __nestbox_command $words
        end
    end

    # Leaves the completion to the command, whose words before the cursor these are.
    function __nestbox_command
        complete -C (string join ' ' -- (string escape -- $argv) (commandline -ct))
    end

    complete -c nestbox -f -k -a '(__nestbox_complete)'
    """#
}
