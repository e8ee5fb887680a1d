// SPDX-License-Identifier: Apache-2.0
// Stores and reviews that are broken on purpose: the message names the cause, and a line that can be
// typed as it is.

import Foundation
import TestSupport
import Testing

@Suite("Broken reviews")
struct BrokenReviewTests {
  /// Something that is broken, a line that meets it, its message, and what the line to type does.
  struct Broken: Sendable, CustomTestStringConvertible {
    let name: String
    /// Breaks the review `r`, whose directory is `$review`, or the store `$store`.
    let harm: String
    /// The line that fails; `$n` is nestbox with the store.
    let line: String
    /// What the message says before the line to type.
    let cause: String
    /// What to do after that line was typed, and what that prints.
    var after = "$n --reviews"
    var output = "NAME  AGE  CHANGES  STATE  DIRECTORIES"
    var user = User.ordinary

    var testDescription: String { name }
  }

  static let all = [
    Broken(
      name: "The record is damaged", harm: "echo x > $review/record", line: "$n --apply r",
      cause: "the record of r cannot be read; to remove the review: "),
    Broken(
      name: "The record is gone", harm: "rm $review/record", line: "$n --changes r",
      cause: "the record of r cannot be read; to remove the review: "),
    Broken(
      name: "The record is cut short", harm: "truncate -s -1 $review/record",
      line: "$n --bind / / --resume r true",
      cause: "the record of r cannot be read; to remove the review: "),
    Broken(
      name: "The record is a FIFO", harm: "rm $review/record; mkfifo $review/record",
      line: "$n --discard r proj/made",
      cause: "the record of r cannot be read; to remove the review: "),
    Broken(
      name: "The record is a link", harm: "mv $review/record rec; ln -s $PWD/rec $review/record",
      line: "$n --apply",
      cause: "the record of r cannot be read; to remove the review: "),
    Broken(
      name: "The layer is gone", harm: "rm -r $review/upper-0", line: "$n --changes",
      cause: "the layer of r is gone, and its changes with it; to remove the review: "),
    Broken(
      name: "The layer is a file", harm: "rm -r $review/upper-0; touch $review/upper-0",
      line: "$n --bind / / --resume r true",
      cause: "the layer of r is gone, and its changes with it; to remove the review: "),
    Broken(
      name: "The directory is gone", harm: "rm -r proj", line: "$n --apply r",
      cause: "/proj is not the directory that was reviewed; move that back, or type "),
    Broken(
      name: "Another directory is there", harm: "mv proj old; mkdir proj", line: "$n --apply r",
      cause: "/proj is not the directory that was reviewed; move that back, or type "),
    Broken(
      name: "A launch goes on where the directory was moved", harm: "mv proj moved",
      line: "$n --bind / / --resume r true 2>&1 | (sed \"s,$PWD,HERE,\"; exit 125)",
      cause:
        "125\nnestbox: --resume: HERE/proj is not the directory that was reviewed; move that back, or type "
    ),
    Broken(
      name: "The name is taken", harm: "",
      line: "$n --bind / / --review proj --review-name r touch proj/more",
      cause: "a review is called r already; to go on with it: ", after: "$n --apply r; ls proj",
      output: "applied 2 changes\nmade\nmore"),
    Broken(
      name: "The store is open to others", harm: "chmod 750 \"$store\"", line: "$n --apply r",
      cause: "/a store; to forbid that: ", after: "$n --apply r", output: "applied 1 change"),
    Broken(
      name: "The store is another user's", harm: "chown 12345 \"$store\"",
      line: "$n --apply r",
      cause: "/a store belongs to another user; use --review-store with a directory of yours",
      after: "chown 0 \"$store\"; $n --apply r", output: "applied 1 change", user: .root),
    Broken(
      name: "The store is a link", harm: "mv \"$store\" s; ln -s s \"$store\"",
      line: "$n --reviews",
      cause: "/a store is a symbolic link; use --review-store with a directory of yours",
      after: "rm \"$store\"; mv s \"$store\"; $n --apply r", output: "applied 1 change"),
    Broken(
      name: "The store is a file", harm: "mv \"$store\" s; touch \"$store\"",
      line: "$n --bind / / --review proj true",
      cause: "/a store is not a directory; use --review-store with a directory of yours",
      after: "rm \"$store\"; mv s \"$store\"; $n --apply r", output: "applied 1 change"),
    Broken(
      name: "The store cannot be made", harm: "mkdir -m 500 shut",
      line: "nestbox --review-store shut/s --bind / / --review proj true",
      cause: "/shut/s: Permission denied (mkdir); use --review-store with another directory",
      after: "$n --apply r", output: "applied 1 change"),
    Broken(
      name: "A directory above the store cannot be made", harm: "mkdir -m 500 shut",
      line: "nestbox --review-store shut/in/s --bind / / --review proj true",
      cause: "/shut/in: Permission denied (mkdirat); use --review-store with another directory",
      after: "$n --apply r", output: "applied 1 change"),
    Broken(
      name: "A file is to be reviewed", harm: "echo a >proj/file; cd proj",
      line: "$n --bind / / --review ./file true",
      cause:
        "file is not a directory; to hold back changes of it, review the directory that holds it: "
        + "--review .", after: "$n --apply r", output: "applied 1 change"),
    Broken(
      name: "No review has the name", harm: "", line: "$n --discard x",
      cause: "no review is called x; ",
      after: "$n --apply r", output: "applied 1 change"),
    Broken(
      name: "A path has no change", harm: "", line: "$n --apply r other",
      cause: "r has no change at other; ", after: "$n --apply r", output: "applied 1 change"),
    Broken(
      name: "Two reviews wait", harm: "$n --bind / / --review proj --review-name q touch proj/made",
      line: "$n --apply -- made", cause: "2 reviews wait; type one of these lines:\n",
      after: "$n --discard r; ls proj", output: "discarded the review r\nmade"),
  ]

