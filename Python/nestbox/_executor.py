# SPDX-License-Identifier: Apache-2.0
"""Many commands at a time."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional

from ._errors import OptionError
from ._launch import command_words
from ._process import Cancellation, run
from ._report import Result
from ._sandbox import Path, Sandbox, combine, unknown

if TYPE_CHECKING:
    from concurrent.futures import Future


class Executor(concurrent.futures.Executor):
    """Runs commands as the executors of concurrent.futures run functions.

        with nestbox.Executor(50, profile="untrusted", timeout=10) as executor:
            futures = [executor.submit(["./job", str(n)], capture_output=True) for n in range(1000)]
            for future in concurrent.futures.as_completed(futures):
                print(future.result().outcome)

    What is submitted is a command and the arguments of `run`; a future's result is a `Result`.
    `sandbox`, or its fields, apply to every command. Functions are refused: they would run outside.

    `pool` may be another executor, which then calls `run`: a ProcessPoolExecutor, or that of a Dask
    cluster (`client.get_executor()`), whose workers need this package.
    """

    def __init__(
        self,
        max_workers: Optional[int] = None,
        sandbox: Optional[Sandbox] = None,
        *,
        pool: Optional[concurrent.futures.Executor] = None,
        **options: Any,
    ) -> None:
        self._sandbox = combine(sandbox, options)
        self._lock = threading.Lock()
        self._running: dict[Any, Cancellation] = {}
        self._owns_pool = pool is None
        if pool is not None:
            if max_workers is not None:
                raise OptionError("max_workers", "excludes pool, which has its own number")
            self._pool = pool
            return
        workers = os.cpu_count() or 1 if max_workers is None else max_workers
        if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
            raise OptionError("max_workers", f"expected a number above 0, found {max_workers!r}")
        self._pool = concurrent.futures.ThreadPoolExecutor(workers, "nestbox")

    def submit(  # type: ignore[override]
        self, command: Iterable[Path], /, **arguments: Any
    ) -> Future[Result[Any]]:
        """Runs a command as soon as a worker is free. `arguments` are those of `run`."""
        words = command_words(command)
        options = {key: arguments.pop(key) for key in list(arguments) if key in _FIELDS}
        base = arguments.pop("sandbox", None) or self._sandbox
        for key in arguments:
            if key not in _ARGUMENTS:
                raise OptionError(key, unknown(key, _FIELDS | _ARGUMENTS))
        arguments["sandbox"] = combine(base, options)
        if not self._owns_pool:
            return self._pool.submit(_run, words, **arguments)
        cancellation = Cancellation()
        future: Future[Result[Any]] = self._pool.submit(
            _run, words, cancellation=cancellation, **arguments
        )
        with self._lock:
            self._running[future] = cancellation
        future.add_done_callback(self._forget)
        return future

    def map(  # type: ignore[override]
        self, commands: Iterable[Iterable[Path]], /, timeout: Optional[float] = None, **arguments: Any
    ) -> Iterator[Result[Any]]:
        """Runs each of `commands`; the results are in the same order."""
        futures = [self.submit(command, **arguments) for command in commands]

        def results() -> Iterator[Result[Any]]:
            try:
                for future in futures:
                    yield future.result(timeout)
            finally:
                for future in futures:
                    self.cancel(future)

        return results()

    def cancel(self, future: Future[Result[Any]]) -> bool:
        """Cancels a command, even one that runs: everything in its sandbox is killed, and its
        result has the outcome `Outcome.CANCELLED`. With another executor as `pool`, only commands
        that wait can be cancelled.

        Returns True if the command will not run to its end.
        """
        if future.cancel():
            return True
        with self._lock:
            cancellation = self._running.get(future)
        if cancellation is None or future.done():
            return False
        cancellation.cancel()
        return True

    def shutdown(
        self, wait: bool = True, *, cancel_futures: bool = False, cancel_running: bool = False
    ) -> None:
        """Takes no more commands. `cancel_running` ends those that run as well."""
        if self._owns_pool:
            self._pool.shutdown(wait=False, cancel_futures=cancel_futures or cancel_running)
        if cancel_running:
            with self._lock:
                cancellations = list(self._running.values())
            for cancellation in cancellations:
                cancellation.cancel()
        if self._owns_pool:
            self._pool.shutdown(wait=wait)

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.shutdown(cancel_running=kind is not None)

    def _forget(self, future: Future[Result[Any]]) -> None:
        with self._lock:
            self._running.pop(future, None)


# Without its overloads, among which a type checker could not choose.
_run: Callable[..., Result[Any]] = run
_FIELDS = frozenset(Sandbox.__dataclass_fields__)
_ARGUMENTS = frozenset(
    "input text encoding errors capture_output check stdin stdout stderr cwd pass_fds executable".split()
)
