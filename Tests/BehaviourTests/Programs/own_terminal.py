# SPDX-License-Identifier: Apache-2.0
# What a person does at a terminal whose command has a terminal of its own: own_terminal.py CHECK OPTIONS. Prints ok.
import fcntl, hashlib, os, pty, re, select, signal, struct, subprocess, sys, termios, time

SHELLS = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"], "dash": ["dash", "-i"]}
PROMPT = r"top\$ "


class Terminal:
  def __init__(self, command, size=(33, 97)):
    self.process, self.master = pty.fork()
    if self.process == 0:
      os.execvpe(command[0], command, {**os.environ, "TERM": "xterm", "PS1": "top$ ", "HISTFILE": ""})
    self.resize(*size)
    self.shown = ""

  def resize(self, rows, columns):
    fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

  def read(self, seconds):
    """What is shown next; nothing at the end, or after so many seconds."""
    if not select.select([self.master], [], [], seconds)[0]: return b""
    try: return os.read(self.master, 65536)
    except OSError: return b""

  def wait_for(self, pattern):
    end = time.time() + 60
    while not (found := re.search(pattern, self.shown)):
      piece = self.read(max(0, end - time.time()))
      if not piece: raise SystemExit(f"{pattern!r} is missing in {self.shown[-500:]!r}")
      self.shown += piece.decode(errors="replace")
    before, self.shown = self.shown[:found.end()], self.shown[found.end():]
    return before

  def type(self, *steps):
    """Types strings, and waits for patterns in tuples."""
    for step in steps:
      if isinstance(step, str): os.write(self.master, step.encode())
      else: self.wait_for(step[0])

  def paste(self, data):
    os.set_blocking(self.master, False)
    while data:
      try: data = data[os.write(self.master, data[:4096]):]
      except BlockingIOError: time.sleep(0.002)
    os.set_blocking(self.master, True)

  def rest(self):
    output = b""
    while piece := self.read(60): output += piece
    return output

  def end(self, status, last=()):
    self.type(*last)
    self.rest()
    found = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
    if found != status: raise SystemExit(f"the status is {found}")


def shell(name="bash"):
  terminal = Terminal(SHELLS[name])
  terminal.wait_for(PROMPT)
  return terminal


def begin(options, script, name="bash", before=""):
  """Starts a script inside, which says that it is ready; the quotes keep that from the echo."""
  terminal = shell(name)
  terminal.type(f"{before}nestbox --pty {options} sh -c '{script}'\n", (r"[\r\n]ready\r",))
  return terminal


READY = "echo rea\"\"dy; "
SAVE = "stty -a >before; "
COMPARE = "stty -a >after; cmp before after && echo sa''me\n"


def names(options):
  """The name, the size and the settings are those of a terminal of the sandbox."""
  script = 'stty size; test -t 0 && test -t 1 && test -t 2 && echo is""one; stty -a | grep -o " icanon"; exit 7'
  terminal = shell()
  terminal.type(f"{SAVE}nestbox --pty {options} sh -c '{script}'\n", ("33 97",), ("isone",), ("icanon",), (PROMPT,), "echo $?\n", (r"[\r\n]7\r",), COMPARE, ("same",))
  if "--dev " in options: terminal.type(f"nestbox --pty {options} tty\n", (r"[\r\n]/dev/pts/\d+\r",), (PROMPT,))
  terminal.end(5, ["exit 5\n"])


def jobs(options, name="bash"):
  """Ctrl-Z, fg, bg and Ctrl-C, twice."""
  terminal = begin(options, READY + "exec cat", name, SAVE)
  for _ in range(2):
    terminal.type("\x1a", ("(?i)stopped|suspended",), (PROMPT,), "stty -a | tr -d '\\n' | grep -o ' icanon'; echo do''ne\n", (r"done\r",), (PROMPT,), "fg\n", (r"exec cat|continued|sh -c",))
    terminal.wait_for(r"\n")
    answered(terminal, "word")
  terminal.type("\x1a", ("(?i)stopped|suspended",), (PROMPT,), "bg\n", (PROMPT,), "echo sh''ell\n", (r"[\r\n]shell\r",), (PROMPT,), "fg\n", ("nestbox",))
  answered(terminal, "more")
  terminal.type("\x03", (PROMPT,), "echo st=$?\n", ("st=130",))
  if name != "dash": terminal.type(COMPARE, ("same",))
  terminal.end(5, ["exit 5\n"])


def answered(terminal, word):
  """Types a line until cat has answered: after fg nestbox may need a moment to see that it is in front."""
  end = time.time() + 60
  while time.time() < end:
    terminal.type(word + "\n")
    limit = time.time() + 1
    while time.time() < limit:
      terminal.shown += terminal.read(0.1).decode(errors="replace")
      if len(re.findall(word, terminal.shown)) > 1: return
  raise SystemExit(f"no answer in {terminal.shown!r}")


