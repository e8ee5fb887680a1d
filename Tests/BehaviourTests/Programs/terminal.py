# SPDX-License-Identifier: Apache-2.0
# Types into shells of a sandbox at a terminal, and says where one does not feel right.
import sys

sys.dont_write_bytecode = True  # The directory of the tests stays as it is.
import typist


def session(command, steps): return typist.session(command, steps, "xterm", (33, 97))


prompt = (r"sandbox.*:.*\$ ",)
print(session(["nestbox", "--profile", "shell", "bash"], [
  # A prompt in colour, job control, the terminal's kind and its size.
  (r"\x1b\[1;33msandbox\x1b.*\$ ",), "echo $- $TERM; stty size\n", ("im.* xterm",), ("33 97",), prompt,
  "ls -d /\n", (r"\x1b\[0?1;34m/",), prompt,
  # Keys that end, stop and continue. Not a subshell of bash, which for a moment catches them.
  """sh -c 'echo rea""dy; exec sleep 100'; echo status $?\n""", (r"[\r\n]ready\r",), "\x03", prompt,
  "echo status $?\n", (r"\rstatus 130\r",), prompt,
  """sh -c 'echo rea""dy; exec cat'\n""", (r"[\r\n]ready\r",), "\x1a", ("Stopped",), prompt,
  "jobs\n", ("Stopped",), prompt, "fg\n", ("exec cat",), "word\n", ("word\r\nword",), "\x04", prompt,
  # Editing of lines.
  "echo o\x7fone\n", (r"\rone\r",), prompt, "\x1b[A\n", (r"\rone\r",), prompt,
  "echo A\x1b[Dx\n", (r"\rxA\r",), prompt, "exit 7\n"]))
# The caller gets the terminal back, although it has no job control to take it with.
print(session(["sh", "-c", "nestbox --profile shell bash; echo ba''ck; read line && echo got $line"], [
  prompt, "exit\n", ("back",), "word\n", ("got word",)]))
# The caller's shell stops and continues a program that is not a shell.
print(session(["bash", "--norc", "-i"], [
  (r"\$ ",), """nestbox sh -c 'echo rea""dy; exec cat'\n""", (r"[\r\n]ready\r",), "\x1a", ("Stopped",), (r"\$ ",),
  "fg\n", (r"exec cat",), "word\n", ("word\r\nword",), "\x03", (r"\$ ",), "exit $?\n"]))
