// SPDX-License-Identifier: Apache-2.0
// Launches by root, who needs no user namespace and keeps every privilege that no option removes.

import Foundation
import TestSupport
import Testing

@Suite("As root", .asRoot)
struct RootTests {
  // Red: administrators' scripts stop working, or root's payloads get more than they had.
  @Test func `Without a user namespace root keeps its ids and capabilities`() throws {
    let outcome = try Session(as: .root).run(
      """
      look() { id -u; readlink /proc/self/ns/user; grep Cap /proc/self/status | head -n 4; }
      export -f look; bash -c look | grep -v CapInh > outside
      nestbox --ro-bind / / bash -c look | grep -v CapInh | diff outside - && echo same
      """)
    #expect(outcome.output == "same", "\(outcome.errors)")
  }

  // Red: a payload keeps capabilities that were to be taken from it.
  @Test(
    "Capabilities can be taken from root",
    arguments: [
      "--cap-drop ALL", "--unshare-user", "--unshare-all", "--unshare-user --uid 0 --gid 0",
      "--unshare-user --uid 1000",
    ])
  func dropped(_ options: String) throws {
    let outcome = try Session(as: .root).run(
      "nestbox --ro-bind / / \(options) grep -c 'Cap.*:.0000000000000000$' /proc/self/status")
    #expect(outcome.output == "5", "\(outcome.errors)")
  }

  // Red: the same, where only one is to stay. User 0 needs neither an inheritable nor an ambient
  // set to keep it, and what it starts is not to inherit it either.
  @Test func `A single capability can be kept`() throws {
    let outcome = try Session(as: .root).run(
      """
      nestbox --ro-bind / / --cap-drop ALL --cap-add CAP_NET_BIND_SERVICE \
        grep -c 'Cap.*:.0000000000000400$' /proc/self/status
      """)
    #expect(outcome.output == "3", "\(outcome.errors)")
  }

  // Red: a payload without any capability sets core_pattern, and runs as root on the host.
  @Test(
    "What controls the machine cannot be written",
    arguments: ["--cap-drop ALL", "--cap-drop ALL --unshare-pid"])
  func machineControls(_ options: String) throws {
    let outcome = try Session(as: .root).run(
      """
      nestbox --ro-bind / / \(options) --proc /proc bash -c '
        for file in sys/kernel/core_pattern sys/vm/drop_caches sysrq-trigger; do
          (: >> /proc/$file) 2>&- && echo "opened $file"
        done; test -r /proc/sys/kernel/core_pattern && echo looked'
      """)
    #expect(outcome.output == "looked", "\(outcome.errors)")
  }

  // Red: files of the host are written through a read-only bind.
  @Test func `A read-only bind is read-only to root`() throws {
    let outcome = try Session(as: .root).run(
      """
      mkdir tree
      nestbox --ro-bind / / --ro-bind tree /mnt --cap-drop ALL bash -c '
        touch /mnt/file; mount -o remount,bind,rw /mnt; umount /mnt; touch /mnt/file' 2> /dev/null
      ls tree; echo looked
      """)
    #expect(outcome.output == "looked", "\(outcome.errors)")
  }

  // Red: the host's own mounts change when root starts a sandbox.
  @Test func `The host's mounts stay as they are, shared or not`() throws {
    let outcome = try Session(as: .root).run(
      """
      mkdir tree tree/inner
      unshare --mount --propagation shared bash -c '
        table() { cut -d " " -f 2- /proc/self/mountinfo | cut -d " " -f 4- | sort; }
        table > before
        nestbox --bind / / --dev /dev --proc /proc --tmpfs "$PWD/tree" --ro-bind / /mnt \
          --remount-ro / bash -c "true"
        table | diff before - && echo same'
      """)
    #expect(outcome.output == "same", "\(outcome.errors)")
  }

  // Red: root cannot use the program where /proc is not mounted.
  @Test func `Without a user namespace /proc may be missing`() throws {
    let outcome = try Session(as: .root).run(
      "nestbox --bind / / --tmpfs /proc nestbox --ro-bind / / echo started")
    #expect(outcome.output == "started", "\(outcome.errors)")
  }

