# SPDX-License-Identifier: Apache-2.0
# Types into a program at a terminal, and waits for what it shows.
import fcntl, json, os, pty, re, select, struct, sys, termios, time


def session(command, steps, kind="dumb", size=(24, 80)):
  """Runs command at a terminal, and returns its status.

  A step that is a string is typed, a number of seconds lets the program go on for so long, and a list
  of a pattern is waited for. With a key, the list types that again until the pattern is shown, each
  time after the third entry was.
  """
  pid, terminal = pty.fork()
  if pid == 0: os.execvpe(command[0], command, {**os.environ, "TERM": kind, "PS1": "top$ "})
  fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
  steps = list(steps)
  output = everything = ""

  def read(seconds):
    nonlocal output, everything
    if not select.select([terminal], [], [], max(0, seconds))[0]: return False
    try: chunk = os.read(terminal, 4096).decode(errors="replace")
    except OSError: return False
    output += chunk
    everything += chunk
    return True

  while steps:
    step = steps.pop(0)
    if isinstance(step, str):
      os.write(terminal, step.encode())
      continue
    if isinstance(step, float):
      while read(step): pass
      continue
    pattern, *again = step
    if again: os.write(terminal, again[0].encode())
    end = time.time() + 60
    while not (found := re.search("|".join([pattern, *again[1:]]), output)):
      if not read(end - time.time()): break
    if not found:
      print(command[0], "has not shown", pattern, "but", repr(everything))
      os.kill(pid, 9)
      break
    output = output[found.end():]
    if again and not re.match(pattern, found[0]): steps.insert(0, step)
  try:
    while os.read(terminal, 4096): pass
  except OSError: pass
  os.close(terminal)
  return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__": print(session(*json.loads(sys.argv[1])))
