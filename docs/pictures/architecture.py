#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of docs/architecture.md.

    architecture.py processes >processes.svg
    architecture.py modules PACKAGE.SWIFT >modules.svg

The modules and what they need are those of Package.swift. What a module needs through another one
has no arrow of its own.
"""

import itertools
import re
import sys

from draw import Picture

# MARK: Processes


def processes():
    result = Picture(
        800, 330, "The processes of a launch",
        "The caller starts nestbox, which becomes the monitor outside. Inside new namespaces, init is"
        " process 1 and the command is process 2. Helpers run outside beside the monitor: the proxy of"
        " D-Bus, the relay of the network and the watcher. Each has a lifeline to init.",
    )  # fmt: skip
    result.rectangle(430, 20, 350, 190, "inside", dashed=True)
    result.text(605, 42, "inside: new namespaces, new root", "quiet", 12, "middle")

    def box(x, y, width, name, *lines):
        height = 34 + 17 * len(lines)
        result.rectangle(x, y, width, height, "box")
        result.text(x + width / 2, y + 22, name, anchor="middle", bold=True)
        for number, line in enumerate(lines):
            result.text(x + width / 2, y + 41 + 17 * number, line, "quiet", 11.5, "middle")
        return height

    box(20, 62, 120, "caller", "a shell, a script,", "a library")
    box(190, 62, 190, "monitor", "makes the child, waits,", "passes signals on,", "returns the status")
    box(450, 62, 140, "init", "process 1: reaps,", "holds lifelines, hides", "from the command")
    box(640, 62, 120, "command", "process 2: under", "policy and limits,", "no privileges")
    result.arrow([(140, 92), (188, 92)])
    result.arrow([(380, 92), (448, 92)])
    result.arrow([(590, 92), (638, 92)])
    result.text(765, 190, "Landlock, seccomp, no_new_privs", "quiet", 12, "end")

    for x, name, first, second in (
        (20, "xdg-dbus-proxy", "--dbus …", "filters messages"),
        (275, "relay", "--net-allow …", "connects what rules allow"),
        (530, "watcher", "--explain", "notes what was refused"),
    ):
        box(x, 240, 230, f"helper: {name}", first, second)
    # The lifelines: one line along the helpers, and up to init.
    result.arrow([(135, 240), (135, 225), (645, 225), (645, 240)], dashed=True, head=False)
    result.arrow([(390, 240), (390, 225)], dashed=True, head=False)
    result.arrow([(490, 225), (490, 149)], dashed=True)
    result.text(148, 219, "lifelines: a helper ends with the sandbox", "quiet", 11.5)
    return result


# MARK: Modules

def targets(text):
    """The modules that each module needs, and the libraries of the system."""
    needs, libraries = {}, {}
    for entry in text.partition("\n  targets: [")[2].partition("\n  ],")[0].split("\n    .")[1:]:
        kind = entry.partition("(")[0]
        name = re.search(r'name: "(\w+)"', entry)[1]
        if kind == "systemLibrary":
            libraries[name] = re.search(r'apt\(\["(.*?)-dev"\]\)', entry)[1]
        elif kind in ("target", "executableTarget") and "path:" not in entry:
            listed = re.search(r"dependencies: \[(.*?)\]", entry, re.S)
            needs[name] = re.findall(r'"(\w+)"', listed[1]) if listed else []
    used = {name: [libraries[need] for need in all if need in libraries] for name, all in needs.items()}
    return {name: {need for need in all if need in needs} for name, all in needs.items()}, used


def reachable(needs, start):
    found = set()
    rest = list(needs[start])
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += needs[name]
    return found


def reduced(needs):
    """Without what a module also needs through another one."""
    return {
        name: {need for need in all if not any(need in reachable(needs, other) for other in all)}
        for name, all in needs.items()
    }


def layers(needs):
    """The modules by how far they are from those that need none."""
    heights = {}

    def height(name):
        if name not in heights:
            heights[name] = 1 + max(map(height, needs[name]), default=-1)
        return heights[name]

    for name in needs:
        height(name)
    return heights


def placed(needs):
    """The columns of each layer, from the bottom: modules, and places where an arrow passes by."""
    heights = layers(needs)
    rows = [[name for name in needs if heights[name] == height] for height in range(max(heights.values()) + 1)]
    arrows = []
    for name in needs:
        for need in sorted(needs[name]):
            way = [need]
            for height in range(heights[need] + 1, heights[name]):
                rows[height].append((need, name, height))
                way.append((need, name, height))
            arrows.append(way + [name])
    links = {pair for way in arrows for pair in zip(way, way[1:])}

    def disorder(order, height):
        """How often arrows of a row in this order cross, and how far they lead aside."""
        result = 0
        for near, pairs in (
            (rows[height - 1] if height else [], links),
            (rows[height + 1] if height + 1 < len(rows) else [], {pair[::-1] for pair in links}),
        ):
            ends = [
                (near.index(low), order.index(high)) for low, high in pairs if low in near and high in order
            ]
            result += sum(50 for a in ends for b in ends if a[0] < b[0] and a[1] > b[1])
            result += sum(abs((a + 0.5) / len(near) - (b + 0.5) / len(order)) for a, b in ends)
        return result

    # Each row gets the order that fits its neighbours best, until that has settled.
    for _ in range(6):
        for height, row in enumerate(rows):
            rows[height] = min(
                itertools.permutations(row), key=lambda order: (round(disorder(order, height), 6), str(order)))
    return rows, arrows


def modules(text):
    needs, libraries = targets(text)
    needs = reduced(needs)
    rows, arrows = placed(needs)
    width, height, gap, margin = 150, 44, 34, 24
    columns = max(map(len, rows))
    whole = columns * (width + 30) - 30 + 2 * margin
    result = Picture(
        whole, len(rows) * (height + gap) - gap + 2 * margin, "The modules and what they need",
        "; ".join(
            f"{name} needs {', '.join(sorted(all) + libraries[name]) or 'no other'}"
            for name, all in needs.items()),
    )  # fmt: skip
    centre = {}
    for number, row in enumerate(rows):
        y = margin + (len(rows) - 1 - number) * (height + gap)
        space = whole / len(row)
        for column, name in enumerate(row):
            centre[name] = (space * (column + 0.5), y)
    for way in arrows:
        # From the module above, past those that lie between, to the one it needs.
        points = []
        for index, name in enumerate(reversed(way)):
            x, y = centre[name]
            first, last = index == 0, index == len(way) - 1
            points += [(x, y + height)] if first else [(x, y)] if last else [(x, y), (x, y + height)]
        result.arrow(points)
    for name in needs:
        x, y = centre[name]
        result.rectangle(x - width / 2, y, width, height, "box")
        below = ", ".join(libraries[name])
        result.text(x, y + (20 if below else 27), name, anchor="middle", bold=True)
        if below:
            result.text(x, y + 36, below, "quiet", 11, "middle")
    return result


if __name__ == "__main__":
    if sys.argv[1:] == ["processes"]:
        print(processes(), end="")
    elif len(sys.argv) == 3 and sys.argv[1] == "modules":
        with open(sys.argv[2]) as file:
            print(modules(file.read()), end="")
    else:
        sys.exit(__doc__)
