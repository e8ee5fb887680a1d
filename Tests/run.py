#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests that `swift build --build-tests` has built, and says little.

It shows how far the tests are and, at the end, what was skipped and why, what the tests left
behind, and what failed. Its status is 0 only where nothing failed and nothing was left behind.
The directory --log keeps everything that the tests print.

Each suite runs in a process of its own and several at a time, as most tests wait for other
programs most of the time. No test has a terminal, even where this program has one.
"""

import argparse
import collections
import contextlib
import ctypes
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
# These suites start first, until a run has measured how long each suite takes.
LONG = ("SideBySideTests", "EscapeTests", "FaultTests", "BehaviourTests", "DesktopTests",
        "ClientTests")  # fmt: skip


def read_arguments():
    text = __doc__.split("\n", 1)
    parser = argparse.ArgumentParser(description=text[0], epilog=text[1])
    build = REPOSITORY / ".build"
    add = parser.add_argument
    add("filter", nargs="*", metavar="REGEX", help="run the tests whose names, MODULE.SUITE/TEST, match one of these")
    add("--skip", action="append", default=[], metavar="REGEX", help="leave out those that match")
    add("--bundle", default=build / "debug/nestboxPackageTests.xctest", help="the tests that were built")
    add("--log", default=build / "tests", type=pathlib.Path, help="where to keep what the tests print")
    add("--jobs", type=int, default=len(os.sched_getaffinity(0)) + 1, help="how many suites run at a time")
    return parser.parse_args()


# MARK: Suites

class Suite:
    """The tests of one suite, which run in one process."""

    def __init__(self, name, tests, is_whole):
        self.name, self.tests, self.is_whole = name, tests, is_whole
        self.process = None
        self.names, self.running = {}, {}
        self.ended = self.cases = self.issues = 0
        self.offset, self.rest = 0, b""

    def start(self, options, place):
        self.events = place / f"{self.name}.jsonl"
        self.log = options.log / f"{self.name}.log"
        self.began = time.monotonic()
        names = [""] if self.is_whole else [re.escape(test.split("/", 1)[1]) for test in self.tests]
        command = [
            options.bundle, "--testing-library", "swift-testing", "--event-stream-version", "0",
            "--event-stream-output-path", self.events,
            "--filter", f"^{re.escape(self.name)}/({'|'.join(names)})",
        ]  # fmt: skip
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=dict(os.environ, TMPDIR=str(place), NESTBOX_TEST_RUN=place.name),
            )  # fmt: skip

    def read_events(self, report):
        """Reads what the process has written about its tests since the last time."""
        try:
            with open(self.events, "rb") as file:
                file.seek(self.offset)
                data = self.rest + file.read()
                self.offset = file.tell()
        except FileNotFoundError:
            return
        *lines, self.rest = data.split(b"\n")
        for line in lines:
            record = json.loads(line)
            payload = record["payload"]
            if record["kind"] == "test":
                self.names[payload["id"]] = payload.get("displayName") or payload["name"]
            else:
                self.take(payload, report)

    def take(self, event, report):
        kind, test = event["kind"], event.get("testID", "")
        case = event.get("_testCase", {})
        if kind == "testCaseStarted":
            self.cases += 1
            self.running[test, case.get("id")] = case.get("displayName", "")
        elif kind == "testCaseEnded":
            self.running.pop((test, case.get("id")), None)
        elif kind == "testEnded" and "/" in test:
            self.ended += 1
        elif kind in ("testSkipped", "testCancelled", "testCaseCancelled"):
            reason = " ".join(event.get("_comments", [])) or "no reason given"
            if kind == "testSkipped" and "/" in test:
                self.ended += 1
            report.skipped[reason].append(self.label(test, case))
        elif kind == "issueRecorded" and not event.get("issue", {}).get("isKnown"):
            self.issues += 1
            texts = [message["text"] for message in event.get("messages", [])] or ["an issue"]
            # What precedes the place is said by the label.
            texts[0] = re.sub(r"^.*? recorded an issue.*? at [^\s:]+:\d+:\d+: ", "", texts[0], flags=re.S)
            place = event.get("_sourceLocation") or event.get("issue", {}).get("sourceLocation") or {}
            report.fail(self.label(test, case), place, "\n".join(texts))

    def label(self, test, case):
        name = f"{self.name}: {self.names.get(test, test)}" if "/" in test else self.name
        text = case.get("displayName", "")
        return f"{name} ({text})" if text else name

    def end(self, report):
        """Looks at how the process has ended."""
        self.read_events(report)
        status = self.process.returncode
        if status != 0 and not self.issues or status < 0 or self.running:
            cases = [self.label(test, {"displayName": text}) for (test, _), text in self.running.items()]
            with open(self.log, errors="replace") as log:
                tail = log.read()[-3000:]
            what = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
            report.fail(self.name, {}, f"{what} while these ran: {'; '.join(cases) or 'none'}\n{tail}")

    def seconds(self):
        return time.monotonic() - self.began

    def share(self):
        return min(1, self.ended / len(self.tests))


def find_suites(options):
    listing = subprocess.run(
        [options.bundle, "--testing-library", "swift-testing", "--list-tests"],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    suites = collections.defaultdict(list)
    for test in listing:
        suites[test.split("/")[0]].append(test)

    def is_wanted(test):
        if any(re.search(pattern, test) for pattern in options.skip):
            return False
        return not options.filter or any(re.search(pattern, test) for pattern in options.filter)

    wanted = {name: [test for test in tests if is_wanted(test)] for name, tests in suites.items()}
    return [Suite(name, tests, tests == suites[name]) for name, tests in wanted.items() if tests]


# MARK: What is found and shown

class Report:
    def __init__(self):
        self.failures, self.left = [], []
        self.skipped = collections.defaultdict(list)
        self.began = time.monotonic()
        self.is_terminal = sys.stdout.isatty()
        self.shown = -1

    def fail(self, label, place, text):
        path = place.get("_filePath") or place.get("filePath") or ""
        where = f"{os.path.relpath(path, REPOSITORY)}:{place.get('line')}: " if path else ""
        self.failures.append(f"{where}{label}\n" + "".join(f"    {line}\n" for line in text.split("\n")))

    def progress(self, share, ended, total):
        percent = int(100 * share)
        text = f"{percent:3} %  {ended} of {total} tests"
        if self.failures:
            text += f", {count(len(self.failures), 'failure')}"
        text += f", {self.time()}"
        if self.is_terminal:
            print(f"\r{text}\x1b[K", end="", flush=True)
        elif percent // 10 > self.shown:
            self.shown = percent // 10
            print(text, flush=True)

    def time(self):
        seconds = int(time.monotonic() - self.began)
        return f"{seconds // 60}:{seconds % 60:02}"

    def finish(self, ended, cases, log):
        if self.is_terminal:
            print("\r\x1b[K", end="")
        for reason, labels in sorted(self.skipped.items()):
            # A suite stands for its tests.
            suites = [label for label in labels if ": " not in label]
            labels[:] = [label for label in labels if label in suites or label.split(": ")[0] not in suites]
            print(f"skipped, {reason}: {count(len(labels), 'test or suite', 'tests and suites')}")
            for label in labels:
                print(f"    {label}")
        for line in self.left:
            print(f"left behind: {line}")
        for failure in self.failures:
            print(f"\nfailed: {failure}", end="")
        skipped = sum(len(labels) for labels in self.skipped.values())
        print(
            f"{count(ended, 'test')}, {count(cases, 'case')} in {self.time()}: "
            f"{count(len(self.failures), 'failure')}, {skipped} skipped, {len(self.left)} left behind; "
            f"all output is in {os.path.relpath(log)}"
        )  # fmt: skip
        # For programs that read the last line.
        failed = len(self.failures)
        print(f"{max(ended - failed, 0)} passed, {failed} failed, {skipped} skipped")
        return 1 if self.failures or self.left or not ended else 0


def count(number, one, many=None):
    return f"{number} {one if number == 1 else many or one + 's'}"


# MARK: What may be left behind

def children():
    """The processes below this one, orphans among them, since this one is their subreaper."""
    parents = collections.defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    state, parent = file.read().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(parent)].append(int(name))
    found, rest = [], [os.getpid()]
    while rest:
        below = parents[rest.pop()]
        found += below
        rest += below
    return found


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        return f"process {pid}: {words[:200]}, in {os.readlink(f'/proc/{pid}/cwd')}"
    except OSError as error:
        return f"process {pid} ({error.strerror})"


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def observe(mark):
    """What names `mark` in places of the machine where tests may leave something.

    Others may run tests at the same time: everything that the tests make has the mark of the run
    in its name, or lies in the directory of the run.
    """
    seen = set()
    for name in ("passwd", "group", "subuid", "subgid"):
        with contextlib.suppress(OSError), open(f"/etc/{name}") as file:
            seen |= {f"line of /etc/{name}: {line.strip()}" for line in file if mark in line}
    home = pathlib.Path.home()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")
    for pattern in (
        "/tmp/*", "/var/tmp/*", "/dev/shm/*", "/dev/mqueue/*", "/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*",
        f"{home}/*", f"{home}/.*/*", f"{home}/.local/*/*", f"{runtime}/*", f"{runtime}/*/*",
    ):  # fmt: skip
        seen |= {f"file {path}" for path in glob.glob(pattern) if mark in path.rsplit("/", 1)[1]}
    with open("/proc/self/mountinfo") as file:
        seen |= {f"mount {line.split()[4]}" for line in file if mark in line}
    return seen


def find_left(before, place, report):
    # Processes that have been told to end may need a moment.
    deadline = time.monotonic() + 3
    while children() and time.monotonic() < deadline:
        time.sleep(0.05)
        reap({})
    report.left += [describe(pid) for pid in children()]
    while left := children():
        kill(left)
        time.sleep(0.05)
        reap({})
    for file in place.iterdir():
        if file.suffix != ".jsonl":
            inner = [os.path.join(path, name) for path, _, names in os.walk(file) for name in names or [""]]
            report.left.append(f"file {file}" + "".join(f"\n    {path}" for path in inner[-5:]))
    report.left += sorted(thing for thing in observe(place.name) if thing != f"file {place}")
    home = str(pathlib.Path.home())
    report.left += sorted(thing for thing in observe("nestbox") - before if home in thing)


# MARK: Running

def reap(suites):
    """Collects processes that have ended, those among them that tests have orphaned."""
    ended = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        if pid in suites:
            suites[pid].process.returncode = os.waitstatus_to_exitcode(status)
            ended.append(suites[pid])


def run(suites, options, place, report):
    times_file = options.log / "times.json"
    try:
        times = json.loads(times_file.read_text())
    except (OSError, ValueError):
        times = {}

    for suite in suites:
        module = suite.name.split(".")[0]
        suite.weight = times.get(suite.name, 10 - LONG.index(module) if module in LONG else 1)
    waiting = sorted(suites, key=lambda suite: suite.weight, reverse=True)
    whole = sum(suite.weight for suite in suites)
    running = {}
    while waiting or running:
        while waiting and len(running) < options.jobs:
            suite = waiting.pop(0)
            suite.start(options, place)
            running[suite.process.pid] = suite
        for suite in reap(running):
            del running[suite.process.pid]
            suite.end(report)
            times[suite.name] = round(suite.seconds(), 1)
        for suite in running.values():
            suite.read_events(report)
        share = sum(suite.weight * suite.share() for suite in suites) / whole
        report.progress(share, sum(suite.ended for suite in suites), sum(len(suite.tests) for suite in suites))
        time.sleep(0.2)
    times_file.write_text(json.dumps(times, indent=2))


def main():
    options = read_arguments()
    options.log.mkdir(parents=True, exist_ok=True)
    for file in options.log.glob("*.log"):
        file.unlink()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # All signals that ask for the end have the tests ended first, as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    suites = find_suites(options)
    report = Report()
    before = observe("nestbox")
    # Short, as paths of sockets have 108 bytes at most, and open to the users that tests become.
    place = pathlib.Path(tempfile.mkdtemp(prefix="nestbox-"))
    place.chmod(0o755)
    try:
        run(suites, options, place, report)
        find_left(before, place, report)
    except KeyboardInterrupt:
        while left := children():
            kill(left)
            reap({})
        report.fail("interrupted", {}, "not all tests have run")
    finally:
        # Overlays leave directories without any permission.
        subprocess.run(["chmod", "-R", "u+rwX", place], stderr=subprocess.DEVNULL)
        shutil.rmtree(place, ignore_errors=True)
    ended, cases = sum(suite.ended for suite in suites), sum(suite.cases for suite in suites)
    sys.exit(report.finish(ended, cases, options.log))


if __name__ == "__main__":
    main()
