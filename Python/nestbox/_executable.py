# SPDX-License-Identifier: Apache-2.0
"""Finds the executable."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
from collections.abc import Iterator
from typing import Optional, Union

from ._errors import ExecutableNotFound

StrPath = Union[str, "os.PathLike[str]"]


def find_executable(executable: Optional[StrPath] = None) -> str:
    """The path of the executable: `executable`, what the variable NESTBOX names, the file that was
    installed together with this package, or the first one in PATH.

    Raises `ExecutableNotFound` if there is none. One that was named and is missing is an error;
    the places after it are not searched then.
    """
    for place, named in (("executable", executable), ("NESTBOX", os.environ.get("NESTBOX"))):
        if named:
            path = os.fspath(named)
            if not _is_executable(path):
                raise ExecutableNotFound(f"{place}: {path!r} is not an executable file")
            return os.path.abspath(path)
    for path in (*_installed(), *_in_path()):
        if _is_executable(path):
            return path
    raise ExecutableNotFound(
        "there is no executable nestbox in PATH, and none was installed with this package; "
        "name one with the argument executable, or in the variable NESTBOX"
    )


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _installed() -> Iterator[str]:
    package = pathlib.Path(__file__).resolve().parent
    # pip install --target moves files after it has listed them.
    yield str(package.parent / "bin" / "nestbox")
    # pip lists the files of a package, wherever it put them.
    try:
        listed = importlib.metadata.distribution("nestbox").files or []
    except importlib.metadata.PackageNotFoundError:
        listed = []
    files = [os.path.normpath(str(file.locate())) for file in listed]
    # Another installation of this package has another executable.
    if str(package / "__init__.py") in map(os.path.realpath, files):
        yield from (file for file in files if file.endswith("/bin/nestbox"))


def _in_path() -> Iterator[str]:
    for directory in os.get_exec_path():
        # A relative one would let whatever lies in the working directory run outside a sandbox.
        if os.path.isabs(directory):
            yield os.path.join(directory, "nestbox")
