// SPDX-License-Identifier: Apache-2.0
// The meaning of a policy's words, and the messages about words without meaning.

import Linux
import SystemPackage
import Testing

@testable import Seccomp
import Text

@Suite("Policies as text")
struct PolicyReaderTests {
  // Red: the message about a typing mistake lacks the place, the expected word, or a suggestion.
  @Test(
    "A mistake has its place, what was expected, and the nearest name",
    arguments: [
      (
        "alow read",
        "2:1: expected an action (allow, log, errno, trap, kill) or a directive "
          + "(default, foreign, arch, include, group, exec), found \"alow\"; did you mean allow?"
      ),
      ("allow raed", "2:7: unknown system call \"raed\"; did you mean read?"),
      ("allow read opne", "2:12: unknown system call \"opne\"; did you mean open?"),
      ("allow @basic-oi", "2:7: there is no group \"@basic-oi\"; did you mean @basic-io?"),
      ("allow", "2:6: expected a system call or a @group, found the end of the line"),
      (
        "errno EPREM read",
        "2:7: expected the name of an error, as EPERM, found \"EPREM\"; "
          + "did you mean EPERM?"
      ),
      ("errno", "2:6: expected the name of an error, as EPERM, found the end of the line"),
      (
        "allow ioctl if arg1 = TIOCSTI",
        "2:21: expected a comparison (== != < <= > >=), "
          + "found \"=\""
      ),
      (
        "allow ioctl if arg1 == TIOCSTY",
        "2:24: expected a number or a constant, found "
          + "\"TIOCSTY\"; did you mean TIOCSTI?"
      ),
      (
        "allow ioctl if arg6 == 1",
        "2:16: expected an argument, arg0 to arg5, or arg0:64 to "
          + "arg5:64 for all of its bits, found \"arg6\""
      ),
      (
        "allow ioctl if",
        "2:15: expected an argument, arg0 to arg5, or arg0:64 to arg5:64 for all "
          + "of its bits, found the end of the line"
      ),
      (
        "allow ioctl if arg1 == 1 or arg2 == 2",
        "2:26: expected the end of the line, found "
          + "\"or\""
      ),
      (
        "allow read if arg2 > 0x100000000",
        "2:22: \"0x100000000\" does not fit into the 32 bits that "
          + "are compared; argN:64 compares all 64"
      ),
      ("allow read if arg2 < 0", "2:20: this comparison has the same result for every argument"),
      ("allow read if arg2 >= 0", "2:20: this comparison has the same result for every argument"),
      (
        "allow read if arg0 & 2 == 1",
        "2:24: this comparison has the same result for every "
          + "argument"
      ),
      ("allow read if arg0 & 2 < 1", "2:24: expected == or != after a mask, found \"<\""),
      (
        "arch amd64",
        "2:6: expected an architecture (x86_64, x86, x32, aarch64, arm), found "
          + "\"amd64\""
      ),
      ("arch arm", "2:6: x86_64 machines do not run programs of arm; arch? skips it"),
      (
        "include nothing-like-it",
        "2:9: can't read the policy nothing-like-it: No such file or "
          + "directory; built in are default, desktop, strict, compat"
      ),
      (
        "include strct",
        "2:9: can't read the policy strct: No such file or directory; built in "
          + "are default, desktop, strict, compat; did you mean strict?"
      ),
      ("include ./nothing", "2:9: can't read the policy ./nothing: No such file or directory"),
      ("include", "2:8: expected a policy or a file, found the end of the line"),
      ("group mine read", "2:7: expected the name of a group, as @name, found \"mine\""),
      ("group @known read", "2:7: @known already means every call"),
      ("allow \"read", "2:7: the closing double quote is missing"),
      ("exec twice", "2:6: expected once, found \"twice\""),
      ("default allow allow", "2:15: expected the end of the line, found \"allow\""),
      (
        "default allov",
        "2:9: expected an action (allow, log, errno, trap, kill), found \"allov\"; "
          + "did you mean allow?"
      ),
      ("allow re\u{1b}[2Jad", "2:7: unknown system call $'re\\x1b[2Jad'"),
      ("\tallow  raed # not read", "2:9: unknown system call \"raed\"; did you mean read?"),
    ])
  func mistake(_ line: String, _ message: String) throws {
    let error = try #require(throws: PolicyError.self) {
      try policy("default errno EPERM\n\(line)\n")
    }
    #expect(error.message == "test:" + message)
  }

  // Red: a policy without a default decides calls that it does not name.
  @Test func `A policy says what happens to all other calls`() throws {
    let error = try #require(throws: PolicyError.self) { try policy("allow read\n") }
    #expect(error.message == "test: a line \"default ACTION\" is missing")
  }

  // Red: a call that an architecture lacks is skipped without a message, or cannot be skipped.
  @Test func `Calls that an architecture lacks are reported, or skipped on request`() throws {
    let lacking = try policy("default errno EPERM\nallow open\n", for: "aarch64")
    let error = try #require(throws: PolicyError.self) { try lacking.compiled() }
    #expect(
      error.message == "test:2:7: aarch64 has no system call \"open\"; to skip it, begin the line "
        + "with allow?")
    _ = try policy("default errno EPERM\nallow? open\n", for: "aarch64").compiled()
    _ = try policy("default errno EPERM\nallow? call_of_the_future\n").compiled()
    _ = try policy("default allow\narch? arm x86\n").compiled()
  }

  // Red: a line that is meant to refine an included policy does not.
  @Test func `Later lines override earlier ones`() throws {
    let decisions = try policy(
      """
      include default
      allow ptrace
      errno EIO read if arg0 == 7
      allow ioctl
      group @mine write close
      group @mine lseek
      kill @mine
      default trap
      """
    ).decisions(on: .native)
    #expect(decisions["ptrace"] == Decision(otherwise: .allow))
    #expect(decisions["read"]?.action(for: [7]) == .errno(.ioError))
    #expect(decisions["read"]?.action(for: [8]) == .allow)
    #expect(decisions["ioctl"] == Decision(otherwise: .allow))
    #expect(decisions["lseek"] == Decision(otherwise: .kill))
    #expect(decisions["mount"] == Decision(otherwise: .errno(.notPermitted)))
  }

  // Red: numbers mean something else than in C.
  @Test(
    "Numbers and constants are those of C",
    arguments: [
      ("10", 10), ("0x1F", 31), ("010", 8), ("0", 0), ("CLONE_NEWUSER", 0x1000_0000),
      ("1|2 | 4", 7), ("AT_FDCWD", 0xffff_ff9c), ("TIOCSTI", 0x5412),
    ] as [(String, UInt64)])
  func value(_ text: String, _ value: UInt64) throws {
    let decision = try policy("default trap\nallow read if arg0 != \(text)\n")
      .decisions(on: .native)["read"]
    #expect(decision?.clauses.first?.comparisons.first?.value == value)
  }

  // Red: the lists of the command line mean something else than lines of a policy.
  @Test func `Lists of the command line come after the policy`() throws {
    var choice = PolicyChoice("default")
    choice.adjustments = [
      .init(option: "--seccomp-allow", action: .allow, list: "@mount,ptrace"),
      .init(option: "--seccomp-deny", action: .errno(.notPermitted), list: "pivot_root"),
    ]
    let decisions = try choice.policy().decisions(on: .native)
    #expect(decisions["mount"] == Decision(otherwise: .allow))
    #expect(decisions["ptrace"] == Decision(otherwise: .allow))
    #expect(decisions["pivot_root"] == Decision(otherwise: .errno(.notPermitted)))
    choice.adjustments = [.init(option: "--seccomp-allow", action: .allow, list: "read,ptrce")]
    let error = try #require(throws: PolicyError.self) { try choice.policy() }
    #expect(
      error.message == "--seccomp-allow: unknown system call \"ptrce\"; did you mean ptrace?")
    choice.adjustments = [.init(option: "--seccomp-allow", action: .allow, list: "read,")]
    #expect(throws: PolicyError.self) { try choice.policy() }
  }
}