def resize(options):
  terminal = begin(options, 'trap "stty size; exit" WINCH; ' + READY + "while :; do sleep 0.1; done")
  terminal.resize(20, 40)
  terminal.end(5, [("20 40",), (PROMPT,), "exit 5\n"])


def pipes(options):
  """Only terminals are replaced."""
  terminal = Terminal(["bash", "-c", f"""echo word | nestbox --pty {options} sh -c 'cat; test -t 0 || echo no0; test -t 1 && echo is1'
    nestbox --pty {options} sh -c 'test -t 0 && echo is0; test -t 1 || echo no1; read x; echo got $x' | cat -A; exit 4"""])
  terminal.end(4, [("word\r",), ("no0\r",), ("is1\r",), (r"is0\$",), (r"no1\$",), "line\n", (r"got line\$",)])


def ending(options):
  terminal = begin(options, READY + "cat; echo at its end; exit 3")
  terminal.end(3, ["a\n", ("a\r\na\r\n",), "\x04", ("at its end",), (PROMPT,), "exit $?\n"])


def flow(options):
  """Ctrl-S and Ctrl-Q hold and release the output of the inner terminal."""
  terminal = Terminal(["sh", "-c", f"nestbox --pty {options} sh -c 'read x; echo rea\"\"dy; read x; echo more; cat'; exit 4"])
  terminal.type("\n", ("ready",), "\x13\n")
  if "more" in (held := terminal.read(1).decode()): raise SystemExit(f"shown: {held!r}")
  terminal.end(4, ["\x11", ("more",), "\x04"])


def restored(options, by):
  """The caller's terminal is as before, although the command has made its own raw."""
  # Unlike bash, dash leaves a terminal as a killed program has left it.
  name = "dash" if by == "KILL" else "bash"
  script = "stty raw -echo; " + READY.replace("echo", "printf \"\\n%s\\r\"") + "echo $$; exec sleep 1000"
  terminal = begin(options, script, name, before=SAVE)
  launcher = int(children(terminal.process)[0])
  # A later child keeps the settings.
  victim = launcher if by in ("TERM", "HUP", "KILL") else int(children(launcher)[0])
  if by == "command": victim = int(children(victim)[-1])
  if by == "KILL": inside = int(children(children(launcher)[0])[-1])
  os.kill(victim, getattr(signal, "SIG" + by, signal.SIGKILL))
  terminal.wait_for(PROMPT)
  # The kernel ends the launcher before another process can act.
  while by == "KILL" and not termios.tcgetattr(terminal.master)[3] & termios.ICANON: time.sleep(0.01)
  # As without a terminal, the command lives on.
  if by == "KILL": os.kill(inside, signal.SIGKILL)
  terminal.end(5, [COMPARE, (r"[\r\n]same\r",), "exit 5\n"])


def children(process):
  with open(f"/proc/{process}/task/{process}/children") as file: return file.read().split()


def background(options):
  """A launcher in the background leaves the terminal alone until it is in front."""
  terminal = shell()
  terminal.type(f"nestbox --pty {options} sh -c '{READY}exec cat' &\n", (r"ready\r",), "echo sh''ell\n", (r"[\r\n]shell\r",), (PROMPT,), "fg\n", (r"exec cat",))
  answered(terminal, "word")
  terminal.end(5, ["\x03", (PROMPT,), "exit 5\n"])


def lines(options):
  terminal = Terminal(["bash", "-c", f"nestbox --pty {options} seq 1000000; exit $?"])
  digest, count = hashlib.sha256(), 0
  while piece := terminal.read(60):
    digest.update(piece.replace(b"\r", b""))
    count += piece.count(b"\n")
  expected = hashlib.sha256(b"".join(b"%d\n" % number for number in range(1, 1000001)))
  if digest.digest() != expected.digest(): raise SystemExit(f"{count} lines, not all right")
  terminal.end(0)


def pending(options):
  """What was written before the end arrives, although another process keeps the terminal open."""
  terminal = Terminal(["bash", "-c", f"nestbox --pty {options} sh -c 'sleep 4 & head -c 300000 /dev/zero | tr \"\\0\" y; exit 6'; exit $?"])
  time.sleep(1)
  count = terminal.rest().count(b"y")
  if count != 300000: raise SystemExit(f"{count} bytes")
  terminal.end(6)


