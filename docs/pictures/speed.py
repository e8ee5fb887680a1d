#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws how long programs take to make a sandbox: speed.py FILE >speed.svg

FILE is what `make bench` has printed, or Benchmarks/README.md, of which the table of results is
drawn. Each group of bars is one command line; its bubblewrap has the full length, so that ratios can
be seen and milliseconds be read.
"""

import re
import sys

from draw import Picture

COLOURS = ("accent", "other", "floor")


def from_page(text):
    """Title, then milliseconds of each program, of each line of the page's table."""
    for line in text.splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("| ").split("|")]
        times = [re.fullmatch(r"([\d.]+) ms", cell) for cell in cells[1:5]]
        if len(cells) == 8 and all(times):
            nestbox, newest, _, floor = (float(time[1]) for time in times)
            yield cells[0], nestbox, newest, floor


def from_run(text):
    """The same of what the benchmark prints: a title of 24 columns, then four figures."""
    table = text.partition("same line")[2].partition("\n\n")[0]
    for line in table.splitlines()[1:]:
        figures = line[24:].split()[:4]
        if len(figures) == 4 and "-" not in (figures[0], figures[1]) and ", kB" not in line:
            nestbox, newest, _, floor = figures
            yield line[:24].strip().removesuffix(", ms"), float(nestbox), float(newest), None if floor == "-" else float(floor)


def written(milliseconds):
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:.1f} ms"


def picture(rows, bubblewrap):
    left, length, top, group, bar = 232, 470, 66, 54, 14
    description = "; ".join(
        f"{title}: nestbox {written(nestbox)}, {bubblewrap} {written(newest)}"
        + (f", a plain C program {written(floor)}" if floor is not None else "")
        for title, nestbox, newest, floor in rows)  # fmt: skip
    result = Picture(
        800, top + group * len(rows) + 12,
        "How long it takes to make a sandbox, run true in it, and remove it", description,
    )  # fmt: skip
    result.text(20, 28, "Time to make a sandbox and remove it, without the time of the command itself", bold=True, size=14)
    x = 20
    for name, colour in zip(("nestbox", bubblewrap, "a plain C program"), COLOURS):
        result.rectangle(x, 41, 11, 11, colour, edge=None, radius=2)
        result.text(x + 17, 51, name, "quiet", 12)
        x += 30 + 7 * len(name)
    for number, (title, *times) in enumerate(rows):
        y = top + number * group
        result.text(20, y + 2 * bar, title.partition(",")[0], size=12)
        scale = length / max(times[0], times[1])
        for index, (time, colour) in enumerate(zip(times, COLOURS)):
            if time is None:
                continue
            place = y + 4 + index * bar
            result.rectangle(left, place, max(1, time * scale), bar - 3, colour, edge=None, radius=2)
            result.text(left + time * scale + 6, place + 10, written(time), "quiet", 11)
    return result


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        content = file.read()
    found = list(from_page(content) or ()) or list(from_run(content))
    if not found:
        sys.exit(f"speed.py: {sys.argv[1]} has no table of times of nestbox and bubblewrap")
    release = re.search(r"\| (bubblewrap [\d.]+) \|", content)
    print(picture(found, release[1] if release else "bubblewrap"), end="")
