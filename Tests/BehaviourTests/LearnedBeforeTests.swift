// SPDX-License-Identifier: Apache-2.0
// What a run's command changes counts neither for its profile nor for the trials of --shrink.

import TestSupport
import Testing

@Suite("Learned profiles: the state before the run")
struct LearnedBeforeTests {
  // Red: what the line reads of policies and profiles is read after the run, when the command has widened it.
  @Test(
    "A command cannot widen what its profile is compared with",
    arguments: [
      (
        "printf 'default allow\\nerrno EPERM mkdir mkdirat\\n' >w/rules",
        "--seccomp-policy w/rules",
        "default allow", "make the system call mkdir"
      ),
      (
        "echo --unshare-net >w/rules; echo --profile $PWD/w/rules >p", "",
        "--net-allow example.org", "reach what --net-allow"
      ),
      (
        "echo --dir /d >w/rules; echo --profile $PWD/w/rules >p", "",
        "--ro-bind $PWD/keys $PWD/keys",
        "read"
      ),
    ])
  func widens(_ setup: String, _ line: String, _ text: String, _ excess: String) throws {
    let outcome = try Session().run(
      """
      mkdir w keys; echo k >keys/k; \(setup); touch p; cp p before
      nestbox --learn ./p --profile untrusted --bind $PWD/w $PWD/w \(line) sh -c "echo '\(text)' >w/rules"
      echo $?; cmp p before && cat w/rules | grep -c -- "\(text)"
      """)
    #expect(outcome.lines == ["125", "1"], "\(outcome)")
    #expect(
      outcome.errors.contains("under the profile the command could \(excess)"), "\(outcome)")
  }

  // Red: a line that has the word in a path, or in the name of a variable, counts as one that names the project.
  @Test func `Only the variable itself names the project`() throws {
    let outcome = try Session().run(
      """
      mkdir -p PROJECT/w; cd PROJECT/w; export MYPROJECT=$PWD
      printf '%s\\n' '--profile untrusted' '--bind ${MYPROJECT} ${MYPROJECT}' >~/variable.profile
      printf '%s\\n' '--profile untrusted' "--bind $PWD $PWD" >~/word.profile
      printf '%s\\n' '--profile untrusted' '--bind ${PROJECT} ${PROJECT}' >~/itself.profile
      for name in variable word itself; do
        nestbox --learn ~/$name.learned --profile ~/$name.profile touch new 2>err || cat err >&2
        grep -v '^#' ~/$name.learned | grep -c '{PROJECT}'
      done
      grep -c '^--bind-try ${HOME}/PROJECT/w' ~/variable.learned
      """)
    #expect(outcome.lines.count == 4, "\(outcome)")
    #expect(outcome.lines.prefix(2) == ["0", "0"] && outcome.lines[2] != "0", "\(outcome)")
    #expect(outcome.lines.last == "1", "\(outcome)")
  }

  /// A profile with the lines that each command needs, and a longer limit of time than the trials have.
  private static let profile = """
    echo x >a; printf '%s\\n' --unshare-all '--proc /proc' '--dev /dev' '--ro-same-try /usr' \
      '--ro-same-try /bin' '--ro-same-try /lib' '--ro-same-try /lib64' '--timeout 1h' '--timeout-grace 1h' \
      "--ro-bind-try $PWD/a $PWD/a" "--chdir /" >p
    """

  // Red: a trial that hangs, or writes without end, is waited for as long as FILE permits, or ends the search.
  @Test(
    "A trial that does not end counts as a failure",
    arguments: [
      "test -e $0 || exec sleep 900", "test -e $0 || exec yes",
      "test -e $0 || { trap : TERM; while :; do :; done; }", "test -e $0 || kill -SEGV $$",
    ])
  func trials(_ command: String) throws {
    let outcome = try Session().run(
      """
      \(LearnedBeforeTests.profile)
      timeout 300 nestbox --verify ./p --shrink sh -c '\(command)' $PWD/a 2>err >/dev/null
      echo $?; grep -c '^--ro-bind-try' p; grep -c 'left out' err; cat err >&2
      """)
    #expect(outcome.lines == ["0", "1", "1"], "\(outcome)")
  }

  // Red: a profile under which the command crashed or failed is called enough.
  @Test(
    "A run that crashed says nothing for a profile",
    arguments: ["kill -SEGV $$", "kill -KILL $$", "exit 1", "exit 200", "exit 255"])
  func crashes(_ command: String) throws {
    let outcome = try Session().run(
      """
      \(LearnedBeforeTests.profile); cp p before
      for task in --verify '--verify --shrink' --learn; do
        set -- $task; option=$1; shift
        nestbox $option ./p "$@" $([ $option = --learn ] && echo --ro-bind / / --unshare-all) \
          sh -c '\(command)' 2>>err; [ $? != 0 ] && echo failed
      done
      grep -c -e 'is enough for' -e 'left out [0-9]' -e wrote err; cmp p before && echo same
      """)
    #expect(outcome.lines == ["failed", "failed", "failed", "0", "same"], "\(outcome)")
  }

  // Red: the trials of --shrink give the command what it has written into a policy that FILE names.
  @Test func `A trial gives the command no more than its first run`() throws {
    let outcome = try Session().run(
      """
      mkdir w; printf 'default allow\nerrno EPERM mkdir mkdirat\n' >w/rules
      printf '%s\n' '--profile untrusted' "--bind $PWD/w $PWD/w" "--seccomp-policy $PWD/w/rules" >p
      nestbox --verify ./p --shrink sh -c "mkdir $PWD/w/loot 2>/dev/null; echo default allow >$PWD/w/rules"
      echo $?; ls w; grep -c . p
      """)
    #expect(outcome.lines == ["125", "rules", "3"], "\(outcome)")
    #expect(outcome.errors.contains("--shrink: the command was not run again"), "\(outcome)")
  }

  // Red: the line to type names a link that the command has exchanged for a profile of its own; or, from another
  // directory, another policy counts.
  @Test func `Paths mean the same after the run and from elsewhere`() throws {
    let outcome = try Session().run(
      """
      mkdir w c; touch w/a c/p; ln -s $PWD/c/p w/p; ln -s $PWD/c/p q; printf 'default allow\n' >rules
      nestbox --learn w/p --profile untrusted --bind $PWD/w $PWD/w cat $PWD/w/a; echo $?; test -s c/p; echo $?
      nestbox --learn q --profile untrusted --seccomp-policy ./rules true 2>/dev/null; echo $?
      sed -n 's,^--seccomp-policy [$/].*/,,p' c/p
      """)
    #expect(outcome.lines == ["125", "1", "0", "rules"], "\(outcome)")
    #expect(
      outcome.errors.contains("could exchange the link"), "\(outcome)")
  }
}
