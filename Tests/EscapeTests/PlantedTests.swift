// SPDX-License-Identifier: Apache-2.0
// What a command leaves behind, or does next door, for the next launch to fall for.

import Foundation
import TestSupport
import Testing

@Suite("Planted", .needs("gcc"), .needs("python3"))
struct PlantedTests {
  /// Descriptors of the host that a launch is given, one of each kind that names a directory or
  /// that stays open for long.
  private static let descriptors = """
    --ro-bind-fd 4 /x --bind-fd 5 /y --sync-fd 6 --block-fd 7 --ro-bind-data 8 /z \
      4< outside 5< outside 6< outside 7< /dev/null 8< data/file
    """

  // Red: a link that a command planted in its own directory opens the host's whole tree to the
  // next one, as in CVE-2024-21626.
  @Test(
    "A working directory that is a link to a descriptor leads nowhere",
    arguments: [
      "--unshare-all", "--unshare-all --as-pid-1", "",
      "--unshare-all --unshare-user --disable-userns --cap-add ALL --lock-file /work/lock",
    ])
  func workingDirectory(_ options: String) throws {
    // Process 1 holds what --sync-fd names outside.
    let descriptors = PlantedTests.descriptors
    let outcome = try Session().attack(
      """
      mkdir outside; echo here > outside/mark; : > work/lock
      install -m 755 "$tools/hostile" private; cp private work
      echo "its own" > work/dir/own
      # The last one may be entered, and shows that the others were refused for what they are.
      for link in /proc/self/fd/{3..30} dir; do
        ln -sfn $link work/link
        nestbox "${bare[@]}" --bind work /work \(options) \
          \(descriptors) --chdir /work/link bash -c '
            [ -e mark ] && echo "in the directory"; cat "../hidden/secret" own'
        nestbox "${bare[@]}" --bind work /work \(options) \(descriptors) \
          /work/link/../private parents
      done 2> messages
      """)
    #expect(outcome.lines == ["its own", "held"], "\(outcome.errors)")
  }

  // Red: the same for the executed file: a program of the host that was not shown runs, and the
  // process that runs it can read it.
  @Test func `A command that is a link to a descriptor is not found`() throws {
    let outcome = try Session().attack(
      """
      mkdir outside; install -m 755 "$tools/hostile" outside/private; cp outside/private work/dir
      for link in /proc/self/fd/{3..30}/private dir/private; do
        ln -sfn $link work/link
        nestbox "${bare[@]}" --unshare-all --bind work /work \(PlantedTests.descriptors) \
          /work/link parents
      done 2> messages
      """)
    #expect(outcome.output == "held", "\(outcome.errors)")
  }

  /// A script that is also a profile: it has the launcher execute itself, and then a hostile command.
  private static let ownInterpreter = #"""
    export WORK=$H/work
    printf '#!/bin/sh\nexec "%s/hostile" launcher-file\n' "$tools" > work/hostile
    printf '#!%s/self/exe --profile\n--dev-bind / /\n--default-command %s/work/hostile\n' \
      /proc "$H" > work/script
    ln -s /proc/self/exe work/link; chmod +x work/hostile work/script

