// SPDX-License-Identifier: Apache-2.0
// The words of a command: scripts behind an interpreter's options, programs behind a wrapper's.

import Testing
import Text

@testable import Sandbox

@Suite("Words of a command")
struct CommandWordsTests {
  private static func words(_ line: String) -> CommandWords {
    CommandWords(line.split(separator: " ").map { ByteString(String($0)) }[...])
  }

  // Red: a script is not shown, or a word that is none, for instance the name of a module.
  @Test(
    "The script is the first operand, unless the program comes from an option",
    arguments: [
      ("bash -o pipefail y.sh", "y.sh"), ("bash -eo pipefail y.sh", "y.sh"),
      ("bash -eu -- y.sh a", "y.sh"), ("bash +o posix y.sh", "y.sh"), ("bash -c x y", nil),
      ("sh -ec x", nil), ("bash --rcfile a b", "b"), ("sh -s a", nil), ("sh", nil),
      ("python3 -X dev -W error -u s.py", "s.py"), ("python3 -Xdev s.py", "s.py"),
      ("python3.11 -m serve", nil), ("python3 -Im serve", nil), ("python3 -c x s.py", nil),
      ("python3 - s.py", nil), ("/usr/bin/python3 s.py", "s.py"), ("perl -I lib -w p.pl", "p.pl"),
      ("perl -ne x file", nil), ("ruby -r json r.rb", "r.rb"), ("node --require a b.js", "b.js"),
      ("node --require=a b.js", "b.js"), ("node -p 1 b", nil), ("lua -e x -l y z.lua", "z.lua"),
      ("php -d a=b -f x.php", "x.php"), ("php x.php", "x.php"), ("php -r x", nil),
      ("java -cp a -jar b.jar c", "b.jar"), ("java -Xmx1g M.java", "M.java"),
      ("java -m a/b", nil), ("guile -s g.scm", "g.scm"), ("cat s.py", nil), ("Rscript -e x", nil),
    ] as [(String, ByteString?)])
  func script(_ line: String, _ script: ByteString?) {
    let command = CommandWordsTests.words(line)
    #expect(command.script(for: command.words[0]) == script)
  }

  // Red: the program behind a wrapper is not shown, or a wrapper's operand is taken for it.
  @Test(
    "A wrapper starts the command behind its options and operands",
    arguments: [
      ("timeout 5 python3 s.py", "python3 s.py"), ("timeout -k 1 -s KILL 5 ./a b", "./a b"),
      ("timeout --signal=KILL --kill-after 1 5 ./a", "./a"), ("timeout 5", nil),
      ("env A=1 B=2 ./a", "./a"), ("env -i -u HOME ./a C=3", "./a C=3"), ("env -C /x ./a", nil),
      ("env -S x ./a", nil), ("env A=1", nil), ("nice -n 5 ./a", "./a"), ("nice -n5 ./a", "./a"),
      ("nice -5 ./a", "./a"), ("nohup ./a", "./a"), ("stdbuf -oL -e 0 ./a", "./a"),
      ("taskset -c 0,1 ./a", "./a"), ("taskset -p 1", nil), ("chrt -i 0 ./a", "./a"),
      ("time -f %e ./a", "./a"), ("cat ./a", nil),
    ] as [(String, String?)])
  func wrapped(_ line: String, _ command: String?) {
    let outer = CommandWordsTests.words(line)
    let wrapped = outer.wrapped(by: outer.words[0])
    #expect(wrapped?.words.map(\.text).joined(separator: " ") == command)
  }
}
