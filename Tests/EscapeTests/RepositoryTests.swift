// SPDX-License-Identifier: Apache-2.0
// A hostile build makes or changes what the caller's own git obeys. Each attack ends with what the
// caller types outside, and has succeeded if that runs the build's program.

import Foundation
import TestSupport
import Testing

@Suite("Repositories in a project", .needs("git"))
struct RepositoryTests {
  /// Prepares a payload: `$evil` are settings that run it, and `ran` says whether it ran.
  private static let scene = #"""
    export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a \
      GIT_COMMITTER_EMAIL=a@b
    git config --global init.defaultBranch main; git config --global core.editor true
    mkdir p; cd p; project=$PWD
    # A program that tells on itself.
    cat > ~/payload <<END
    #!/bin/sh
    : > $HOME/pwned
    END
    chmod 755 ~/payload
    cat > evil <<END
    config() { printf '[core]\n\trepositoryformatversion = 0\n\tbare = %s\n\tfsmonitor = "%s; false"\n\thooksPath = %s\n' \
      "\${1:-false}" $project/payload.sh $project; }
    # A whole repository whose settings run the payload.
    repository() { mkdir -p \$1/objects \$1/refs; echo ref: refs/heads/main > \$1/HEAD; config \$2 > \$1/config; }
    cp payload.sh pre-commit; cp payload.sh post-index-change; :
    END
    cp ~/payload payload.sh
    build() { nestbox --profile build "${options[@]}" sh -c ". ./evil; $1" 2> ~/told; }
    # What the caller types, here and in directories below.
    ran() {
      for place in "$project" "$@"; do
        (cd "$place" 2> /dev/null && { git status; git commit --allow-empty -m x; git diff; git stash; git log -1; git submodule status; }) \
          > /dev/null 2>&1
      done
      if [ -e ~/pwned ]; then echo "the payload ran"; else echo "nothing ran"; fi
    }