  // Red: a message leaves the cause out, or its line does not work as it is typed, such as one without the
  // store.
  @Test(
    "The cause is named, and the line to type works",
    arguments: all.filter { $0.user == .ordinary || User.isRoot })
  func broken(_ broken: Broken) throws {
    let session = try Session(as: broken.user)
    let outcome = try session.run(
      #"""
      export XDG_STATE_HOME=$PWD/state; store=$PWD/a\ store; review=$store/r; mkdir proj
      n() { nestbox --review-store "$store" "$@"; }; n=n
      n --bind / / --review proj --review-name r touch proj/made
      \#(broken.harm.replacing("$review", with: "\"$review\""))
      \#(broken.line) >out 2>&1; echo $?
      cat out; echo ---
      # The line that the message ends with, if it has one.
      line=$(grep -o -E '(nestbox --review-store .*|chmod 700 .*)' out | sed 's/ lists .*//' | head -n 1)
      eval "$line" >typed 2>&1 || { echo "failed: $line"; cat typed; }
      \#(broken.after)
      """#)
    let parts = outcome.output.split(separator: "\n---\n", maxSplits: 1).map(String.init)
    #expect(parts.first?.hasPrefix("125\n") == true, "\(outcome)")
    #expect(parts.first?.replacing("'", with: "").contains(broken.cause) == true, "\(outcome)")
    #expect(parts.last == broken.output, "\(outcome)")
  }

  // Red: whatever a command with write access to the store leaves in the place of the lock, its review can
  // neither be applied nor discarded.
  @Test(arguments: ["ln -s /dev/null", "mkdir", "mkfifo", "ln -s lock"])
  func `Something else in the place of the lock keeps nobody from a review`(_ make: String) throws {
    let outcome = try Session().run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir proj
      nestbox --bind / / --review proj --review-name r sh -c 'echo a >proj/a; echo b >proj/b'
      cd state/nestbox/reviews/r; rm lock; $1 lock; cd ../../../..
      nestbox --changes r | wc -l; nestbox --apply r a; nestbox --discard r; ls -A state/nestbox/reviews
      """#, make)
    #expect(
      outcome.lines == ["3", "applied 1 change; others wait", "discarded the review r"],
      "\(outcome)")
  }

