# SPDX-License-Identifier: Apache-2.0
"""Sandboxes that run, and reviews that wait.

Each function starts the executable once and reads its --json, or its exit status. Arguments are
checked before anything starts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal as signals
import subprocess
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Optional, Union

from ._errors import ChangesLeft, NotFound, NotStarted, OptionError, TaskFailed
from ._executable import StrPath, find_executable
from ._launch import command_words
from ._report import Failure
from ._sandbox import Path, Paths, Sandbox, Time, _name, _time_in_seconds, _variable, _words, combine, word

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._sandbox import SandboxOptions


@dataclasses.dataclass(frozen=True)
class RunningSandbox:
    """A sandbox of this user that runs, of nestbox or of another tool."""

    name: Optional[str]
    """The name that it was started with."""
    made_by: Optional[str]
    """The program that made it."""
    process: int
    """Its first process, as this machine numbers it."""
    monitor: Optional[int]
    """nestbox's process outside."""
    age: float
    """Seconds since it began."""
    processes: int
    network: Optional[str]
    """"host", "allowed", "none", "shared" or "own"."""
    kept: bool
    """Whether it lives on when its command has ended."""
    command: list[str]
    raw: Mapping[str, Any] = dataclasses.field(repr=False)
    """The whole object of nestbox(1), --list, with what has no field here."""


@dataclasses.dataclass(frozen=True)
class Inspection:
    """All there is to know of a running sandbox."""

    sandbox: RunningSandbox
    namespaces: Mapping[str, str]
    """Each namespace as /proc names it, such as {"net": "net:[4026532184]"}."""
    members: Mapping[int, list[str]]
    """Its processes, as this machine numbers them, with their words."""
    mounts: Mapping[str, list[str]]
    """Each mount point with its options."""
    raw: Mapping[str, Any] = dataclasses.field(repr=False)
    """The whole object of nestbox(1), --inspect."""


@dataclasses.dataclass(frozen=True)
class Entered:
    """A command that has run in a running sandbox."""

    args: list[Any]
    returncode: int
    """The command's status; 128 and its number if a signal ended it."""
    stdout: bytes
    stderr: bytes


@dataclasses.dataclass(frozen=True)
class Review:
    """Changes that wait for a decision."""

    name: str
    age: float
    changes: Optional[int]
    running: bool
    """Whether its sandbox still runs."""
    broken: bool
    directories: list[str]
    raw: Mapping[str, Any] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Change:
    """One change of a review."""

    directory: str
    """The directory under review."""
    path: str
    """What is changed, below that directory."""
    change: str
    """"added", "changed", "removed", "renamed" or another word of nestbox(1)."""
    marks: list[str]
    """Why it deserves a look, in words."""
    raw: Mapping[str, Any] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Changes:
    """What a review would change."""

    name: str
    running: bool
    complete: bool
    """Whether all changes could be read."""
    changes: list[Change]
    raw: Mapping[str, Any] = dataclasses.field(repr=False)


# MARK: Sandboxes that run

Reference = Union[str, int, RunningSandbox]
"""A sandbox: its name, the number of one of its processes, or an element of `running()`."""


def running(*, executable: Optional[StrPath] = None) -> list[RunningSandbox]:
    """The sandboxes of this user that run."""
    return [_running(one) for one in _asked(["--list", "--json"], executable)["sandboxes"]]


def _running(raw: Mapping[str, Any]) -> RunningSandbox:
    return RunningSandbox(
        raw.get("name"), raw.get("made-by"), raw["process"], raw.get("monitor"), raw.get("age", 0),
        raw.get("processes", 0), raw.get("network"), raw.get("kept", False), raw.get("command") or [], raw,
    )  # fmt: skip


def inspect(sandbox: Reference, *, executable: Optional[StrPath] = None) -> Inspection:
    """Describes a running sandbox. Raises `NotFound` if there is none."""
    raw = _asked(["--inspect", _reference(sandbox), "--json"], executable)
    return Inspection(
        _running(raw),
        {kind: value["name"] for kind, value in raw.get("namespaces", {}).items()},
        {one["process"]: one.get("command") or [] for one in raw.get("members", [])},
        {mount["point"]: mount.get("options") or [] for mount in raw.get("mounts", [])}, raw,
    )  # fmt: skip