    """#

  private func run(_ script: String) throws -> Outcome {
    try Session().run(RepositoryTests.scene + script)
  }

  // Red: the attacks below show nothing.
  @Test(
    "Git obeys what the attacks leave",
    arguments: [
      "repository .git", "git init -q; config >> .git/config",
      "git init -q d/x; rm -rf .git; config >> d/x/.git/config",
      "git init -q; cp payload.sh .git/hooks/pre-commit",
    ])
  func control(_ attack: String) throws {
    let outcome = try run("(. ./evil; \(attack)) > /dev/null; ran d/x")
    #expect(outcome.output == "the payload ran", "\(outcome.errors)")
  }

  // Red: a build makes a repository where there is none, and git obeys it outside, even while the
  // build still runs.
  @Test(
    "A project without .git gets none",
    arguments: [
      "repository .git", "repository x; mv x .git", "repository x; mv -T x .git",
      "repository x; ln -s x .git", "repository x; ln -sfn x .git",
      "repository x; echo gitdir: x > .git", "repository x; rm -f .git; mv x .git",
      "repository x; python3 -c 'import ctypes; ctypes.CDLL(None).renameat2(-100, b\"x\", -100, b\".git\", 2)'",
      "git init .", "git init --separate-git-dir=x .", "repository x; umount .git; mv x .git",
      "repository x; unshare -Urm sh -c 'umount -l .git; mv x .git'",
    ])
  func missing(_ attack: String) throws {
    let outcome = try run(
      """
      mkfifo go; build '\(attack.replacing("'", with: #"'\''"#)) > /dev/null 2>&1; echo ready > go; read x < go' &
      read ready < go; ran; echo > go; wait
      ran; ls -A | grep -x .git; grep -F "$project/.git" ~/told
      """)
    #expect(outcome.lines == ["nothing ran", "nothing ran"], "\(outcome.errors)")
  }

  // Red: a name stays behind, or git outside takes it for something, or another launch loses it.
  @Test func `The name .git stays free outside, and launches share it`() throws {
    let outcome = try run(
      """
      mkfifo a b; one() { build "echo ready > $1; read x < $1; mkdir .git"; }
      one a & read ready < a; one b & read ready < b
      git status 2>&1 | head -n 1; (cd ..; git init -q; git status --short p/); [ -e .git ] || echo free
      echo > a; wait %1; ls -A | grep -x .git
      echo > b; wait; ls -A | grep -x .git
      build 'exit 3'; echo $?; build 'kill -9 $$' 2> /dev/null; nestbox --profile build /nosuch 2> /dev/null
      ls -A | grep -x .git; grep new ~/told || echo "nothing told"
      """)
    #expect(
      outcome.lines == [
        "fatal: not a git repository (or any of the parent directories): .git", "?? p/", "free",
        ".git", "3", "nothing told",
      ], "\(outcome.output) \(outcome.errors)")
  }

  // Red: what a launch that was killed left keeps git from working there for good.
  @Test func `The next launch removes what a killed one has left`() throws {
    let outcome = try run(
      """
      mkfifo go; nestbox --profile build sh -c 'echo ready > go; read x < go' & read ready < go
      kill -9 $!; wait 2> /dev/null; ls -A | grep -x .git
      build true; ls -A | grep -x .git; git init -q && ls -A | grep -x .git
      """)
    #expect(outcome.lines == [".git", ".git"], "\(outcome.output) \(outcome.errors)")
  }

  // Red: a repository that is protected by its path gets another path, and a hostile one its path.
  @Test(
    "A repository below cannot be exchanged",
    arguments: [
      "mv lib old; mkdir -p lib; cp -r old/a lib/a; config > lib/a/.git/config",
      "mv lib/a old; cp -r old lib/a; config > lib/a/.git/config",
      "mkdir new; cp -r lib/a new; config > new/a/.git/config; python3 -c 'import ctypes; ctypes.CDLL(None).renameat2(-100, b\"lib\", -100, b\"new\", 2)'",
      "config > lib/a/.git/config", "mv lib/a/.git x; repository lib/a/.git",
      "rm -rf lib; repository lib/a/.git",
    ])
  func ancestors(_ attack: String) throws {
    let outcome = try run(
      """
      git init -q; git init -q lib/a; (cd lib/a; git commit -q --allow-empty -m x)
      build '\(attack.replacing("'", with: #"'\''"#)) 2> /dev/null'; ran lib/a; ls lib/a/.git/HEAD
      """)
    #expect(outcome.lines == ["nothing ran", "lib/a/.git/HEAD"], "\(outcome.errors)")
  }

  // Red: a program in the project that settings or links make git execute can be replaced.
  @Test(
    "What settings and links make git execute in the project is read-only",
    arguments: [
      ("core.fsmonitor=tools/run", "tools/run"), ("core.fsmonitor=\"$PWD/tools/run\"", "tools/run"),
      ("core.hooksPath=tools", "tools/pre-commit"),
      ("core.hooksPath=./x/../tools", "tools/pre-commit"),
      ("core.hooksPath=~/p/tools", "tools/pre-commit"),
      ("core.hooksPath=way/tools", "tools/pre-commit"),
      ("filter.a.clean=sh tools/run", "tools/run"), ("diff.external=tools/run %f", "tools/run"),
      ("include.path=../tools/run", "tools/run"), ("alias.status=!tools/run", "tools/run"),
    ])
  func programs(_ setting: (String, String)) throws {
    let (name, file) = setting
    let outcome = try run(
      """
      git init -q; mkdir tools x; ln -s . way; echo 'exit 0' > tools/run; cp tools/run tools/pre-commit; chmod 755 tools/*
      git config \(name.split(separator: "=", maxSplits: 1)[0]) "\(name.split(separator: "=", maxSplits: 1)[1].replacing("\"", with: ""))"
      build 'cp payload.sh \(file); rm -f \(file); mv tools old; mkdir tools; cp payload.sh \(file); rm way; ln -s x way; mkdir x/tools; cp payload.sh x/\(file)' 2> /dev/null
      ran; cat \(file)
      """)
    #expect(outcome.lines == ["nothing ran", "exit 0"], "\(outcome.errors)")
  }

  // Red: a hook that is a link leads to a file that the command may write to.
  @Test(
    "Hooks that are links lead to files that are read-only",
    arguments: [
      "ln -s ../../tools/run .git/hooks/pre-commit", "ln -s $PWD/tools/run .git/hooks/pre-commit",
      "rm -r .git/hooks; ln -s ../hooks .git/hooks", "ln -s ../../link .git/hooks/pre-commit",
      "mv .git/config shared; ln -s ../shared .git/config",
    ])
  func links(_ preparation: String) throws {
    let outcome = try run(
      """
      git init -q; mkdir tools hooks; echo 'exit 0' > tools/run; chmod 755 tools/run; ln -s tools/run link; \(preparation)
      build 'for file in tools/run hooks/pre-commit; do cp payload.sh $file; done; ln -sfn payload.sh link; config >> shared; mv tools x; mv hooks y' 2> /dev/null
      ran
      """)
    #expect(outcome.lines == ["nothing ran"], "\(outcome.errors)")
  }

  // Red: a directory that looks like a repository in another way is not noticed.
  @Test(
    "New repositories are told under every disguise",
    arguments: [
      "repository d/x; echo d/x",
      "mkdir -p d/x; echo ref: refs/heads/a > d/x/HEAD; echo ../y > d/x/commondir; echo d/x",
      "mkdir d; repository y; echo gitdir: ../y > d/.git; echo d/.git",
      "mkdir d; ln -s .. d/.git; echo d/.git",
      "mkdir d; echo x > d/.GIT; echo d/.GIT", "mkdir -p d/.hg; echo d/.hg",
      "mkdir -p d/.jj; echo d/.jj", "echo > .gitmodules; echo .gitmodules",
      "mkdir -p d/.svn; echo d/.svn", "mkdir -p d; repository d/.git; chmod 311 d; echo d",
      "mkdir -p d/e; repository d/e/.git; chmod 111 d; echo d",
    ])
  func told(_ attack: String) throws {
    let outcome = try run(
      #"""
      name=$(build '\#(attack)'); grep -cF "$project/$name is new: " ~/told
      """#)
    #expect(outcome.lines == ["1"], "\(outcome.errors)")
  }

  // Red: settings of hg or jj, which a prompt may start, are left where there was nothing; or git
  // would commit what keeps the names free.
  @Test(
    "Where there is no .git, nothing gets the names .hg and .jj; elsewhere they are told",
    arguments: ["mkdir", "ln -sfn evil", "cp -rT x", "mv -T x", "echo >"])
  func otherSystems(_ attack: String) throws {
    let outcome = try run(
      """
      for name in .hg .jj; do mkdir -p x/store; mkfifo go
        build "\(attack) $name; echo ready > go; read x < go" & read ready < go
        [ -L $name ] && [ ! -e $name ] && echo free; echo > go; wait
        ls -d $name; grep -F "$project/$name is new" ~/told; rm -rf x go
      done 2> /dev/null
      git init -q; build 'mkdir .hg; mkdir .jj'; grep -c "$project/.[hj][gj] is new: " ~/told; git status --short .hg .jj
      """)
    #expect(outcome.lines == ["free", "free", "2"], "\(outcome)")
  }

  // Red: ten harmless repositories distract from the eleventh.
  @Test func `How many more there are is told`() throws {
    let outcome = try run(
      """
      build 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 z; do repository d$i/.git; done'
      grep -c 'is new: ' ~/told
      # The program that the settings name counts as well.
      eval "$(sed -n 's/^nestbox: 4 more are new in .*; this lists them all: //p' ~/told)" | grep -c z/.git/HEAD
      """)
    #expect(outcome.lines == ["10", "1"], "\(outcome)")
  }

  // Red: a directory whose names cannot be listed hides a repository that the command can change.
  @Test func `A repository in a directory that cannot be read stays as it is`() throws {
    let outcome = try run(
      """
      mkdir d; git init -q d/x; chmod 311 d
      build 'chmod 755 d; config >> d/x/.git/config; mv d e' 2> /dev/null; ran d/x; grep -c evil d/x/.git/config
      """)
    #expect(outcome.lines == ["nothing ran", "0"], "\(outcome)")
  }

  // Red: a directory on the way to a project that was named by a link gets another name.
  @Test(
    "A project that is named by a link is as safe as one that is not",
    arguments: [
      "mv real old; mkdir real; cp -r old/p real/p; config >> real/p/.git/config",
      "mkdir x; cp -r real/p x; config >> x/p/.git/config; ln -sfn x link",
      "mkdir x; cp -r real/p x; config >> x/p/.git/config; rm link; mv x link",
    ])
  func linkedProjects(_ attack: String) throws {
    let outcome = try run(
      """
      mkdir ~/top; cd ~/top; mkdir -p real/p; git init -q real/p; ln -s real link
      nestbox --unshare-pid --kill-on-exit --ro-bind / / --proc /proc --bind ~/top ~/top \
        --ro-repositories ~/top/link/p sh -c '. ~/p/evil; \(attack)' 2> /dev/null
      ran ~/top/link/p; ls ~/top/link/p/.git/HEAD
      """)
    #expect(outcome.lines.first == "nothing ran" && outcome.lines.count == 2, "\(outcome)")
  }

  /// Each begins something that git has not finished, in `$there`.
  private static let unfinished = """
    begin() {
      git init -q; for i in 1 2 3; do echo $i > f$i; git add f$i; git commit -q -m $i f$i; done
      git checkout -q -b other HEAD~2; echo x > f2; echo x > f3; git add f2 f3; git commit -q -m x
      git checkout -q main; git checkout -q -b mine
      if [ $1 = rebase ]; then git rebase other; else git cherry-pick other HEAD~1; fi > /dev/null 2>&1
      git checkout -q --theirs . 2> /dev/null; git add f2 f3
    }
    # What the caller types.
    go_on() { git $1 --continue > /dev/null 2>&1; ran; }

    """

  /// A name of a strategy that leads to a program in the project.
  private static let strategies = [
    ("rebase", "echo exec sh $PWD/payload.sh > .git/rebase-merge/git-rebase-todo"),
    (
      "rebase",
      "mkdir git-merge-..; cp payload.sh git-merge-../x; echo ../x > .git/rebase-merge/strategy"
    ),
    (
      "cherry-pick",
      "mkdir git-merge-..; cp payload.sh git-merge-../x; printf '[options]\\nstrategy=../x\\n' > .git/sequencer/opts"
    ),
  ]

  // Red: what a person has begun in git, and goes on with, executes what the command has put there.
  @Test("Unfinished work of git's that the command has changed is told", arguments: strategies)
  func unfinished(_ attack: (String, String)) throws {
    let outcome = try run(
      RepositoryTests.unfinished + """
        begin \(attack.0); build true; cat ~/told
        options=(--rw-repository "$project"); build "\(attack.1.replacing("\"", with: ""))"
        grep -c "$project/.git/.* is new or has changed: git .* --continue" ~/told
        go_on \(attack.0)
        """)
    // The attack bites: only the line above stands between it and the person.
    #expect(outcome.lines == ["1", "the payload ran"], "\(outcome)")
  }

  // Red: a work tree that shares the repository gets a list of commands.
  @Test(arguments: ["worktrees/tree", "."]) func `A rebase of another work tree is told too`(
    _ directory: String
  ) throws {
    let outcome = try run(
      """
      git init -q ~/main; cd ~/main; git commit -q --allow-empty -m x; git worktree add -q ~/tree 2> /dev/null
      cd ~/tree; options=(--rw-repository "$PWD"); cp ~/p/evil .
      build "mkdir ~/main/.git/\(directory)/rebase-merge; echo exec id > ~/main/.git/\(directory)/rebase-merge/git-rebase-todo"
      grep -c "main/.git.*/rebase-merge is new or has changed: " ~/told
      """)
    #expect(outcome.lines == ["1"], "\(outcome)")
  }

  // Red: the file .git, which an earlier command may have written, decides what is shown.
  @Test(
    "The file .git shows nothing that does not name this work tree",
    arguments: [
      "echo gitdir: ../secrets > .git", "echo gitdir: $HOME/secrets > .git",
      "git init -q ../other; echo gitdir: ../other/.git > .git",
      "git init -q ../other; git -C ../other commit -q --allow-empty -m x; git -C ../other worktree add -q ../tree; cp ../tree/.git .git",
      "mkdir -p x; echo $PWD/.git > x/gitdir; echo $HOME/secrets > x/commondir; echo gitdir: x > .git",
      "mkdir -p x; echo $PWD/.git > x/gitdir; ln -s ~/secrets y; echo ../y > x/commondir; echo gitdir: x > .git",
    ])
  func planted(_ preparation: String) throws {
    let outcome = try run(
      """
      mkdir -p ~/secrets/worktrees/x; echo key > ~/secrets/key; \(preparation)
      build 'cat ~/secrets/key ~/other/.git/config' 2> /dev/null; echo looked
      """)
    #expect(outcome.lines == ["looked"], "\(outcome.output) \(outcome.errors)")
  }
}
