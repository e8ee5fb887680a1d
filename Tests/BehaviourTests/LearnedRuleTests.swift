// SPDX-License-Identifier: Apache-2.0
// --learn narrows what a line permits of the network, of the buses and of system calls to what the
// run used, and says which limits have room for it.

import Foundation
import TestSupport
import Testing

@Suite("Learned rules", .needs("python3"))
struct LearnedRuleTests {
  // Red: a profile permits hosts that no run reached, or too few for one of the runs.
  @Test(.needs("ip"), .needs("curl")) func `Rules about the network name what the runs reached`()
    throws
  {
    let session = try Session()
    for name in ["world.sh", "internet.py"] {
      try session.write(
        name, String(contentsOfFile: ProfileTests.programs + "/" + name, encoding: .utf8))
    }
    try session.write(
      "script",
      """
      learn() {
        nestbox --learn ./p --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc \
          --net-allow '*' --net-allow web.test:8080,8081 --net-allow private.test@10.0.0.0/8 \
          --net-allow '203.0.113.0/24:80/udp' --net-allow 10.113.0.0/24 "$@" 2>err || cat err
      }
      get() { curl --silent --show-error --max-time 20 "$@"; }
      learn curl -4 --silent http://web.test/
      grep '^--.*net' p; grep -c '^# No run used.*changing files' p
      learn bash -c 'for url in http://web.test:8080 http://203.0.113.8/ http://private.test/; do
        curl -4 --silent $url; done; getent hosts other.test >/dev/null
        python3 -c "import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b\\"x\\", (\\"203.0.113.7\\", 80))"'
      grep '^--.*net' p | sort
      nestbox --profile ./p curl -4 --silent http://web.test/
      nestbox --profile ./p curl --silent http://www.web.test/ || echo refused
      nestbox --verify ./p curl --silent http://web.test/ 2>&1 >/dev/null |
        grep -o 'not used.*net-allow.*' | sed 's/p:[0-9]*/p/' | sort
      rm p; learn true; grep '^--.*net' p; grep -o 'the network$' p
      nestbox --profile ./p ip -br link | grep -c .
      """)
    let outcome = try session.run("bash world.sh bash script")
    // Whether the relay takes the address of IPv4 or IPv6 does not matter.
    let lines = outcome.lines.map { line in
      line.hasPrefix("-") || line.contains("used") ? line : String(line.prefix { $0 != " " })
    }
    #expect(
      lines == [
        "web.test", "--unshare-net", "--net-allow web.test:80", "1", "web.test:8080",
        "203.0.113.8", "private.test",
        "--net-allow 203.0.113.7:80/udp", "--net-allow 203.0.113.8:80",
        "--net-allow other.test:80", "--net-allow private.test@10.0.0.0/8",
        "--net-allow web.test:80", "--net-allow web.test:8080,8081", "--unshare-net",
        "web.test", "refused",
      ]
        + [
          "203.0.113.7:80/udp", "203.0.113.8:80", "other.test:80", "private.test@10.0.0.0/8",
          "web.test:8080,8081",
        ].map { "not used: ./p: --net-allow " + $0 } + ["--unshare-net", "the", "1"],
      "\(outcome)")
  }

  // Red: a profile lets a command call a whole group of names of which it called one.
  @Test func `Names on the bus take the place of a group`() throws {
    for file in KeptThing.busPrograms + ["/usr/lib/python3/dist-packages/gi"]
    where !FileManager.default.fileExists(atPath: file) {
      try Test.cancel("needs \(file)")
    }
    let session = try Session()
    let outcome = try session.run(
      """
      \(KeptThing.bus)
      mkdir notes
      for name in org.example.One org.example.Two org.example.Three; do
        python3 \(KeptThing.service) "$DBUS_SESSION_BUS_ADDRESS" $name $PWD/notes &
        while [ ! -e notes/$name ]; do sleep 0.1; done
      done
      call() { dbus-send --session --print-reply --dest=$1 /org/example org.example.Test.Note string:x; }
      export -f call
      learn() {
        nestbox --learn ./p --ro-bind / / --dev /dev --proc /proc --unshare-all \
          --dbus-talk 'org.example.*' --dbus-talk org.example.Mine --dbus-talk 'org.other.*' \
          bash -c "$1" >/dev/null 2>err || cat err
      }
      learn 'call org.example.One'
      grep '^--dbus' p; grep -c '^# No run used.*--dbus-talk org.other' p
      nestbox --profile ./p bash -c 'call org.example.One >/dev/null && echo called
      call org.example.Two >/dev/null 2>&1 || echo refused'
      learn 'call org.example.Two'; grep '^--dbus' p | sort
      owner=$(dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.GetNameOwner string:org.example.Three)
      # The proxy asks who owns the names of a group while the first call is on its way.
      learn "for _ in {1..200}; do call $owner && break; sleep 0.1; done"
      grep '^--dbus' p | sort
      kill $(jobs -p)
      """)
    let two = ["--dbus-talk org.example.One", "--dbus-talk org.example.Two"]
    #expect(
      outcome.lines == [
        "--dbus-session", "--dbus-talk org.example.One", "--dbus-talk org.example.Mine", "1",
        "called", "refused", "--dbus-session", "--dbus-talk org.example.Mine",
      ] + two + ["--dbus-session", "--dbus-talk org.example.*", "--dbus-talk org.example.Mine"]
        + two
        + ["--dbus-talk org.other.*"], "\(outcome)")
  }

  // Red: a profile permits a group of system calls of which the run made one.
  @Test func `System calls take the place of groups`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      learn() {
        nestbox --learn ./p --profile untrusted --seccomp-allow @mount --seccomp-allow ptrace,unshare \
          "$@" 2>err || cat err
      }
      learn true
      grep -o -- '; --seccomp-allow\\|: --seccomp-allow' p | cut -c 3-
      learn unshare -U echo works
      grep '^--seccomp-allow' p
      nestbox --profile ./p unshare -U echo works
      nestbox --profile ./p unshare -Um echo mounts 2>&1 | grep -c 'not permitted'
      """)
    #expect(
      outcome.lines == ["--seccomp-allow", "works", "--seccomp-allow unshare", "works", "1"],
      "\(outcome)")
  }

  // Red: a run that takes longer gets the limit of a shorter one, or a limit is set by itself.
  @Test func `Limits with room are comments, and the larger one stays`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      limit() { grep -o '^# limit: --timeout [0-9]*s$' p | tr -dc '0-9\\n'; }
      nestbox --learn ./p true 2>err || cat err
      first=$(limit)
      nestbox --learn ./p sleep $first 2>err || cat err
      second=$(limit); [ $second -gt $first ] && echo larger
      nestbox --learn ./p true 2>err; [ $(limit) = $second ] && echo stays
      grep -c '^--timeout' p; grep -c '^# limit: --memory' p
      sed -i 's/^# limit: --timeout.*/--timeout 100s/' p
      nestbox --learn ./p true 2>err; grep -e --timeout p
      nestbox --profile ./p echo ran
      """)
    #expect(
      outcome.lines == ["larger", "stays", "0", "1", "--timeout 100s", "ran"], "\(outcome)")
  }

  // Red: without its only rule, a shrunk profile has the network of the caller.
  @Test func `Shrinking away the last rule leaves no network`() throws {
    let session = try Session()
    let outcome = try session.run(
      """
      nestbox --learn ./p --unshare-pid --ro-bind / / --dev /dev --proc /proc \
        --net-allow 192.0.2.7 --net-host 8080 true 2>err || cat err
      printf -- '--unshare-pid\\n--ro-same-try /usr\\n--ro-same-try /lib\\n--ro-same-try /lib64\\n--net-host 1\\n' >q
      for file in p q; do
        nestbox --verify ./$file --shrink true 2>err || cat err
        nestbox --profile ./$file --dry-run --json true | python3 -c '
      import json, sys
      print(json.load(sys.stdin)["namespaces"]["net"])'
      done
      """)
    #expect(outcome.lines == ["new", "new"], "\(outcome)")
  }
}
