// SPDX-License-Identifier: Apache-2.0
// What profiles of several runs hold, where they are written, and when they are called enough.

import TestSupport
import Testing

@Suite("Learned profiles: what they keep", .needs("python3"))
struct LearnedTogetherTests {
  // Red: the profile has what --read showed, but not the link on the way to it; or a link of --symlink twice.
  @Test func `A link on the way to what --read shows is learned`() throws {
    let outcome = try Session().run(
      """
      mkdir -p w/sub; echo own >w/sub/s; ln -s w/sub lnk; ln -s lnk twice
      for path in lnk/s twice/s; do
        nestbox --learn ./p --read ~/$path cat ~/$path 2>&1 | grep own; nestbox --profile ./p cat ~/$path; rm p
      done
      nestbox --profile untrusted --learn ./p --read ~/w --symlink w ~/x cat ~/x/sub/s 2>/dev/null; grep -c 'HOME}/x' p
      """)
    #expect(outcome.lines == ["own", "own", "own", "own", "own", "1"], "\(outcome)")
  }

  // Red: programs are told nothing about a run that failed.
  @Test func `A failed run with --json reports what was missing`() throws {
    let outcome = try Session().run(
      """
      echo a >a; nestbox --learn ./p --json sh -c "cat ~/a; exit 3" 2>&1 |
        python3 -c 'import json, sys; r = json.loads([l for l in sys.stdin if l[0] == "{"][0]); print(r["status"], r["complete"], [m["options"] for m in r["missing"]])'
      """)
    #expect(outcome.lines.count == 1, "\(outcome)")
    #expect(outcome.lines.first?.hasPrefix("3 False [['--read', ") == true, "\(outcome)")
  }

  // Red: under its profile a command changes what its run's line would have protected, had it been there.
  @Test func `What is protected once it exists is so under the profile`() throws {
    let outcome = try Session().run(
      """
      mkdir d; line='for f in d/new d/later d/deep/later; do echo x >>$f; done; ls d'
      nestbox --learn ./p --profile untrusted --bind $PWD/d $PWD/d --ro-bind-try $PWD/d/later $PWD/d/later --ro-same-try $PWD/d/deep/later sh -c 'echo x >d/new; ls d' 2>&1 | grep -v wrote
      nestbox --verify ./p sh -c 'echo x >d/new; ls d' 2>&1 | grep -c 'not used.*later'
      mkdir d/deep; echo kept | tee d/later d/deep/later >d/free
      nestbox --profile ./p sh -c 'for f in d/later d/deep/later d/free; do echo x >>$f; done' 2>&1 | grep -c Read-only
      wc -l <d/later; wc -l <d/deep/later; wc -l <d/free
      # The same by a path with a link on the way.
      rm -r p d/*; ln -s d link
      nestbox --learn ./p --profile untrusted --bind $PWD/d $PWD/d --symlink d $PWD/link --ro-bind-try $PWD/link/later $PWD/link/later sh -c 'echo x >link/new' 2>&1 | grep -v wrote
      echo kept >d/later; nestbox --profile ./p sh -c 'echo x >>d/later' 2>&1 | grep -c Read-only
      """)
    #expect(outcome.lines == ["new", "0", "2", "1", "1", "2", "1"], "\(outcome)")
  }

  // Red: a run that writes where an earlier one read cannot do so under the profile of both; or it may then
  // write what its own line protects.
  @Test func `A run that writes adds to one that reads`() throws {
    let outcome = try Session().run(
      """
      mkdir -p d/in d/kept 'e e' && echo 1 | tee d/f d/in/g d/kept/h >'e e/f'
      nestbox --learn ./p --read d --read 'e e' sh -c 'cat d/f d/in/g d/kept/h "e e/f"; ls d/kept' >/dev/null 2>&1
      nestbox --learn ./p --profile untrusted --write d --write 'e e' --ro-same-try $PWD/d/kept sh -c 'echo 2 >>d/f; echo 2 >d/new; echo 2 >>"e e/f"' 2>/dev/null
      nestbox --profile ./p sh -c 'for f in d/f d/in/g "e e/f" d/kept/h; do echo 3 >>"$f"; done' 2>&1 | grep -c Read-only
      cat d/f d/in/g 'e e/f' d/kept/h | tr -d '\\n'
      """)
    #expect(outcome.lines == ["1", "123" + "13" + "123" + "1"], "\(outcome)")
  }

  // Red: the command chooses where its profile is written, by a link on the way; or of two runs that end
  // together one is lost.
  @Test
  func `The profile goes where its path led before the run, beside what others wrote meanwhile`()
    throws
  {
    let outcome = try Session().run(
      """
      mkdir w safe other; echo mine | tee other/p a b >/dev/null; ln -s ../safe w/link; mkfifo go
      nestbox --learn w/link/p --write w --read a --read go sh -c 'ln -sfn ../other w/link; cat a; read x <go' >out 2>err &
      first=$!
      until [ -s out ]; do sleep 0.05; done
      nestbox --learn safe/p --read b cat b 2>/dev/null; echo >go; wait $first; echo $?
      cat other/p; grep -c '^--ro-same-try.*/[ab]$' safe/p
      """)
    #expect(outcome.lines == ["mine", "0", "mine", "2"], "\(outcome)")
  }

