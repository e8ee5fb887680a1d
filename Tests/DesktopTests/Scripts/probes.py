# SPDX-License-Identifier: Apache-2.0
# What a program needs of each built-in profile: prints a line for what does not work.
import errno, os, socket, subprocess, sys

home = os.path.expanduser("~")
variable = os.environ.get


def connect(path):
  socket.socket(socket.AF_UNIX).connect(path)


def succeeds(*line):
  result = subprocess.run(line, capture_output=True, text=True)
  assert result.returncode == 0, (line, result.stdout + result.stderr)


def untrusted():
  assert os.path.getsize("/etc/os-release") > 0 and os.getpid() < 100
  assert not os.path.exists(home + "/.gitconfig.secret")


def build():
  with open("made", "w") as file: file.write("text")
  assert variable("CC") == "mycc"
  try: open(".git/config", "a")
  except OSError as error: assert error.errno == errno.EROFS
  else: raise AssertionError(".git/config can be changed")


def certificates():
  assert variable("https_proxy") == "http://proxy"


def asks_name_service():
  with open("/etc/resolv.conf") as file:
    server = next(line.split()[1] for line in file if line.startswith("nameserver"))
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as question:
    question.settimeout(40)
    question.connect((server, 53))
    question.send(bytes([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + b"\x07invalid\0" + bytes([0, 1, 0, 1]))
    assert question.recv(512)[:2] == bytes([0, 1])


def reaches_host():
  with socket.socket() as connection: return connection.connect_ex(("127.0.0.1", int(variable("PORT")))) == 0


# A sandbox has one network: that of the last profile.
def network():
  certificates()
  kind = [name for name in sys.argv[1:] if name in ("network", "browser", "host-network")][-1]
  assert reaches_host() == (kind == "host-network"), kind
  if kind != "host-network": asks_name_service()


host_network = network


# As libxcb does it: a refusal other than these ends the attempt.
def x11():
  number = variable("DISPLAY").split(":")[1].split(".")[0]
  path = "/tmp/.X11-unix/X" + number
  try: return connect("\0" + path)
  except OSError as error: assert error.errno in (errno.ENOENT, errno.ECONNREFUSED), error
  connect(path)
  assert os.access(variable("XAUTHORITY"), os.R_OK)


def wayland():
  connect(variable("XDG_RUNTIME_DIR") + "/" + variable("WAYLAND_DISPLAY"))


def audio():
  for name in ("pipewire-0", "pulse/native"): connect(variable("XDG_RUNTIME_DIR") + "/" + name)


def gpu():
  # Beside the processors, of the default profile, what belongs to a card.
  for number in os.listdir("/dev/dri") if os.path.exists("/dev/dri") else []:
    if number.startswith("renderD"): assert os.path.exists(f"/sys/class/drm/{number}/device/uevent")


def fonts_and_themes():
  assert open(home + "/.fonts/mine").read() == "font"


def dbus():
  succeeds("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
           "org.freedesktop.DBus.ListNames")


def shell():
  assert "sandbox" in open(home + "/.bashrc").read()


def toolchains():
  succeeds("mytool")


def caches():
  with open(home + "/.cache/probe", "w") as file: file.write("text")
  assert variable("CARGO_HOME").startswith(home + "/.cache/")


def git():
  assert subprocess.run(
    ["git", "var", "GIT_AUTHOR_IDENT"], capture_output=True, text=True
  ).stdout.startswith('A "B" C <a@example.org> ')
  succeeds("git", "add", "file")


def desktop():
  for probe in (x11, wayland, gpu, fonts_and_themes, dbus): probe()


def browser():
  desktop()
  network()
  with open(home + "/Downloads/file", "w") as file: file.write("text")
  with open(home + "/kept", "w") as file: file.write("text")


def agent():
  for probe in (build, toolchains, caches, git): probe()


for name in sys.argv[1:]:
  try: globals()[name.replace("-", "_")]()
  except Exception as error: print(name, repr(error))
