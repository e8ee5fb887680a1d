// SPDX-License-Identifier: Apache-2.0
// Options that show files and trees of the host at a path of their own choice.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

extension Option {
  static let binds: [Option] = [
    bind(
      "--ro-bind", .readOnly, "Show the host's SRC read-only at DEST",
      """
      Everything below DEST is read-only, on every mount in the tree, and later mounts of the host
      do not appear. The command can still connect to a socket below DEST.

          nestbox --ro-bind / / --tmpfs /home ls /home
      """),
    bind(
      "--ro-bind-try", .readOnly, "The same, but ignore a missing SRC",
      """
      As --ro-bind. Only a source that does not exist, or that lies in a directory which another
      user has closed, is ignored; any other failure is an error.
      """),
    bind(
      "--bind", .readWrite, "Show the host's SRC at DEST",
      """
      The command writes to the host's files, with the caller's rights, and its changes stay. Beware
      of files that programs execute outside later: makefiles, Git hooks, start-up files. Drives
      that the host mounts below SRC later appear inside as well.

          nestbox --ro-bind / / --dev /dev --bind "$PWD" "$PWD" make
      """),
    bind(
      "--bind-try", .readWrite, "The same, but ignore a missing SRC",
      """
      As --bind. What is ignored is what --ro-bind-try ignores.
      """),
    Option(
      "--bind-kept", [.hostDirectory, .destination], in: .binds,
      "Show the host's directory DIR at DEST, and make it if missing",
      """
      As --bind, but if DIR or its parents are missing, nestbox makes them, with access for you
      alone. Use it for caches and other files that the next sandbox should find. A failed launch
      removes the directories that it made.

          nestbox --bind-kept ~/.cache/boxes/tool ~/.cache sh -c 'date >>~/.cache/log'
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .kept(source: typed.path(0), destination: typed.path(1)))
    },
    bind(
      "--dev-bind", .devices, "Show the host's SRC at DEST with usable device files",
      """
      As --bind, but device files below DEST work, as far as the host's permissions allow. --dev
      makes the few devices that nearly every program needs.

          nestbox --ro-bind / / --dev /dev --dev-bind /dev/dri /dev/dri ls /dev/dri
      """),
    bind(
      "--dev-bind-try", .devices, "The same, but ignore a missing SRC",
      """
      As --dev-bind. Only a source that does not exist is ignored.
      """),
    Option(
      "--follow-mounts", in: .binds, "Let read-only binds follow what the host mounts and unmounts",
      """
      Without this option a read-only bind keeps the mounts that it had at the start. If the host
      unmounts a volume below it, the command goes on to see it, and its device stays in use until the
      sandbox ends or the host removes the mount point, as it does for removable drives.

      With it, the volume is gone inside as well. But what the host mounts below the bind later appears
      inside, and the command may write to it, as far as the caller may: the kernel sends unmounts
      only together with mounts, and cannot make these read-only.

          nestbox --follow-mounts --ro-bind / / --dev /dev --proc /proc sleep 1
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.followsMounts = true },
    Option(
      "--no-links-in", [.hostDirectory], in: .binds,
      "Refuse sources that are reached by a link in the host's directory DIR",
      """
      DIR begins with /. If a program could write to DIR earlier, it may have put a symbolic link there
      that leads elsewhere. With this option it is an error if such a link is on the way from DIR to the
      source of --bind, --ro-same, --overlay-src and the like; --home and --bind-kept make no directory
      behind it. The way to DIR itself may have links. If several options name directories around the
      source, the outermost counts. --read, --write and the
      options that search for files follow links before this one looks. --learn writes this option.

          nestbox --no-links-in /srv/job --ro-bind / / --bind /srv/job/out /srv/job/out make
      """
    ) { (draft, typed) throws(UsageError) in
      let path = try typed.absolutePath(0).lexicallyNormalized()
      draft.sandbox.directoriesWithoutLinks.append(ByteString(path))
    },
    bindDescriptor(
      "--ro-bind-fd", .readOnly, "Show the open file or directory FD read-only",
      """
      As --ro-bind, but the source is the file that FD has open (O_PATH is enough), so nobody can
      replace it between a check by the caller and its use here. The command does not get the
      descriptor. It is an error if the descriptor's path now refers to a different file.

          nestbox --ro-bind / / --ro-bind-fd 3 /mnt ls /mnt 3</etc
      """),
    bindDescriptor(
      "--bind-fd", .readWrite, "Show the open file or directory FD at DEST",
      """
      As --ro-bind-fd, but writable, like --bind.
      """),
    same(
      "--ro-same", "Show the host's PATH read-only at its own place",
      """
      As --ro-bind PATH PATH, but a symbolic link stays a link with the same target. So /bin is what
      it is on the host: a directory, or a link into /usr. PATH begins with /.

          nestbox --ro-same /usr --ro-same /bin --ro-same-try /lib --ro-same-try /lib64 ls -l /
      """),
    same(
      "--ro-same-try", "The same, but ignore a missing PATH",
      """
      As --ro-same. A dangling link counts as present, and a path in a directory that another user
      has closed as missing.
      """),
    Option(
      "--bind-program", in: .binds, "Show the command's own file read-only at its place",
      """
      No other file becomes visible. If the path already exists inside or crosses a link there, the
      option changes nothing. A relative path means the same inside: nestbox makes the missing
      directories on the way, including the working directory. It searches for a name without a
      slash in the PATH inside, and then in the caller's PATH.

      If the command is an interpreter that is already visible -- sh, bash, dash, ksh, mksh, zsh,
      fish, python, pypy, perl, ruby, node, nodejs, lua, luajit, php, tclsh, Rscript, guile or java,
      with or without a version in the name -- and its first argument without a dash names a regular
      file, nestbox shows that script in the same way. It shows the file of no other argument: bind
      every other file that the command needs.

          nestbox --ro-same /usr --ro-same /lib --ro-same-try /lib64 --bind-program ./thing
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .program) },
    Option(
      "--x11", in: .binds, "Show the X server that DISPLAY names",
      """
      Shows the server's socket as display 1000, and in /run/nestbox/xauthority only that server's
      cookie, from XAUTHORITY or ~/.Xauthority; sets DISPLAY and XAUTHORITY to them. So an X client
      works even with a shared network and --landlock-scope abstract-unix. If DISPLAY is not set, the
      option does nothing; a display on another machine keeps its name. The command can read and
      control the windows of all clients of the server.

          nestbox --ro-bind / / --tmpfs /tmp --tmpfs /run --x11 xclock
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .xServer(host: CurrentProcess.hostname))
      draft.sandbox.environment.append(.display)
    },
    Option(
      "--private-cwd", in: .binds, "Make the working directory, empty, if it is private",
      """
      If the caller's directory is missing inside, and its path lies in a tmpfs at $HOME, /tmp or
      /var/tmp, nestbox makes an empty directory there, so that relative paths mean the same as
      outside. What the command writes there is gone when the sandbox ends.
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .workingDirectory) },
  ]

  /// Whether the name of an option says that its source may be missing.
  ///
  /// Compares bytes: finding the boundaries of characters would cost every start time.
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
}
