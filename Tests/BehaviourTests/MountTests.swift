// SPDX-License-Identifier: Apache-2.0
// What a bind makes of the mounts below it, and what hostile links and payloads make of a bind.

import TestSupport
import Testing

@Suite("Mounts")
struct MountTests {
  /// Runs `script` where it can freely arrange the directory `tree` and mounts below it.
  private func withMounts(_ script: String, propagation: String = "private") throws -> Outcome {
    try Session().run(
      """
      mkdir tree
      unshare --user --map-root-user --mount --propagation \(propagation) bash -c "$1"
      """, script)
  }

  /// A small file system in memory.
  private static let mount = "mount -t tmpfs -o size=64k"

  // Red: a payload writes through a mount that lies below a tree it may only read.
  @Test func `A read-only bind is read-only on every mount below it`() throws {
    let outcome = try withMounts(
      """
      mkdir tree/a; \(MountTests.mount) one tree/a; mkdir tree/a/b; \(MountTests.mount) two tree/a/b
      touch tree/a/b/file; mount --bind tree/a/b/file tree/a/b/file
      nestbox --unshare-user --ro-bind / / --ro-bind tree /mnt bash -c '
        for place in /mnt/new /mnt/a/new /mnt/a/b/new /mnt/a/b/file; do
          (echo > $place) 2>&- || echo "refused $place"
        done'
      nestbox --unshare-user --ro-bind / / --bind tree /mnt touch /mnt/a/b/new && echo control
      """)
    #expect(
      outcome.lines == [
        "refused /mnt/new", "refused /mnt/a/new", "refused /mnt/a/b/new", "refused /mnt/a/b/file",
        "control",
      ], "\(outcome.errors)")
  }

  // Red: the new root, or what hides it while it is made, is a part of the host's tree.
  @Test func `A bind of the root shows the host's mounts and no other`() throws {
    let outcome = try Session().run(
      """
      mkdir tree proc
      export outside=$(wc -l </proc/self/mountinfo) below=$(grep -c ' /proc' /proc/self/mountinfo)
      nestbox --ro-bind / / --ro-bind /usr/.. "$PWD/tree" --ro-bind /usr/../proc "$PWD/proc" bash -c '
        mounts() { cut -d " " -f 5 /proc/self/mountinfo | grep -Ec "^$PWD/$1(/|$)"; }
        echo $(($(mounts tree) - outside)) $(($(mounts proc) - below))
        test tree/usr -ef /usr && test -e proc/self && echo the host'
      """)
    #expect(outcome.lines == ["0 0", "the host"], "\(outcome.errors)")
  }

  // Red: a planted link shows where the new root is made, and the host's tree around it.
  @Test func `No link leads from a source to the place where the new root is made`() throws {
    let outcome = try Session().run(
      """
      for number in {3..20}; do
        ln -sf "/proc/self/fd/$number" link
        nestbox --tmpfs /tmp --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib \
          --symlink usr/lib64 /lib64 --ro-bind-text hidden /tmp/text --ro-bind-try link /mnt/it \
          sh -c 'cd /mnt/it && ls -d etc home new/etc old/etc ../etc proc/self self' 2>&-
      done
      echo tried
      """)
    #expect(outcome.output == "tried", "\(outcome.output)")
  }

  // Red: what the administrator forbids on a mount is allowed in a sandbox.
  @Test(
    "Restrictions of the host's mounts are kept", arguments: ["--bind", "--dev-bind", "--ro-bind"])
  func restrictionsStay(_ option: String) throws {
    let outcome = try withMounts(
      """
      \(MountTests.mount),nosuid,nodev,noexec,noatime,ro name tree
      nestbox --unshare-user --ro-bind / / \(option) tree /mnt findmnt -no OPTIONS /mnt
      """)
    let options = Set(outcome.output.split(separator: ",").map(String.init))
    #expect(
      options.isSuperset(of: ["ro", "nosuid", "nodev", "noexec", "noatime"]),
      "\(outcome.output) \(outcome.errors)")
  }

  // Red: a payload takes restrictions off again in a user namespace that it makes for itself.
  @Test func `A read-only bind stays so in namespaces of the payload's own`() throws {
    let outcome = try Session().run(
      """
      mkdir tree
      nestbox --ro-bind / / --ro-bind tree /mnt --unshare-pid --proc /proc bash -c '
        unshare --user --map-root-user --mount bash -c "
          mount -o remount,bind,rw /mnt || umount /mnt || echo refused; touch /mnt/file"
        touch /mnt/file' 2> /dev/null
      ls tree
      """)
    #expect(outcome.output == "refused", "\(outcome.errors)")
  }

  /// A root with little in it, and a payload that may do there what it can.
  private static let bareRoot =
    "--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64"

  // Red: mounts of the host are left over in the sandbox.
  @Test func `The mount table lists what the options name and nothing else`() throws {
    let outcome = try Session().run(
      """
      nestbox \(MountTests.bareRoot) --unshare-pid --proc /proc --tmpfs /tmp \
        bash -c 'cut -d " " -f 5 /proc/self/mountinfo | sort -u'
      """)
    #expect(outcome.lines.filter { !$0.hasPrefix("/usr/") } == ["/", "/proc", "/tmp", "/usr"])
  }

  // Red: a payload finds its way back to the host's files.
  @Test("No way leads back to the host's tree", .needs("python3"))
  func noWayBack() throws {
    let outcome = try Session().run(
      """
      touch marker
      nestbox \(MountTests.bareRoot) --unshare-pid --proc /proc --dev /dev --dir /jail \
        --cap-add ALL python3 - "$PWD/marker" <<'END'
      import ctypes, os, sys
      library = ctypes.CDLL(None, use_errno=True)
      def look(way):
        if os.path.exists("." + sys.argv[1]) or os.path.exists(sys.argv[1]): print("found", way)
      def attempt(way, *steps):
        try:
          for step in steps: step()
        except OSError: pass
        look(way)
      detach = 2
      attempt("at once")
      attempt("..", lambda: os.chdir("../../../../../../../.."))
      attempt("init", lambda: os.chdir("/proc/1/root"))
      attempt("init's directory", lambda: os.chdir("/proc/1/cwd"))
      for number in os.listdir("/proc/self/fd"):
        attempt("descriptor", lambda: os.fchdir(int(number)))
      attempt("chroot", lambda: os.chdir("/"), lambda: os.chroot("/jail"),
        lambda: os.chdir("../../../../../../.."), lambda: os.chroot("."))
      for i in range(4):
        library.umount2(b"/", detach)
        attempt("umount", lambda: os.chdir("/"))
      print("looked")
      END
      """)
    #expect(outcome.output == "looked", "\(outcome.errors)")
  }

  // Red: a drive that the host mounts later can be written in a tree that was bound read-only.
  @Test(
    "A later mount of the host appears in a writable bind and never in a read-only one",
    arguments: [("--ro-bind", "0"), ("--bind", "1")])
  func laterMounts(_ option: String, _ count: String) throws {
    let outcome = try withMounts(
      """
      mkdir tree/drive; mkfifo ready go
      nestbox --unshare-user --bind / / \(option) tree /mnt bash -c '
        echo > ready; read -r word < go; ls /mnt/drive | wc -l' &
      read -r word < ready
      \(MountTests.mount) name tree/drive; touch tree/drive/file; echo > go; wait
      """, propagation: "shared")
    #expect(outcome.output == count, "\(outcome.errors)")
  }

  // Red: a device stays in use after the host has unmounted it, and nothing helps.
  @Test(
    "A read-only bind loses what the host unmounts with --follow-mounts, or with its mount point",
    arguments: [
      ("", "true", "kept"), ("--follow-mounts", "true", "gone"), ("", "rmdir tree/drive", "gone"),
    ])
  func unmounts(_ option: String, _ then: String, _ state: String) throws {
    let outcome = try withMounts(
      """
      mkdir tree/drive; mkfifo ready go
      \(MountTests.mount) name tree/drive; touch tree/drive/file
      nestbox --unshare-user \(option) --ro-bind / / --ro-bind tree /mnt --proc /proc bash -c '
        touch /mnt/drive/new 2>&- && echo written
        echo > ready; read -r word < go
        grep -q /drive /proc/self/mountinfo && echo kept || echo gone' &
      read -r word < ready
      umount tree/drive; \(then); echo > go; wait
      """, propagation: "shared")
    #expect(outcome.output == state, "\(outcome.errors)")
  }

  // Red: a process that can write above a destination makes the launcher create files or mount on
  // the host.
  @Test("A link that is planted during the launch never leads to the host", .needs("python3"))
  func plantedLinks() throws {
    let outcome = try Session().python(
      """
      import ctypes, os, subprocess, threading
      renameat2 = ctypes.CDLL(None).renameat2
      os.makedirs("tree/a"); os.mkdir("outside"); os.mkdir("work")
      os.symlink(os.path.abspath("outside"), "tree/b")
      done = threading.Event()
      exchange, here = 2, -100
      def swap():
        while not done.is_set(): renameat2(here, b"tree/a", here, b"tree/b", exchange)
      thread = threading.Thread(target=swap); thread.start()
      bare = \"\(MountTests.bareRoot)\".split()
      for i in range(100):
        subprocess.run(["nestbox", *bare, "--bind", "tree", "/t", "--bind", "work", f"/t/a/x{i}",
          "--file", "0", f"/t/a/y{i}", "true"], stderr=subprocess.DEVNULL,
          stdin=subprocess.DEVNULL)
      done.set(); thread.join()
      print(os.listdir("outside"))
      made = [name for kind in "ab" if not os.path.islink(f"tree/{kind}")
        for name in os.listdir(f"tree/{kind}")]
      print("made some" if made else "made none")
      """)
    #expect(outcome.lines == ["[]", "made some"], "\(outcome.errors)")
  }
}
