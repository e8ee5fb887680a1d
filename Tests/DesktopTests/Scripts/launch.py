# SPDX-License-Identifier: Apache-2.0
# Starts what a group of a .desktop file says, by the letter of the Desktop Entry Specification:
# launch.py FILE GROUP [OPENED…].

import os
import sys

file, group, *opened = sys.argv[1:]
lines = open(file, encoding="utf-8").read().split("\n")
start = lines.index(f"[{group}]")
(value,) = [
    line.split("=", 1)[1].strip()
    for line in lines[start + 1 : next(
        (n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines)
    )]
    if line.split("=", 1)[0].strip() == "Exec"
]

# The escapes of every string.
text, rest = "", value
while rest:
    if rest[0] == "\\":
        text += {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}[rest[1]]
        rest = rest[2:]
    else:
        text, rest = text + rest[0], rest[1:]

# The words, of which those in quotation marks have escapes once more.
words = []
while text := text.lstrip(" "):
    word = ""
    if text[0] == '"':
        text = text[1:]
        while text[0] != '"':
            if text[0] == "\\":
                assert text[1] in '"`$\\', text
                text = text[1:]
            word, text = word + text[0], text[1:]
        text = text[1:]
    else:
        while text and text[0] != " ":
            assert text[0] not in "\t\n\"'\\><~|&;$*?#()`", text
            word, text = word + text[0], text[1:]
    words.append(word)

arguments = []
for word in words:
    if word in ("%F", "%U"):
        arguments += opened
    else:
        arguments.append(word.replace("%%", "%"))
assert "=" not in arguments[0]
os.execvp(arguments[0], arguments)
