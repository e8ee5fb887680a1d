// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

extension Option {
  static let filesystem: [Option] = [
    Option(
      "--remount-ro", [.directory], in: .filesystem, "Make the mount at DIR read-only",
      """
      DIR must be a mount point, such as the root or the destination of a bind; mounts below it stay
      as they are. The option usually comes last, after options that put files into a tmpfs.

          nestbox --tmpfs / --ro-same /usr --ro-same /lib --ro-same-try /lib64 --dir /data \\
            --remount-ro / /usr/bin/ls /
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .remountReadOnly(typed.path(0)))
    },
    Option(
      "--proc", [.directory], in: .filesystem, "Mount procfs on DIR",
      """
      With --unshare-pid it is a new one that shows the processes of the sandbox; otherwise it is
      the host's. The parts that control the machine (/proc/sys, sysrq-trigger, irq, bus) are
      read-only if the command could write to them.

      The kernel refuses a new procfs if parts of the outer /proc are covered, as in most containers;
      --ro-bind /proc /proc shows the existing one instead.
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .proc(typed.path(0))) },
    Option(
      "--dev", [.directory], in: .filesystem, "Make a directory of harmless devices at DIR",
      """
      A tmpfs with null, zero, full, random, urandom, tty, links to the standard streams, an empty
      shm, a new devpts, and console if standard input, output or error is a terminal. Put --dev-bind
      after it to add other devices.
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .dev(typed.path(0))) },
    Option(
      "--tmpfs", [.directory], in: .filesystem, "Mount an empty tmpfs on DIR",
      """
      What is written there is kept in memory and is gone when the sandbox ends. Its mode is 0755,
      or what --perms before it says. All that a sandbox has in memory, / and /dev included, is one
      file system, which can fill half of the machine's memory; one with --size before it has that
      size, apart from the others. This hides a directory, not a file; --mask hides both.

          nestbox --ro-bind / / --perms 1777 --size 67108864 --tmpfs /tmp df -h /tmp
      """,
      traits: [.takesPermissions, .takesSize]
    ) { (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .tmpfs(
          typed.path(0), permissions: draft.takePermissions(0o755), size: draft.size.take()))
    },
    Option(
      "--mqueue", [.directory], in: .filesystem, "Mount POSIX message queues on DIR",
      """
      They are the queues of the sandbox's ipc namespace, so --unshare-ipc is needed. The usual
      place is /dev/mqueue. See mq_overview(7).
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .mqueue(typed.path(0))) },
    Option(
      "--dir", [.directory], in: .filesystem, "Make the directory DIR",
      """
      Its mode is 0755, or what --perms before it says. An existing directory and its mode stay as
      they are.

          nestbox --ro-bind / / --tmpfs /mnt --perms 0700 --dir /mnt/mine stat /mnt/mine
      """,
      traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .directory(typed.path(0), permissions: draft.takePermissions(0o755)))
    },
    Option(
      "--file", [.descriptor, .destination], in: .filesystem, "Copy from FD to the file DEST",
      """
      Reads FD to its end. The mode of the file is 0666, or what --perms before it says. The command
      can change the file if its mode and its directory allow; below a writable bind the file stays
      on the host. No other option may read the same descriptor.
      """, traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .file(
          descriptor: try typed.descriptor(0), destination: typed.path(1),
          permissions: draft.takePermissions(0o666)))
    },
    data(
      "--bind-data", .readWrite, "Copy from FD to a file that is mounted at DEST",
      """
      As --ro-bind-data, but the command may write to the file. Its changes are gone when the
      sandbox ends.
      """),
    data(
      "--ro-bind-data", .readOnly, "Copy from FD to a file that is mounted read-only at DEST",
      """
      Reads FD to its end. The file is kept in memory and mounted, so it covers an existing file
      without changing it. Its mode is 0600, or what --perms before it says. No other option may
      read the same descriptor.

          nestbox --ro-bind / / --ro-bind-data 3 /etc/motd cat /etc/motd 3<<<Welcome.
      """),
    Option(
      "--ro-bind-text", [.text, .destination], in: .filesystem,
      "Mount a read-only file with TEXT at DEST",
      """
      A newline is added if TEXT does not end in one. The mode is 0644, or what --perms before it
      says.

          nestbox --ro-bind / / --ro-bind-text 'nameserver 192.0.2.1' /etc/resolv.conf cat /etc/resolv.conf
      """, traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .text(typed.text(0), typed.path(1), permissions: draft.takePermissions(0o644)))
    },
    Option(
      "--user-files", [.directory], in: .filesystem, "Mount passwd and group in DIR for one user",
      """
      They list the command's user and group as they are inside, and nobody else. The user's name
      comes from USER or LOGNAME inside, home directory and shell from HOME and SHELL.

          nestbox --ro-bind / / --user-files /etc getent passwd
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .userFiles(typed.path(0))) },
    Option(
      "--hosts-file", [.path], in: .filesystem, "Mount a hosts file with the sandbox's name",
      """
      It names localhost and the sandbox's host name. With the host's network, the lines of the
      host's /etc/hosts follow.

          nestbox --unshare-all --hostname box --ro-bind / / --hosts-file /etc/hosts hostname -f
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .hosts(typed.path(0))) },
    Option(
      "--mask", [.path], in: .filesystem, "Hide PATH inside, if it exists",
      """
      Covers a directory with an empty one and anything else with an empty file, both read-only. If
      PATH does not exist, nothing is made, inside or on the host. Links are followed inside. If a
      program on the host later replaces a masked file, as editors do, the new file is not hidden;
      mask its directory instead.

          nestbox --ro-bind / / --mask "$HOME/.ssh" --mask "$HOME/.netrc" sh
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .mask(typed.path(0))) },
    Option(
      "--ro-repositories", [.directory], in: .filesystem,
      "Make read-only what git and its like obey in DIR",
      """
      DIR is a directory inside. The option protects every .git, .gitmodules, .hg, .jj, .svn, .bzr
      and _darcs in it, every directory that git would take for a repository, and the files that
      settings or links make git execute, because you may run git outside later. A link in place of
      a repository is an error. nestbox searches at most 50000 directories. The directories on the
      way to a repository become mounts, so a rename between them and others fails with EXDEV.

      If DIR is a linked work tree or a submodule, nestbox shows the git directory that its file .git
      names, read-only, if that directory names DIR as its work tree.

      If DIR has no .git, nestbox keeps that name free: while the sandbox lives, the name is a link
      that leads nowhere, and git ignores it. That needs --kill-on-exit. nestbox names other
      repositories that the command makes when the command has ended.

          nestbox --ro-bind / / --bind "$PWD" "$PWD" --ro-repositories "$PWD" make
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .repositories(typed.path(0))) },
    Option(
      "--rw-repository", [.directory], in: .filesystem,
      "Let the command commit in DIR's git repository",
      """
      Objects, references, the index and other files that git writes become writable. Files that git
      executes, or that lead it to other settings, stay read-only: settings, hooks, the git
      directories of submodules and of other work trees. If one of them does not exist, nestbox keeps
      its name free while the sandbox lives. Put the option after --ro-repositories DIR. If DIR has
      no repository, it does nothing.

      The command can rewrite all history. If it leaves a rebase unfinished, git rebase --continue
      executes the commands in it; nestbox names such a rebase when the command has ended.

          nestbox --profile build --rw-repository "$PWD" git commit -a -m Typo
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .commits(typed.path(0))) },
    Option(
      "--symlink", [.target, .destination], in: .filesystem, "Make a symbolic link at DEST",
      """
      TARGET becomes the content of the link and is not looked up. An existing link with the same
      target is left alone, so one line serves systems with and without a merged /usr; anything else
      at DEST is an error.

          nestbox --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 \\
            /usr/bin/ls -l /lib64
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .symbolicLink(target: typed.text(0), typed.path(1)))
    },
    Option(
      "--chmod", [.octal, .path], in: .filesystem, "Change the mode of the file at PATH",
      """
      PATH must belong to the caller or have been made by an earlier option. Below a writable bind
      the mode changes on the host.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .permissions(try typed.permissions(0), typed.path(1)))
    },
    Option(
      "--perms", [.octal], in: .filesystem, "Set the mode of what the next option makes",
      """
      At most four octal digits. It applies to the next option only, which must be --tmpfs, --dir,
      --file, --bind-data, --ro-bind-data or another one that makes a file or directory; --size may
      stand between them. If it denies the group or others all access, so do the parent directories
      that the next option makes.

          nestbox --ro-bind / / --perms 1777 --tmpfs /tmp stat -c %a /tmp
      """, traits: .isModifier
    ) { (draft, typed) throws(UsageError) in
      guard draft.permissions == nil else {
        throw UsageError(
          "given twice for the same option", bubblewrap: "--perms given twice for the same action")
      }
      draft.permissions = try typed.permissions(0)
    },
    Option(
      "--size", [.bytes], in: .filesystem, "Limit the size of what the next option mounts",
      """
      In bytes, at least 1; the kernel rounds up to whole pages. It applies to the next option only,
      which must be --tmpfs; --perms may stand between them.
      """, traits: .isModifier
    ) { (draft, typed) throws(UsageError) in
      guard draft.size == nil else {
        throw UsageError(
          "given twice for the same option", bubblewrap: "--size given twice for the same action")
      }
      draft.size = try typed.size(0)
    },
  ]

  private static func data(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String, _ discussion: String
  ) -> Option {
    Option(
      name, [.descriptor, .destination], in: .filesystem, summary, discussion,
      traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .data(
          descriptor: try typed.descriptor(0), destination: typed.path(1),
          permissions: draft.takePermissions(0o600), access: access))
    }
  }
}
