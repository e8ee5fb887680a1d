# SPDX-License-Identifier: Apache-2.0
"""One start of the executable: its words and descriptors, its end by force, and what it reports.

`_process` and `_asyncio` start it, each in its own way, and wait for it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import threading
from collections.abc import Iterable
from typing import Any, Optional

from ._errors import NotStarted, OptionError, ReportMissing
from ._executable import StrPath, find_executable
from ._report import Failure, Outcome, Report, Result
from ._sandbox import Path, Sandbox, word


def command_words(command: Any) -> list[Any]:
    """The words of a command."""
    if isinstance(command, (str, bytes, os.PathLike)):
        raise OptionError("command", f"expected a list of words, found {command!r}")
    if callable(command):
        raise OptionError(
            "command", "expected a list of words; functions of Python cannot run in a sandbox"
        )
    try:
        words = list(command)
    except TypeError:
        raise OptionError("command", f"expected a list of words, found {command!r}") from None
    if not words:
        raise OptionError("command", "expected at least one word")
    for index, value in enumerate(words):
        word("command", value, empty=index > 0)
    return words


class Launch:
    """A start of the executable.

    Files in memory carry the options in and the reports out. Unlike pipes they cannot fill up, and
    nobody needs to read from them while the command runs.
    """

    def __init__(
        self,
        command: Iterable[Path],
        sandbox: Sandbox,
        directory: Optional[Path],
        executable: Optional[StrPath],
        pass_fds: Iterable[int] = (),
    ) -> None:
        self.command = command_words(command)
        options = sandbox.words(directory)
        if directory is not None:
            word("cwd", directory)
        self.executable = find_executable(executable)
        passed = tuple(pass_fds)
        for number in passed:
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                raise OptionError("pass_fds", f"expected descriptors, found {number!r}")
        self._lock = threading.Lock()
        self._own: list[int] = []
        self._monitor = -1
        self._pid = 0
        self.is_cancelled = False
        try:
            self._args = self._file(b"".join(option + b"\0" for option in options))
            self._report = self._file()
            self._info = self._file()
        except BaseException:
            self.close()
            raise
        self.pass_fds = (self._args, self._report, self._info, *passed)
        # The report first: it then tells mistakes in the other options as well.
        self.words: list[Any] = [
            self.executable, "--report", str(self._report), "--args", str(self._args),
            "--info-fd", str(self._info), "--die-with-parent", "--", *self.command,
        ]  # fmt: skip

    def _file(self, content: bytes = b"") -> int:
        number = os.memfd_create("nestbox")
        self._own.append(number)
        view = memoryview(content)
        while view:
            view = view[os.write(number, view) :]
        os.lseek(number, 0, os.SEEK_SET)
        return number

    def began(self, pid: int) -> None:
        """Takes note of the process, before anyone waits for it."""
        with self._lock:
            self._pid = pid
            try:
                self._monitor = os.pidfd_open(pid)
                self._own.append(self._monitor)
            except OSError:
                # It has ended, and the event loop has waited for it.
                self._monitor = -1
            os.close(self._args)
            self._own.remove(self._args)
        if self.is_cancelled:
            self.cancel()

    def close(self) -> None:
        """Closes the descriptors."""
        with self._lock:
            for number in self._own:
                os.close(number)
            self._own = []
            self._monitor = -1

    # MARK: The end by force

    def cancel(self, hard: bool = False) -> None:
        """Kills everything inside; nestbox then reports and ends. `hard` kills nestbox as well."""
        with self._lock:
            self.is_cancelled = True
            if self._monitor < 0:
                return
            first = -1 if hard else self._first(self._pid)
            if first < 0:
                # Nothing runs inside yet, or nestbox does not answer. The kernel kills what its
                # death leaves behind.
                self._kill(self._monitor, signal.SIGKILL)
                return
            try:
                # With the first process inside, the kernel ends all others.
                self._kill(first, signal.SIGKILL)
                self._kill(self._monitor, signal.SIGCONT)
            finally:
                os.close(first)

    @staticmethod
    def _kill(process: int, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(process, number)
        except ProcessLookupError:
            pass

    def _first(self, parent: int) -> int:
        """A descriptor of the first process inside, if it is a child of `parent`; otherwise -1."""
        try:
            pid = int(json.loads(self._read(self._info))["child-pid"])
            process = os.pidfd_open(pid)
        except (ValueError, KeyError, OSError):
            return -1
        # After it was opened: the number could be another process's.
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                if int(file.read().rpartition(b")")[2].split()[1]) == parent:
                    return process
        except (OSError, ValueError, IndexError):
            pass
        os.close(process)
        return -1

    def _await_first(self) -> None:
        """Waits for the first process inside where nestbox was killed and could not do so."""
        try:
            process = os.pidfd_open(int(json.loads(self._read(self._info))["child-pid"]))
        except (ValueError, KeyError, OSError):
            return
        try:
            poll = select.poll()
            poll.register(process, select.POLLIN)
            # With a limit: the number could be another process's.
            poll.poll(5000)
        finally:
            os.close(process)

    # MARK: The end

    @staticmethod
    def _read(number: int) -> bytes:
        return os.pread(number, os.fstat(number).st_size, 0)

    def finish(self, returncode: int, stdout: Any, stderr: Any) -> Result[Any]:
        """The result, after nestbox has ended."""
        try:
            report = Report.parse(self._read(self._report))
            if self.is_cancelled and report is None:
                self._await_first()
        finally:
            self.close()
        outcome = report.outcome if report else Outcome.CANCELLED
        if self.is_cancelled:
            # Otherwise it had ended before.
            if outcome in (Outcome.NOT_STARTED, Outcome.SIGNALED):
                outcome = Outcome.CANCELLED
        elif report is None:
            raise ReportMissing(returncode)
        elif outcome is Outcome.NOT_STARTED:
            ending = Failure(f"signal {report.signal} ended the launch before the command was started")
            raise NotStarted(report.error or ending, returncode)
        return Result(self.command, returncode, stdout, stderr, outcome, report)
