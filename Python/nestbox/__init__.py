# SPDX-License-Identifier: Apache-2.0
"""Runs commands in a sandbox of nestbox, as `subprocess` runs them without one.

    import nestbox

    result = nestbox.run(
        ["./grade", "answer.txt"],
        profile="untrusted", read=["answer.txt"], timeout=10, memory_try="512M",
        capture_output=True, text=True)
    print(result.outcome, result.exit_code, result.stdout, result.report.user)

Without options a command sees what `nestbox COMMAND` shows: the system read-only, an empty home
directory, no network and no other process.

- `run` starts a command and waits for it; `run_async` does the same for asyncio.
- `Process` is a command that runs; `Cancellation` ends commands from another thread.
- `Sandbox` keeps the options of many commands as a value.
- `running`, `inspect`, `keep`, `enter`, `stop` and `send_signal` are about sandboxes that run;
  `reviews`, `changes`, `apply` and `discard` about what a command with `review` has changed.
- `Executor` runs many commands at a time, as those of concurrent.futures do.
- Every error is a `NestboxError`. A mistake in the options is an `OptionError`, and nothing starts.

The package starts the executable `nestbox`, which is found in this order: the argument
`executable`, the variable NESTBOX, the file that was installed with this package, PATH.
"""

from ._asyncio import run_async
from ._errors import (
    ChangesLeft,
    CommandFailed,
    ExecutableNotFound,
    LimitExceeded,
    NestboxError,
    NotFound,
    NotStarted,
    OptionError,
    ReportMissing,
    TaskFailed,
)
from ._executable import find_executable
from ._executor import Executor
from ._process import Cancellation, Process, run
from ._report import Failure, Outcome, Report, Result
from ._sandbox import Sandbox
from ._tasks import (
    Change,
    Changes,
    Entered,
    Inspection,
    Review,
    RunningSandbox,
    apply,
    changes,
    discard,
    enter,
    inspect,
    keep,
    reviews,
    running,
    send_signal,
    stop,
)

__version__ = "0.1.0"

__all__ = [
    "Cancellation",
    "Change",
    "Changes",
    "ChangesLeft",
    "CommandFailed",
    "Entered",
    "ExecutableNotFound",
    "Executor",
    "Failure",
    "Inspection",
    "LimitExceeded",
    "NestboxError",
    "NotFound",
    "NotStarted",
    "OptionError",
    "Outcome",
    "Process",
    "Report",
    "ReportMissing",
    "Result",
    "Review",
    "RunningSandbox",
    "Sandbox",
    "TaskFailed",
    "apply",
    "changes",
    "discard",
    "enter",
    "find_executable",
    "inspect",
    "keep",
    "reviews",
    "run",
    "run_async",
    "running",
    "send_signal",
    "stop",
]
