# SPDX-License-Identifier: Apache-2.0
"""How a command ended: the outcome, the report of --report, and the result of a run."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from typing import Any, AnyStr, Generic, Optional

from ._errors import CommandFailed, LimitExceeded


class Outcome(str, enum.Enum):
    """Why a command ended."""

    EXITED = "exited"
    """By itself, with an exit code."""
    SIGNALED = "signaled"
    """By a signal that nestbox did not send."""
    TIMEOUT = "timeout"
    """It ran longer than `timeout`."""
    MEMORY = "memory"
    """All its processes together needed more than `memory`."""
    CPU_TIME = "cpu-time"
    """All its processes together used more processor time than `cpu_time`."""
    OUTPUT = "output"
    """It wrote more than `output_limit`."""
    CANCELLED = "cancelled"
    """The caller ended it."""
    NOT_STARTED = "not-started"
    """It never ran."""
    OTHER = "other"
    """Something that this version of the package has no name for; see `Report.raw`."""

    @classmethod
    def _missing_(cls, value: object) -> Outcome:
        return cls.OTHER

    def __str__(self) -> str:
        return self.value

    @property
    def is_limit(self) -> bool:
        """Whether nestbox ended the command because of a limit."""
        return self not in _OWN_ENDS


_OWN_ENDS = (Outcome.EXITED, Outcome.SIGNALED, Outcome.CANCELLED, Outcome.NOT_STARTED)


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a command was not started. What is not known is None."""

    message: str
    option: Optional[str] = None
    call: Optional[str] = None
    subject: Optional[str] = None
    reason: Optional[str] = None
    cause: Optional[str] = None
    remedy: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class Report:
    """What nestbox reports at the end. Times are in seconds, sizes in bytes; what is not known is
    None, never 0."""

    outcome: Outcome
    exit_code: Optional[int] = None
    signal: Optional[int] = None
    error: Optional[Failure] = None
    wall: Optional[float] = None
    user: Optional[float] = None
    system: Optional[float] = None
    max_rss: Optional[int] = None
    memory_peak: Optional[int] = None
    processes_peak: Optional[int] = None
    oom_kills: Optional[int] = None
    read: Optional[int] = None
    written: Optional[int] = None
    output: Optional[int] = None
    limits: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    complete: bool = True
    incomplete_because: Optional[str] = None
    counted_by: Optional[str] = None
    raw: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    """The whole object, with what this version of the package has no field for."""

    @classmethod
    def parse(cls, text: bytes) -> Optional[Report]:
        """Reads a report; None if there is none, or only a part of one."""
        try:
            raw = json.loads(text)
        except ValueError:
            return None
        if not isinstance(raw, dict) or "outcome" not in raw:
            return None
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            key = field.name.replace("_", "-")
            if key in raw and field.name not in ("outcome", "error", "raw"):
                values[field.name] = raw[key]
        if isinstance(raw.get("error"), dict):
            known = {field.name for field in dataclasses.fields(Failure)}
            error = {key: value for key, value in raw["error"].items() if key in known}
            values["error"] = Failure(**{"message": "", **error})
        return cls(outcome=Outcome(raw["outcome"]), raw=raw, **values)


@dataclasses.dataclass(frozen=True)
class Result(Generic[AnyStr]):
    """A command that has ended, as `subprocess.CompletedProcess`, with its report."""

    args: list[Any]
    returncode: int
    """nestbox's status: the command's exit code, or minus the signal that ended it; 124 for a limit
    of time, 137 for memory, 153 for output. `outcome` tells a limit from a command that exits with
    its number."""
    stdout: Optional[AnyStr]
    stderr: Optional[AnyStr]
    outcome: Outcome
    report: Optional[Report]
    """None only where a command was cancelled before it began."""

    @property
    def exit_code(self) -> Optional[int]:
        """What the command exited with, if it ended by itself."""
        is_own = self.outcome is Outcome.EXITED and self.report is not None
        return self.report.exit_code if is_own and self.report else None

    @property
    def signal(self) -> Optional[int]:
        """The signal that ended the command."""
        return self.report.signal if self.report else None

    @property
    def succeeded(self) -> bool:
        """Whether the command exited with 0."""
        return self.exit_code == 0

    @property
    def description(self) -> str:
        """The end in words."""
        if self.outcome is Outcome.EXITED:
            return f"exited with {self.exit_code}"
        if self.outcome is Outcome.SIGNALED:
            return f"was ended by signal {self.signal}"
        if self.outcome is Outcome.CANCELLED:
            return "was cancelled"
        return f"exceeded a limit: {self.outcome}"

    def check_returncode(self) -> None:
        """Raises `CommandFailed`, or `LimitExceeded`, unless the command exited with 0."""
        if self.succeeded:
            return
        raise (LimitExceeded if self.outcome.is_limit else CommandFailed)(self)
