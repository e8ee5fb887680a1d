# SPDX-License-Identifier: Apache-2.0
# Types into shells of a sandbox at a terminal, and says where one does not feel right.
import fcntl, os, pty, re, select, struct, sys, termios, time


def session(command, steps):
  """Runs command at a terminal: a string is typed, a tuple of a pattern is waited for."""
  pid, terminal = pty.fork()
  if pid == 0: os.execvpe(command[0], command, {**os.environ, "TERM": "xterm"})
  fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 97, 0, 0))
  output, everything = "", ""
  for step in steps:
    if isinstance(step, str):
      os.write(terminal, step.encode())
      continue
    end = time.time() + 60
    while not (found := re.search(step[0], output)):
      if not select.select([terminal], [], [], max(0, end - time.time()))[0]: break
      try: chunk = os.read(terminal, 4096).decode(errors="replace")
      except OSError: break
      output += chunk
      everything += chunk
    if not found:
      print(command[0], "has not shown", step[0], "but", repr(everything))
      os.kill(pid, 9)
      break
    output = output[found.end():]
  try:
    while os.read(terminal, 4096): pass
  except OSError: pass
  return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


prompt = (r"sandbox.*:.*\$ ",)
print(session(["nestbox", "--profile", "shell", "bash"], [
  # A prompt in colour, job control, the terminal's kind and its size.
  (r"\x1b\[1;33msandbox\x1b.*\$ ",), "echo $- $TERM; stty size\n", ("im.* xterm",), ("33 97",), prompt,
  "ls -d /\n", (r"\x1b\[0?1;34m/",), prompt,
  # Keys that end, stop and continue. Not a subshell of bash, which for a moment catches them.
  """sh -c 'echo rea""dy; exec sleep 100'; echo status $?\n""", (r"\rready\r",), "\x03", prompt,
  "echo status $?\n", (r"\rstatus 130\r",), prompt,
  """sh -c 'echo rea""dy; exec cat'\n""", (r"\rready\r",), "\x1a", ("Stopped",), prompt,
  "jobs\n", ("Stopped",), prompt, "fg\n", ("exec cat",), "word\n", ("word\r\nword",), "\x04", prompt,
  # Editing of lines.
  "echo o\x7fone\n", (r"\rone\r",), prompt, "\x1b[A\n", (r"\rone\r",), prompt,
  "echo A\x1b[Dx\n", (r"\rxA\r",), prompt, "exit 7\n"]))
# The caller gets the terminal back, although it has no job control to take it with.
print(session(["sh", "-c", "nestbox --profile shell bash; read line && echo got $line"], [
  prompt, "exit\n", ("exit",), "word\n", ("got word",)]))
# The caller's shell stops and continues a program that is not a shell.
print(session(["bash", "--norc", "-i"], [
  (r"\$ ",), """nestbox sh -c 'echo rea""dy; exec cat'\n""", (r"\rready\r",), "\x1a", ("Stopped",), (r"\$ ",),
  "fg\n", (r"exec cat",), "word\n", ("word\r\nword",), "\x03", (r"\$ ",), "exit $?\n"]))
