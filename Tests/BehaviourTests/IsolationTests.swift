// SPDX-License-Identifier: Apache-2.0
// What a command cannot see of the machine and of its caller.

import TestSupport
import Testing

@Suite("Isolation")
struct IsolationTests {
  // Red: a payload talks to any service of the user that listens on an abstract socket.
  @Test(
    "An abstract socket of the host is reached only without --unshare-net", .needs("python3"),
    arguments: [("", "reached"), ("--unshare-net", "refused")])
  func abstractSocket(_ option: String, _ expected: String) throws {
    let outcome = try Session().python(
      """
      import socket, subprocess, sys
      server = socket.socket(socket.AF_UNIX)
      server.bind("")  # the kernel chooses an abstract name
      server.listen()
      client = '''if True:
        import socket, sys
        try:
          socket.socket(socket.AF_UNIX).connect(bytes.fromhex(sys.argv[1]))
          print("reached")
        except ConnectionRefusedError:
          print("refused")'''
      name = server.getsockname().hex()
      subprocess.run(["nestbox", "--ro-bind", "/", "/"] + sys.argv[1].split()
        + ["python3", "-c", client, name], check=True)
      """, option)
    #expect(outcome.output == expected, "\(outcome.errors)")
  }

  // Red: sandboxes exchange data, and a payload reads other programs' objects.
  @Test(
    "System V objects of the host are seen only without --unshare-ipc", .needs("ipcmk"),
    arguments: [("-M 64", "-m"), ("-Q", "-q"), ("-S 1", "-s")])
  func systemVObjects(_ make: String, _ kind: String) throws {
    let outcome = try Session().run(
      """
      id=$(ipcmk \(make) | grep -o '[0-9]*$')
      for option in --share-net --unshare-ipc; do
        nestbox --ro-bind / / $option sh -c 'ipcs "$@"; echo looked' sh \(kind) -i $id > seen 2>&1
        grep -q looked seen && { grep -q = seen && echo seen || echo none; }
      done
      ipcrm \(kind) "$id"
      """)
    #expect(outcome.lines == ["seen", "none"], "\(outcome.errors)")
  }

  // Red: the same, for POSIX message queues.
  @Test(
    "A message queue of the host is opened only without --unshare-ipc", .needs("python3"),
    arguments: [("", "opened"), ("--unshare-ipc", "none")])
  func messageQueue(_ option: String, _ expected: String) throws {
    let outcome = try Session().python(
      """
      import ctypes, os, subprocess, sys
      library = ctypes.CDLL(None)
      name = f"/nestbox-test-{os.getpid()}".encode()
      assert library.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, None) >= 0
      client = '''if True:
        import ctypes, sys
        queue = ctypes.CDLL(None).mq_open(sys.argv[1].encode(), 0)
        print("opened" if queue >= 0 else "none")'''
      try:
        subprocess.run(["nestbox", "--ro-bind", "/", "/"] + sys.argv[1].split()
          + ["python3", "-c", client, name.decode()], check=True)
      finally:
        library.mq_unlink(name)
      """, option)
    #expect(outcome.output == expected, "\(outcome.errors)")
  }

  // Red: secrets of the caller's environment and command line are read at /proc/1.
  @Test(
    "No file of /proc/1 shows the caller's environment or command line",
    arguments: ["", "--uid 0", "--new-session", "--cap-add CAP_KILL"])
  func initShowsNothing(_ option: String) throws {
    let outcome = try Session().run(
      """
      export SECRET=hidden-in-the-environment
      nestbox --ro-bind / / --unshare-pid --proc /proc --unsetenv SECRET --setenv OTHER \
        hidden-in-the-command-line --unsetenv OTHER \(option) bash -c '
          tr -d "\\0" < /proc/1/cmdline; echo
          for file in environ cmdline comm auxv maps mem cwd root exe stack; do
            timeout 10 head -c 1000000 /proc/1/$file 2>&- | grep -c hid""den-in && echo $file
            readlink /proc/1/$file | grep . && echo link $file
          done
          readlink /proc/1/fd/*; ls /proc/1/map_files 2>&-'
      """)
    #expect(outcome.lines.filter { $0 != "0" } == ["nestbox"], "\(outcome.errors)")
  }

  // Red: a payload takes init over, and with it what init may do.
  @Test(
    "Init cannot be traced, read or written by the command", .needs("python3"),
    arguments: ["", "--uid 0"])
  func initIsFenced(_ option: String) throws {
    let outcome = try Session().run(
      """
      nestbox --ro-bind / / --unshare-pid --proc /proc \(option) python3 -c '
      import ctypes, os
      library = ctypes.CDLL(None, use_errno=True)
      attach = 16
      print(library.ptrace(attach, 1, 0, 0), os.strerror(ctypes.get_errno()))
      for name, mode in ("mem", os.O_RDWR), ("environ", os.O_RDONLY), ("syscall", os.O_RDONLY):
        try:
          os.read(os.open(f"/proc/1/{name}", mode), 1)
          print("opened", name)
        except PermissionError: print("refused", name)
      try: os.chdir("/proc/1/root")
      except PermissionError: print("refused root")
      try: os.kill(1, 9); print("nothing happened")
      except PermissionError: print("refused kill")
      '
      """)
    #expect(
      outcome.lines == [
        "-1 Operation not permitted", "refused mem", "refused environ", "refused syscall",
        "refused root", "nothing happened",
      ], "\(outcome.errors)")
  }

  // Red: a mount that a payload makes for itself changes what its siblings see.
  @Test func `Mounts in a namespace of the payload's own stay there`() throws {
    let outcome = try Session().run(
      """
      nestbox --ro-bind / / --unshare-pid --proc /proc --tmpfs /mnt --dir /mnt/inner bash -c '
        unshare --user --map-root-user --mount bash -c "
          mount -t tmpfs -o size=4k name /mnt/inner; touch /mnt/inner/file; ls /mnt/inner"
        ls -A /mnt/inner | wc -l'
      """)
    #expect(outcome.lines == ["file", "0"], "\(outcome.errors)")
  }

  // Red: a sandbox changes the mounts of the host.
  @Test func `Mounts made in a shared tree of the host do not show up there`() throws {
    let outcome = try Session().run(
      """
      unshare --user --map-root-user --mount --propagation shared bash -c '
        mkdir tree tree/inner
        nestbox --unshare-user --bind / / --tmpfs "$PWD/tree/inner" --cap-add cap_sys_admin bash -c "
          mount -t tmpfs -o size=4k name tree && findmnt -no FSTYPE tree"
        findmnt -R tree || echo none'
      """)
    #expect(outcome.lines == ["tmpfs", "none"], "\(outcome.errors)")
  }

  // Red: processes of the host are listed or found by their number.
  @Test func `A process of the host has no name inside`() throws {
    let outcome = try Session().run(
      """
      nestbox --ro-bind / / --unshare-pid --proc /proc bash -c '
        cd /proc; for pid in [0-9]*; do cat $pid/comm; done'
      """)
    #expect(outcome.lines == ["nestbox", "bash"], "\(outcome.errors)")
  }

  // Red: the variables with which the launcher quiets its own runtime reach the command.
  @Test func `The environment is the caller's own`() throws {
    let outcome = try Session().run(
      """
      cd /; export SWIFT_BACKTRACE=enable=yes SWIFT_ROOT=/nowhere
      env | grep -v ^_= | sort > ~/outside
      nestbox --ro-bind / / env | grep -v ^_= | sort | diff ~/outside -
      """)
    #expect(outcome.status == 0, "\(outcome.output)")
  }
}