def keep(
    sandbox: Optional[Sandbox] = None,
    *,
    executable: Optional[StrPath] = None,
    **options: Unpack[SandboxOptions],
) -> RunningSandbox:
    """Makes a sandbox without a command, which is kept until `stop`, also when this program ends.
    It needs `name`."""
    box = combine(sandbox, options)
    if box.name is None:
        raise OptionError("name", "a sandbox that is kept needs a name")
    words = box.words()
    path = find_executable(executable)
    number = os.memfd_create("nestbox")
    try:
        with open(number, "wb", closefd=False) as file:
            file.write(b"".join(each + b"\0" for each in words))
        os.lseek(number, 0, os.SEEK_SET)
        line = [path, "--args", str(number), "--keep", "--detach"]
        with open(os.devnull, "r+b") as null:
            # Not pipes, which what stays in the background would hold.
            errors = os.memfd_create("nestbox")
            try:
                status = subprocess.call(line, stdin=null, stdout=null, stderr=errors, pass_fds=(number,))
                said = os.pread(errors, os.fstat(errors).st_size, 0)
            finally:
                os.close(errors)
    finally:
        os.close(number)
    if status != 0:
        raise NotStarted(_failure(said), status)
    return inspect(box.name, executable=executable).sandbox


def enter(
    sandbox: Reference,
    command: Iterable[Path],
    *,
    input: Optional[bytes] = None,
    setenv: Optional[Mapping[str, str]] = None,
    chdir: Optional[Path] = None,
    policy: Optional[Path] = None,
    executable: Optional[StrPath] = None,
) -> Entered:
    """Runs a command in a running sandbox, under the protection of the sandbox's own command.

    `policy` is for a sandbox of another tool that has filters of its own. Raises `NotStarted` if
    nestbox ended with 125, 126 or 127 and a line of its own; as with env(1), a command that exits so
    and writes such a line looks the same. Ctrl-C and every other exception end the command.
    """
    words: list[Any] = ["--enter", _reference(sandbox)]
    for name, value in (setenv or {}).items():
        words += ["--setenv", _variable("setenv", name), word("setenv", value, empty=True)]
    if chdir is not None:
        words += ["--chdir", word("chdir", chdir)]
    if policy is not None:
        words += ["--seccomp-policy", word("policy", policy)]
    if input is not None and not isinstance(input, (bytes, bytearray, memoryview)):
        raise OptionError("input", f"expected bytes, found {type(input).__name__}")
    args = command_words(command)
    process = subprocess.Popen(
        [find_executable(executable), *words, "--", *args],
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            stdout, stderr = process.communicate(input)
        except BaseException:
            # nestbox passes SIGTERM on.
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
            process.kill()
            raise
    if process.returncode in (125, 126, 127) and stderr.startswith(b"nestbox: "):
        _refuse("--enter", stderr, process.returncode)
        raise NotStarted(_failure(stderr), process.returncode)
    return Entered(args, process.returncode, stdout, stderr)


def stop(
    sandbox: Reference, *, timeout: Optional[Time] = None, executable: Optional[StrPath] = None
) -> None:
    """Ends a running sandbox: SIGTERM, and after 10 seconds, or whole seconds of `timeout`, SIGKILL to
    all. Returns when nothing is left."""
    words = [] if timeout is None else ["--timeout", str(_time_in_seconds("timeout", timeout))]
    _ask([*words, "--stop", _reference(sandbox)], executable)


def send_signal(sandbox: Reference, number: int, *, executable: Optional[StrPath] = None) -> None:
    """Sends a signal to the command of a running sandbox."""
    if not isinstance(number, int) or isinstance(number, bool) or number not in signals.valid_signals():
        raise OptionError("number", f"expected the number of a signal, found {number!r}")
    _ask(["--signal", str(int(number)), _reference(sandbox)], executable)


# MARK: Reviews


def reviews(*, executable: Optional[StrPath] = None) -> list[Review]:
    """The reviews that wait."""
    return [
        Review(
            one["name"], one.get("age", 0), one.get("changes"), one.get("running", False),
            one.get("broken", False), one.get("directories", []), one)
        for one in _asked(["--reviews", "--json"], executable)["reviews"]
    ]  # fmt: skip


def changes(review: Union[str, Review], *, executable: Optional[StrPath] = None) -> Changes:
    """What a review would change. Raises `NotFound` if there is no such review."""
    raw = _asked(["--changes", _review(review), "--json"], executable)
    found = [
        Change(
            directory["path"], change["path"], change["change"],
            [mark["text"] for mark in change.get("marks", [])], change)
        for directory in raw["directories"]
        for change in directory["changes"]
    ]  # fmt: skip
    return Changes(raw["name"], raw.get("running", False), raw.get("complete", False), found, raw)


def apply(
    review: Union[str, Review],
    paths: Paths = (),
    *,
    overwrite: bool = False,
    executable: Optional[StrPath] = None,
) -> None:
    """Changes the directory as a review says: all of it, or what is below `paths`, as `changes`
    writes them.

    Raises `ChangesLeft` if a change was not applied, such as one of a file that the host has changed
    since; the others are applied then. `overwrite` applies such a change as well.
    """
    words = (["--overwrite"] if overwrite else []) + ["--apply", _review(review)]
    _ask([*words, *_paths(paths)], executable, _OUTSIDE)


def discard(
    review: Union[str, Review], paths: Paths = (), *, executable: Optional[StrPath] = None
) -> None:
    """Forgets the changes of a review: all of them, or those below `paths`."""
    _ask(["--discard", _review(review), *_paths(paths)], executable, _OUTSIDE)


# MARK: Questions to the executable


# In a directory under review, nestbox would read paths as seen from the working directory. Reports for
# programs write them as seen from the directory under review.
_OUTSIDE = "/"


def _ask(words: list[Any], executable: Optional[StrPath], directory: Optional[str] = None) -> bytes:
    answer = subprocess.run(
        [find_executable(executable), *words], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True)
    task = next(each for each in words if each in _TASKS)
    if answer.returncode == 1 and task == "--apply":
        raise ChangesLeft(task, *_said(answer.stderr), answer.returncode)
    if answer.returncode != 0:
        _refuse(task, answer.stderr, answer.returncode)
        raise TaskFailed(task, *_said(answer.stderr), answer.returncode)
    return answer.stdout


_TASKS = ("--list", "--inspect", "--stop", "--signal", "--reviews", "--changes", "--apply", "--discard")


def _asked(words: list[Any], executable: Optional[StrPath]) -> Any:
    try:
        return json.loads(_ask(words, executable))
    except ValueError:
        raise TaskFailed(words[0], "nestbox printed no JSON", (), 0) from None


def _refuse(task: str, errors: bytes, returncode: int) -> None:
    """Raises `NotFound` if that is what nestbox says."""
    message, others = _said(errors)
    if re.search("no running sandbox has th(e|is) name|no review is called", message):
        raise NotFound(task, message, others, returncode)


def _said(errors: bytes) -> tuple[str, tuple[str, ...]]:
    """The first line that nestbox wrote, without the option that it names, and the others."""
    lines = [
        line.removeprefix("nestbox: ") for line in errors.decode(errors="replace").splitlines() if line
    ]
    first = lines[0] if lines else "no reason given"
    return re.sub("^--[a-z-]+: ", "", first), tuple(lines[1:])


def _failure(errors: bytes) -> Failure:
    message, others = _said(errors)
    parts: dict[str, str] = {}
    for line in others:
        kind, found, text = line.partition(": ")
        if found and kind in ("cause", "remedy"):
            parts.setdefault(kind, text)
    return Failure(message, **parts)


def _reference(sandbox: Reference) -> str:
    if isinstance(sandbox, RunningSandbox):
        return sandbox.name or str(sandbox.process)
    if isinstance(sandbox, int) and not isinstance(sandbox, bool):
        if not 0 < sandbox < 2**31:
            raise OptionError("sandbox", f"{sandbox} is not the number of a process")
        return str(sandbox)
    return _name("sandbox", sandbox).decode()


def _review(review: Union[str, Review]) -> str:
    return review.name if isinstance(review, Review) else _name("review", review).decode()


def _paths(paths: Paths) -> list[bytes]:
    found = [word("paths", path) for path in _words("paths", paths)]
    return [b"--", *found] if found else []
