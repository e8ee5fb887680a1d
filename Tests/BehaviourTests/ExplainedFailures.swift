// SPDX-License-Identifier: Apache-2.0
// More lines for ExplainTests: what a command did not get without asking the kernel for it by its name,
// and what one option alone does not give.

extension KeptThing {
  private static let repository = """
    git init -q p; cd p; git config user.name A; git config user.email a@example.org
    """

  static let failures: [KeptThing] = [
    KeptThing(
      name: "a variable", setup: "export API_URL=works OTHER=1",
      line: "nestbox --explain $more sh -c 'echo ${API_URL:?not set}'",
      thing: "variables of yours that the command did not get: API_URL",
      options: "--keep-env API_URL"),
    KeptThing(
      name: "a variable of a script",
      setup: """
        export API_URL=works OTHER=1
        printf '#!/bin/sh\\necho ${API_URL:?not set}\\n' >script; chmod +x script
        """, line: "nestbox --explain $more ./script",
      thing: "variables of yours that the command did not get: API_URL",
      options: "--keep-env API_URL"),
    KeptThing(
      name: "a variable of a program that an interpreter reads",
      setup: """
        export API_URL=works OTHER=1
        echo 'import os; print(os.environ["API_URL"])' >main.py
        """, line: "nestbox --explain $more python3 main.py",
      thing: "variables of yours that the command did not get: API_URL",
      options: "--keep-env API_URL"),
    KeptThing(
      name: "some variable", setup: "export A_VARIABLE=works",
      line: "nestbox --explain $more sh -c 'env | grep -o works'",
      thing: "variables of yours that the command did not get: ", options: "--keep-env A_VARIABLE"),
    KeptThing(
      name: "a directory of PATH",
      setup: """
        mkdir -p home/.local/bin; export HOME=$PWD/home PATH=$PWD/home/.local/bin:$PATH
        printf '#!/bin/sh\\necho works\\n' >home/.local/bin/mytool; chmod +x home/.local/bin/mytool
        """, line: "nestbox --explain $more sh -c mytool",
      thing: "has the program mytool, which yours has at ", options: "--profile toolchains"),
    KeptThing(
      name: "a program of the caller's PATH alone",
      setup: """
        mkdir -p home opt; export HOME=$PWD/home PATH=$PWD/opt:$PATH
        printf '#!/bin/sh\\necho works\\n' >opt/mytool; chmod +x opt/mytool
        """, line: "nestbox --explain --setenv PATH /usr/bin:/bin $more sh -c mytool",
      thing: "has the program mytool, which yours has at ",
      options: "--read $PWD/opt/mytool --setenv PATH /usr/bin:/bin:$PWD/opt"),
    KeptThing(
      name: "a program in one of many directories",
      setup: """
        mkdir -p home a b c; export HOME=$PWD/home PATH=$PWD/a:$PWD/b:$PWD/c:$PATH
        printf '#!/bin/sh\\necho works\\n' | tee b/mytool >c/mytool; chmod +x b/mytool c/mytool
        """,
      line: """
        nestbox --explain --setenv PATH $PATH $more /usr/bin/python3 -c 'import subprocess
        subprocess.run(["mytool"])'
        """, thing: "has the program mytool, which yours has at ", options: "--read $PWD/b/mytool"),
    KeptThing(
      name: "a new namespace that the policy permits",
      line: "nestbox --explain --seccomp-allow unshare $more unshare -n echo works",
      thing: "the command lacks the capability CAP_SYS_ADMIN (unshare)",
      options: "--cap-add CAP_SYS_ADMIN", needs: ["/usr/bin/unshare"]),
    KeptThing(
      name: "a file to edit in place", setup: "mkdir p; cd p; echo a >f",
      line: "nestbox --explain $more sh -c 'true; sed -i s/a/b/ f && echo works'",
      thing: "/p/f is not shown inside (sed", options: "--write $PWD/p"),
    KeptThing(
      name: "many files of a directory",
      setup: "mkdir d; for i in 1 2 3 4 5; do echo works >d/$i; done",
      line: "nestbox --explain $more cat d/1 d/2 d/3 d/4 d/5",
      thing: "5 files of ", options: "--read $PWD/d"),
    KeptThing(
      name: "a call that the policy refuses, and that needs a capability",
      line: "nestbox --explain $more chroot / echo works",
      thing: "the policy refuses the system call chroot (chroot)",
      options: "--seccomp-allow chroot --cap-add CAP_SYS_CHROOT", needs: ["/usr/sbin/chroot"]),
    KeptThing(
      name: "a call that needs a capability for some of its flags",
      line: "nestbox --explain $more unshare -n echo works",
      thing: "the policy refuses the system call unshare (unshare)",
      options: "--seccomp-allow unshare --cap-add CAP_SYS_ADMIN", needs: ["/usr/bin/unshare"]),
    KeptThing(
      name: "a file to remove", setup: "mkdir p; cd p; >f",
      line: "nestbox --explain $more sh -c 'rm f && echo works'",
      thing: "/p/f is not shown inside (rm", options: "--write $PWD/p"),
    KeptThing(
      name: "a file to remove, unseen", setup: "mkdir p; cd p; >f",
      line: "nestbox --explain $more python3 -c 'import os; os.unlink(\"f\"); print(\"works\")'",
      thing: "/p/f is not shown inside (python3)", options: "--write $PWD/p"),
    KeptThing(
      name: "a file to replace that is shown by itself", setup: "mkdir p; cd p; echo a >f",
      line: "nestbox --explain --write f $more sh -c 'sed -i s/a/b/ f && echo works'",
      thing: "/p/f can neither be removed nor replaced inside (sed)", options: "--write $PWD/p"),
    KeptThing(
      name: "a read-only file to replace", setup: "mkdir p; cd p; echo a >f",
      line: "nestbox --explain --read f $more sh -c '>n; mv -f n f && echo works'",
      thing: "/p/f can neither be removed nor replaced inside (mv", options: "--write $PWD/p"),
    KeptThing(
      name: "a file that gets another owner", setup: "mkdir p; cd p; >f",
      line: "nestbox --explain $more sh -c 'chown $(id -u) f && echo works'",
      thing: "/p/f is not shown inside (chown", options: "--write $PWD/p/f"),
    KeptThing(
      name: "a file that most programs look for, in the line",
      line: "nestbox --explain $more sh -c 'head -c 0 /etc/bash.bashrc && echo works'",
      thing: "/etc/bash.bashrc is not shown inside (head", options: "--read /etc/bash.bashrc",
      needs: ["/etc/bash.bashrc"]),
    KeptThing(
      name: "the files of a project",
      setup: """
        mkdir p; cd p; printf 'include a.mk\\nall:\\n\\t@echo works\\n' >Makefile; >a.mk
        """, line: "nestbox --explain $more make", thing: "all files of the project ",
      options: "--profile build", needs: ["/usr/bin/make"]),
    KeptThing(
      name: "a module beside the program",
      setup: """
        mkdir p; cd p; echo 'import mod' >main.py; echo 'print("works")' >mod.py
        """, line: "nestbox --explain $more python3 main.py",
      thing: "where only what its line names is shown", options: "--profile build"),
    KeptThing(
      name: "a linked work tree",
      setup: repository + """

        git commit -q --allow-empty -m works; [ -d ../w ] || git worktree add -q ../w; cd ../w
        """, line: "nestbox --explain $more git log -1 --format=%s",
      thing: "all files of the project ", options: "--profile build", needs: ["/usr/bin/git"]),
    KeptThing(
      name: "a commit", setup: repository,
      line: """
        nestbox --explain --profile build $more sh -c 'git commit -q --allow-empty -m a && echo works'
        """, thing: "/p/.git is read-only inside (git)", options: "--profile git",
      needs: ["/usr/bin/git"]),
  ]
}
