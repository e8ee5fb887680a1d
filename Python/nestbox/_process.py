# SPDX-License-Identifier: Apache-2.0
"""Commands that run, and the function that waits for one."""

from __future__ import annotations

import contextlib
import io
import locale
import signal
import subprocess
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, Optional, Union, overload

from ._errors import NestboxError, OptionError
from ._executable import StrPath
from ._launch import Launch
from ._report import Outcome, Result
from ._sandbox import Path, Sandbox, combine

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._sandbox import SandboxOptions

    Stream = Union[None, int, IO[Any]]

    class RunOptions(SandboxOptions, total=False):
        """The arguments of `run` that do not say which type the output has."""

        sandbox: Optional[Sandbox]
        stdin: Stream
        stdout: Stream
        stderr: Stream
        capture_output: bool
        cwd: Optional[Path]
        check: bool
        pass_fds: Iterable[int]
        executable: Optional[StrPath]
        cancellation: Optional[Cancellation]


_PATIENCE = 5
"""Seconds that a nestbox whose sandbox was killed gets to report and end."""


class Cancellation:
    """Ends commands from another thread: give it to `run`, and call `cancel`.

    Everything inside the sandbox is killed; the outcome is `Outcome.CANCELLED`. A command that
    begins later ends at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._launches: set[Launch] = set()
        self._is_cancelled = False

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._is_cancelled

    def cancel(self) -> None:
        """Ends the commands that have this cancellation."""
        with self._lock:
            self._is_cancelled = True
            launches = list(self._launches)
        for launch in launches:
            launch.cancel()

    def _add(self, launch: Launch) -> None:
        with self._lock:
            self._launches.add(launch)
            launch.is_cancelled = launch.is_cancelled or self._is_cancelled

    def _remove(self, launch: Launch) -> None:
        with self._lock:
            self._launches.discard(launch)


class Process:
    """A command that runs in a sandbox, as `subprocess.Popen` is one that runs without a sandbox.

    Its streams are binary. As a context manager it waits for the command, or ends it if the block
    ends with an error. The sandbox ends with the thread that started it (see --die-with-parent in
    nestbox(1)).
    """

    def __init__(
        self,
        command: Iterable[Path],
        *,
        sandbox: Optional[Sandbox] = None,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        cwd: Optional[Path] = None,
        pass_fds: Iterable[int] = (),
        executable: Optional[StrPath] = None,
        cancellation: Optional[Cancellation] = None,
        **options: Unpack[SandboxOptions],
    ) -> None:
        for name, stream in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
            check_stream(name, stream)
        self._result: Optional[Result[bytes]] = None
        self._error: Optional[NestboxError] = None
        self._cancellation = cancellation
        self._launch = Launch(command, combine(sandbox, options), cwd, executable, pass_fds)
        if cancellation:
            cancellation._add(self._launch)
        try:
            with starting(cwd):
                self._process = subprocess.Popen(
                    self._launch.words, stdin=stdin, stdout=stdout, stderr=stderr,
                    cwd=cwd, pass_fds=self._launch.pass_fds,
                )  # fmt: skip
        except BaseException:
            self._forget()
            raise
        self._launch.began(self._process.pid)
        self.args = self._launch.command
        self.pid = self._process.pid
        """nestbox's process; signals to it reach the command."""
        self.stdin = self._process.stdin
        self.stdout = self._process.stdout
        self.stderr = self._process.stderr

    def communicate(self, input: Optional[bytes] = None) -> Result[bytes]:
        """Writes `input`, reads all output, and waits."""
        if ended := self._ended():
            return ended
        try:
            stdout, stderr = self._process.communicate(input)
            return self._finish(stdout, stderr)
        except BaseException:
            # Ctrl-C, for instance.
            self._end()
            raise

    def wait(self) -> Result[bytes]:
        """Waits for the end. Read what the command writes to a pipe meanwhile, or it may block."""
        if ended := self._ended():
            return ended
        try:
            self._process.wait()
            return self._finish(None, None)
        except BaseException:
            self._end()
            raise

    def poll(self) -> Optional[Result[bytes]]:
        """The result, if the command has ended."""
        if ended := self._ended():
            return ended
        return None if self._process.poll() is None else self._finish(None, None)

    def send_signal(self, number: int) -> None:
        """Sends a signal to the command."""
        self._process.send_signal(number)

    def terminate(self) -> None:
        """Asks the command to end, with SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def cancel(self) -> None:
        """Kills everything inside the sandbox."""
        self._launch.cancel()

    kill = cancel

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            self._end()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        if kind is None:
            self.wait()

    def _ended(self) -> Optional[Result[bytes]]:
        if self._error:
            raise self._error
        return self._result

    def _finish(self, stdout: Optional[bytes], stderr: Optional[bytes]) -> Result[bytes]:
        if self._cancellation:
            self._cancellation._remove(self._launch)
        try:
            self._result = self._launch.finish(self._process.returncode, stdout, stderr)
        except NestboxError as error:
            self._error = error
            raise
        return self._result

    def _forget(self) -> None:
        if self._cancellation:
            self._cancellation._remove(self._launch)
        self._launch.close()

    def _end(self) -> None:
        """Ends the sandbox, and returns when nothing in it is left."""
        if self._process.returncode is None:
            self._launch.cancel()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._launch.cancel(hard=True)
                self._process.wait()
            with contextlib.suppress(NestboxError):
                self._finish(None, None)
        self._forget()

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None and self._process.returncode is None:
            self._launch.cancel()
        if getattr(self, "_launch", None) is not None:
            self._forget()


@overload
def run(
    command: Iterable[Path],
    *,
    input: str,
    text: Literal[True] = ...,
    encoding: Optional[str] = None,
    errors: Optional[str] = None,
    **options: Unpack[RunOptions],
) -> Result[str]: ...
@overload
def run(
    command: Iterable[Path],
    *,
    input: None = None,
    text: Literal[True],
    encoding: Optional[str] = None,
    errors: Optional[str] = None,
    **options: Unpack[RunOptions],
) -> Result[str]: ...
@overload
def run(
    command: Iterable[Path],
    *,
    input: None = None,
    text: Optional[bool] = None,
    encoding: str,
    errors: Optional[str] = None,
    **options: Unpack[RunOptions],
) -> Result[str]: ...
@overload
def run(
    command: Iterable[Path],
    *,
    input: Union[bytes, bytearray, memoryview, None] = None,
    text: Literal[False, None] = None,
    encoding: None = None,
    errors: None = None,
    **options: Unpack[RunOptions],
) -> Result[bytes]: ...
def run(
    command: Iterable[Path],
    *,
    input: Any = None,
    text: Optional[bool] = None,
    encoding: Optional[str] = None,
    errors: Optional[str] = None,
    capture_output: bool = False,
    check: bool = False,
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
    **options: Any,
) -> Result[Any]:
    """Runs a command in a sandbox and waits for it, as `subprocess.run` does without one.

    `input`, `capture_output`, `text`, `encoding`, `errors`, `check`, `stdin`, `stdout`, `stderr` and
    `pass_fds` are those of subprocess. In `cwd` nestbox starts; the profile decides what the
    command sees of it. `sandbox` is a `Sandbox`; its fields can also be given one by one, and
    then override it. `cancellation` ends the command from another thread.

    A command that fails or exceeds a limit has a result that says so; `check` makes that an error,
    `CommandFailed` or `LimitExceeded`. Raises `NotStarted` if the command could not be started,
    and `OptionError` before anything starts if an argument is wrong. Ctrl-C and every other
    exception end the sandbox.
    """
    streams = Streams(input, text, encoding, errors, capture_output, stdin, stdout, stderr)
    if options.get("cancellation") and options["cancellation"].is_cancelled:
        return cancelled(command)
    process = Process(
        command, stdin=streams.stdin, stdout=streams.stdout, stderr=streams.stderr, **options
    )
    result = streams.decode(process.communicate(streams.input))
    if check:
        result.check_returncode()
    return result


def cancelled(command: Any) -> Result[Any]:
    """The result of a command that never began."""
    return Result(list(command), -signal.SIGKILL, None, None, Outcome.CANCELLED, None)


# MARK: Streams


def check_stream(name: str, stream: Any) -> None:
    """Refuses what cannot be a stream, before anything starts."""
    allowed = (subprocess.PIPE, subprocess.DEVNULL) + ((subprocess.STDOUT,) * (name == "stderr"))
    if stream is None or stream in allowed:
        return
    try:
        number = stream if isinstance(stream, int) else stream.fileno()
        is_descriptor = not isinstance(stream, bool) and number >= 0
    except (AttributeError, TypeError, ValueError, io.UnsupportedOperation):
        is_descriptor = False
    if not is_descriptor:
        raise OptionError(name, f"expected a descriptor or a file, found {stream!r}")


class Streams:
    """The streams of a command, and how bytes become text."""

    def __init__(
        self,
        input: Any,
        text: Optional[bool],
        encoding: Optional[str],
        errors: Optional[str],
        capture_output: bool,
        stdin: Stream,
        stdout: Stream,
        stderr: Stream,
    ) -> None:
        if capture_output:
            if stdout is not None or stderr is not None:
                raise OptionError("capture_output", "excludes stdout and stderr")
            stdout = stderr = subprocess.PIPE
        if input is not None:
            if stdin is not None:
                raise OptionError("input", "excludes stdin")
            stdin = subprocess.PIPE
        elif stdin == subprocess.PIPE:
            raise OptionError("stdin", "PIPE needs input, or a Process")
        for name, stream in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
            check_stream(name, stream)
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.is_text = bool(text or encoding or errors)
        self._encoding = encoding or locale.getpreferredencoding(False)
        self._errors = errors or "strict"
        try:
            "".encode(self._encoding)
        except LookupError:
            raise OptionError("encoding", f"there is no encoding {encoding!r}") from None
        self.input = self._encode(input)

    def _encode(self, input: Any) -> Optional[bytes]:
        if input is None:
            return None
        if self.is_text != isinstance(input, str):
            kind = "a str" if self.is_text else "bytes; text=True takes a str"
            raise OptionError("input", f"expected {kind}, found {type(input).__name__}")
        try:
            if self.is_text:
                return bytes(input.encode(self._encoding, self._errors))
            return bytes(memoryview(input))
        except (TypeError, ValueError, LookupError) as error:
            raise OptionError("input", str(error)) from None

    def decode(self, result: Result[bytes]) -> Result[Any]:
        """The result with text, if text was asked for."""
        if not self.is_text:
            return result
        return Result(
            result.args, result.returncode, self._text(result.stdout), self._text(result.stderr),
            result.outcome, result.report,
        )  # fmt: skip

    def _text(self, data: Optional[bytes]) -> Optional[str]:
        if data is None:
            return None
        text = data.decode(self._encoding, self._errors)
        return text.replace("\r\n", "\n").replace("\r", "\n")


class starting:
    """Turns what Popen raises before anything has started into an `OptionError`."""

    def __init__(self, directory: Any) -> None:
        self._directory = directory

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        if isinstance(error, OSError) and self._directory is not None:
            if error.filename == self._directory:
                raise OptionError("cwd", f"{self._directory!r}: {error.strerror}") from None
        # A descriptor to pass on that is not open, for instance.
        if isinstance(error, (ValueError, TypeError)):
            raise OptionError("arguments", str(error)) from None
