# SPDX-License-Identifier: Apache-2.0
"""Commands for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from ._executable import StrPath
from ._launch import Launch
from ._process import _PATIENCE, Streams, starting
from ._report import Result
from ._sandbox import Path, Sandbox, combine

if TYPE_CHECKING:
    from ._process import Stream

T = TypeVar("T")


async def run_async(
    command: Iterable[Path],
    *,
    sandbox: Optional[Sandbox] = None,
    input: Any = None,
    text: Optional[bool] = None,
    encoding: Optional[str] = None,
    errors: Optional[str] = None,
    capture_output: bool = False,
    check: bool = False,
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
    cwd: Optional[Path] = None,
    pass_fds: Iterable[int] = (),
    executable: Optional[StrPath] = None,
    **options: Any,
) -> Result[Any]:
    """Runs a command in a sandbox, as `run` does, and lets other tasks go on meanwhile.

    When the task is cancelled, everything inside the sandbox is killed, and the task ends when
    nothing is left.
    """
    streams = Streams(input, text, encoding, errors, capture_output, stdin, stdout, stderr)
    launch = Launch(command, combine(sandbox, options), cwd, executable, pass_fds)
    try:
        process, is_cancelled = await _whole(_begin(launch, streams, cwd))
        if is_cancelled:
            await _end(launch, process)
            raise asyncio.CancelledError
        try:
            out, err = await process.communicate(streams.input)
        except BaseException:
            await _end(launch, process)
            raise
        # Known since communicate returned.
        result = streams.decode(launch.finish(process.returncode or 0, out, err))
    finally:
        launch.close()
    if check:
        result.check_returncode()
    return result


async def _begin(
    launch: Launch, streams: Streams, directory: Optional[Path]
) -> asyncio.subprocess.Process:
    with starting(directory):
        process = await asyncio.create_subprocess_exec(
            *launch.words, stdin=streams.stdin, stdout=streams.stdout, stderr=streams.stderr,
            cwd=directory, pass_fds=launch.pass_fds,
        )  # fmt: skip
    launch.began(process.pid)
    return process


async def _end(launch: Launch, process: asyncio.subprocess.Process) -> None:
    """Ends the sandbox; returns when nothing is left, even if the task is cancelled once more."""
    launch.cancel()
    last = asyncio.get_running_loop().call_later(_PATIENCE, launch.cancel, True)
    if process.stdin:
        process.stdin.close()
    # A full pipe would keep its end of file from the event loop.
    streams = [stream.read() for stream in (process.stdout, process.stderr) if stream]
    try:
        await _whole(asyncio.gather(process.wait(), *streams))
    finally:
        last.cancel()
    launch.finish(process.returncode or 0, None, None)


async def _whole(awaitable: Awaitable[T]) -> tuple[T, bool]:
    """Waits for something that must not be interrupted.

    Returns its result, and whether the task was cancelled meanwhile.
    """
    task = asyncio.ensure_future(awaitable)
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            is_cancelled = True
        except Exception:
            # The task has it.
            break
    return task.result(), is_cancelled
