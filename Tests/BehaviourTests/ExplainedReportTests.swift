// SPDX-License-Identifier: Apache-2.0
// --explain: what a report says once, what it says of secrets, and what it leaves out.

import TestSupport
import Testing

@Suite("Explanations: what a report says", .needs("python3"))
struct ExplainedReportTests {
  // Red: a program of PATH has a line for each directory.
  @Test func `A program has one line, and so has a directory of many files`() throws {
    let outcome = try Session().run(
      """
      mkdir -p home a b; export HOME=$PWD/home PATH=$PWD/a:$PWD/b:$PATH; cp /bin/true a/mytool; cp /bin/true b/mytool
      nestbox --explain --setenv PATH $PATH sh -c mytool 2>&1 | grep -c '^nestbox: .*mytool'
      touch home/f1 home/f2 home/f3 home/f4 home/f5
      nestbox --explain sh -c 'cd /; cat ~/f1 ~/f2 ~/f3 ~/f4 ~/f5' 2>&1 | grep '^nestbox: .*/home' | sed 's/of .*, as/as/'
      """)
    #expect(
      outcome.lines == ["1", "nestbox: 5 files as f5, f4, f3: --json has the options for all"],
      "\(outcome)")
  }

  // Red: nobody learns that a file is empty inside because it is secret.
  @Test func `An empty file in the place of a secret is called secret`() throws {
    let outcome = try Session().run(
      """
      export HOME=$PWD/home; mkdir home d; echo k >home/.netrc; echo k >d/.env; touch home/empty
      nestbox --explain --tmp-home sh -c 'cat ~/.netrc ~/empty; exit 3' 2>&1 | grep -o '[^/]* is not shown.*'
      nestbox --explain --read d --hide .env cat d/.env 2>&1 | grep -o '[^/]* is not shown.*'
      """)
    #expect(
      outcome.lines == [
        ".netrc is not shown inside (cat): it is secret, or holds secrets",
        ".env is not shown inside (cat): --hide hides it",
      ], "\(outcome)")
  }

  // Red: the report names a call that is not the cause, or says that nothing was kept.
  @Test func `Namespaces that an option forbids are named, and sockets for audits are not`() throws
  {
    let outcome = try Session().run(
      """
      nestbox --explain --seccomp-allow unshare --disable-userns unshare -U true 2>&1 | grep -o 'user namespaces.*'
      nestbox --explain python3 -c 'import socket; socket.socket(16, 3, 9)' 2>&1 | grep -c 'seccomp-allow socket'
      nestbox --explain python3 -c 'import socket; socket.socket(16, 3, 8)' 2>&1 | grep -c 'seccomp-allow socket'
      """)
    #expect(
      outcome.lines == [
        "user namespaces cannot be made inside (unshare): --disable-userns forbids them", "0", "1",
      ], "\(outcome)")
  }

  // Red: programs that read the report do not learn what the rules about the network refused.
  @Test func `With --json the report has what the relay refused`() throws {
    let outcome = try Session().run(
      """
      nestbox --explain --json --net-allow example.org python3 -c 'import socket
      try: socket.create_connection(("nope.example", 81), 5)
      except OSError: pass' 2>&1 | grep '^{' | python3 -c 'import json, sys
      r = json.load(sys.stdin); print([x["host"] for x in r["refused"]])'
      """)
    #expect(outcome.lines == ["['nope.example']"], "\(outcome)")
  }

  // Red: the first line shows a file of a directory that the command misses as well, or all of a directory in which
  // it only looked for links.
  @Test(.needs("git"))
  func `A directory that is missing comes before what is in it`() throws {
    let outcome = try Session().run(
      """
      mkdir r; cd r; git init -q; echo x >f
      first() { grep -o -- '--read [^ ]*' | head -n 1 | sed 's,.*/,,'; }
      nestbox --explain git status 2>&1 | first
      nestbox --explain python3 -c "import os
      try: os.lstat('$PWD')
      except OSError: pass
      open('$PWD/f')" 2>&1 | first
      """)
    #expect(outcome.lines == [".git", "f"], "\(outcome)")
  }
}
