// SPDX-License-Identifier: Apache-2.0
// What nestbox says when a command fails: it reads the command's files, which a hostile command may
// have written, and people do what a message advises.

import Foundation
import TestSupport
import Testing

@Suite("Hostile files that a message is about", .needs("python3"))
struct DiagnosisTests {
  /// Makes a directory `ro`, which is shown read-only, a directory `wr`, which is writable, and a key.
  private static let scene = #"""
    mkdir -p .ssh ro wr; echo KEY > .ssh/id_rsa; chmod 700 .ssh; chmod 600 .ssh/id_rsa
    bare="--ro-bind /usr /usr --proc /proc --dev /dev"
    for name in bin sbin lib lib64; do
      if [ -L /$name ]; then bare="$bare --symlink $(readlink /$name) /$name"
      elif [ -d /$name ]; then bare="$bare --ro-bind /$name /$name"; fi
    done
    places="--ro-bind $HOME/ro $HOME/ro --bind $HOME/wr $HOME/wr"
    # Runs $1/x and puts the file `hostile` in its place before it ends with 127, as someone does who
    # may write there.
    swap() {
      rm -f $1/x $1/go wr/started
      printf '#!/bin/sh\n: > ~/wr/started; while [ ! -e ~/%s/go ]; do sleep 0.01; done; exit 127\n' \
        $1 > $1/x; chmod 755 $1/x
      (ulimit -t $seconds; exec $trace nestbox $bare $places ~/$1/x) & run=$!
      while [ ! -e wr/started ]; do sleep 0.01; done
      mv hostile $1/x; : > $1/go; wait $run; echo "status $?"
    }
    # Writes a program that needs the libraries $2, and looks for them first in $3.
    program() { python3 - "$@" <<'END'
    import os, struct, sys
    path, needed, runpath, loader, overflow = (sys.argv[1:] + [""] * 4)[:5]
    strings, entries = b"\0", []
    for tag, text in [(1, name) for name in needed.split()] + [(29, runpath)] * bool(runpath):
      entries.append((tag, len(strings))); strings += os.fsencode(text) + b"\0"
    loader = os.fsencode(loader or "/lib64/ld-linux-x86-64.so.2") + b"\0"
    start = 64 + 3 * 56 + len(loader)
    home = start + 16 * (len(entries) + 2)
    entries += [(5, 2**64 - 1 if overflow else home), (0, 0)]
    segment = lambda kind, offset, address, size: struct.pack(
      "<IIQQQQQQ", kind, 4, offset, address, address, size, size, 8)
    machine = 62 if os.uname().machine == "x86_64" else 183
    data = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
      "<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    data += segment(3, 64 + 3 * 56, 0, len(loader))
    data += segment(1, 2**64 - 1, 1, 2**64 - 1) if overflow else segment(1, 0, 0, 2**40)
    data += segment(2, start, start, 16 * len(entries)) + loader
    data += b"".join(struct.pack("<QQ", *entry) for entry in entries) + strings
    open(path, "wb").write(data); os.chmod(path, 0o755)
    END
    }