  // Red: the place where the new root is made covers a part of the host that sources lead to.
  @Test func `Without a directory /proc, paths of sources still lead through the root`() throws {
    let outcome = try Session(as: .root).run(
      """
      shown=()
      for entry in /*; do
        test "$entry" = /proc || shown+=(--dev-bind "$entry" "$entry")
      done
      nestbox "${shown[@]}" --dir /data --symlink ../usr /data/link \
        nestbox --bind / / --tmpfs /mnt --ro-bind /usr/../data/.. /mnt/root \
          --ro-bind /data/link/bin /mnt/bin sh -c '
            cd /mnt; test bin/sh -ef /usr/bin/sh && test root/usr -ef /usr && echo the host
            ls -d root/proc root/new bin/new 2>&-'
      """)
    #expect(outcome.output == "the host", "\(outcome.errors)")
  }

  // Red: root's sandboxes do not nest.
  @Test func `A sandbox in a sandbox works for root`() throws {
    let outcome = try Session(as: .root).run(
      """
      nest="nestbox --bind / / --unshare-pid --proc /proc --dev /dev"
      $nest $nest bash -c 'echo $$; exit 42'; echo $?
      """)
    #expect(outcome.lines == ["2", "42"], "\(outcome.errors)")
  }

  // Red: the caller's secrets are read at /proc/1 by a payload of root.
  @Test("Init shows nothing of the caller", arguments: ["--cap-drop ALL", "--unshare-user", ""])
  func initShowsNothing(_ options: String) throws {
    let outcome = try Session(as: .root).run(
      """
      SECRET=hidden-text nestbox --ro-bind / / --unshare-pid --proc /proc --unsetenv SECRET \
        --setenv OTHER hidden-text --unsetenv OTHER \(options) bash -c '
          cat /proc/1/cmdline /proc/1/environ /proc/1/mem 2>&- | grep -ac hidden-te""xt
          # Init closes those of the caller, which the command has as well, while the command starts.
          for try in {1..200}; do
            count=$(ls /proc/1/fd 2>&- | wc -l); [ $count -gt 1 ] || break; sleep 0.05
          done; echo $count'
      """)
    let lines = outcome.lines
    #expect(lines.first == "0", "\(outcome.errors)")
    // A payload with every capability may look; it finds the channel to the monitor alone.
    #expect(["0", "1"].contains(lines[1]), "\(lines)")
  }

  // Red: where another user has mounted a file system by FUSE, which root may not look at either if it
  // is an ordinary user's, no sandbox starts, or a false cause is given.
  /// Keeps others from reading its arguments: one thread waits for a page of a file that nobody
  /// serves and holds the memory map, and one waits to change the map, for which further readers wait.
  private static let holder = """
    import ctypes, os, sys, threading, time
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    file = os.open(sys.argv[1], os.O_RDONLY)
    page, byte = libc.mmap(None, 4096, 1, 2, file, 0), ctypes.create_string_buffer(1)
    def change():
      while True: libc.munmap(ctypes.c_void_p(libc.mmap(None, 4096, 1, 0x22, -1, 0)), 4096)
    print(os.getpid(), flush=True)
    threading.Thread(target=libc.memcpy, args=(byte, ctypes.c_void_p(page), 1), daemon=True).start()
    threading.Thread(target=change, daemon=True).start()
    while True: time.sleep(100)
    """

  // Red: --list takes a thread of the kernel with a mount namespace, such as kdevtmpfs, for a sandbox.
  @Test
  func `No thread of the kernel is listed`() throws {
    let outcome = try Session(as: .root).run(
      """
      nestbox --list | tail -n +2 | awk '{ print $2 }' > listed
      for thread in $(ps --ppid 2 -o pid=); do grep -x $thread listed; done
      ps --ppid 2 -o comm= | grep -c -x kdevtmpfs
      """)
    #expect(outcome.lines == ["1"], "\(outcome)")
  }

