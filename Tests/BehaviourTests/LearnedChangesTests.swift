// SPDX-License-Identifier: Apache-2.0
// What a command does to its own files while a profile is learned, or afterwards, gives it nothing under the
// profile.

import TestSupport
import Testing

@Suite("Learned profiles: a command that changes its files", .needs("python3"), .needs("git"))
struct LearnedChangesTests {
  /// A line that shows the system and nothing of the user's.
  private static let base =
    "base='--unshare-all --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64'"

  // Red: a command that writes to a directory puts a link in the place of one in it, and a learned profile shows
  // or opens what it leads to.
  @Test(
    "A profile shows nothing through links that a command has made",
    arguments: ["--bind", "--dev-bind"],
    ["cat x/key", "cat x/key; touch x/new", "cat x/key; : >x/key"])
  func links(_ option: String, _ use: String) throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base)
      mkdir -p .ssh w/x; echo SECRET >.ssh/key; echo own >w/x/key; cd w
      line="$base \(option) $PWD $PWD --chdir $PWD"
      nestbox --learn ../p $line sh -c '\(use)' 2>/dev/null; echo own >x/key
      nestbox --profile ../p cat $PWD/x/key 2>/dev/null
      swap='mv x y; ln -s ~/.ssh x'
      # By a run that fails, or by one that is not about the profile.
      nestbox --learn ../p $line sh -c "$swap; exit 1" 2>/dev/null; [ -L x ] && echo swapped
      nestbox --profile ../p sh -c "cat $PWD/x/key; echo changed >>$PWD/x/key" 2>/dev/null; cat ~/.ssh/key
      rm x; mv y x
      # By a run that is to be added to a profile of runs that could only read.
      nestbox --learn ../q $base --ro-bind $PWD $PWD cat $PWD/x/key 2>/dev/null
      nestbox --learn ../q $line sh -c "cat x/key >/dev/null; $swap" 2>/dev/null
      nestbox --profile ../q sh -c "cat $PWD/x/key" 2>/dev/null
      """)
    #expect(outcome.lines.filter { $0 == "SECRET" }.count == 1, "\(outcome)")
    #expect(outcome.lines.contains("swapped") && !outcome.lines.contains("changed"), "\(outcome)")
    #expect(outcome.lines.first == "own", "\(outcome)")
  }

  // Red: another sandbox puts a link in the place of a directory that the line showed only with all of / or of the
  // home directory, and the profile shows, or opens for writing, what it leads to.
  @Test(
    "A profile shows nothing through links that another sandbox has made",
    arguments: [
      "--ro-bind / / --dev /dev --proc /proc", "$base --ro-bind ~ ~", "--tmp-home",
      "$base --ro-bind ~ ~ --bind ~/job/data/f ~/job/data/f",
    ], ["~/job", "~"])
  func others(_ line: String, _ changed: String) throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base); base="$base --dev /dev --proc /proc"
      mkdir -p .ssh job/data; echo SECRET >.ssh/f; echo own >job/data/f
      eval "nestbox --learn ./p --unshare-all \(line) sh -c 'cat $PWD/job/data/f; [ ! -w $PWD/job/data/f ] || echo more >>$PWD/job/data/f'" 2>/dev/null
      nestbox --profile ./p cat $PWD/job/data/f 2>/dev/null
      nestbox $base --bind \(changed) \(changed) sh -c "mv $PWD/job/data $PWD/job/x; ln -s $PWD/.ssh $PWD/job/data"
      nestbox --profile ./p cat $PWD/job/data/f 2>&1 | grep -o 'SECRET\\|cause: a symbolic link is on the way'
      """)
    #expect(outcome.lines.first == "own" && outcome.lines.contains("own"), "\(outcome)")
    #expect(outcome.lines.last == "cause: a symbolic link is on the way", "\(outcome)")
    #expect(!outcome.output.contains("SECRET"), "\(outcome)")
  }

  // Red: the variable is not set, and the empty path becomes the working directory.
  @Test func `An unset variable in a profile names nothing with --no-links-in either`() throws {
    let outcome = try Session().run(
      """
      mkdir -p a/b; echo '--no-links-in ${HOME}' >p; echo '--ro-bind-try ${NESTBOX_TEST_UNSET:-} /x' >>p
      cd a/b; nestbox --profile ~/p --ro-bind / / --unshare-all ls -d /x 2>&1; nestbox --profile ~/p --ro-bind-try /usr /usr --dev /dev true 2>&1 | grep -c "''"
      """)
    #expect(outcome.lines.last == "0" && !outcome.lines.contains("/x"), "\(outcome)")
  }

  // Red: a profile with links on the way to its sources fails; or one of them is no longer protected behind the
  // link, or --shrink takes that away; or files of the system alone need lines.
  @Test func `Links that are there stay, and those that come are refused`() throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base)
      mkdir -p real/d disk .ssh; echo SECRET >.ssh/f; echo own | tee real/d/f >disk/f; ln -s ../disk real/disk; ln -s real link; ln -s link/d own
      nestbox --learn ./p $base --ro-bind $PWD/link/d $PWD/link/d --ro-bind $PWD/real/disk /mnt --ro-bind $PWD/own /srv \
        --ro-bind $PWD/real/d $PWD/real/d --shrink cat $PWD/link/d/f $PWD/real/d/f /mnt/f /srv/f 2>/dev/null
      nestbox --profile ./p cat $PWD/link/d/f $PWD/real/d/f /mnt/f /srv/f; grep no-links p | sed 's/.*{HOME}//'
      mv real/d real/e; ln -s ../.ssh real/d
      nestbox --profile ./p cat $PWD/link/d/f 2>&1 | grep -o 'SECRET\\|cause: a symbolic link is on the way'
      nestbox --learn ./q $base cat /etc/passwd /usr/bin/env >/dev/null 2>&1; nestbox --learn ./q --read /etc true >/dev/null 2>&1
      grep -c no-links q
      """)
    let own = Array(repeating: "own", count: 4)
    #expect(
      outcome.lines == own + own + ["/link", "/real/d"] + [
        "cause: a symbolic link is on the way", "0",
      ],
      "\(outcome)")
  }

  // Red: the command could write to the directory, so that links are refused below it alone, and the directory
  // itself is exchanged.
  @Test func `The directory that a command may change is not exchanged either`() throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base); base="$base --dev /dev --proc /proc"
      mkdir -p w/out .ssh; echo SECRET >.ssh/f; echo own >w/out/f
      nestbox --learn ./p $base --bind $PWD/w/out $PWD/w/out sh -c "cat $PWD/w/out/f; echo >>$PWD/w/out/g" 2>/dev/null
      nestbox --profile ./p cat $PWD/w/out/f
      nestbox $base --bind ~/w ~/w sh -c "mv $PWD/w/out $PWD/w/o; ln -s $PWD/.ssh $PWD/w/out"
      nestbox --profile ./p cat $PWD/w/out/f 2>&1 | grep -o 'SECRET\\|cause: a symbolic link is on the way'
      """)
    #expect(
      outcome.lines == ["own", "own", "cause: a symbolic link is on the way"], "\(outcome)")
  }

  // Red: a link beside a source, also below /proc, takes its protection away without a word; or an ordinary
  // profile is told so.
  @Test func `A source that is reached by a link is named`() throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base); base="$base --dev /dev --proc /proc"
      mkdir -p real d; echo own | tee d/f >real/f; ln -s real cfg
      learn() { nestbox --learn "$@" 2>&1 | grep -o 'shows what it reaches by a symbolic link: [^ ]*' | sed "s,$PWD/,,"; }
      learn ./p $base --ro-bind $PWD/cfg /cfg --ro-bind $PWD/d $PWD/d cat $PWD/d/f /cfg/f
      learn ./q $base --ro-bind /proc/self/cwd/d /d cat /d/f
      learn ./r $base --ro-bind $PWD/real /cfg --ro-bind $PWD/d $PWD/d cat $PWD/d/f /cfg/f
      """)
    #expect(
      outcome.lines == [
        "shows what it reaches by a symbolic link: cfg.",
        "shows what it reaches by a symbolic link: /proc/self/cwd/d.",
      ], "\(outcome)")
  }

  // Red: the same by two profiles by hand; or a link that was there before --no-links-in's directory is refused.
  @Test func `No source is reached by a link below the directory of --no-links-in`() throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base)
      mkdir -p real/d/e out; echo in >real/d/e/f; echo out >out/f; ln -s real link; ln -s ../out real/l; ln -s e real/d/m
      for path in link/d/e/f link/l/f link/d/m/f link/l; do for option in --ro-bind-try --bind; do
        nestbox $base --no-links-in $PWD/link $option $PWD/$path /f cat /f 2>err
        grep -o 'cause: a symbolic link is on the way' err
      done; done
      nestbox $base --no-links-in $PWD/real --ro-same $PWD/real/l readlink real/l
      # Of nested directories the outermost counts; detours and overlays are no way around it.
      nestbox $base --no-links-in $PWD/real --no-links-in $PWD/real/d/m --ro-bind $PWD/real/d/m/f /f cat /f 2>&1 |
        grep -o 'cause: a symbolic link is on the way'
      for path in $PWD/out/../real/./d/m/f real/d/m/f; do
        nestbox $base --no-links-in $PWD/real --ro-bind $path /f cat /f 2>&1 | grep -o 'cause: a symbolic link is on the way'
      done
      mkdir up wk; ln -s ../up real/up
      nestbox $base --no-links-in $PWD/real --overlay-src $PWD/real/l --overlay-src $PWD/up --ro-overlay /o cat /o/f 2>&1 |
        grep -o 'cause: a symbolic link is on the way'
      nestbox $base --no-links-in $PWD/real --overlay-src $PWD/out --overlay $PWD/real/up $PWD/wk /o touch /o/g 2>&1 |
        grep -o 'cause: a symbolic link is on the way'
      nestbox $base --no-links-in $PWD/real --overlay-src $PWD/real/d/e --overlay-src $PWD/out --ro-overlay /o cat /o/f
      ln real/d/e/f one; nestbox --learn one $base true 2>&1 | grep -o 'has another name'
      nestbox $base --no-links-in real true 2>&1 | grep -o 'expected a path that begins with /'
      """)
    let refusals = Array(repeating: "cause: a symbolic link is on the way", count: 6)
    #expect(
      outcome.lines == ["in", "in"] + refusals + [
        "../out"
      ] + Array(repeating: "cause: a symbolic link is on the way", count: 5) + [
        "out", "has another name", "expected a path that begins with /",
      ],
      "\(outcome)")
  }

  // Red: nestbox makes a directory behind a link that a command has put there, or the message does not say which
  // option refuses it; or directories that are missing, also that of the option, are no longer made.
  @Test func `No directory is made behind a link below the directory of --no-links-in`() throws {
    let outcome = try Session().run(
      """
      mkdir -p real/d out; chmod 500 out; ln -s ../out real/l; ln -s real link
      for path in real/l/a link/l/a/b $PWD/link/l/a; do for options in --dry-run ''; do
        nestbox $options --ro-bind / / --dev /dev --proc /proc --no-links-in $PWD/real --no-links-in $PWD/link \\
          --bind-kept $path /mnt true 2>&1 | grep -o 'link is on the way\\|Permission denied'
      done; done
      nestbox --no-links-in $PWD/real --home real/l/home true 2>&1 | grep -o 'link is on the way\\|Permission denied'
      for path in real/d/e/f link/g ./real/../link/d/h; do
        nestbox --ro-bind / / --dev /dev --proc /proc --no-links-in $PWD/link --bind-kept $path /mnt true
      done
      nestbox --no-links-in $PWD/link/new/a --home link/new/a/b/c true; find real -mindepth 1 -type d | sort
      """)
    #expect(
      outcome.lines == Array(repeating: "link is on the way", count: 7) + [
        "real/d", "real/d/e", "real/d/e/f", "real/d/h", "real/g", "real/new", "real/new/a",
        "real/new/a/b",
        "real/new/a/b/c",
      ], "\(outcome)")
  }

  // Red: the command writes the profile that is learned from it.
  @Test(
    "A profile that the command could change is refused",
    arguments: [
      "up/p --overlay-src $PWD/lo --overlay $PWD/up $PWD/wk /mnt",
      "wk/p --overlay-src $PWD/lo --overlay $PWD/up $PWD/wk /mnt",
      "w/.git/objects/p --ro-bind $PWD/w $PWD/w --kill-on-exit --ro-repositories $PWD/w --rw-repository $PWD/w",
      "w/p --review $PWD/w", "w/p --bind $PWD /mnt",
    ])
  func changes(_ line: String) throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base)
      mkdir lo up wk w; git -C w init -q
      nestbox --learn \(line) $base true 2>&1 | grep -o 'the command could change .* itself'; ls -d up/p wk/p w/p w/.git/objects/p 2>/dev/null
      """)
    #expect(outcome.lines.count == 1 && outcome.output.hasPrefix("the command could"), "\(outcome)")
  }

  // Red: a file that appears later, and that the line has read-only, can be changed under the profile.
  @Test(
    "What a pattern protects later stays protected",
    arguments: [
      "--read-glob '$PWD/w/*.key'", "--ro-bind-glob '$PWD/w/*.key'",
      "--ro-bind-glob '$PWD/*/*.key'",
      "--ro-bind-try $PWD/none $PWD/w/b.key",
    ], ["", ": >w/a.key"])
  func patterns(_ option: String, _ setup: String) throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base)
      mkdir w; \(setup)
      eval "nestbox --learn ./p $base --bind $PWD/w $PWD/w \(option) sh -c ': >$PWD/w/new'" 2>/dev/null
      nestbox --verify ./p --shrink sh -c ": >$PWD/w/new" 2>/dev/null; echo $?
      echo kept | tee w/b.key >none
      nestbox --profile ./p sh -c "echo >$PWD/w/b.key" 2>/dev/null; cat w/b.key
      """)
    #expect(outcome.lines == ["0", "kept"], "\(outcome)")
  }

  // Red: the command removes what makes a directory the project, and a profile shows the one around it.
  @Test(
    "A path that was typed stays the same, whatever the command does to the project",
    arguments: ["--bind $PWD $PWD", "--bind $PWD /mnt --ro-bind $PWD $PWD"])
  func projects(_ line: String) throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base)
      mkdir -p mono/sub mono/other; echo secret >mono/other/s; git -C mono init -q; cd mono/sub; git init -q
      nestbox --learn ~/p $base \(line) sh -c 'cat .git/HEAD; ls'  >/dev/null 2>&1
      grep -c PROJECT ~/p; grep -c '{HOME}/mono/sub' ~/p | grep -c '[1-9]'
      rm -rf .git; nestbox --profile ~/p cat ../other/s 2>/dev/null
      git init -q; nestbox --learn ~/q $base --ro-bind $PWD $PWD cat .git/HEAD >/dev/null 2>&1; grep -c PROJECT ~/q | grep -c '[1-9]'
      """)
    #expect(outcome.lines == ["0", "1", "1"], "\(outcome)")
  }

  // Red: a directory was listed before there were keys in it, and its profile shows them.
  @Test func `Directories for secrets are not shown whole before there are any`() throws {
    let outcome = try Session().run(
      """
      mkdir cfg docs dot plain; touch cfg/a docs/a dot/a plain/a; ln -s dot/aws .aws
      export XDG_CONFIG_HOME=~/cfg GNUPGHOME=~/docs/gnupg CARGO_HOME=~/docs/cargo HISTFILE=$HOME
      nestbox --learn ~/p --tmp-home ls cfg docs dot plain >/dev/null 2>&1
      mkdir -p cfg/gh docs/gnupg docs/cargo dot/aws
      for f in cfg/gh/hosts.yml docs/gnupg/k docs/cargo/credentials.toml dot/aws/credentials plain/b; do echo $f >$f; done
      nestbox --profile ~/p sh -c 'cat cfg/gh/* docs/gnupg/* docs/cargo/* dot/aws/* plain/b' 2>/dev/null
      """)
    #expect(outcome.lines == ["plain/b"], "\(outcome)")
  }

  // Red: nothing is learned from a run under review that changes a file.
  @Test func `A run under review is learned from as any other`() throws {
    let outcome = try Session().run(
      """
      mkdir w; echo in >w/in; cd w
      nestbox --learn ~/p --review . sh -c 'cat in; echo more >>in; echo n >new; cat new' 2>/dev/null; echo $?
      nestbox --profile ~/p cat in; grep -c upper ~/p
      """)
    #expect(outcome.lines == ["in", "n", "0", "in", "0"], "\(outcome)")
  }

  // Red: --shrink leaves out a line without which the command fails now and then.
  @Test func `What --shrink leaves is tried again`() throws {
    let outcome = try Session().run(
      """
      \(LearnedChangesTests.base)
      mkdir c; echo 0 >c/n; : >data
      echo "echo >>/mnt/log; [ -e $PWD/data ]"' || { read n </mnt/n; echo $((n + 1)) >/mnt/n; [ $((n % 2)) = 0 ]; }' >script
      nestbox --learn ./p $base --bind $PWD/c /mnt --ro-bind $PWD/data $PWD/data --ro-bind $PWD/script $PWD/script sh $PWD/script 2>/dev/null
      cp p whole; nestbox --verify ./p --shrink sh $PWD/script 2>&1 | grep -o 'p keeps all its lines'
      cmp p whole && echo same; echo 0 >c/n
      nestbox --verify ./p --shrink --json sh $PWD/script 2>&1 | grep -o '"confirmed": *false'
      """)
    #expect(outcome.lines.prefix(2) == ["p keeps all its lines", "same"], "\(outcome)")
    #expect(outcome.lines.last?.contains("confirmed") == true, "\(outcome)")
  }
}