  // Red: the launcher leaves the kernel's marks for the end, where it waits for the disk to remove them, or
  // takes what the layer needs with them.
  @Test func `What the kernel marks in a work directory is gone while the command runs`() throws {
    let outcome = try Session().run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir proj; echo a >proj/a; echo b >proj/b
      nestbox --bind / / --review proj --review-name r sh -c 'work=state/nestbox/reviews/r/work-0/work
        for i in $(seq 500); do [ -r $work ] && [ -z "$(ls -A $work)" ] && gone=yes && break; sleep 0.02; done
        echo $gone; echo c >>proj/a; rm proj/b; mkdir proj/d'
      nestbox --changes r | tail -n +2; nestbox --apply r; ls proj; ls -A state/nestbox/reviews
      """#)
    #expect(
      outcome.lines == [
        "yes", "  changed  a", "  removed  b", "  added    d/", "applied 3 changes", "a", "d",
      ], "\(outcome)")
  }

  // Red: SIGKILL while a review is removed leaves one that is listed as broken.
  @Test(.needs("strace"))
  func `What is left of a review that was being removed goes with the next task`() throws {
    let outcome = try Session().run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir proj
      for count in 1 2 4 8 12; do
        nestbox --bind / / --review proj --review-name r sh -c 'mkdir proj/a; echo b >proj/b' 2>/dev/null
        strace -o /dev/null -e trace=unlinkat -e inject=unlinkat:signal=KILL:when=$count nestbox --discard r; echo $?
        nestbox --reviews | wc -l; ls -A state/nestbox/reviews
      done
      mkdir state/nestbox/reviews/empty; sleep 2.1; nestbox --reviews | wc -l; ls -A state/nestbox/reviews
      """#)
    let each = Array(repeating: ["137", "1"], count: 5).flatMap { $0 }
    #expect(outcome.lines == each + ["1"], "\(outcome)")
  }

  // Red: nobody is told why a directory cannot be looked at, and that its changes are not applied.
  @Test func `A directory of the host that cannot be read is named with the reason`() throws {
    let session = try Session()
    let outcome = try session.run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir -p proj/in proj/other; echo a >proj/in/a
      nestbox --bind / / --review proj --review-name r sh -c 'echo b >proj/in/b; echo c >proj/c' 2>&1
      chmod 0 proj/in
      nestbox --changes r | tail -n +2; nestbox --changes r --json | grep -c '"complete": *false'
      (cd proj/other; nestbox --changes r | tail -n 1)
      nestbox --apply r 2>&1; echo $?; chmod 755 proj/in; nestbox --apply r; ls proj/in; nestbox --reviews --review-store $PWD/none 2>&1 >/dev/null
      """#)
    #expect(
      outcome.lines == [
        "nestbox: 2 changes wait in review r: nestbox --diff --changes r; nestbox --apply r; nestbox --discard r",
        "  added    c", "not read: in: Permission denied", "1",
        "not read: ../in: Permission denied",
        "nestbox: --apply: not read: in: Permission denied",
        "applied 1 change; the others wait", "1",
        "applied 1 change", "a", "b",
        "nestbox: --reviews: \(session.directory.path)/none does not exist: no review was kept there",
      ], "\(outcome)")
  }

  // Red: a command that closes the directory to its owner makes its review unreadable.
  @Test func `A command that closes the directory itself leaves a review that can be used`() throws
  {
    let outcome = try Session().run(
      #"""
      export XDG_STATE_HOME=$PWD/state; mkdir proj; echo a >proj/a
      nestbox --bind / / --review proj --review-name r sh -c 'echo b >proj/b; chmod 0 proj'
      nestbox --changes r | tail -n +2; nestbox --bind / / --resume r stat -c %a proj
      nestbox --reviews | wc -l; nestbox --discard r b; nestbox --apply r; stat -c %a proj; chmod 700 proj; ls proj
      nestbox --bind / / --review proj chmod 0 proj; nestbox --discard; nestbox --reviews | wc -l
      """#)
    #expect(
      outcome.lines.map { $0.hasPrefix("discarded the review") ? "discarded" : $0 } == [
        "  mode     .: 0755 -> 0000", "  added    b", "0", "2", "discarded 1 change; others wait",
        "applied 1 change", "0", "a", "discarded", "1",
      ], "\(outcome)")
  }

  // Red: a launch that SIGKILL ends while it begins or ends its review leaves one that is listed as broken.
  @Test func `What a killed launch leaves without a change goes`() throws {
    let outcome = try Session().run(
      #"""
      export XDG_STATE_HOME=$PWD/state; s=$PWD/state/nestbox/reviews; mkdir proj
      nestbox --bind / / --review proj --review-name r touch proj/a 2>/dev/null
      for name in begun full held made; do mkdir -m 700 $s/$name; done
      for name in begun full held; do mkdir -m 700 $s/$name/upper-0; touch $s/$name/lock; done
      touch $s/full/upper-0/change
      flock $s/held/lock nestbox --reviews --json | grep -o '"name": "[a-z]*"'; ls $s
      until [ ! -e $s/made ]; do nestbox --reviews >/dev/null; sleep 0.1; done
      nestbox --reviews >/dev/null; ls $s
      """#)
    #expect(
      outcome.lines == [
        "\"name\": \"full\"", "\"name\": \"held\"", "\"name\": \"made\"", "\"name\": \"r\"",
        "full", "held", "made", "r", "full", "r",
      ], "\(outcome)")
  }
}