  // Red: a message about a mistake in FILE names a line that FILE does not have; or the line with the mistake is
  // replaced without a word; or the command runs first.
  @Test(
    "A profile with a mistake stays, and the message names the line",
    arguments: [
      ("--frobnicate x", "./p:3: Unknown option --frobnicate"),
      (#"--setenv A "b"#, "./p:3:12: the closing double quote is missing"),
      ("--setenv A", "./p:3: --setenv: VALUE is missing"),
      (#"--dir "${NOPE}""#, "./p:3:8: ${NOPE} is not set"),
      (#"--dir /\x00"#, "./p:3:7: NUL bytes are not allowed"),
      ("--net-deny 192.0.2.1", "./p:3: --net-deny needs --net-allow"),
    ])
  func mistakes(_ line: String, _ message: String) throws {
    let outcome = try Session().run(
      """
      printf '%b\\n' '# mine' '' '\(line)' '--chdir /' >p; cp p q
      nestbox --learn ./p --tmp-home --setenv B c echo ran; echo $?; cmp p q
      """)
    #expect(
      outcome.lines.last == "125" && outcome.errors.contains(String(message.dropFirst())),
      "\(outcome)")
    #expect(outcome.lines.count == (line.contains("net-deny") ? 2 : 1), "\(outcome)")
  }

  // Red: comments on what --shrink left out pile up, and name lines that are there again.
  @Test func `What a run brings back is not called unnecessary`() throws {
    let outcome = try Session().run(
      """
      for i in 1 2; do nestbox --learn ./p --shrink --tmp-home true 2>/dev/null; grep -c '^# not needed' p; done | uniq | wc -l
      nestbox --learn ./p --tmp-home true 2>/dev/null; grep -c '^# not needed' p
      """)
    #expect(outcome.lines == ["1", "0"], "\(outcome)")
  }

  // Red: what a run changed in a layer is not in its profile, and nothing says so.
  @Test func `A change in a layer alone becomes a comment`() throws {
    let outcome = try Session().run(
      """
      mkdir h h/d; export HOME=$PWD/h; cd h/d; echo 1 >f
      nestbox --learn ../../p --tmp-home sh -c 'echo 2 >>f' 2>/dev/null
      grep -c '^# .* was changed in a layer .*: --write ' ../../p; cat f
      """)
    #expect(outcome.lines == ["1", "1"], "\(outcome)")
  }

  // Red: nestbox writes a profile that it cannot read.
  @Test func `A profile that nestbox could not read is not written`() throws {
    let outcome = try Session().run(
      """
      # Too few in each directory for a line about all of it.
      long=$(printf '%0200d' 0); mkdir -p d/{1..7}$long/{1..7}$long/{1..7}$long
      for d in d/*/*/*; do touch $d/{1..7}; done
      find d -type f >list
      nestbox --learn ./p --read d bash -c 'while read f; do : <$f; done' <list; echo $?; ls p 2>/dev/null
      """)
    #expect(outcome.lines == ["125"], "\(outcome)")
    #expect(
      outcome.errors.contains("and nestbox reads no profile of more than 1 MiB"), "\(outcome)")
  }

  // Red: a line through which results reach the host is left out, and they are lost without a word.
  @Test func `Lines through which files change are not left out, unless the run did not use them`()
    throws
  {
    let outcome = try Session().run(
      """
      # Without its line, the working directory is there as well, but vanishes with the sandbox.
      mkdir w unused; cd w; nestbox --learn ../p --write . --shrink sh -c 'echo result >out' 2>/dev/null; rm out
      nestbox --profile ../p sh -c 'echo result >out'; cat out
      echo "--bind ${PWD%/w}/unused ${PWD%/w}/unused" >>../p; nestbox --verify ../p --shrink sh -c 'echo result >out' 2>/dev/null
      grep -c '^# not needed: --bind' ../p; grep -c '^--bind-try ' ../p
      """)
    #expect(outcome.lines == ["result", "1", "1"], "\(outcome)")
  }

  // Red: a profile under which the command fails is called enough, as a comment happens to name the file, or
  // most programs do without it.
  @Test(
    "A profile under which the command fails is not called enough",
    arguments: [
      ("--read f", "cat f", "/f is not shown inside (cat): --read"),
      ("", "cat /etc/machine-id", "/etc/machine-id is not shown inside (cat)"),
      ("", "sh -c 'exit 3'", "the command failed (status 3), and nestbox saw nothing that"),
    ])
  func failing(_ options: String, _ command: String, _ text: String) throws {
    let outcome = try Session().run(
      """
      echo x >f
      nestbox --learn ./p \(options) \(options.isEmpty ? "true" : command) >/dev/null 2>&1
      sed -i 's|^--ro-same-try .*/f$|# not needed: &|' p
      nestbox --verify ./p \(command) 2>&1 >/dev/null; echo $?
      """)
    #expect(!outcome.output.contains("is enough for this run"), "\(outcome)")
    #expect(outcome.output.contains(text), "\(outcome)")
    #expect(outcome.lines.last != "0", "\(outcome)")
  }
}
