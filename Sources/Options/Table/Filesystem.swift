// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import SystemPackage

extension Option {
  static let binds: [Option] = [
    bind("--ro-bind", .readOnly, "Show the host's SRC read-only at DEST", readOnlyText),
    bind("--ro-bind-try", .readOnly, "The same, but nothing where SRC does not exist"),
    bind("--bind", .readWrite, "Show the host's SRC at DEST", bindText),
    bind("--bind-try", .readWrite, "The same, but nothing where SRC does not exist"),
    bind("--dev-bind", .devices, "Show the host's SRC at DEST with usable device files"),
    bind("--dev-bind-try", .devices, "The same, but nothing where SRC does not exist"),
    bindDescriptor("--ro-bind-fd", .readOnly, "Show the open file or directory FD read-only"),
    bindDescriptor("--bind-fd", .readWrite, "Show the open file or directory FD at DEST"),
  ]

  private static let bindText =
    "Everything that is mounted below SRC comes along, with set-user-ID bits and device files "
    + "disabled. A missing DEST is made, its parents as well."
  private static let readOnlyText =
    bindText + " Nothing below DEST can be written, and what is mounted on the host later does "
    + "not appear."

  private static func bind(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String,
    _ discussion: String = ""
  ) -> Option {
    let isOptional = name.hasSuffix("-try")
    return Option(name, [.source, .destination], in: .filesystem, summary, discussion) {
      (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .bind(
          source: typed.path(0), destination: typed.path(1), access: access, isOptional: isOptional
        ))
    }
  }

  private static func bindDescriptor(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String
  ) -> Option {
    Option(name, [.descriptor, .destination], in: .filesystem, summary) {
      (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .bindDescriptor(
          try typed.descriptor(0), destination: typed.path(1), access: access))
    }
  }

  static let filesystem: [Option] = [
    Option("--remount-ro", [.directory], in: .filesystem, "Make the mount at DIR read-only") {
      (draft, typed) throws(UsageError) in draft.add(typed, .remountReadOnly(typed.path(0)))
    },
    Option(
      "--proc", [.directory], in: .filesystem, "Mount procfs on DIR",
      "With --unshare-pid it shows the processes of the sandbox, otherwise the host's."
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .proc(typed.path(0))) },
    Option(
      "--dev", [.directory], in: .filesystem, "Make a directory of harmless devices at DIR",
      "It has null, zero, full, random, urandom, tty, the standard streams, shm and a devpts of "
        + "its own, and console where standard output is a terminal."
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .dev(typed.path(0))) },
    Option(
      "--tmpfs", [.directory], in: .filesystem, "Mount an empty tmpfs on DIR",
      "Its mode is 0755 or what --perms says, its size what --size says.",
      traits: [.takesPermissions, .takesSize]
    ) { (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .tmpfs(
          typed.path(0), permissions: draft.takePermissions(0o755), size: draft.size.take()))
    },
    Option("--mqueue", [.directory], in: .filesystem, "Mount POSIX message queues on DIR") {
      (draft, typed) throws(UsageError) in draft.add(typed, .mqueue(typed.path(0)))
    },
    Option(
      "--dir", [.directory], in: .filesystem, "Make the directory DIR",
      "Its mode is 0755 or what --perms says. An existing one is left alone.",
      traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .directory(typed.path(0), permissions: draft.takePermissions(0o755)))
    },
    Option(
      "--file", [.descriptor, .destination], in: .filesystem, "Copy from FD to the file DEST",
      "Its mode is 0666 or what --perms says.", traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .file(
          descriptor: try typed.descriptor(0), destination: typed.path(1),
          permissions: draft.takePermissions(0o666)))
    },
    data("--bind-data", .readWrite, "Copy from FD to a file that is mounted at DEST"),
    data("--ro-bind-data", .readOnly, "Copy from FD to a file that is mounted read-only at DEST"),
    Option(
      "--symlink", [.target, .destination], in: .filesystem, "Make a symbolic link at DEST",
      "One that exists and says the same is left alone."
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .symbolicLink(target: typed.text(0), typed.path(1)))
    },
    Option(
      "--chmod", [.octal, .directory], in: .filesystem, "Change the mode of what is at DIR"
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .permissions(try typed.permissions(0), typed.path(1)))
    },
    Option(
      "--perms", [.octal], in: .filesystem, "Set the mode of what the next option makes",
      "It holds for the next option alone.", traits: .isModifier
    ) { (draft, typed) throws(UsageError) in
      guard draft.permissions == nil else { throw UsageError("given twice for the same option") }
      draft.permissions = try typed.permissions(0)
    },
    Option(
      "--size", [.bytes], in: .filesystem, "Limit the size of what the next option mounts",
      "It holds for the next option alone.", traits: .isModifier
    ) { (draft, typed) throws(UsageError) in
      guard draft.size == nil else { throw UsageError("given twice for the same option") }
      draft.size = try typed.size(0)
    },
  ]

  private static func data(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String
  ) -> Option {
    Option(
      name, [.descriptor, .destination], in: .filesystem, summary,
      "Its mode is 0600 or what --perms says.", traits: .takesPermissions
    ) { (draft, typed) throws(UsageError) in
      draft.add(
        typed,
        .data(
          descriptor: try typed.descriptor(0), destination: typed.path(1),
          permissions: draft.takePermissions(0o600), access: access))
    }
  }
}
