// SPDX-License-Identifier: Apache-2.0
// `--exec`: the launcher becomes the command.

import TestSupport
import Testing

@Suite("In place")
struct InPlaceTests {
  // Red: --exec leaves out a protection, or something that the options ask for.
  @Test(
    "Inside, everything is as without --exec",
    arguments: [
      "--ro-bind / /",
      "--ro-bind / / --dev /dev --tmpfs /tmp --new-session --close-fds --die-with-parent",
      """
      --ro-bind / / --unshare-user --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup \
      --unshare-time --monotonic 1000 --hostname box --uid 7 --gid 8 --disable-userns
      """,
      "--ro-bind / / --seccomp-policy default --landlock-scope-try abstract-unix,signal",
      "--bind / / --cap-add net_raw --uid 0 --chdir /usr --setenv A B --unsetenv HOME",
      "--ro-bind / / --ro-bind-text text /etc/hostname --mask /srv --argv0 name",
    ])
  func protection(_ options: String) throws {
    let outcome = try Session().run(
      """
      export outer=$(readlink /proc/self/ns/*)
      look='
        grep -vE "^(Tgid|Pid|PPid|NS[a-z]*|Vm.*|Rss.*|[a-z_]*ctxt_switches):" /proc/self/status
        cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/self/cgroup
        cut -d " " -f 4- /proc/self/mountinfo
        for namespace in /proc/self/ns/*; do
          case "$outer" in *"$(readlink "$namespace")"*) echo shared;; *) echo new;; esac
        done
        ls /proc/self/fd; uname -n; pwd; umask; env | sort'
      for exec in "" --exec; do
        nestbox $exec \(options) bash -c "$look" 5</dev/null >"seen$exec" || echo "failed: $exec"
      done
      diff seen seen--exec && test "$(wc -l <seen)" -gt 60 && echo same
      """)
    #expect(outcome.output == "same", "\(outcome.output)\n\(outcome.errors)")
  }

  // Red: a process of nestbox is left.
  @Test func `The command is the process that the caller started`() throws {
    let outcome = try Session().run(
      """
      mkfifo line
      nestbox --exec --ro-bind / / sh -c 'echo $$ $PPID; exec sleep 300' >line &
      read -r pid parent <line
      test "$pid $parent" = "$! $$" && echo "its child"
      read -r children </proc/$$/task/$$/children
      test "$children" = $! && echo "and no other"
      test -z "$(cat /proc/$!/task/$!/children)" && echo "without children"
      kill -USR1 $!
      wait $!
      echo $?
      """)
    #expect(outcome.lines == ["its child", "and no other", "without children", "138"])
  }

  // Red: a supervisor sees an exit where the command was killed.
  @Test func `The caller sees the signal that ended the command`() throws {
    let outcome = try Session().run(
      """
      python3 -c 'if True:
        import subprocess
        line = "nestbox --exec --ro-bind / / sh -c".split()
        print(*[subprocess.call(line + [end]) for end in ["kill -15 $$", "exit 3"]])'
      """)
    #expect(outcome.output == "-15 3", "\(outcome.errors)")
  }

  // Red: the command lives on when its caller has died.
  @Test func `With --die-with-parent the command dies with the caller`() throws {
    let outcome = try Session().run(
      """
      sh -c 'nestbox --exec --die-with-parent --ro-bind / / sh -c "echo \\$\\$; exec sleep 300" &
        while ! test -s pid; do sleep 0.05; done' >pid
      for try in {1..200}; do kill -0 "$(cat pid)" 2>&- || break; sleep 0.05; done
      kill -0 "$(cat pid)" 2>&- || echo dead
      """)
    #expect(outcome.output == "dead", "\(outcome.errors)")
  }

  // Red: a caller that has to connect the network first has no pid, or the command does not wait.
  @Test func `A caller learns of the sandbox and lets the command wait`() throws {
    let outcome = try Session().run(
      """
      mkfifo info block
      nestbox --exec --unshare-net --info-fd 3 --block-fd 4 --ro-bind / / sh -c 'test -e ready' \
        3>info 4<>block &
      pid=$(grep -o '"child-pid": [0-9]*' info | tr -dc 0-9)
      test "$pid" = $! && echo "its pid"
      touch ready
      echo >block
      wait $! && echo waited
      """)
    #expect(outcome.lines == ["its pid", "waited"], "\(outcome.errors)")
  }

  // Red: a launch that fails leaves something behind, or the message misleads.
  @Test func `A failed launch leaves nothing, and its status says where it failed`() throws {
    let outcome = try Session().run(
      """
      exec > >(sed "s:$PWD/::g") 2>&1
      mkdir host
      nestbox --exec --bind / / --tmpfs "$PWD/host/new" true
      echo $?
      nestbox --exec --bind / / nosuchcommand
      echo $?
      nestbox --exec --bind / / /etc/passwd
      echo $?
      nestbox --exec --bind / / --disable-userns --unshare-user nestbox --exec --ro-bind / / true |&
        grep -Ec 'namespace failed: .*unshare|cause: '
      ls host
      exec >&- 2>&-
      wait
      """, isMerged: true)
    #expect(
      outcome.output == """
        nestbox: Can't mount tmpfs on host/new: Operation not permitted (--tmpfs, --exec does not allow that)
        nestbox: cause: it does not exist on the host, and under --exec no process could remove it after a failed launch
        nestbox: hint: make it first, or leave out --exec
        125
        nestbox: Can't execute nosuchcommand: No such file or directory (execve)
        nestbox: hint: without --exec nestbox looks for the cause
        127
        nestbox: Can't execute /etc/passwd: Permission denied (execve)
        nestbox: hint: without --exec nestbox looks for the cause
        126
        2
        """)
  }

  // Red: an option that needs a process of nestbox is dropped without a word.
  @Test(
    "Options that need a process beside the command are an error",
    arguments: [
      ("--unshare-pid", "enters the new pid namespace"),
      ("--unshare-all", "enters the new pid namespace"),
      ("--pidns 3", "enters the pid namespace"),
      ("--lock-file /etc/passwd", "holds the lock"),
      ("--sync-fd 3", "holds the descriptor"),
      ("--json-status-fd 3", "reports the exit code"),
      ("--report 9", "reports the end"),
      ("--usage", "prints what was used"),
      ("--dbus-session", "ends the proxy"),
      ("--name one", "holds the registration"),
      ("--ro-repositories .", "looks for new repositories afterwards"),
    ])
  func refusals(_ options: String, _ task: String) throws {
    let outcome = try Session().run(
      "nestbox --exec --ro-bind / / \(options) echo started 3</proc/self/ns/pid 9>/dev/null; echo $?"
    )
    let option = options == "--unshare-all" ? "--unshare-pid" : String(options.prefix { $0 != " " })
    #expect(outcome.output == "125")
    #expect(
      outcome.errors
        == "nestbox: --exec leaves no process of nestbox, but \(option) needs one, which \(task): "
        + "leave out --exec")
  }
}
