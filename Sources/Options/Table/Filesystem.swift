// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

extension Option {
  static let binds: [Option] = [
    bind(
      "--ro-bind", .readOnly, "Show the host's SRC read-only at DEST",
      """
      Nothing below DEST can be written, on any mount that comes along, and what is mounted on the
      host later does not appear. A socket below DEST can still be connected to.

          nestbox --ro-bind / / --tmpfs /home ls /home
      """),
    bind(
      "--ro-bind-try", .readOnly, "The same, but nothing where SRC does not exist",
      """
      As --ro-bind. Only a source that does not exist is passed over; one that may not be read,
      for instance, is an error nevertheless.
      """),
    bind(
      "--bind", .readWrite, "Show the host's SRC at DEST",
      """
      What the command writes below DEST is written on the host, with the caller's rights, and
      stays there. Beware of what is executed later outside: makefiles, Git hooks, start-up files.
      Drives that are mounted below SRC later appear inside as well.

          nestbox --ro-bind / / --dev /dev --bind "$PWD" "$PWD" make
      """),
    bind(
      "--bind-try", .readWrite, "The same, but nothing where SRC does not exist",
      """
      As --bind. Only a source that does not exist is passed over.
      """),
    bind(
      "--dev-bind", .devices, "Show the host's SRC at DEST with usable device files",
      """
      As --bind, but device files below DEST work, to whoever the host's permissions allow it.
      For the few that nearly every program needs there is --dev.

          nestbox --ro-bind / / --dev /dev --dev-bind /dev/dri /dev/dri ls /dev/dri
      """),
    bind(
      "--dev-bind-try", .devices, "The same, but nothing where SRC does not exist",
      """
      As --dev-bind. Only a source that does not exist is passed over.
      """),
    bindDescriptor(
      "--ro-bind-fd", .readOnly, "Show the open file or directory FD read-only",
      """
      As --ro-bind, but the source is what the descriptor has open (O_PATH is enough), so that it
      cannot be exchanged between a check of the caller's and its use here. The command does not
      get the descriptor. It is an error if its name leads to another file by now.

          nestbox --ro-bind / / --ro-bind-fd 3 /mnt ls /mnt 3</etc
      """),
    bindDescriptor(
      "--bind-fd", .readWrite, "Show the open file or directory FD at DEST",
      """
      As --ro-bind-fd, but writable as with --bind.
      """),
    same(
      "--ro-same", "Show the host's PATH read-only at its own place",
      """
      As --ro-bind PATH PATH, but a symbolic link comes as a link, with what the host's says. /bin
      is then what it is on the host, a directory or a link into /usr. PATH begins with /.

          nestbox --ro-same /usr --ro-same /bin --ro-same-try /lib --ro-same-try /lib64 ls -l /
      """),
    same(
      "--ro-same-try", "The same, but nothing where PATH does not exist",
      """
      As --ro-same. A link that leads nowhere exists.
      """),
    Option(
      "--bind-program", in: .binds, "Show the command's own file read-only where it lies",
      """
      Nothing beside it becomes visible, and nothing changes where its path leads to something
      inside already, or over a link there. A relative
      path means the same inside: the directories on the way are made, the working directory among
      them. A name without a slash is searched for along PATH as it is inside; where that finds
      nothing, the caller's own PATH decides.

      If the command is an interpreter that is visible already -- sh, bash, dash, ksh, mksh, zsh,
      fish, python, pypy, perl, ruby, node, nodejs, lua, luajit, php, tclsh, Rscript, guile or java,
      a version behind the name or not -- and its first argument without a dash is the name of a
      regular file, that script is shown in the same way. No other argument is, be it the name of a
      file or not: what another program is to read has to be bound.

          nestbox --ro-same /usr --ro-same /lib --ro-same-try /lib64 --bind-program ./thing
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .program) },
  ]

  /// Whether what an option names may be missing, as its name says.
  ///
  /// By bytes: where a character begins is a question that takes its time, at every start.
  static func saysTry(_ name: String) -> Bool { name.utf8.suffix(4).elementsEqual("-try".utf8) }

  private static func same(_ name: String, _ summary: String, _ discussion: String) -> Option {
    let isOptional = saysTry(name)
    return Option(name, [.hostPath], in: .binds, summary, discussion) {
      (draft, typed) throws(UsageError) in
      draft.add(typed, .same(try typed.absolutePath(0), isOptional: isOptional))
    }
  }

  private static func bind(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String, _ discussion: String
  ) -> Option {
    let isOptional = saysTry(name)
    return Option(name, [.source, .destination], in: .binds, summary, discussion) {
      (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .bind(
          source: typed.path(0), destination: typed.path(1), access: access, isOptional: isOptional
        ))
    }
  }

  private static func bindDescriptor(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String, _ discussion: String
  ) -> Option {
    Option(name, [.descriptor, .destination], in: .binds, summary, discussion) {
      (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .bindDescriptor(
          try typed.descriptor(0), destination: typed.path(1), access: access))
    }
  }

  static let filesystem: [Option] = [
    Option(
      "--remount-ro", [.directory], in: .filesystem, "Make the mount at DIR read-only",
      """
      DIR has to be a mount point, as the destination of a bind is and the root, and mounts below
      it stay as they are. It usually comes last, after files have been placed in a tmpfs.

          nestbox --tmpfs / --ro-same /usr --ro-same /lib --ro-same-try /lib64 --dir /data \\
            --remount-ro / /usr/bin/ls /
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .remountReadOnly(typed.path(0)))
    },
    Option(
      "--proc", [.directory], in: .filesystem, "Mount procfs on DIR",
      """
      With --unshare-pid it is a new one, which shows the processes of the sandbox; otherwise it is
      the host's. What controls the machine in it (/proc/sys, sysrq-trigger, irq, bus) is read-only
      where the command could write to it.

      The kernel refuses a new procfs where parts of the outer /proc are covered, as in most
      containers; --ro-bind /proc /proc shows the existing one instead.
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .proc(typed.path(0))) },
    Option(
      "--dev", [.directory], in: .filesystem, "Make a directory of harmless devices at DIR",
      """
      A tmpfs with null, zero, full, random, urandom, tty, links to the standard streams, an empty
      shm, a devpts of its own, and console where standard output is a terminal. Other devices
      can be added with --dev-bind after it.
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .dev(typed.path(0))) },
    Option(
      "--tmpfs", [.directory], in: .filesystem, "Mount an empty tmpfs on DIR",
      """
      What is written there lives in memory and ends with the sandbox. Its mode is 0755 or what
      --perms says before it; it may fill half of the machine's memory unless --size says
      otherwise. A file cannot be hidden this way, only a directory.

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
      Those of the sandbox's ipc namespace, so --unshare-ipc is needed. The usual place is
      /dev/mqueue. See mq_overview(7).
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .mqueue(typed.path(0))) },
    Option(
      "--dir", [.directory], in: .filesystem, "Make the directory DIR",
      """
      Its mode is 0755 or what --perms says before it. An existing one is left alone, its mode
      included.

          nestbox --ro-bind / / --tmpfs /mnt --perms 0700 --dir /mnt/mine stat /mnt/mine
      """,
      traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .directory(typed.path(0), permissions: draft.takePermissions(0o755)))
    },
    Option(
      "--file", [.descriptor, .destination], in: .filesystem, "Copy from FD to the file DEST",
      """
      The descriptor is read to its end. The mode of the file is 0666 or what --perms says before
      it. The command may change the file, where its mode and its directory let it; below a
      writable bind it is left on the host. No other option may read the same descriptor.
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
      As --ro-bind-data, but the command may write to the file. What it writes ends with the
      sandbox.
      """),
    data(
      "--ro-bind-data", .readOnly, "Copy from FD to a file that is mounted read-only at DEST",
      """
      The descriptor is read to its end. The file is held in memory and mounted, so it covers one
      that is there without changing it. Its mode is 0600 or what --perms says before it. No other
      option may read the same descriptor.

          nestbox --ro-bind / / --ro-bind-data 3 /etc/motd cat /etc/motd 3<<<Welcome.
      """),
    Option(
      "--ro-bind-text", [.text, .destination], in: .filesystem,
      "Mount a read-only file with TEXT at DEST",
      """
      A newline is added where TEXT does not end in one. The mode is 0644 or what --perms says.

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
      They name the command's user and group as they are inside, and nobody else. The user's name is
      what USER or else LOGNAME say inside, home directory and shell are those of HOME and SHELL.

          nestbox --ro-bind / / --user-files /etc getent passwd
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .userFiles(typed.path(0))) },
    Option(
      "--mask", [.path], in: .filesystem, "Hide what is at PATH inside, if there is anything",
      """
      A directory is covered by an empty one, anything else by an empty file, both read-only. Where
      nothing exists nothing is done, and nothing is made, neither inside nor on the host. A link is
      followed to what it means inside. What a program of the host puts in the place of a masked
      file later, as editors do, is not hidden; mask the directory instead.

          nestbox --ro-bind / / --mask "$HOME/.ssh" --mask "$HOME/.netrc" sh
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .mask(typed.path(0))) },
    Option(
      "--symlink", [.target, .destination], in: .filesystem, "Make a symbolic link at DEST",
      """
      TARGET is what the link says, and is not looked up. A link that exists and says the same is
      left alone, so one line serves systems with a merged /usr and without; anything else at DEST
      is an error.

          nestbox --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 \\
            /usr/bin/ls -l /lib64
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .symbolicLink(target: typed.text(0), typed.path(1)))
    },
    Option(
      "--chmod", [.octal, .path], in: .filesystem, "Change the mode of the file at PATH",
      """
      PATH has to exist and to belong to the caller, or to have been made by an option before. Below
      a writable bind the mode is changed on the host.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .permissions(try typed.permissions(0), typed.path(1)))
    },
    Option(
      "--perms", [.octal], in: .filesystem, "Set the mode of what the next option makes",
      """
      Four octal digits at most. It holds for the next option alone, which has to be --tmpfs,
      --dir, --file, --bind-data, --ro-bind-data or another one that makes a file or directory;
      --size may stand between. What it keeps from the group or from others is kept from
      them in parent directories made on the way, too.

          nestbox --ro-bind / / --perms 1777 --tmpfs /tmp stat -c %a /tmp
      """, traits: .isModifier
    ) { (draft, typed) throws(UsageError) in
      guard draft.permissions == nil else { throw UsageError("given twice for the same option") }
      draft.permissions = try typed.permissions(0)
    },
    Option(
      "--size", [.bytes], in: .filesystem, "Limit the size of what the next option mounts",
      """
      In bytes, at least 1; the kernel rounds up to whole pages. It holds for the next option
      alone, which has to be --tmpfs; --perms may stand between.
      """, traits: .isModifier
    ) { (draft, typed) throws(UsageError) in
      guard draft.size == nil else { throw UsageError("given twice for the same option") }
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
