// SPDX-License-Identifier: Apache-2.0
// The suggestion for a misspelt option, for every option and every kind of slip.

import Linux
import Sandbox
import Testing

@testable import Options
import Text

@Suite("Suggestions")
struct SuggestionTests {
  // Red: a mistyped option gets a wrong suggestion, or none.
  @Test("A mistyped option gets a suggestion", arguments: Option.all.map(\.name))
  func slips(_ name: String) throws {
    for typed in Slip.all(of: name) where Option.named(ByteString(typed)) == nil {
      let message = try self.message(for: typed)
      #expect(message.hasPrefix("Unknown option \(typed); did you mean "), "\(message)")
      #expect(message.words.contains(name), "\(message)")
    }
  }

  // Red: a slip in a longer name is answered by a list in which one has to search.
  @Test(
    "A mistyped option that is like no other gets one suggestion", arguments: Option.all.map(\.name)
  )
  func certainty(_ name: String) throws {
    let letters = Array(name.dropFirst(2))
    guard letters.count > 8 else { return }
    let swapped = "--" + String([letters[1], letters[0]] + letters[2...])
    #expect(Suggestion.options(for: swapped) == [name])
  }

  // Red: the habit of other programs gets no answer, or one that cannot be typed.
  @Test(
    "A value behind an equals sign is shown as a word of its own",
    arguments: Option.all.map(\.name))
  func equalsSign(_ name: String) throws {
    let option = try #require(Option.all.first { $0.name == name })
    let message = try self.message(for: name + "=some value")
    let right =
      switch option.operands.count {
      case 0: "\(name)? It takes no value"
      case 1: "\(name) some value?"
      default: "\(option.synopsis)?"
      }
    #expect(message == "Unknown option \(name)=some value; did you mean \(right)")
  }

  // Red: the answer depends on which dash a word processor has made of two.
  @Test(
    "Dashes, case and underscores do not matter",
    arguments: [
      "-ro-bind", "---ro-bind", "--ro_bind", "--Ro-Bind", "--RO_BIND", "-–ro-bind", "--robind",
      "--ro--bind", "--bind-ro", "--read-only-bind", "--readonly-bind", "--bind-readonly",
    ])
  func spelling(_ word: String) {
    #expect(Suggestion.options(for: word) == ["--ro-bind"])
  }

  // Red: another program's name for an option finds nothing.
  @Test(
    "Synonyms lead to the option",
    arguments: [
      ("--unshare-network", "--unshare-net"), ("--no-network", "--unshare-net"),
      ("--unshare-process", "--unshare-pid"), ("--working-directory", "--chdir"),
      ("--workdir", "--chdir"), ("--env", "--setenv"), ("--set-environment-variable", "--setenv"),
      ("--clear-environment", "--clearenv"), ("--add-capability", "--cap-add"),
      ("--capability-drop", "--cap-drop"), ("--permissions", "--perms"), ("--mode", "--perms"),
      ("--symbolic-link", "--symlink"), ("--directory", "--dir"), ("--mkdir", "--dir"),
      ("--set-hostname", "--hostname"), ("--device-bind", "--dev-bind"),
      ("--setsid", "--new-session"),
      ("-h", "--help"), ("-v", "--version"), ("--user-id", "--uid"),
      ("--disable-user-namespaces", "--disable-userns"), ("--bind-optional", "--bind-try"),
      ("--temporary-overlay", "--tmp-overlay"), ("--overlay-source", "--overlay-src"),
      ("--information-fd", "--info-fd"), ("--arguments", "--args"),
    ])
  func synonyms(_ word: String, _ name: String) {
    #expect(Suggestion.options(for: word).contains(name), "\(Suggestion.options(for: word))")
  }

