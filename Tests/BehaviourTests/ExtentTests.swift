// SPDX-License-Identifier: Apache-2.0
// Input that is larger, deeper or longer than people write: nestbox uses it, or refuses it with a message.

import Foundation
import TestSupport
import Testing

@Suite("Extent")
struct ExtentTests {
  /// Runs what follows with as little stack as a caller may leave.
  ///
  /// AddressSanitizer makes every frame larger.
  private static let smallStack = Program.isStatic ? "ulimit -s 256; " : ""

  // Red: who compiles a long policy overflows the stack, once for each condition.
  @Test func `A policy may have many conditions on one call`() throws {
    let outcome = try Session().run(
      ExtentTests.smallStack + """
        {
          echo 'default allow'
          for i in {1..250}; do
            echo "errno EPERM ioctl if arg1 == $((i * 7))"
            echo "errno EACCES ioctl if arg2 == $((i * 7))"
          done
        } > long.policy
        nestbox --seccomp-compile ./long.policy > program || exit
        echo $(($(stat -c %s program) / 8))
        nestbox --ro-bind / / --seccomp-policy ./long.policy echo works
        """)
    #expect(outcome.lines == ["1387", "works"], "\(outcome.errors)")
  }

  // Red: a policy ends the compiler by its length, or the kernel refuses it without a reason.
  @Test func `A policy of more conditions than can be compiled is refused`() throws {
    let outcome = try Session().run(
      """
      for i in {1..12000}; do
        echo 'log dup if arg0==1'; echo 'log dup if arg1==1'
      done > part.policy
      { echo 'default allow'; printf 'include part.policy\\n%.0s' 1 2 3; } > all.policy
      nestbox --seccomp-compile ./all.policy
      """)
    #expect(outcome.status == 125)
    #expect(
      outcome.errors
        == "nestbox: ./all.policy: the policy needs 215885 instructions; the kernel accepts 4096")
  }

  // Red: profiles that include each other end in a crash.
  @Test func `Thousands of nested profiles and policies are refused by their depth`() throws {
    let outcome = try Session().run(
      ExtentTests.smallStack + """
        for i in {0..3000}; do
          echo "--profile ./$((i + 1)).profile" > $i.profile
          echo "include ./$((i + 1)).policy" > $i.policy
        done
        nestbox --profile ./0.profile true; echo $?
        nestbox --seccomp-policy ./0.policy true; echo $?
        """)
    #expect(outcome.lines == ["125", "125"])
    #expect(
      outcome.errors.split(separator: "\n") == [
        "nestbox: ./15.profile:1: --profile: profiles include each other more than 16 deep",
        "nestbox: ./15.policy:1:9: policies include each other too deeply",
      ])
  }

  // Red: a line of variables in variables ends in a crash.
  @Test func `Variables that are nested too deeply are refused`() throws {
    let outcome = try Session().run(
      ExtentTests.smallStack + """
        { printf -- '--setenv A '; printf '${A1:-%.0s' {1..40000}; echo; } > deep.profile
        nestbox --profile ./deep.profile true
        """)
    #expect(outcome.status == 125)
    #expect(outcome.errors.hasSuffix("variables are nested too deeply"), "\(outcome.errors)")
  }

  // Red: repeated includes multiply without limit.
  @Test func `One profile may include others thousands of times`() throws {
    let outcome = try Session().run(
      ExtentTests.smallStack + """
        echo '--setenv A B' > leaf.profile
        { printf -- '--profile ./leaf.profile\\n%.0s' {1..5000}; echo '--ro-bind / /'; } > wide.profile
        nestbox --profile ./wide.profile printenv A
        """)
    #expect(outcome.output == "B", "\(outcome.errors)")
  }

  // Red: a list of words that other tools write is cut off, or is looked through again and again.
  @Test func `Ten thousand options and arguments arrive`() throws {
    let outcome = try Session().run(
      """
      for i in {1..10000}; do printf '%s\\0' --setenv A$i $i; done > words
      nestbox --ro-bind / / --args 3 bash -c 'echo $A1 $A10000 $#' bash {1..10000} 3< words
      """)
    #expect(outcome.output == "1 10000 10000", "\(outcome.errors)")
  }

  // Red: a value that is longer than the kernel takes is cut off, or blamed on something else.
  @Test func `A value of a megabyte is refused by the kernel, and a path of it as well`() throws {
    let outcome = try Session().run(
      """
      long=$(head -c 1000000 /dev/zero | tr '\\0' x)
      try() { printf '%s\\0' --ro-bind / / "$@" > words; nestbox --args 3 true 3< words; echo $?; }
      try --setenv LONG "$long"; try --dir "/tmp/$long"; try --ro-bind "/$long" /mnt
      """)
    #expect(outcome.lines == ["126", "125", "125"])
    let lines = outcome.errors.split(separator: "\n").filter { $0.utf8.count < 300 }
    #expect(lines.contains("nestbox: Can't execute true: Argument list too long (execve)"))
    #expect(outcome.errors.components(separatedBy: "File name too long").count == 3)
  }

  // Red: the highest descriptor that there can be is not seen, or one that cannot be is a crash.
  @Test func `Numbers of descriptors are taken up to their limits`() throws {
    let outcome = try Session().run(
      """
      ulimit -n 4096
      for number in 4095 4096 2147483647 2147483648 18446744073709551616; do
        exec 4095< /dev/null
        nestbox --ro-bind / / --tmpfs /tmp --file $number /tmp/x test -f /tmp/x; echo $?
      done
      """)
    #expect(outcome.lines == ["0", "125", "125", "125", "125"])
    #expect(
      outcome.errors.split(separator: "\n") == [
        "nestbox: --file: descriptor 4096 is not open",
        "nestbox: --file: descriptor 2147483647 is not open",
        "nestbox: --file: expected the number of a descriptor, found 2147483648",
        "nestbox: --file: expected the number of a descriptor, found 18446744073709551616",
      ])
  }

  // Red: a launcher that gets no memory goes on with a null pointer, or leaves a command behind.
  //
  // The least limit is the one with which anything works: below it the kernel or the C library ends
  // the process by SIGSEGV before `main`, as it has no room for the executable's own data.
  @Test(
    "A launcher whose memory ends is aborted before anything of the sandbox starts",
    .enabled(if: Program.isStatic, "other executables need more memory before main"))
  func memory() throws {
    let outcome = try Session().run(
      """
      ulimit -c 0
      works() { (ulimit -d $1; exec nestbox --version) > /dev/null 2>&1; }
      low=0 high=100000
      while [ $((high - low)) -gt 4 ]; do
        middle=$(((low + high) / 2))
        if works $middle; then high=$middle; else low=$middle; fi
      done
      for count in 1500 3000 4500 6000; do
        printf -- '--ro-bind\\0/etc\\0/tmp/%s\\0' $(seq $count) > words
        for more in 0 100 200 300 400 500 600 700; do
          (ulimit -d $((high + more))
          exec nestbox --ro-bind / / --tmpfs /tmp --bind . /mnt --args 3 touch /mnt/ran) \\
            3< words 2> message
          echo $? $(rm ran 2> /dev/null && echo ran) $(grep -o 'failed to allocate' message)
        done
      done | sort | uniq -c | sed 's/^ *[0-9]* //'
      """)
    #expect(outcome.lines == ["0 ran", "134 failed to allocate"], "\(outcome)")
  }
}
