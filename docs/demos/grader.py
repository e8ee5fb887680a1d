#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An autograder: it compiles submissions in C or takes them in Python, runs each against all inputs,
50 at a time, and prints verdicts as judges have them.

    grader.py PROBLEM SUBMISSION...

PROBLEM is a directory with pairs NAME.in and NAME.out. Each run is a sandbox of its own, with no
network, no other process and none of the user's files; the report of nestbox tells why it ended.
Where no control group can be had, memory is limited for each process alone."""

import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

AT_ONCE = 50
MEMORY = 128 << 20
# The clock is for those that sleep: 50 at a time wait for processors.
LIMITS = ["--timeout", "60s", "--timeout-grace", "100ms", "--processes", "16",
          "--memory-try", str(MEMORY), "--cpu-time-try", "1s", "--rlimit", f"data={MEMORY}",
          "--rlimit", "cpu=1:2", "--rlimit", "core=0", "--output-limit", "64K"]  # fmt: skip


def nestbox(options, command, source=None):
    """Runs `command` in a sandbox; returns the report and what it printed."""
    report, report_write = os.pipe()
    done = subprocess.run(
        ["nestbox", "--profile", "untrusted", "--report", str(report_write), *options, "--", *command],
        pass_fds=[report_write], stdin=source or subprocess.DEVNULL, capture_output=True, check=False)
    os.close(report_write)
    with open(report) as pipe:
        text = pipe.read()
    return json.loads(text) if text else {"outcome": "not-started"}, done.stdout


def prepare(submission, directory):
    """Compiles a submission; returns its options and command, or None if that fails."""
    if submission.suffix == ".py":
        return ["--ro-bind", submission, "/submission.py"], ["python3", "/submission.py"]
    program = directory / (submission.name + ".program")
    program.touch()
    # A compiler also is a program that reads what a stranger wrote.
    report, _ = nestbox(
        ["--timeout", "30s", "--processes", "32", "--ro-bind", submission, "/submission.c",
         "--bind", program, "/program"],
        ["cc", "-O2", "-o", "/program", "/submission.c"])  # fmt: skip
    if report.get("exit-code") != 0:
        return None
    program.chmod(0o755)
    # By env: the profile looks for the command itself on the host.
    return ["--ro-bind", program, "/program"], ["env", "/program"]


def verdict(job):
    """Runs one submission against one input."""
    _, prepared, given = job
    if prepared is None:
        return "compile error"
    options, command = prepared
    with open(given) as source:
        report, output = nestbox([*LIMITS, *options], command, source)
    match report["outcome"]:
        case "timeout" | "cpu-time":
            return "time limit"
        case "memory":
            return "memory limit"
        case "output":
            return "output limit"
        case "signaled" if report["signal"] == signal.SIGXCPU:
            return "time limit"
        case "exited" if report["exit-code"] == 0:
            return "accepted" if output.split() == expected(given) else "wrong answer"
        case "exited" | "signaled":
            # Without a control group an allocation fails, and the program gives up.
            near = "memory" not in report["limits"] and report.get("max-rss", 0) > MEMORY * 3 // 4
            return "memory limit" if near else "runtime error"
    return "judge error"


def expected(case):
    return case.with_suffix(".out").read_bytes().split()


def main():
    problem = pathlib.Path(sys.argv[1]).resolve()
    submissions = [pathlib.Path(word).resolve() for word in sys.argv[2:]]
    with (
        tempfile.TemporaryDirectory() as directory,
        concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        ready = pool.map(lambda submission: prepare(submission, pathlib.Path(directory)), submissions)
        jobs = [
            (submission, prepared, case)
            for submission, prepared in zip(submissions, ready, strict=True)
            for case in sorted(problem.glob("*.in"))
        ]
        for (submission, _, case), result in zip(jobs, pool.map(verdict, jobs), strict=True):
            print(f"{submission.name} {case.stem}: {result}")


main()