def flood(options):
  """Neither a flood of output nor one that goes on after the end keeps keys and end away."""
  terminal = shell()
  terminal.type(f"nestbox --pty {options} sh -c 'yes & exec yes'\n", (r"y\r\ny\r\ny",), "\x03", (PROMPT,), "echo st=$?\n", ("st=130",), (PROMPT,))
  terminal.type(f"nestbox --pty {options} sh -c 'yes & sleep 0.3; exit 8'\n", (PROMPT,), "echo st=$?\n", ("st=8",))
  terminal.end(5, ["exit 5\n"])


def paste(options):
  """A long paste reaches the command that reads late, and a key passes one that it does not read."""
  data = (b"x" * 60 + b"\r") * 17000
  terminal = begin(options, "stty raw -echo; printf \"\\nrea\"\"dy\\r\"; sleep 1; head -c 1037000 | sha256sum; stty sane")
  terminal.paste(data)
  terminal.type((hashlib.sha256(data).hexdigest(),), (PROMPT,))
  terminal.type(f"nestbox --pty {options} sh -c 'stty -echo; {READY}exec sleep 1000'\n", (r"[\r\n]ready\r",))
  terminal.paste(data.replace(b"\r", b"\n"))
  terminal.paste(b"\x03")
  terminal.end(5, [(PROMPT,), "echo st=$?\n", ("st=130",), "exit 5\n"])


def keys(options):
  """Ctrl-\\ ends the command by SIGQUIT; the command ignores no signal."""
  terminal = begin(options, "ulimit -c 0; " + READY + "exec cat")
  terminal.type("\x1c", (PROMPT,), "echo st=$?\n", ("st=131",), (PROMPT,))
  for form in ("", "--pty"):
    terminal.type(f"nestbox {form} {options} grep SigIgn /proc/self/status\n")
    ignored = int(re.search(r"SigIgn:\s+(\w+)\r", terminal.wait_for(r"SigIgn:\s+\w+\r"))[1], 16)
    if ignored >> signal.SIGTTOU - 1 & 1: raise SystemExit(f"{form} ignores SIGTTOU")
    terminal.wait_for(PROMPT)
  terminal.end(5, ["exit 5\n"])


def pipeline(options):
  """Two launchers with one terminal leave it as it was, whichever ends first."""
  terminal = shell()
  terminal.type(SAVE + "\n", (PROMPT,))
  for first, second in ((0.4, 0.8), (0.8, 0.4), (0.5, 0.5)):
    terminal.type(f"nestbox --pty {options} sleep {first} | nestbox --pty {options} sleep {second}\n", (PROMPT,), COMPARE, (r"[\r\n]same\r", ), (PROMPT,))
  # The one whose input is the terminal reads keys. On a busy machine the other may be first.
  for _ in range(5):
    terminal.type(f"nestbox --pty {options} cat | nestbox --pty {options} sh -c 'while read x; do echo go\"\"t $x; done'\n")
    time.sleep(1)
    terminal.type("word\n")
    while piece := terminal.read(2): terminal.shown += piece.decode(errors="replace")
    if is_right := "got word" in terminal.shown: break
    terminal.type("\x03", (PROMPT,))
  if not is_right: raise SystemExit(terminal.shown)
  terminal.end(5, ["\x04", (PROMPT,), COMPARE, (r"[\r\n]same\r",), "exit 5\n"])


def held(options):
  """Ctrl-C ends the wait for a terminal that takes no more output."""
  terminal = shell()
  terminal.type(SAVE + f"nestbox --pty {options} sh -c 'head -c 16000 /dev/zero | tr \"\\0\" y'\n")
  time.sleep(1)
  launcher = children(terminal.process)
  terminal.type("\x03")
  end = time.time() + 60
  while set(launcher) & set(children(terminal.process)):
    if time.time() > end: raise SystemExit("it still waits")
    time.sleep(0.05)
  if not launcher: raise SystemExit("it did not wait")
  terminal.end(5, [(PROMPT,), COMPARE, (r"[\r\n]same\r",), "exit 5\n"])


def hangup(options):
  """A command with rights on the host that hangs its terminal up keeps it, and nobody becomes busy."""
  with open("hangup.py", "w") as file: file.write("""import ctypes, os, signal, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
path = os.ttyname(1)
if ctypes.CDLL(None).vhangup(): raise SystemExit("no rights")
file = os.open(path, os.O_RDWR | os.O_NOCTTY)
for _ in range(100):
  try: os.write(file, b"back a"b"gain\\r\\n")
  except OSError: pass
  time.sleep(0.02)
""")
  terminal = shell()
  terminal.end(5, [SAVE + f"nestbox --pty {options} /usr/bin/python3 hangup.py\n", ("back again",), (PROMPT,), COMPARE, (r"[\r\n]same\r",), "exit 5\n"])


