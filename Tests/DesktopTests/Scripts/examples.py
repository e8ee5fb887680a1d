# SPDX-License-Identifier: Apache-2.0
# Types the commands of a page and compares what they print: examples.py FILE [FOUND SHOWN]…, where
# the page has SHOWN in the place of FOUND.

import re
import subprocess
import sys

file, *names = sys.argv[1:]
text = open(file, encoding="utf-8").read()
steps = []
for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append([line[2:], ""])
        elif line.startswith("> ") and not steps[-1][1]:
            steps[-1][0] += "\n" + line[2:]
        else:
            steps[-1][1] += line + "\n"
assert len(steps) > 4, "there are no examples"

mark = "\x1e"
script = "".join(f"{command}\nprintf '{mark}'\n" for command, _ in steps)
result = subprocess.run(
    ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100
).stdout.decode()
for found, shown in zip(names[::2], names[1::2]):
    result = result.replace(found, shown)
for (command, expected), found in zip(steps, result.split(mark)):
    # Blanks at the end of a line are invisible.
    if [line.rstrip() for line in found.splitlines()] != expected.splitlines():
        sys.exit(f"not so: $ {command}\nexpected:\n{expected}found:\n{found}")
    print(f"ok: $ {command}")
