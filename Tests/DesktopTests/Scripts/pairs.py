# SPDX-License-Identifier: Apache-2.0
# Every pair of built-in profiles, in both orders, with a program that needs both.
#
# pairs.py PROBES: makes a session that has what the profiles show, and runs the program PROBES in each
# pair's sandbox. Prints a line for each pair in which something does not work, and how many there were.
import concurrent.futures, contextlib, json, os, socket, subprocess, sys, tempfile, threading

probes = sys.argv[1]
home = os.environ["HOME"]
os.chdir(home)
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


def write(name, text="", mode=0o644):
  path = os.path.join(home, name)
  os.makedirs(os.path.dirname(path), exist_ok=True)
  with open(path, "w") as file: file.write(text)
  os.chmod(path, mode)


# Names of sockets have little room. No other server has this display.
runtime = tempfile.mkdtemp(prefix="nestbox-pairs-", dir="/tmp")
os.makedirs(runtime + "/pulse", mode=0o700)
number = 2000 + os.getpid() % 100000
display = f"/tmp/.X11-unix/X{number}"
os.makedirs("/tmp/.X11-unix", mode=0o1777, exist_ok=True)
for path in (display, runtime + "/wayland-0", runtime + "/pipewire-0", runtime + "/pulse/native"):
  listen(socket.AF_UNIX, path)
listen(socket.AF_UNIX, "\0" + display)
port = listen(socket.AF_INET, ("127.0.0.1", 0))[1]

bus = subprocess.Popen(
  ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:path={runtime}/bus"],
  stdout=subprocess.PIPE, text=True)
address = bus.stdout.readline().strip()

write(".local/bin/mytool", "#!/bin/sh\nexit 0\n", 0o755)
write(".fonts/mine", "font")
write(".gitconfig", "[user]\n\tname = A \\\"B\\\" C\n\temail = a@example.org\n")
write("project/file", "text")
write("project/Makefile", "all:\n\ttrue\n")
subprocess.run(["git", "init", "-q", "project"], check=True, stdout=subprocess.DEVNULL)

environment = {
  "HOME": home, "USER": "user", "LC_ALL": "C", "XDG_RUNTIME_DIR": runtime,
  "PATH": os.environ["PATH"] + f":{home}/.local/bin", "DISPLAY": f":{number}",
  "WAYLAND_DISPLAY": "wayland-0", "DBUS_SESSION_BUS_ADDRESS": address, "CC": "mycc",
  "https_proxy": "http://proxy",
}
profiles = json.loads(subprocess.run(
  ["nestbox", "--list-profiles", "--json"], env=environment, capture_output=True, check=True).stdout)
names = sorted(profile["name"] for profile in profiles["profiles"])


# git locks its repository, and does not wait.
repository = threading.Lock()


def run(first, second):
  with repository if {"git", "agent"} & {first, second} else contextlib.nullcontext():
    return alone(first, second)


def alone(first, second):
  line = ["nestbox", "--profile", first, "--profile", second, "--setenv", "PORT", str(port), "python3",
          probes, first, second]
  result = subprocess.run(
    line, cwd=home + "/project", env=environment, capture_output=True, text=True, timeout=60)
  # A home directory that is kept has no project in it.
  notice = "nestbox: the sandbox does not show the working directory "
  errors = [line for line in result.stderr.splitlines() if line and not line.startswith(notice)]
  said = result.stdout + "\n".join(errors)
  return None if result.returncode == 0 and not said else f"{first} {second}: {result.returncode} {said}"


try:
  pairs = [(first, second) for first in names for second in names]
  with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for failure in pool.map(lambda pair: run(*pair), pairs):
      if failure: print(failure)
  print(len(names), len(pairs))
finally:
  bus.terminate()
  bus.wait()
  os.unlink(display)
  subprocess.run(["rm", "-rf", runtime])