def closed(options):
  """A command that closes its terminal does not make the launcher busy."""
  terminal = begin(options, READY + "exec sleep 1000 <&- >&- 2>&-")
  launcher = children(terminal.process)[0]
  time.sleep(0.5)

  def switches():
    with open(f"/proc/{launcher}/status") as file: return int(re.search(r"\nvoluntary\S+\s+(\d+)", file.read())[1])

  before = switches()
  time.sleep(1)
  if switches() > before + 5: raise SystemExit("the launcher is busy")
  terminal.end(5, ["\x03", (PROMPT,), "exit 5\n"])


def alone(options):
  """Without a shell that could continue it, Ctrl-Z does nothing."""
  terminal = Terminal(["sh", "-c", f"nestbox --pty {options} sh -c '{READY}exec cat'; exit 4"])
  terminal.type((r"ready\r",), "\x1a")
  answered(terminal, "word")
  terminal.end(4, ["\x04"])


def programs(options):
  """Programs that draw the whole screen stop and go on."""
  with open("letter.txt", "w") as file: file.write("hello\n" * 200)
  terminal = shell()
  for command, shows, last in (("vim -u NONE letter.txt", "hello", ":q!\r"), ("less letter.txt", "hello", "q"), ("top -d 1", "PID", "q"), ("sh -c 'less <letter.txt'", "hello", "q"), ("sh -c 'vim -u NONE letter.txt'", "hello", ":q!\r")):
    terminal.type(f"nestbox --pty {options} {command}\n", (shows,))
    while terminal.read(0.5) and "top" not in command: pass
    terminal.type("\x1a", ("(?i)stopped|suspended",), (PROMPT,))
    # sh stops at once, and less below it once it has put the screen in order; outside as well.
    time.sleep(0.5)
    terminal.type("fg\n", (shows,))
    while terminal.read(0.5) and "top" not in command: pass
    terminal.type(last, (PROMPT,))
  terminal.type(f"nestbox --pty {options} --tmpfs /tmp tmux new-session \"echo in''side; exec cat\"\n", ("inside",))
  while terminal.read(0.5): pass
  terminal.end(5, ["\x03", (PROMPT,), "exit 5\n"])


def thief(options):
  """No descriptor or path inside leads to the caller's terminal, and what is pushed stays inside."""
  program = r'''
import fcntl, glob, os, sys, termios
caller = eval(sys.argv[1])
if os.fork(): os.wait(); raise SystemExit
os.setsid() if sys.argv[2:] else None
for path in ["/dev/tty", "/dev/console", *glob.glob("/dev/pts/*"), *glob.glob("/proc/[0-9]*/fd/*")]:
  try: file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
  except OSError: continue
for file in range(0, 256):
  try: found = os.fstat(file)
  except OSError: continue
  if (found.st_dev, found.st_ino) == caller: print("THE CALLER'S")
  for call, value in ((termios.TIOCSTI, b"Z"), (termios.TIOCLINUX, b"\2"), (termios.TIOCSETD, b"\0\0\0\0")):
    try: fcntl.ioctl(file, call, value)
    except OSError: pass
print("tri" + "ed")
'''
  with open("thief.py", "w") as file: file.write(program)
  terminal = shell()
  # The attack bites without the option: the next pass must find nothing.
  terminal.type(f"nestbox {options} /usr/bin/python3 thief.py \"$(/usr/bin/python3 -c 'import os; s = os.fstat(0); print((s.st_dev, s.st_ino))')\" \"\"\n")
  if "\nTHE CALLER'S" not in (found := terminal.wait_for("tried")): raise SystemExit(f"no attack: {found}")
  terminal.type((PROMPT,), "read -t 1 -n 9 x; echo do''ne\n", ("done",), (PROMPT,))
  for form in ("", "leave"):
    terminal.type(f"nestbox --pty {options} 7<>/dev/tty /usr/bin/python3 thief.py \"$(/usr/bin/python3 -c 'import os; s = os.fstat(0); print((s.st_dev, s.st_ino))')\" {form}\n")
    if "CALLER" in (found := terminal.wait_for("tried")).replace("THE CALLER'S\")", ""): raise SystemExit(found)
    terminal.wait_for(PROMPT)
  terminal.type("read -t 1 -n 1 x; echo x=$x.\n", (r"[\r\n]x=\.",), (PROMPT,))
  terminal.end(5, ["exit 5\n"])


def entered(check, options):
  """The same check of a command that enters a sandbox."""
  os.mkdir("run", 0o700)
  os.environ["XDG_RUNTIME_DIR"] = os.path.abspath("run")
  run = lambda *words: subprocess.run(["nestbox", *words], check=True)
  run("--name", "box", "--keep", "--detach", *options.split(), "true")
  try: globals()[check]("--enter box")
  finally: run("--stop", "box")


globals()[sys.argv[1]](sys.argv[2], *sys.argv[3:])
print("ok")