  // Red: --list, --inspect and --stop never return while a command keeps others from reading its
  // arguments.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/fuse"), "needs /dev/fuse"))
  func `A command that lets nobody read its arguments holds up no report`() throws {
    let session = try Session(as: .root)
    try session.write("holder.py", RootTests.holder)
    let user = String(User.ordinaryID)
    let outcome = try session.run(
      """
      mkdir place; touch number; chmod 666 number
      nestbox=$(command -v nestbox)
      within() { timeout -s KILL 60 "$@"; }
      export -f within; export nestbox FUSE_USER=\(user)
      unshare --mount python3 "$1" place setpriv --reuid=\(user) --regid=\(user) --clear-groups bash -c '
        "$nestbox" --ro-bind / / sleep 123456 & other=$!
        "$nestbox" --unshare-net --ro-bind / / python3 holder.py place/held > number &
        until [ -s number ]; do sleep 0.1; done
        held=$(cat number)
        for try in $(seq 200); do
          timeout -s KILL 1 cat /proc/$held/cmdline > /dev/null 2>&1 || break
        done 2>/dev/null
        echo held by $((try < 200))
        # The same user runs the sandboxes of other tests.
        list=$(within "$nestbox" --list); echo "$list" >&2
        grep -E -o -e "sleep 123456$" -e "^- +$held .*" <<< "$list" | sed "s/.* (/(/" | sort
        within "$nestbox" --inspect $held | grep -c -F "(python3)"
        within "$nestbox" --stop $other; echo $?
        # Until then the kernel cannot end it.
        kill -9 $held; ls place/end 2>/dev/null
        wait
      '
      """, ProfileTests.programs + "/fuse.py")
    #expect(
      outcome.lines == ["held by 1", "(python3)", "sleep 123456", "2", "0"],
      "\(outcome.output)\n\(outcome.errors)")
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/fuse"), "needs /dev/fuse"))
  func `Another user's FUSE mount can be covered, bound and hidden, and is named as a cause`()
    throws
  {
    let session = try Session(as: .root)
    let user = String(User.ordinaryID)
    let outcome = try session.run(
      """
      mkdir place place/dead
      # The programs that the user starts may be root's.
      nestbox=$(command -v nestbox)
      try() { "$nestbox" --ro-bind / / "$@" 2>&1 | grep -v ^nestbox:.hint; }
      export -f try; export nestbox
      unshare --mount python3 "$1" place/dead setpriv --reuid=\(user) --clear-groups bash -c '
        ls place/dead > /dev/null 2>&1 || echo closed
        try --tmpfs "$PWD/place/dead" ls -A place/dead
        try --bind "$PWD/place" /mnt --tmpfs /mnt/dead echo covered
        try --ro-bind place/dead /mnt echo bound
        try --mask "$PWD/place/dead" ls -A place/dead
        try --hide "$PWD/place/**/.env" echo hidden
        try --ro-bind place/dead/sub /mnt true
        try --ro-bind "$PWD/place" /mnt --tmpfs /mnt/dead/sub true
        "$nestbox" --dry-run --ro-bind / / --tmpfs "$PWD/place/dead/sub" true |
          grep -o "WILL FAIL.*"' | sed "s|$PWD|DIR|g"
      """, ProfileTests.programs + "/fuse.py")
    let closed =
      "nestbox: cause: DIR/place/dead is another user's FUSE file system, mounted without allow_other"
    #expect(
      outcome.lines == [
        "closed", "covered", "bound", "hidden",
        "nestbox: Can't find source path place/dead/sub: Permission denied (--ro-bind, open_tree)",
        closed,
        "nestbox: Can't mount tmpfs on /mnt/dead/sub: Permission denied (--tmpfs, openat2)", closed,
        "WILL FAIL: DIR/place/dead/sub: Permission denied",
      ], "\(outcome.output)\n\(outcome.errors)")
  }
}
