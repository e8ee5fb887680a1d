# SPDX-License-Identifier: Apache-2.0
"""The errors. Each can be pickled, so that a pool of processes or a cluster can pass it on."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._report import Failure, Result


class NestboxError(Exception):
    """The base of every error of this package."""


class OptionError(NestboxError, ValueError):
    """An argument is wrong; nothing was started."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(option, message)
        self.option = option
        """The argument."""
        self.message = message

    def __str__(self) -> str:
        return f"{self.option}: {self.message}"


class ExecutableNotFound(NestboxError, FileNotFoundError):
    """There is no executable nestbox; nothing was started."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class NotStarted(NestboxError):
    """nestbox could not make the sandbox or could not execute the command in it."""

    def __init__(self, failure: Failure, returncode: int) -> None:
        super().__init__(failure, returncode)
        self.failure = failure
        """The option, the call and the reason, with cause and remedy where nestbox knows them."""
        self.returncode = returncode
        """127 if there is no such command, 126 if it cannot be executed, otherwise 125."""

    def __str__(self) -> str:
        failure = self.failure
        parts = [failure.message]
        if failure.cause:
            parts.append(f"cause: {failure.cause}")
        if failure.remedy:
            parts.append(f"remedy: {failure.remedy}")
        return "\n".join(parts)


class ReportMissing(NestboxError):
    """Something killed nestbox before it could report: what the command did is unknown."""

    def __init__(self, returncode: int) -> None:
        super().__init__(returncode)
        self.returncode = returncode

    def __str__(self) -> str:
        how = f"signal {-self.returncode}" if self.returncode < 0 else f"status {self.returncode}"
        return f"nestbox ended with {how} and without a report"


class CommandFailed(NestboxError, subprocess.CalledProcessError):
    """The command ran and did not succeed, and the caller asked to check that."""

    def __init__(self, result: Result[Any]) -> None:
        super().__init__(result.returncode, result.args, result.stdout, result.stderr)
        self.args = (result,)
        self.result = result

    def __str__(self) -> str:
        return f"the command {self.result.args[0]!r} {self.result.description}"


class LimitExceeded(CommandFailed):
    """The command was ended because it exceeded a limit: see `result.outcome`."""


class TaskFailed(NestboxError):
    """nestbox could not do what was asked about a running sandbox or a review."""

    def __init__(self, task: str, message: str, others: tuple[str, ...], returncode: int) -> None:
        super().__init__(task, message, others, returncode)
        self.task = task
        """The option of nestbox(1), such as --stop."""
        self.message = message
        self.others = others
        """What else nestbox said, such as a remedy."""
        self.returncode = returncode

    def __str__(self) -> str:
        return "\n".join((f"{self.task}: {self.message}", *self.others))


class NotFound(TaskFailed):
    """There is no such running sandbox, or no such review."""


class ChangesLeft(TaskFailed):
    """Some changes of a review were not applied, such as those of files that the host has changed
    since; the message and `others` name them."""
