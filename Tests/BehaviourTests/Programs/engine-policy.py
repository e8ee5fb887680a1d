# SPDX-License-Identifier: Apache-2.0
"""Compares three readings of a container engine's policy, call by call: this program's own, what
--seccomp-explain says, and the kernel's answers in a sandbox under it.

usage: engine-policy.py FILE
"""

import ctypes
import errno
import json
import os
import select
import signal
import subprocess
import sys

ALLOW, KILL = "allow", "kill"
# Calls that answer twice or never.
LEFT_OUT = {"fork", "vfork", "exit", "exit_group", "rt_sigreturn", "restart_syscall"}
ARGUMENT = 2**64 - 1


def action(word, number):
    if word == "SCMP_ACT_ERRNO":
        return errno.errorcode[1 if number is None else number]
    return {"SCMP_ACT_ALLOW": ALLOW, "SCMP_ACT_KILL_PROCESS": KILL}[word]


def holds(test):
    value, two = test["value"], test.get("valueTwo", 0)
    return {
        "SCMP_CMP_EQ": ARGUMENT == value, "SCMP_CMP_NE": ARGUMENT != value,
        "SCMP_CMP_MASKED_EQ": ARGUMENT & value == two,
    }[test["op"]]


def read(path):
    """What the file says of each call without capabilities, with every bit of the arguments set."""
    with open(path) as file:
        data = json.load(file)
    kernel = [int(part) for part in os.uname().release.split("-")[0].split(".")[:2]]
    default = action(data["defaultAction"], data.get("defaultErrnoRet"))
    bare, others = {}, {}
    for rule in data["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        least = includes.get("minKernel")
        if (
            includes.get("caps") or "amd64" not in includes.get("arches", ["amd64"])
            or "amd64" in excludes.get("arches", [])
            or least and kernel < [int(part) for part in least.split(".")]
        ):
            continue
        answer = action(rule["action"], rule.get("errnoRet"))
        for name in rule["names"]:
            if answer == default:
                continue
            if not rule.get("args"):
                bare.setdefault(name, answer)
            elif all(map(holds, rule["args"])):
                others.setdefault(name, set()).add(answer)
    for name in others:
        bare.setdefault(name, (others[name] - {ALLOW} or {ALLOW}).pop())
    return default, bare


def explained(path):
    """What --seccomp-explain says of each call, with the same arguments."""
    report = json.loads(subprocess.check_output(["nestbox", "--seccomp-explain", path, "--json"]))
    relations = {"==": int.__eq__, "!=": int.__ne__, "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}
    answers = {}
    for call in report["architectures"][0]["calls"]:
        decision = call
        for rule in call.get("rules", []):
            tests = rule["if"]
            if all(
                relations[test["relation"]](
                    ARGUMENT & (2 ** test["bits"] - 1) & (test["mask"] if test["mask"] is not None else ARGUMENT),
                    test["value"])
                for test in tests
            ):
                decision = rule
                break
        answers[call["name"]] = decision.get("errno") or decision["action"]
    return {call["name"]: call["number"] for call in report["architectures"][0]["calls"]}, answers


def probe(numbers):
    """Runs inside: the kernel's answer to each call."""
    libc = ctypes.CDLL(None, use_errno=True)
    answers = {}
    for name, number in numbers.items():
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
            text = errno.errorcode.get(ctypes.get_errno(), "?") if result == -1 else "success"
            os.write(into, text.encode())
            os.kill(os.getpid(), signal.SIGKILL)
        os.close(into)
        ready = select.select([out], [], [], 2)[0]
        answers[name] = (os.read(out, 100).decode() or "death") if ready else "patience"
        os.close(out)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(json.dumps(answers))


def asked(numbers, *options):
    return json.loads(subprocess.check_output(
        ["nestbox", "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-all", "--proc", "/proc", *options,
         "python3", "-c", "import sys; exec(sys.argv[1])", SOURCE + f"\nprobe({numbers!r})"],
        stderr=subprocess.DEVNULL))  # fmt: skip


def main(path):
    default, answers = read(path)
    numbers, said = explained(path)
    numbers = {name: number for name, number in numbers.items() if name not in LEFT_OUT}
    free, held = asked(numbers), asked(numbers, "--seccomp-policy", path)
    differences, counts = [], {}
    for name in numbers:
        expected = answers.get(name, default)
        # The kernel's own answer, where the policy allows the call.
        kernel = {ALLOW: free[name], KILL: "death"}.get(expected, expected)
        if said[name] != expected or held[name] != kernel:
            differences.append(f"{name}: expected {expected}, explained {said[name]}, "
                               f"the kernel {held[name]}, without the policy {free[name]}")
        counts[expected] = counts.get(expected, 0) + 1
    print(*differences, sep="\n", end="")
    print("compared", min(counts.get(ALLOW, 0), 100), min(sum(counts.values()), 300))


with open(__file__) if "__file__" in globals() else open("/dev/null") as source:
    SOURCE = source.read()

if "__file__" in globals():
    main(sys.argv[1])