  // Red: somebody who comes from another tool is told that the option is unknown, and nothing else.
  @Test(
    "Options of firejail, flatpak, nsjail, minijail, podman and systemd-run are answered",
    arguments: [
      "--net=none", "--private", "--private-dev", "--private-tmp", "--private-etc", "--nosound",
      "--no3d", "--noroot", "--whitelist", "--blacklist", "--caps.drop=all", "--dbus-user",
      "--socket=x11", "--nosocket", "--filesystem=home", "--persist", "--share=network",
      "--command=sh", "--device=dri", "--talk-name", "--own-name", "--chroot", "--really_quiet",
      "--disable_clone_newnet", "--time_limit", "--rlimit_as", "--bindmount_ro", "--cwd", "--user",
      "--group", "--keep_env", "--network", "--volume", "--mount", "--workdir", "--add-host",
      "--dns", "--shm-size", "--read-only", "--cap-add=ALL", "--security-opt", "--privileged",
      "--expose", "--env-file", "--entrypoint", "--rm", "--tty", "--map-root-user", "--property",
      "--no-new-privs", "--unshare-network", "--allow-net", "--allow-read", "--deny-net",
    ])
  func otherTools(_ word: String) throws {
    let message = try self.message(for: word)
    let name = word.prefix { $0 != "=" }
    #expect(
      Option.named(ByteString(String(name))) != nil || message != "Unknown option \(word)",
      "\(message)")
  }

  // Red: a word of this table hides an option, or leads to one that is gone.
  @Test func `Synonyms are not options themselves, and each leads to an option`() {
    for (name, words) in Synonyms.options {
      #expect(Option.named(ByteString(name)) != nil, "\(name)")
      for word in words { #expect(Option.named(ByteString("--" + word)) == nil, "\(word)") }
    }
  }

  // Red: every word is answered with a suggestion, and none of them helps.
  @Test(
    "A word unlike any option gets no suggestion",
    arguments: ["--frobnicate-everything", "--q", "-", "--", "", "--zzzz", "-–"])
  func noSuggestion(_ word: String) {
    #expect(Suggestion.options(for: word) == [])
  }

  // Red: if the dashes are forgotten, the message mentions only a missing file.
  @Test(
    "A command that is an option without its dashes is recognised",
    arguments: Option.all.map(\.name))
  func missingDashes(_ name: String) {
    let bare = String(name.dropFirst(2))
    for word in [bare, "–" + bare, "—" + bare, bare.uppercased(), bare + "=1"] {
      let hint = Suggestion.hint(forCommand: ByteString(word))
      let expected = "\(word) was taken for the command; did you mean the option \(name)?"
      #expect(hint == expected, "\(String(describing: hint))")
    }
  }

  // Red: commands that are not found are answered with options that have nothing to do with them.
  @Test("Other commands are not", arguments: ["bash", "./ro-bind", "/bin/dir", "ls", "make", "x"])
  func otherCommands(_ word: String) {
    #expect(Suggestion.hint(forCommand: ByteString(word)) == nil)
  }

  private func message(for word: String) throws -> String {
    var parser = Parser()
    do throws(UsageError) {
      try parser.parse([ByteString(word), "1", "1", "1"])
    } catch {
      return error.message
    }
    Issue.record("\(word) is taken for an option")
    return ""
  }
}

extension String {
  /// Its words, without the punctuation of a question.
  fileprivate var words: [String] {
    split { $0 == " " || $0 == "," || $0 == "?" }.map(String.init)
  }
}

/// Ways to get a name wrong.
private enum Slip {
  /// Every word that one slip makes of `name`.
  static func all(of name: String) -> [String] {
    let letters = Array(name.dropFirst(2))
    var typed = [name.uppercased(), "-" + letters, "---" + letters, name + "=", name + "s"]
    typed.append("--" + letters.map { $0 == "-" ? "_" : String($0) }.joined())
    typed.append("--" + letters.filter { $0 != "-" })
    for index in letters.indices {
      var slip = letters
      // One kind of slip at each place keeps the number of words within bounds.
      switch index % 4 {
      case 0: slip.remove(at: index)
      case 1: slip.insert(letters[index], at: index)
      case 2: slip.insert("q", at: index)
      default: slip[index] = "q"
      }
      typed.append("--" + slip)
      if index > 0 {
        slip = letters
        slip.swapAt(index - 1, index)
        typed.append("--" + slip)
      }
    }
    return typed.filter { $0.count > 3 }
  }
}