    """#

  private func run(_ script: String) throws -> Outcome {
    // The tests' own build takes many times as long, and more under AddressSanitizer.
    let seconds = Program.isOptimized ? 15 : 300
    return try Session().run("seconds=\(seconds)\n" + DiagnosisTests.scene + script)
  }

  // Red: an overflow crashes the launcher.
  @Test func `Inconsistent numbers in a program do not end the launcher`() throws {
    let outcome = try run("program hostile libx.so '' '' overflow; swap ro")
    #expect(outcome.lines == ["status 127"] && outcome.errors == "", "\(outcome.errors)")
  }

  // Red: the launcher looks for each of thousands of libraries in each of a thousand directories,
  // and is killed for the time that takes it.
  @Test func `A search for many libraries in many directories ends soon`() throws {
    let outcome = try run(
      """
      mkdir ro/l; names=$(python3 -c '
      for i in range(4000): open(f"ro/l/{i:03x}", "w"); print(f"{i:03x}")')
      directories=$(python3 -c 'print(":".join(["/a"] * 1200))')
      program hostile "$names" "$directories:$HOME/ro/l"; swap ro
      """)
    #expect(outcome.lines == ["status 127"], "\(outcome.errors)")
  }

  // Red: a word that stands for a long path makes paths of megabytes, each of which is walked.
  @Test func `A directory that repeats the place of the program is not looked into`() throws {
    let outcome = try run(
      """
      names=$(python3 -c 'print(*range(500))')
      deep=ro; for i in {1..12}; do deep=$deep/$(printf '%0200d' 0); done; mkdir -p $deep
      program hostile "$names" "$(python3 -c 'print("$ORIGIN/../" * 370)')"; swap $deep
      """)
    #expect(outcome.lines == ["status 127"], "\(outcome.errors)")
  }

  // Red: nestbox advises the user to show the command a key.
  @Test(
    "A library is not recommended where it lies at home",
    arguments: [
      ("id_rsa", "$HOME/.ssh"), ("../.ssh/id_rsa", "$HOME/ro"), ("id_rsa", "/proc/self/cwd/.ssh"),
      ("id_rsa", "/usr/../$HOME/.ssh"), ("id_rsa", "$HOME/ro/link"),
    ])
  func library(_ name: String, _ directory: String) throws {
    let outcome = try run(
      "ln -s ../.ssh ro/link; program hostile \(name) \"\(directory)\"; swap ro")
    #expect(outcome.lines == ["status 127"])
    #expect(!outcome.errors.contains("--ro-bind") && !outcome.errors.contains(".ssh/id_rsa,"))
  }

  // Red: files are read and advice is given that the command itself has written.
  @Test func `A program that the command may have written is not diagnosed`() throws {
    let outcome = try run(
      """
      program hostile libx.so; cp hostile kept; swap wr
      # The same directory under a name where it is read-only.
      cp kept hostile; places="--ro-bind $HOME/ro $HOME/ro --bind $HOME $HOME/all \
        --bind wr wr --ro-bind wr/.. $HOME/ro2"; mkdir ro2; places="$places --bind $HOME/wr $HOME/wr"
      swap ro
      """)
    #expect(
      outcome.lines == ["status 127", "status 127"] && outcome.errors == "", "\(outcome.errors)")
  }

  // Red: a message recommends any interpreter or loader that a file names.
  @Test(
    "Showing or changing a file is recommended only if the system owns it",
    arguments: [
      "printf '#!%s\\n' ~/.ssh/id_rsa > ro/x",
      "printf '#!%s\\n' ~/ro/key > ro/x; ln -s ~/.ssh/id_rsa ro/key",
      "printf '#! %s\\r\\n' ~/.ssh/id_rsa > ro/x",
      "program ro/x '' '' ~/.ssh/id_rsa",
      "printf '#!%s\\n' ~/ro/y > ro/x; printf '#!%s\\n' ~/.ssh/id_rsa > ro/y; chmod +x ro/y",
    ], ["", "--ro-bind $HOME/.ssh $HOME/.ssh"])
  func named(_ hostile: String, _ options: String) throws {
    let outcome = try run("\(hostile); chmod +x ro/x; nestbox $bare $places \(options) ~/ro/x")
    #expect(outcome.status == 126 || outcome.status == 127)
    #expect(!outcome.errors.contains("--ro-bind /") && !outcome.errors.contains("chmod"))
    #expect(!outcome.errors.contains("sed -i") || !outcome.errors.contains("id_rsa\n"))
  }

  // Red: a link that an earlier command left where the caller types a name is to be shown.
  @Test func `A link's target is not recommended`() throws {
    let outcome = try run(
      "ln -s ~/.ssh/id_rsa tool; nestbox $bare ./tool; nestbox $bare --chdir / ~/tool")
    #expect(outcome.errors.contains("tool") && !outcome.errors.contains("--ro-bind /"))
  }

  // Red: the launcher waits for the writer of a pipe, or opens a device.
  @Test func `A pipe or device in the place of a program is not opened`() throws {
    let outcome = try run(
      """
      mkfifo hostile; swap ro; ln -s /dev/tty hostile; swap ro
      mkfifo ro/pipe; printf '#!%s\\n' ~/ro/pipe > ro/y; chmod +x ro/y ro/pipe
      nestbox $bare $places ~/ro/y
      """)
    #expect(outcome.lines == ["status 127", "status 127"] && outcome.status == 126)
  }

  // Red: keys do nothing while files are looked at, however long that takes.
  @Test("Signals have their effect again before files are looked at", .needs("strace"))
  func signals() throws {
    let outcome = try run(
      """
      program hostile libx.so
      trace="strace -f -o log -e trace=rt_sigprocmask,openat,statx,newfstatat"; swap ro
      grep -n 'ro/x"' log | tail -n 1 | cut -d : -f 1 > last
      masks() { grep rt_sigprocmask | tail -n 1 | sed 's/^[0-9 ]*//'; }
      head -n "$(cat last)" log | masks
      $trace nestbox $bare /nosuch; masks < log
      """)
    #expect(outcome.lines.count == 3 && outcome.lines[0] == "status 127", "\(outcome)")
    for line in outcome.lines.dropFirst() {
      #expect(line.hasPrefix("rt_sigprocmask(SIG_SETMASK, [], "), "\(outcome)")
    }
  }

  // Red: the launcher waits for ever for a file system whose server is gone: the command's own server
  // has ended, or does not answer.
  @Test(
    "A file system that does not answer keeps no message back",
    .asRoot, .enabled(if: FileManager.default.fileExists(atPath: "/dev/fuse"), "needs /dev/fuse"))
  func hanging() throws {
    let session = try Session(as: .root)
    try session.write("driver.py", DiagnosisTests.hangingDriver)
    let outcome = try session.run(
      DiagnosisTests.scene
        + """
        chmod 755 . ; mkdir hang; program hostile libx.so $HOME/hang
        exec unshare --mount --propagation private python3 driver.py
        """)
    #expect(outcome.lines == ["status 127", "status 126", "looked"], "\(outcome)")
  }

  private static let hangingDriver = #"""
    import ctypes, os, shutil, subprocess
    home = os.getcwd(); os.environ["HOME"] = home
    fuse = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fuse},rootmode=40000,user_id=61234,group_id=61234"
    assert ctypes.CDLL(None).mount(b"hang", f"{home}/hang".encode(), b"fuse.hang", 0, options.encode()) == 0
    user = ["setpriv", "--reuid=61234", "--regid=61234", "--clear-groups"]
    os.mkfifo("pipe"); os.mkdir("place"); shutil.copy("hostile", "place/hostile")
    os.chmod("place", 0o755)
    # A program that waits for its own exchange, and a file whose interpreter does not answer.
    open("place/x", "w").write("#!/bin/sh\nread line < ~/pipe; exit 127\n"); os.chmod("place/x", 0o755)
    open("place/y", "w").write(f"#!{home}/pipe\n"); os.chmod("place/y", 0o755); os.chmod("pipe", 0o666)
    run = subprocess.Popen([*user, "nestbox", "--ro-bind", "/", "/", f"{home}/place/x"], stdin=subprocess.DEVNULL)
    with open("pipe", "w") as pipe: os.rename("place/hostile", "place/x"); pipe.write("go\n")
    print("status", run.wait(), flush=True)
    print("status", subprocess.run([*user, "nestbox", "--ro-bind", "/", "/", f"{home}/place/y"]).returncode)
    print("looked", flush=True)
    os._exit(0)
    """#
}
