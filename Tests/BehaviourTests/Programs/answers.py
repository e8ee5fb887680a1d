# SPDX-License-Identifier: Apache-2.0
# Makes every system call under a policy, and compares what happens with what --seccomp-explain says
# of that policy or of a second one.
import errno, json, subprocess, sys

policy = sys.argv[1]
explained = json.loads(subprocess.run(
    ["nestbox", "--seccomp-explain", sys.argv[-1], "--json"], check=True, capture_output=True).stdout)
native = explained["architectures"][0]
calls = {call["number"]: call for call in native["calls"]}
everything = (1 << 64) - 1


def holds(condition, arguments):
    bits = (1 << condition["bits"]) - 1
    value = arguments[condition["argument"]] & bits
    if condition["mask"] is not None:
        value &= condition["mask"]
    other = condition["value"]
    return {"==": value == other, "!=": value != other, "<": value < other,
            "<=": value <= other, ">": value > other, ">=": value >= other}[condition["relation"]]


def decide(number, arguments):
    call = calls.get(number, explained["default"])
    for rule in call.get("rules", []):
        if all(holds(condition, arguments) for condition in rule["if"]):
            return rule
    return call


def answer(decision):
    if decision["action"] == "errno":
        return f"errno {getattr(errno, decision['errno'])}"
    return {"allow": "allow", "log": "allow", "kill": "signal 31", "trap": "signal 31"}[
        decision["action"]]


def around(condition):
    value, mask = condition["value"], condition["mask"] or 0
    values = [value, value + 1, value - 1, 0, 1, mask, value | mask, everything ^ mask]
    values += [value ^ (1 << bit) for bit in range(64)]
    # The upper half, which the kernel does not look at where the argument is an int.
    values += [value | 0xdeadbeef << 32]
    return [v & everything for v in values]


def vectors(call):
    yield [0] * 5
    yield [everything] * 5
    for rule in call.get("rules", []):
        satisfied = [0] * 5
        # The sixth argument is the mark.
        conditions = [condition for condition in rule["if"] if condition["argument"] < 5]
        for condition in conditions:
            satisfied[condition["argument"]] = next(
                (v for v in around(condition) if holds(condition, [v] * 6)), 0)
        yield satisfied
        for condition in conditions:
            for value in around(condition):
                yield [value if i == condition["argument"] else satisfied[i] for i in range(5)]


# Two calls are made by the kernel's own trampolines, and no filter is asked: uretprobe and uprobe.
unfiltered = {335, 336}
lines = []
for number in [n for n in range(0, 600) if n not in unfiltered] + [1000, 4095]:
    for arguments in vectors(calls.get(number, {})):
        lines.append((number, arguments))
# Numbers of x32, which are a foreign architecture's.
foreign = [(n | 0x40000000, [0] * 5) for n in (0, 1, 59, 101, 512, 520, 546)]
if any(a["name"] == "x32" for a in explained["architectures"]):
    foreign = []

text = "".join(f"{n} {' '.join(hex(a) for a in arguments)}\n" for n, arguments in lines + foreign)
with open("input", "w") as file:
    file.write(text)
mark = open("mark.bpf")
run = subprocess.run(
    ["nestbox", "--ro-bind", "/", "/", "--unshare-pid", "--seccomp", str(mark.fileno()),
     "--seccomp-policy", policy, "./calls"],
    stdin=open("input"), pass_fds=[mark.fileno()], capture_output=True, text=True)
answers = run.stdout.splitlines()
asked = lines + foreign
if run.returncode != 0 or len(answers) != len(asked):
    sys.exit(f"{len(answers)} answers to {len(asked)} calls, status {run.returncode}: {run.stderr}")

wrong = 0
for (number, arguments), line in zip(asked, answers):
    decision = explained["foreign"] if number >> 30 else decide(number, arguments + [0x5eccfeed])
    if not line.endswith(" " + answer(decision)):
        wrong += 1
        name = calls.get(number, {}).get("name", "?")
        print(f"{name}: {line}; explained as {answer(decision)}")
print(f"{len({n for n, _ in asked})} numbers, {wrong} wrong" if len(asked) > 900
      else "too few calls were made")
