// SPDX-License-Identifier: Apache-2.0
// --learn, --verify and --shrink: whether programs run under what was learned from them as they did
// before, and whether a hostile command gets more than it had.

import Foundation
import TestSupport
import Testing

@Suite("Learned profiles", .needs("python3"))
struct LearnTests {
  private static let table = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "learn-programs.py")

  // Red: a program behaves differently under the profile that was learned from it.
  @Test(
    "Under its learned profile a program does the same",
    arguments: ["python3", "perl", "gcc", "make", "git", "bash", "sed", "tar", "diff", "server"])
  func same(_ program: String) throws {
    let session = try Session()
    try session.write("table.py", String(contentsOf: LearnTests.table, encoding: .utf8))
    let outcome = try session.run(
      "mkdir work; NESTBOX=$(command -v nestbox) LEARN_DIR=$PWD/work python3 table.py \(program)")
    #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
    let row = outcome.lines.last ?? ""
    #expect(row.contains("| same |") || row.contains("not installed"), "\(row)")
  }

  // Red: a command gives itself a network, or a file, by a name that it chose.
  @Test func `Names that a command chooses add nothing but themselves`() throws {
    let session = try Session()
    try session.write(
      "hostile.py",
      #"""
      import os
      for name in [b"a\n--share-net", b"b\" \"c", b"${HOME}", b"d\\", b"#e", b" f ", b"\xff", b"\x1b[2J"]:
        path = os.path.join(os.getcwdb(), b"d", name)
        open(path, "rb").read()
        try: os.stat(b"/etc/\n--share-net\n" + name)
        except OSError: pass
      """#)
    let outcome = try session.run(
      #"""
      mkdir d; cd d; touch $'a\n--share-net' 'b" "c' '${HOME}' 'd\' '#e' ' f ' $'\xff' $'\e[2J'; cd ..
      nestbox --learn ./p.profile --read d --read hostile.py python3 hostile.py 2>err || cat err
      grep -c share-net p.profile; grep -cx -- '--share-net.*' p.profile
      LC_ALL=C grep -c $'\e' p.profile
      nestbox --profile ./p.profile --dry-run --json true | python3 -c '
      import json, sys
      print(json.load(sys.stdin)["namespaces"]["net"])'
      nestbox --profile ./p.profile python3 -c 'import os
      print(sorted(os.listdir(b"d")))'
      """#)
    #expect(
      outcome.lines == [
        "1", "0", "0", "new",
        #"[b' f ', b'#e', b'${HOME}', b'a\n--share-net', b'b" "c', b'd\\', b'\xff']"#,
      ], "\(outcome)")
  }

  // Red: a learned profile shows what its run did not show, or permits what it did not permit.
  @Test func `A profile shows nothing that its run did not show`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      mkdir -p d/e other home/.ssh; echo k >home/.ssh/id; echo x >d/e/f; echo y >other/f
      export HOME=$PWD/home
      nestbox --learn ./p.profile --read d sh -c 'ls d d/e; cat ~/.ssh/id other/f; ls /; true' >/dev/null 2>&1
      nestbox --profile ./p.profile sh -c 'cat d/e/f; cat ~/.ssh/id other/f /etc/hostname; echo >d/new' 2>/dev/null
      nestbox --profile ./p.profile sh -c 'grep Seccomp: /proc/self/status; ls /proc/self/fd | wc -l'
      grep -v '^#   ' p.profile | grep -c 'other/f'; grep -v '^#' p.profile | grep -c 'other\\|ssh'
      """)
    #expect(outcome.lines == ["x", "Seccomp:\t2", "4", "1", "0"], "\(outcome)")
  }

  // Red: a command under its profile changes what its run could only read; or a run that could change
  // all of a directory does less under the profile of two runs.
  @Test func `What is read-only in a writable directory stays so`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      mkdir -p d/used d/unused/w d/link.d; ln -s link.d d/link; echo old | tee d/used/f d/unused/f d/link.d/f >d/file
      line='echo new >d/unused/w/new; echo new >d/new; cat d/used/f
      for f in d/file d/*/f; do echo new >$f; done 2>/dev/null; cat d/file d/*/f'
      learn() { nestbox --learn ./p --ro-bind / / --dev /dev --proc /proc --unshare-all --bind $PWD/d $PWD/d "$@" 2>err || cat err; }
      only() { for f; do echo --ro-bind $PWD/d/$f $PWD/d/$f; done; }
      learn $(only used unused file link) --bind $PWD/d/unused/w $PWD/d/unused/w sh -c "$line" | uniq -c
      nestbox --profile ./p sh -c "$line" | uniq -c; grep -c '^--.*}/d' p
      nestbox --verify ./p true 2>&1 | grep -c 'not used.*}/d'; rm p
      learn sh -c 'echo new >d/other'; learn $(only used file) sh -c 'echo new >d/new; cat d/used/f'
      nestbox --profile ./p sh -c "$line" | uniq -c; rm p
      # More files than a profile is made of.
      mkdir many; (cd many; seq 4300 | xargs touch)
      learn $(only used unused file link) sh -c 'echo new >d/new; for i in $(seq 4300); do : <many/$i; done'
      grep -c '^--.*}/d' p
      """)
    let words = outcome.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    // Of the link, where it lies and where it leads.
    #expect(words == "6 old 6 old 9 2 old 1 old 5 new 7", "\(outcome)")
  }

  // Red: a profile has a line for each directory of a cache; or it gives a command directories of which
  // it knew few names, secrets, or the right to change what it only read.
  @Test func `A directory counts as listed if nearly all its names were looked at`() throws {
    let session = try Session()
    try session.write(
      "use.py",
      """
      import os, sys
      # DIRECTORY LOOKED READ WRITTEN: how many of its directories are used, and how.
      for line in sys.argv[1:]:
          path, *counts = line.split(",")
          looked, read, written = map(int, counts)
          for i in range(looked):
              os.stat(f"{path}/{i:02x}")
              if i < read: open(f"{path}/{i:02x}/f").read()
              if i < written: open(f"{path}/{i:02x}/new", "w")
      """)
    let outcome = try session.run(
      """
      export HOME=$PWD/home
      for d in home/warm home/full home/half home/few home/looked home/.config home/.ssh; do for i in 0 1; do for j in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
        mkdir -p $d/$i$j; echo x >$d/$i$j/f
      done; done; done
      set -- ~/warm,30,20,4 ~/full,32,0,24 ~/half,20,20,20 ~/few,20,7,0 ~/looked,32,0,0 ~/.config,32,32,0 ~/.ssh,32,32,0
      learn() { nestbox --learn ./p --ro-bind / / --dev /dev --proc /proc --unshare-all "$@" 2>err || cat err; }
      learn --bind $HOME $HOME python3 use.py "$@"
      sed -n 's|^--\\([a-z-]*\\) ${HOME}/\\([^ ]*\\).*|\\1 \\2|p' p | sed 's|/[01].*|/N|' | uniq -c | sed 's|^ *||'
      grep -c '^# .* of 32 names in this directory' p; grep -c '^# used, but it is secret' p
      nestbox --verify ./p python3 use.py ~/warm,30,20,4 ~/full,32,0,24
      """)
    #expect(
      outcome.lines == [
        "32 ro-same-try .config/N", "7 ro-same-try few/N", "13 dir few/N", "1 bind-try full",
        "20 bind-try half/N", "1 ro-same-try looked", "1 ro-same-try warm", "4 bind-try warm/N",
        "3", "32",
      ], "\(outcome)")
  }

  // Red: a profile shows what --tmp-home kept from the run, because a link or a variable led there.
  @Test func `What --tmp-home hides behind links and variables is not learned`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      mkdir -p home/data/keys home/data/gpg home/rest; ln -s data/keys home/.ssh; ln -s data/netrc home/.netrc
      for name in data/keys/id data/gpg/ring data/netrc; do echo SECRET >home/$name; done; echo note >home/data/note; echo rest >home/rest/f
      export HOME=$PWD/home GNUPGHOME=$PWD/home/data/gpg
      line='cd; ls data data/keys data/gpg rest >/dev/null; cat data/note rest/f data/netrc data/keys/id data/gpg/ring; true'
      nestbox --learn ./p.profile --tmp-home sh -c "$line" 2>/dev/null
      nestbox --profile ./p.profile sh -c "$line" 2>/dev/null
      grep -v '^#' p.profile | sed -n 's|.*try ${HOME}/||p'; grep -c 'it is secret' p.profile
      """)
    #expect(
      outcome.lines == ["note", "rest", "note", "rest", "data/note", "rest", "5"], "\(outcome)")
  }

  // Red: a profile that lacks a listed directory, a link or a loader is told to be enough.
  @Test func `Links, loaders, interpreters and listed directories are learned`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      mkdir -p real/list; ln -s real link; ln -s list real/near; touch real/list/1 real/list/2
      cp /bin/sh shell; printf '#!%s/shell\\necho from script\\n' "$PWD" >script; chmod +x script
      line='./script; ls link/near'
      nestbox --learn ./p.profile --ro-bind / / --dev /dev --proc /proc --unshare-all sh -c "$line" 2>err || cat err
      nestbox --verify ./p.profile sh -c "$line"
      grep -v '^#' p.profile | sed -n "s|.*\\${HOME}/||p;s|.*\\${PROJECT}/||p" | sort
      """)
    #expect(
      outcome.lines == [
        "from script", "1", "2", "from script", "1", "2", "link", "real/list", "real/near",
        "script", "shell",
      ], "\(outcome)")
  }

  // Red: nestbox waits for a writer of a FIFO, or puts a profile in the place of a device.
  @Test func `A profile is learned into regular files alone`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      mkfifo fifo; mkdir directory; ln -s fifo link
      for file in fifo directory link /dev/null; do
        for task in --learn --verify; do
          nestbox $task $file --ro-bind /usr /usr --unshare-all true; echo $?
        done
      done
      """)
    #expect(outcome.lines == Array(repeating: "125", count: 8), "\(outcome)")
    let refusals = outcome.errors.split(separator: "\n").filter {
      $0.hasSuffix("is not a regular file; name another file")
    }
    #expect(refusals.count == 8, "\(outcome)")
  }

  // Red: a profile that was never seen to be enough is called so.
  @Test func `What was interrupted says nothing about a profile`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      nestbox --learn ./p --ro-bind / / --unshare-all sleep 0.1 2>/dev/null
      verify() { nestbox --verify ./p "$@" 2>&1 | grep -o 'is enough for.*:' || echo not said; }
      verify sleep 0.1; verify sh -c 'exit 3'; verify sh -c 'kill -INT $$'
      verify sh -c 'sh -c "kill -INT \\$\\$"; exit 130'
      nestbox --json --verify ./p sh -c 'kill -INT $$' 2>&1 | grep -o '"complete":[a-z ]*'
      """)
    #expect(
      outcome.lines == [
        "is enough for this run:", "not said", "not said", "not said",
        #""complete": false"#,
      ], "\(outcome)")
  }

  // Red: a run that had more room or another service finds less under the profile of two runs, or
  // --shrink keeps a service that nothing used.
  @Test func `Sizes, capabilities and services stay, and the larger size of two runs`() throws {
    for file in KeptThing.busPrograms where !FileManager.default.fileExists(atPath: file) {
      try Test.cancel("needs \(file)")
    }
    let session = try Session()
    let outcome = try session.run(
      """
      \(KeptThing.bus)
      own='--dbus-own org.example.Mine --dbus-call org.example.Other=org.example.Test.*@/*'
      learn() {
        size=$1; shift
        nestbox --learn ./p --ro-bind / / --dev /dev --proc /proc $size --tmpfs /tmp --unshare-all --cap-add CAP_NET_RAW $own \
          dd if=/dev/zero of=/tmp/f bs=4096 count=$1 2>err || cat err
      }
      sizes() { grep -c '^--tmpfs' p; grep '^--size' p; }
      learn '--size 65536' 10; sizes; learn '--size 1048576' 100; sizes; learn '--size 65536' 10; sizes
      nestbox --profile ./p dd if=/dev/zero of=/tmp/f bs=4096 count=100 2>/dev/null && echo room
      nestbox --profile ./p dd if=/dev/zero of=/tmp/f bs=4096 count=400 2>/dev/null || echo full
      nestbox --profile ./p grep CapEff /proc/self/status; grep -e '^--dbus' p
      nestbox --verify ./p --shrink true 2>err; grep -o '^#.*--dbus.*' p; grep -e '^--dbus' p
      learn '' 1000; sizes
      kill $(jobs -p)
      """)
    let size = ["1", "--size 1048576"]
    #expect(
      outcome.lines == ["1", "--size 65536"] + size + size + [
        "room", "full", "CapEff:\t0000000000002000", "--dbus-session",
        "--dbus-own org.example.Mine", "--dbus-call org.example.Other=org.example.Test.*@/*",
        "# not needed: --dbus-own org.example.Mine",
        "# not needed: --dbus-call org.example.Other=org.example.Test.*@/*", "--dbus-session", "1",
      ], "\(outcome)")
  }

  // Red: the trials of --shrink count a run that differs for the same, or take a protection away.
  @Test func `Shrinking keeps what the output depends on`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      mkdir w; cd w; echo one >a; echo two >b
      nestbox --learn ../p.profile --read . sh -c 'cat a; cat b 2>&1; true' >/dev/null 2>&1
      nestbox --verify ../p.profile --shrink --json sh -c 'cat a; test -e b || true' 2>../err
      python3 -c 'import json
      r = json.load(open("../err")); print(r["output-compared"], any("/b" in l for l in r["shrunk-away"]))'
      grep -c '^--ro-same-try.*/a$' ../p.profile; grep -c '^--unshare-all' ../p.profile
      nestbox --verify ../p.profile --shrink --json date +%N 2>../err >/dev/null
      python3 -c 'import json; print(json.load(open("../err"))["output-compared"])'
      """)
    #expect(outcome.lines == ["one", "True True", "1", "1", "False"], "\(outcome)")
  }
}
