# SPDX-License-Identifier: Apache-2.0
# A user's session full of secrets, a thief let loose in it, and what the thief got.
#
# session.py SCENE -- COMMAND...: runs COMMAND, where THIEF means the thief and its targets, in a session
# that holds them. With SCENE `outside`, the thief must succeed; with `home`, it may read what is no secret
# by its place.
import hashlib, json, os, pty, select, socket, subprocess, sys, threading

command = sys.argv[sys.argv.index("--") + 1:]
home = os.environ["HOME"]
secret = "planted" + "-" + "secret"
unique = os.path.basename(home)


def plant(name, text=secret + "\n"):
  path = os.path.join(home, name)
  os.makedirs(os.path.dirname(path), exist_ok=True)
  with open(path, "w") as file: file.write(text)
  return path


files = [plant(name) for name in (
  ".ssh/id_ed25519", ".ssh/config", ".netrc", ".gnupg/private-keys-v1.d/key", ".aws/credentials",
  ".mozilla/firefox/profile/logins.json", ".config/google-chrome/Default/Cookies",
  ".local/share/keyrings/login.keyring", ".docker/config.json", ".kube/config", ".bash_history",
  ".bashrc", ".profile", ".config/autostart/x.desktop", "project/.env", "Documents/letter",
  "program/beside")]

plain = [path for path in files if path.endswith(
  ("/.bashrc", "/.profile", "/x.desktop", "/.env", "/letter", "/beside"))]
listeners = []


def listen(family, address):
  server = socket.socket(family)
  server.bind(address)
  server.listen()
  listeners.append(server)
  def accept():
    while True:
      try: server.accept()[0].close()
      except OSError: return
  threading.Thread(target=accept, daemon=True).start()
  return server.getsockname()


# Short names, as an address has little room.
os.chdir(home)
runtime = f"/tmp/{unique}-run"
os.makedirs(runtime, mode=0o700)
sockets = [f"{runtime}/{name}" for name in
  ("bus", "keyring", "agent", "docker.sock", "wayland-0", "pipewire-0", "X9")]
for path in sockets: listen(socket.AF_UNIX, path)
abstract = [f"@/tmp/.X11-unix/{unique}", f"@/tmp/dbus-{unique}"]
for name in abstract: listen(socket.AF_UNIX, "\0" + name[1:])
port = listen(socket.AF_INET, ("127.0.0.1", 0))[1]
tokens = {
  "GITHUB_TOKEN": secret, "AWS_SECRET_ACCESS_KEY": secret, "LD_LIBRARY_PATH": "/" + secret,
  "SSH_AUTH_SOCK": f"{runtime}/agent", "DISPLAY": ":9", "XAUTHORITY": home + "/.Xauthority",
  "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus;unix:abstract={abstract[1][1:]}",
  "XDG_RUNTIME_DIR": runtime, "DOCKER_HOST": f"unix://{runtime}/docker.sock",
  "TERM": "xterm", "USER": "somebody",
}
del tokens["LD_LIBRARY_PATH"]
environment = {**os.environ, **tokens}
victim = subprocess.Popen(["sleep", "1000.25"], env=environment, start_new_session=True)

places = [home, home + "/program", home + "/.config/autostart", "/tmp", "/var/tmp", "/dev/shm", runtime]
ghosts = [f"{place}/{unique}-ghost" for place in places]
thefts = (
  [f"read:{path}" for path in files] + [f"write:{path}" for path in files]
  + [f"connect:{path}" for path in sockets + abstract]
  + [f"port:{port}", "see:1000.25", "inspect:", "inherit:", "variable:", f"list:{home}",
     f"signal:{victim.pid}", f"trace:{victim.pid}", f"signal:{os.getpid()}"]
  + [f"leave:{path}" for path in ghosts])


def state():
  found = {}
  for top in (home, runtime):
    for directory, names, entries in os.walk(top):
      for name in [""] + entries + names:
        path = os.path.join(directory, name)
        status = os.lstat(path)
        content = b""
        if os.path.isfile(path) and not os.path.islink(path):
          with open(path, "rb") as file: content = hashlib.sha256(file.read()).digest()
        found[path] = (status.st_mode, status.st_uid, status.st_mtime_ns, status.st_ino, content)
  for path in ghosts:
    if os.path.lexists(path): found[path] = "ghost"
  return found


words = []
for word in command: words += ["./thief"] + thefts + ["type:"] if word == "THIEF" else [word]
os.chdir(home + "/program")
before = state()
# At a terminal, and with a file and a directory of the home directory open.
pid, terminal = pty.fork()
if pid == 0:
  os.dup2(os.open(home + "/.netrc", os.O_RDONLY), 9)
  os.dup2(os.open(home, os.O_RDONLY), 10)
  os.set_inheritable(9, True); os.set_inheritable(10, True)
  os.execvpe(words[0], words, environment)
output = b""
while True:
  try: chunk = os.read(terminal, 4096)
  except OSError: break
  if not chunk: break
  output += chunk
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
after = state()
lines = output.decode(errors="replace").replace("\r", "").split("\n")
got = [line[4:] for line in lines if line.startswith("got ")]
# Files that the thief leaves outside of the sandbox's own directories are found below.
if sys.argv[1] != "outside": got = [theft for theft in got if not theft.startswith("leave:")]
if sys.argv[1] == "home":
  print("settings", sorted(os.path.basename(path) for path in plain if f"read:{path}" in got))
  # Writing succeeds, in a layer that vanishes.
  got = [theft for theft in got if not theft.startswith(("write:", "list:")) and theft[5:] not in plain]
print("exit", status, "" if "done" in lines else "".join(lines))
if sys.argv[1] == "outside":
  missed = [theft for theft in thefts + ["type:"] if theft not in got and not
            (theft == "type:" and open("/proc/sys/dev/tty/legacy_tiocsti").read() == "0\n")]
  print("missed", missed)
else:
  print("got", got)
  print("changed", [path for path in {**before, **after} if before.get(path) != after.get(path)])
print("alive", victim.poll() is None)
victim.kill(); victim.wait()
for path in ghosts:
  try: os.unlink(path)
  except OSError: pass
for path in os.listdir(runtime): os.unlink(f"{runtime}/{path}")
os.rmdir(runtime)
