#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records a terminal in which nestbox is used, and draws it: terminal.py NESTBOX >terminal.svg

Every line of output is one that the executable and its commands have just printed. They run as an
ordinary user in a home directory that is made for this, which the picture calls /home/joe.
"""

import fcntl
import os
import pathlib
import pty
import shutil
import struct
import sys
import tempfile
import termios

from draw import MONOSPACE, Picture

COLUMNS = 98
# Who runs it if root starts this.
USER = 61234

THING = "#!/bin/sh\nls -A; cat ~/.ssh/id_ed25519; env | grep -c TOKEN; getent hosts example.org || echo offline\n"
FILES = {"thing": THING, ".ssh/id_ed25519": "a key\n", "in.txt": "pear\napple\n"}

# What is typed, and what it shows.
TYPED = [
    ("# a program that nobody has read", "cat thing"),
    ("# its own file is all it gets: no key, no token, no network", "nestbox ./thing"),
    ("# nestbox names what is missing, and the line that shows it",
     "nestbox --write out sort -o out/result in.txt"),
    ("", "nestbox --write out --read in.txt sort -o out/result in.txt; cat out/result"),
]  # fmt: skip


def scene(executable):
    """A home directory, and the environment of a user who lives in it."""
    home = pathlib.Path(tempfile.mkdtemp())
    (home / ".ssh").mkdir()
    (home / "out").mkdir()
    (home / ".bin").mkdir()
    for name, content in FILES.items():
        (home / name).write_text(content)
    (home / "thing").chmod(0o755)
    # A copy, as the user may be unable to reach the original.
    shutil.copy(executable, home / ".bin/nestbox")
    (home / ".bin/nestbox").chmod(0o755)
    if os.getuid() == 0:
        for path in (home, *home.rglob("*")):
            os.chown(path, USER, USER)
    return home, {
        "HOME": str(home), "PATH": f"{home}/.bin:/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C",
        "GITHUB_TOKEN": "secret",
    }  # fmt: skip


def run(line, home, environment):
    """What a line prints on a terminal."""
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        os.chdir(home)
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)
        os.execve("/bin/sh", ["sh", "-c", line], environment)
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    os.close(terminal)
    os.waitpid(process, 0)
    return output.decode().replace("\r\n", "\n").replace(str(home), "/home/joe").splitlines()


def recorded(executable):
    """The lines of the terminal, each with its colour."""
    home, environment = scene(executable)
    try:
        for comment, line in TYPED:
            if comment:
                yield "quiet", f"$ {comment}"
            yield "accent", f"$ {line}"
            for text in run(line, home, environment):
                yield "text", text
    finally:
        shutil.rmtree(home)


def picture(lines):
    # A terminal cuts lines where it ends.
    rows = [
        (colour, text[start : start + COLUMNS])
        for colour, text in lines
        for start in range(0, max(1, len(text)), COLUMNS)
    ]
    character, row, margin = 7.8, 18, 18
    result = Picture(
        round(COLUMNS * character + 2 * margin), len(rows) * row + 2 * margin,
        "A terminal in which nestbox is used", "\n".join(text for _, text in rows), MONOSPACE,
    )  # fmt: skip
    for number, (colour, text) in enumerate(rows):
        if text:
            result.text(
                margin, margin + number * row + 13, text, colour, width=len(text) * character)
    return result


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(picture(recorded(sys.argv[1])), end="")