    """#

  // Red: the launcher executes its own file inside, and a command reaches that file on the host.
  // Root has no user namespace there that would keep the two apart.
  @Test("A script or link that leads to /proc/self/exe starts nothing", .asRoot)
  func ownFile() throws {
    let outcome = try Session(as: .root).attack(
      PlantedTests.ownInterpreter + #"""
        cp "$(command -v nestbox)" mine; export LAUNCHER=$(stat -c %d:%i mine)
        for line in script "link --dev-bind / / $H/work/hostile"; do
          ./mine --ro-bind / / --bind work "$H/work" --unshare-pid --proc /proc "$H"/work/$line
          echo $?
        done
        """#)
    #expect(outcome.lines == ["125", "125"], "\(outcome)")
    #expect(
      outcome.errors.components(separatedBy: "refusing to run again from inside").count == 3,
      "\(outcome.errors)")
  }

  // Red: the same, or a launcher inside that has a name there is refused too.
  @Test func `A launcher that is shown inside starts, and one behind a magic link does not`() throws
  {
    let outcome = try Session().attack(
      PlantedTests.ownInterpreter + #"""
        cp "$(command -v nestbox)" mine
        for program in ./mine "$H/mine"; do
          ./mine --ro-bind / / --unshare-all --proc /proc $program --ro-bind / / echo nested
          ./mine --ro-bind / / --unshare-all --proc /proc --bind work /mnt /mnt/script
          ./mine --ro-bind / / --unshare-all --proc /proc --bind work /mnt /mnt/link --version
        done; ./mine ./mine --version
        """#)
    #expect(outcome.lines.map { $0.prefix(7) } == ["nested", "nested", "nestbox"], "\(outcome)")
  }

  // Red: a process that may trace in a sandbox reads the host's files through the next process that
  // joins it, as in CVE-2016-9962.
  @Test(
    "A process on its way into a sandbox is out of reach there", arguments: ["", "--unshare-pid"])
  func newcomers(_ options: String) throws {
    let session = try Session()
    try session.write("driver.py", PlantedTests.newcomersDriver)
    let outcome = try session.attack(
      #"exec python3 driver.py "$tools" \#(options) "${bare[@]}""#)
    #expect(outcome.lines == ["ready", "held"], "\(outcome.errors)")
  }

  private static let newcomersDriver = """
    import json, os, subprocess, sys
    tools, *options = sys.argv[1:]
    ready, started = os.pipe(); about, told = os.pipe()
    first = subprocess.Popen(
      ["nestbox", "--unshare-all", *options, "--bind", "work", "/work", "--chdir", "/work",
       "--cap-add", "CAP_SYS_PTRACE", "--info-fd", str(told), tools + "/hostile", "newcomers"],
      pass_fds=[told], stdout=started)
    os.close(told); os.close(started)
    pid = json.loads(os.read(about, 4096))["child-pid"]
    answer = os.read(ready, 6)
    # Init hides until it has dropped its own rights.
    while True:
      try:
        kinds = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("user", "pid")]
        break
      except PermissionError:
        if first.poll() is not None: raise
    for i in range(100):
      if first.poll() is not None: break
      subprocess.run(["nestbox", "--userns", str(kinds[0]), "--pidns", str(kinds[1]), *options,
        "true"], pass_fds=kinds, check=True)
    open("work/stop", "w")
    print((answer + os.read(ready, 4096)).decode(), end="")
    """

  // Red: a command that may trace gains a capability by way of init.
  @Test("A command that may trace init gains no capability", arguments: ["CAP_SYS_PTRACE", "ALL"])
  func traceableInit(_ capability: String) throws {
    let outcome = try Session().run(
      """
      nestbox --ro-bind / / --unshare-pid --proc /proc --cap-add \(capability) --info-fd 3 bash -c '
        # Init hides until it has dropped its own.
        until list=$(ls /proc/1/fd 2>&1); do :; done
        grep -E "^(CapPrm|CapEff):" /proc/1/status' 3> about
      """)
    #expect(outcome.output == "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000", "\(outcome)")
  }

  // Red: a command that may trace leaves its filter by way of init, speaks to the monitor in its
  // name, and reads the caller's environment in its memory.
  @Test(
    "A command that may trace cannot look into an init that hides",
    arguments: ["CAP_SYS_PTRACE", "ALL"],
    ["--seccomp 3 --info-fd 4", "--seccomp-policy default --info-fd 4", ""])
  func filteredInit(_ capability: String, _ filter: String) throws {
    let outcome = try Session().run(
      """
      printf '\\x06\\0\\0\\0\\0\\0\\xff\\x7f' > allow.bpf
      nestbox --ro-bind / / --unshare-pid --proc /proc --cap-add \(capability) \(filter) bash -c '
        for i in {1..40}; do ls /proc/1/fd; sleep 0.02; done
        grep CapPrm /proc/1/status' 3< allow.bpf 4> about
      """)
    #expect(outcome.output == "CapPrm:\t0000000000000000", "\(outcome.errors)")
  }

  // Red: a command reads the keys of the user's login.
  @Test("Keys of the caller cannot be read", arguments: ["--unshare-all", ""])
  func keys(_ options: String) throws {
    let line = #""$tools/hostile" key-owner "#
    let session = try Session()
    let bare = try session.attack(#"\#(line) "$tools/hostile" keys"#)
    guard bare.output.hasPrefix("escaped: ") else {
      try Test.cancel("this kernel has no keys, or a filter hides them")
    }
    let outcome = try Session().attack(
      #"\#(line) nestbox \#(options) "${system[@]}" "$tools/hostile" keys"#)
    #expect(outcome.output == "held", "\(outcome)")
  }

  // Red: init or the monitor mistakes a command's interference for another process's end.
  @Test func `Limits that the command sets for init do not change the report of its end`() throws {
    let outcome = try Session().attack(
      """
      nestbox "${system[@]}" --unshare-all --json-status-fd 3 bash -c '
        "$1/hostile" limits; exit 42' bash "$tools" 3> status; echo $?
      grep exit-code status
      """)
    #expect(outcome.lines == ["held", "42", #"{ "exit-code": 42 }"#], "\(outcome.errors)")
  }

  /// Names that end a line, drive a terminal or turn its text around.
  private static let controllingNames = [
    #"a\nnestbox: all is well"#, #"\033]0;title\007"#,
    #"\033[2J"#, #"\r\033[K"#, #"\302\233" "31m"#,
    #"\342\200\256"#, #"\377\376"#, #"\342\200\250"#,
  ]

  // Red: a file name in a message controls the reader's terminal, or forges a line of a log.
  @Test("Messages quote names that could drive a terminal", arguments: controllingNames)
  func names(_ name: String) throws {
    let outcome = try Session().python(
      #"""
      import os, subprocess, sys
      name = eval('b"' + sys.argv[1].replace('" "', '') + '"')
      os.mkdir("work"); os.mkdir(b"work/" + name); open(b"work/" + name + b"/file", "w").close()
      place = b"/mnt/" + name
      base = ["nestbox", "--ro-bind", "/", "/", "--bind", "work", "/mnt"]
      for line in (
        ["--bind", b"/nosuch/" + name, "/tmp"], ["--dir", place + b"/file/x"],
        ["--tmpfs", place + b"/file"], ["--proc", place + b"/file"], ["--dev", place + b"/file"],
        ["--mqueue", place], ["--symlink", "x", place], ["--chmod", "0700", place + b"x"],
        ["--remount-ro", place], ["--chdir", place + b"x"], ["--lock-file", place + b"x"],
        ["--unshare-uts", "--hostname", 70 * b"x" + name], ["--uid", name],
        ["--setenv", name + b"=", "x"], ["--cap-add", name],
        ["--overlay-src", b"/x" + name, "--tmp-overlay", "/mnt"], [b"--" + name], [place + b"x"],
        ["--level-prefix", "--bind", b"/nosuch/" + name, "/tmp"], ["--file", "0", place],
        ["--perms", name, "--dir", "/mnt"], ["--size", name, "--tmpfs", "/mnt"],
      ):
        run = subprocess.run(base + line + ["true"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        text = run.stderr.decode("utf-8", "strict")
        bad = [c for c in text if c != "\n" and not c.isprintable()]
        lines = text.split("\n")
        forged = [l for l in lines[:-1] if not l.startswith(("nestbox: ", "<3>nestbox: "))]
        if not run.returncode or bad or forged or "nestbox: all is well" in lines:
          print("got in:", line, text)
      print("looked")
      """#, name)
    #expect(outcome.output == "looked", "\(outcome.errors)")
  }

  // Red: a directory that is exchanged for a link while a launch looks at it leads to the host.
  @Test("Exchanging directories and links during launches leads nowhere")
  func exchanges() throws {
    let rounds = ProcessInfo.processInfo.environment["NESTBOX_SOAK"] == nil ? 150 : 5000
    let session = try Session()
    try session.write("driver.py", PlantedTests.exchangeDriver)
    let outcome = try session.attack(
      #"exec python3 driver.py \#(rounds) "${bare[@]}""#)
    #expect(outcome.output == "outside is as it was", "\(outcome.errors)")
  }

  // Red: the directory that a profile looked at is another one when it is shown: about one launch in
  // four gave the secret away.
  @Test(
    "A project that is exchanged for a link during launches stays the project",
    arguments: ["k/sub ../run.sh", "k ./run.sh -C sub"])
  func project(_ words: String) throws {
    let session = try Session()
    try session.write("driver.py", PlantedTests.projectDriver)
    let outcome = try session.attack("exec python3 driver.py \(words)")
    #expect(outcome.output == "outside is as it was", "\(outcome.errors)")
  }

  private static let projectDriver = #"""
    import ctypes, os, subprocess, sys, threading
    place, *command = sys.argv[1:]
    renameat2 = ctypes.CDLL(None).renameat2
    os.makedirs("k/sub"); os.symlink("../hidden", "k/link")
    script = "#!/bin/sh\necho started; cd %s; for d in . sub sub/.. link; do cat $d/secret; : > $d/planted; done\n"
    open("k/run.sh", "w").write(script % os.path.abspath(place)); os.chmod("k/run.sh", 0o755)
    real = os.open(place, os.O_RDONLY)
    done = threading.Event()
    def swap():
      while not done.is_set(): renameat2(-100, b"k/sub", -100, b"k/link", 2)
    thread = threading.Thread(target=swap); thread.start()
    started = 0
    for i in range(80):
      output = subprocess.run(["nestbox", "--profile", "build", *command], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.fchdir(real)).stdout
      if b"secret" in output: print("shown:", output)
      if b"started" in output: started += 1
    done.set(); thread.join()
    if os.listdir("hidden") != ["secret"]: print("planted:", os.listdir("hidden"))
    print("outside is as it was" if started else "no launch was let through")
    """#

  private static let exchangeDriver = """
    import ctypes, os, subprocess, sys, threading
    rounds, bare = int(sys.argv[1]), sys.argv[2:]
    renameat2 = ctypes.CDLL(None).renameat2
    os.mkdir("outside"); open("outside/file", "w").write("untouched")
    os.makedirs("work/a/d")
    # To what it hits: a directory, a file, the root, a descriptor, the process's own root.
    for number, target in enumerate((os.path.abspath("outside"), os.path.abspath("outside/file"),
        "/", "/proc/self/fd/3", "/proc/self/root", "../../../../../../../../..")):
      os.symlink(target, f"work/link{number}")
    done = threading.Event()
    def swap(links):
      number = 0
      while not done.is_set():
        link = f"work/link{number % links}".encode(); number += 1
        renameat2(-100, b"work/a", -100, link, 2); renameat2(-100, b"work/a", -100, link, 2)
    thread = threading.Thread(target=swap, args=[6]); thread.start()
    def tree():
      return sorted((at, sorted(dirs + files)) for at, dirs, files in os.walk("outside"))
    before = tree()
    work = os.open(".", os.O_RDONLY)
    started = 0
    for i in range(rounds):
      output = subprocess.run(["nestbox", *bare, "--bind", "work", "/w", "--ro-bind", "data", f"/w/a/d/x{i}",
        "--dir", f"/w/a/y{i}", "--file", "0", f"/w/a/z{i}", "--symlink", "x", f"/w/a/s{i}",
        "--tmpfs", "/w/a/d", "--chmod", "0777", "/w/a", "--dev", f"/w/a/v{i}",
        "--chdir", "/w/a", "--lock-file", "/w/a/d/none" if i % 8 == 0 else "/usr/bin/env",
        "sh", "-c", "echo started; cat hidden/secret ../hidden/secret outside/file; echo x > file"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
      if output == b"started\\n": started += 1
      elif output: print(output)
    done.set(); thread.join()
    if not started: print("no launch was let through")
    same = tree() == before and open("outside/file").read() == "untouched"
    print("outside is as it was" if same else f"outside has changed: {tree()}")
    """
}
