// SPDX-License-Identifier: Apache-2.0
// --single: a launch that goes into the running sandbox of its name.

import Foundation
import TestSupport
import Testing

@Suite("Single")
struct SingleTests {
  private static let preamble = """
    export XDG_RUNTIME_DIR=$PWD; mkdir shared bin
    # Each command waits until as many as $1 run at the same time, and tells its namespaces.
    printf '#!/bin/sh\\necho >>shared/count; until [ $(wc -l <shared/count) -ge $1 ]; do sleep 0.02; done; \
      readlink /proc/self/ns/mnt' >bin/tool; chmod +x bin/tool
    wrapped() { nestbox --wrap bin/tool --single --unshare-all --ro-bind / / --proc /proc --bind shared $PWD/shared \
      --chdir $PWD "$@" 2>&-; }

    """

  // Red: two clicks at once start two sandboxes, or one of them shows an error.
  @Test func `Of many launches at once one starts a sandbox, and the others enter it`() throws {
    let outcome = try Session().run(
      SingleTests.preamble + """
        wrapped --output wrapper
        for i in 1 2 3 4 5 6 7 8; do (./wrapper 8 >>out 2>>errors; echo $? >>status) & done; wait
        sort -u out | wc -l; sort status | uniq -c; cat errors; nestbox --list | grep '^tool'
        """)
    #expect(outcome.lines == ["1", "      8 0"], "\(outcome)")
  }

  // Red: a launch fails because the sandbox that it found was about to end.
  @Test func `Launches one after another never meet a sandbox that ends`() throws {
    let script =
      SingleTests.preamble + """
        wrapped --output wrapper
        for i in 1 2 3; do (for i in {1..30}; do ./wrapper 0 2>>errors >>out || echo failed; done) & done
        wait; wc -l <out; cat errors
        """
    var outcome = try Session().run(script)
    // Known: where a sandbox ends just after a command has entered and begun, the kernel kills that
    // command, once in some hundred launches on a busy machine. Twice in a row is another fault.
    if outcome.lines != ["90"] { outcome = try Session().run(script) }
    #expect(outcome.lines == ["90"], "\(outcome)")
  }

  // Red: a command runs with less protection than its own line asks for.
  @Test(
    "A sandbox that was started otherwise is not entered",
    arguments: [
      "--dev-bind / /", "--ro-bind / / --dev-bind / /", "--ro-bind / / --unshare-pid", "",
      "--unshare-pid --ro-bind / /",
    ])
  func others(_ options: String) throws {
    let outcome = try Session().run(
      """
      export XDG_RUNTIME_DIR=$PWD; mkfifo hold
      nestbox --name box --single \(options) sh -c 'read x' <hold & exec 3>hold
      until nestbox --list | grep -q '^box'; do sleep 0.02; done
      nestbox --name box --single --ro-bind / / echo ran; echo $?
      nestbox --name box --single --ro-bind / / -- echo ran; echo $?
      exec 3>&-; wait
      """)
    #expect(outcome.lines == ["125", "125"], "\(outcome)")
    #expect(
      outcome.errors.components(separatedBy: "with other options").count == 3, "\(outcome.errors)")
  }

  // Red: the command's protection is that of the line that enters, or none.
  @Test func `The protection inside is that of the sandbox, and the status is the command's`()
    throws
  {
    let outcome = try Session().run(
      """
      export XDG_RUNTIME_DIR=$PWD; mkfifo hold
      box() { nestbox --name box --single --unshare-all --ro-bind / / --proc /proc --seccomp-policy default "$@"; }
      look='grep -E "^(Cap|NoNewPrivs|Seccomp)" /proc/self/status; readlink /proc/self/ns/pid'
      box sh -c "{ $look; } >&4; read x" 4>first <hold & exec 3>hold
      until [ -s first ]; do sleep 0.02; done
      box sh -c "$look; exit 7" >second; echo $?
      cmp first second && wc -l <second
      exec 3>&-; wait
      """)
    #expect(outcome.lines == ["7", "9"], "\(outcome)")
  }
}
