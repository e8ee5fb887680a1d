// SPDX-License-Identifier: Apache-2.0
// The hostile program, compiled once, and the place where it runs.

import Foundation
import TestSupport

/// The hostile program.
enum Hostile {
  private static let sources = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Hostile")

  /// A directory that every user can read, with the program; where the tests run as root, once more
  /// as a program that makes everybody root and as one that gives everybody capabilities.
  static let directory: Result<URL, any Error> = Result {
    let directory = Workspace.root.appending(path: "hostile")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    let outcome = try Session(as: .root).run(
      """
      cd "$2"; umask 022
      gcc -O1 -Wall -Wextra -Wno-unused-result -Werror -static -o hostile "$1"/*.c -lutil || exit 1
      [ "$(id -u)" = 0 ] || exit 0
      install -m 4755 hostile setuid
      install -m 0755 hostile capable
      # CAP_CHOWN and CAP_NET_RAW, permitted and effective (capabilities(7), VFS_CAP_REVISION_2).
      python3 -c 'import os, struct; os.setxattr("capable", "security.capability",
        struct.pack("<IIIII", 0x2000001, 0x2001, 0, 0, 0))'
      """, sources.path, directory.path)
    guard outcome.status == 0 else { throw Failure("hostile: \(outcome.errors)") }
    return directory
  }
}

extension Session {
  /// Runs `script` where `$tools`, the variables of the attacks, and the files that they want stand
  /// ready.
  ///
  /// What root runs sees the machine's mounts as they are, and cannot change them.
  func attack(_ script: String, _ variables: String = "") throws -> Outcome {
    try run(
      "[ $UID != 0 ] || exec unshare --mount --propagation private bash -c \"$2\" bash \"$1\"\n"
        + "exec bash -c \"$2\" bash \"$1\"",
      Hostile.directory.get().path, Session.scene + variables + "\n" + script)
  }

  private static let scene = """
    tools=$1; H=$PWD
    mkdir hidden data work work/dir
    echo 'the secret' | tee hidden/secret > work/dir/masked
    echo untouched > data/file; : > data/empty
    export SECRET=$H/hidden/secret TARGET=$H/data/file MASK=$H/work/dir/masked
    export SETUID_FILE=$tools/setuid CAPABLE_FILE=$tools/capable
    export SOCKET=$$ LAUNCHER=$(stat -Lc %d:%i "$(command -v nestbox)") DEVICE=$(mountpoint -d / | head -n 1)
    export HANDLE=$(python3 -c 'import ctypes, os, sys
    handle = (ctypes.c_uint * 40)(128)
    call = ctypes.CDLL(None).name_to_handle_at
    if call(-100, os.fsencode(sys.argv[1]), handle, ctypes.byref(ctypes.c_int()), 0) == 0:
      print(handle[1], bytes(handle)[8:8 + handle[0]].hex(), sep=":")' "$SECRET")
    bare=(--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib
      --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp --dir /mnt
      --ro-bind "$tools" "$tools" --ro-bind "$H/data" "$H/data")
    system=(--ro-bind / / --proc /proc --dev /dev --tmpfs "$H/hidden")
    # The profile passes few variables on.
    kept=(); for name in SECRET TARGET MASK SETUID_FILE CAPABLE_FILE LAUNCHER DEVICE HANDLE SOCKET; do
      kept+=(--setenv $name "${!name}")
    done
    work=(--bind "$H/work" "$H/work" --ro-bind "$H/data/empty" "$MASK" --chdir "$H/work")

    """
}
