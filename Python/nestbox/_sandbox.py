# SPDX-License-Identifier: Apache-2.0
"""The options as a value, and the words that nestbox reads from --args."""

from __future__ import annotations

import dataclasses
import datetime
import math
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from ._errors import OptionError

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from ._report import Result

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Paths = Union[Path, Iterable[Path]]
Size = Union[int, str]
Time = Union[int, float, str, datetime.timedelta]
Limit = Union[int, str, "tuple[Union[int, str], Union[int, str]]"]


_LISTS = (
    "profile", "read", "write", "hide", "net_allow", "net_deny", "net_host", "publish", "review",
    "keep_env", "options",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Sandbox:
    """What a command may see and use.

    A sandbox is a value: it can be kept, changed with `dataclasses.replace`, pickled, and used for
    many commands at a time. A wrong value raises `OptionError` here, before anything starts.

    Sizes are numbers of bytes or texts such as "512M"; times are seconds, texts such as "500ms" or
    "2h", or a `timedelta`. If this machine cannot enforce a limit, that is an error; a limit whose
    name ends in `_try` is then left out.
    """

    profile: Paths = ()
    """Names of profiles, or paths with a slash; without any, "untrusted" and what adds to it."""
    read: Paths = ()
    """Files and directories that the command sees, at their own places. Relative ones begin in
    this process's directory."""
    write: Paths = ()
    """Files and directories that the command sees and may change."""
    home: Optional[Path] = None
    """A directory that is the command's home directory and is kept."""
    tmp_home: bool = False
    """Whether the command sees this user's home directory without secrets, and its changes there are
    forgotten."""
    hide: Paths = ()
    """Patterns of files to hide, such as "*.pem"."""
    net_allow: Paths = ()
    """What the command may reach on the network, such as "pypi.org"."""
    net_deny: Paths = ()
    """What the command may not reach, even if `net_allow` names it."""
    net_host: Union[int, Paths] = ()
    """Ports of this machine's localhost that the command reaches, such as 8080 or "8000-8010", at
    the host host.nestbox.internal."""
    publish: Union[int, Paths] = ()
    """Ports that lead to a server inside: 8080, "8080:80" or "0.0.0.0:8080:80"."""
    policy: Optional[Path] = None
    """The policy of system calls: a name, a path with a slash, or a file of Docker or Podman."""
    review: Paths = ()
    """Directories that the command may change, whose changes wait for `apply` or `discard`."""
    review_name: Optional[str] = None
    """What the review is called; else nestbox makes a name of the directory's and the time."""
    resume: Optional[str] = None
    """A review whose changes the command sees and adds to."""
    memory: Optional[Size] = None
    memory_try: Optional[Size] = None
    swap: Optional[Size] = None
    swap_try: Optional[Size] = None
    cpus: Union[int, float, str, None] = None
    cpus_try: Union[int, float, str, None] = None
    cpu_time: Optional[Time] = None
    cpu_time_try: Optional[Time] = None
    processes: Optional[int] = None
    processes_try: Optional[int] = None
    timeout: Optional[Time] = None
    """The time by the clock, after which the command gets SIGTERM."""
    timeout_grace: Optional[Time] = None
    """The time between SIGTERM and SIGKILL; None means 2 seconds."""
    output_limit: Optional[Size] = None
    """How much the command may write to standard output and error, if they are not a terminal."""
    rlimits: Optional[Mapping[str, Limit]] = None
    """Limits of each process, such as {"nofile": 64, "core": 0}; a pair is soft and hard."""
    env: Optional[Mapping[str, str]] = None
    """The command's whole environment. None means: those of the caller's variables that the profile
    keeps."""
    setenv: Optional[Mapping[str, str]] = None
    """Variables to add."""
    keep_env: Paths = ()
    """More of the caller's variables that are kept, such as "TERM" or "CI_*"."""
    chdir: Optional[Path] = None
    """Where the command starts, as a path inside the sandbox."""
    name: Optional[str] = None
    """A name under which the sandbox is registered while it lives."""
    options: Iterable[Path] = ()
    """More options of nestbox(1), each word by itself. They come last. As on a command line,
    options that bind files, such as --bind, replace the default profile."""

    def __post_init__(self) -> None:
        # A generator could be read only once, and a list could change.
        for option in _LISTS:
            object.__setattr__(self, option, tuple(_words(option, getattr(self, option))))
        for option in ("rlimits", "env", "setenv"):
            value = getattr(self, option)
            if value is not None:
                if not isinstance(value, Mapping):
                    raise OptionError(option, f"expected a mapping, found {value!r}")
                object.__setattr__(self, option, dict(value))
        self.words()

    def words(self, directory: Optional[Path] = None) -> list[bytes]:
        """The options as nestbox reads them.

        `directory` is where nestbox will start, if not in this process's directory: relative paths
        are then completed here.
        """
        return list(_Writer(self, directory).words())

    def run(self, command: Iterable[Path], **arguments: Any) -> Result[Any]:
        """Runs a command, as `nestbox.run` does."""
        from ._process import run

        return run(command, sandbox=self, **arguments)

    async def run_async(self, command: Iterable[Path], **arguments: Any) -> Result[Any]:
        """Runs a command, as `nestbox.run_async` does."""
        from ._asyncio import run_async

        return await run_async(command, sandbox=self, **arguments)


if TYPE_CHECKING:

    class SandboxOptions(TypedDict, total=False):
        """The fields of `Sandbox` as arguments of functions."""

        profile: Paths
        read: Paths
        write: Paths
        home: Optional[Path]
        hide: Paths
        net_allow: Paths
        net_deny: Paths
        net_host: Union[int, Paths]
        publish: Union[int, Paths]
        review: Paths
        review_name: Optional[str]
        resume: Optional[str]
        keep_env: Paths
        tmp_home: bool
        policy: Optional[Path]
        memory: Optional[Size]
        memory_try: Optional[Size]
        swap: Optional[Size]
        swap_try: Optional[Size]
        cpus: Union[int, float, str, None]
        cpus_try: Union[int, float, str, None]
        cpu_time: Optional[Time]
        cpu_time_try: Optional[Time]
        processes: Optional[int]
        processes_try: Optional[int]
        timeout: Optional[Time]
        timeout_grace: Optional[Time]
        output_limit: Optional[Size]
        rlimits: Optional[Mapping[str, Limit]]
        env: Optional[Mapping[str, str]]
        setenv: Optional[Mapping[str, str]]
        chdir: Optional[Path]
        name: Optional[str]
        options: Iterable[Path]


def combine(sandbox: Optional[Sandbox], options: Mapping[str, Any]) -> Sandbox:
    """`sandbox`, or an empty one, with some options changed."""
    known = {field.name for field in dataclasses.fields(Sandbox)}
    for option in options:
        if option not in known:
            raise OptionError(option, unknown(option, known))
    if sandbox is None:
        return Sandbox(**options)
    if not isinstance(sandbox, Sandbox):
        raise OptionError("sandbox", f"expected a Sandbox, found {sandbox!r}")
    return dataclasses.replace(sandbox, **options) if options else sandbox


def unknown(option: str, known: Iterable[str]) -> str:
    """Says that there is no argument `option`, and which one may be meant."""
    import difflib

    near = difflib.get_close_matches(option, sorted(known), 1)
    return "there is no such argument" + (f"; did you mean {near[0]}?" if near else "")


# MARK: From values to words


class _Writer:
    def __init__(self, sandbox: Sandbox, directory: Optional[Path]) -> None:
        self.sandbox = sandbox
        self.directory = directory

    def words(self) -> Iterable[bytes]:
        box = self.sandbox
        for option, form in (
            ("profile", self._file_or_name), ("net_allow", word), ("net_deny", word),
            ("net_host", _ports), ("publish", _published),
        ):  # fmt: skip
            yield from self._each(option, form)
        if not isinstance(box.tmp_home, bool):
            raise OptionError("tmp_home", f"expected True or False, found {box.tmp_home!r}")
        if box.tmp_home:
            yield b"--tmp-home"
        for option, form in (
            ("read", self._path), ("write", self._path), ("home", self._path), ("hide", word),
            ("policy", self._file_or_name), ("review", self._path), ("review_name", _name),
            ("resume", _name),
        ):  # fmt: skip
            yield from self._each(option, form)
        if box.review_name is not None and not box.review:
            raise OptionError("review_name", "needs review")
        if box.resume is not None and box.review:
            raise OptionError("resume", "excludes review, as a review has its directories")
        for option, form in (
            ("memory", size), ("swap", size), ("cpus", _processors), ("cpu_time", time),
            ("processes", _count),
        ):  # fmt: skip
            if getattr(box, option) is not None and getattr(box, option + "_try") is not None:
                raise OptionError(option, f"excludes {option}_try")
            yield from self._one(option, form)
            yield from self._one(option + "_try", form)
        for option, form in (
            ("timeout", time), ("timeout_grace", time), ("output_limit", size),
        ):  # fmt: skip
            yield from self._one(option, form)
        for name, value in (box.rlimits or {}).items():
            yield from (b"--rlimit", _resource(name, value))
        if box.env is not None:
            if box.keep_env:
                raise OptionError("keep_env", "excludes env, which is the whole environment")
            yield b"--clearenv"
        yield from self._each("keep_env", _kept)
        for option in ("env", "setenv"):
            for name, value in (getattr(box, option) or {}).items():
                yield from (b"--setenv", _variable(option, name), word(option, value, empty=True))
        yield from self._one("chdir", word)
        yield from self._one("name", _name)
        for free in box.options:
            yield _free_word("options", free)

    def _one(self, option: str, form: Callable[[str, Any], bytes]) -> Iterable[bytes]:
        value = getattr(self.sandbox, option)
        if value is not None:
            yield _flag(_FLAGS.get(option, option))
            yield form(option, value)

    def _each(self, option: str, form: Callable[[str, Any], bytes]) -> Iterable[bytes]:
        value = getattr(self.sandbox, option)
        for item in value if isinstance(value, tuple) else () if value is None else (value,):
            yield _flag(_FLAGS.get(option, option))
            yield form(option, item)

    def _path(self, option: str, value: Path) -> bytes:
        """A path of the host; nestbox completes relative ones and those that begin with ~/."""
        path = word(option, value)
        if self.directory is None or path.startswith((b"/", b"~/")):
            return path
        return os.path.join(os.getcwdb(), path)

    def _file_or_name(self, option: str, value: Path) -> bytes:
        """A name, or the path of a file, which has a slash."""
        path = word(option, value)
        if isinstance(value, os.PathLike) and b"/" not in path:
            path = b"./" + path
        return self._path(option, path) if b"/" in path else path


_FLAGS = {"policy": "seccomp-policy"}


def _flag(option: str) -> bytes:
    return b"--" + option.replace("_", "-").encode()


def _words(option: str, value: Any) -> Iterable[Any]:
    """One value, or several."""
    if option in ("net_host", "publish") and type(value) is int:
        return (value,)
    if isinstance(value, (str, bytes, os.PathLike)):
        if option == "options":
            raise OptionError(option, f"expected a list of words, found {value!r}")
        return (value,)
    try:
        return tuple(value)
    except TypeError:
        raise OptionError(option, f"expected a text or several, found {value!r}") from None


def word(option: str, value: Any, empty: bool = False) -> bytes:
    """A text as the kernel takes it."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise OptionError(option, f"expected a text, found {value!r}")
    try:
        result = os.fsencode(value)
    except UnicodeEncodeError:
        raise OptionError(option, f"{value!r} cannot be written in the file system's encoding") from None
    if b"\0" in result:
        raise OptionError(option, f"{value!r} contains a NUL character")
    if not result and not empty:
        raise OptionError(option, "expected a text that is not empty")
    return result


# Options that would take away what this package needs to see the command to its end.
_OWN = (b"--args", b"--report", b"--info-fd", b"--detach", b"--keep", b"--exec", b"--")


def _free_word(option: str, value: Any) -> bytes:
    result = word(option, value, empty=True)
    if result in _OWN:
        raise OptionError(option, f"{value!r} cannot be used here")
    return result


def _number(option: str, value: Any, least: int, most: int, what: str) -> int:
    # True is an int to Python.
    if not isinstance(value, int) or isinstance(value, bool):
        raise OptionError(option, f"expected {what}, found {value!r}")
    if not least <= value <= most:
        raise OptionError(option, f"expected {what} from {least} to {most}, found {value!r}")
    return value


_SIZE = re.compile(r"\d+|\d+(\.\d{1,9})?[KMGT]", re.ASCII)
_TIME = re.compile(r"\d+(\.\d{1,9})?(ms|s|m|h)?", re.ASCII)
_LONGEST_TIME = 3600 * 24 * 36525


def size(option: str, value: Any) -> bytes:
    """A number of bytes."""
    if isinstance(value, str):
        if not _SIZE.fullmatch(value):
            raise OptionError(option, f"expected a size such as 64K, 10M or 2G, found {value!r}")
        return value.encode()
    return b"%d" % _number(option, value, 0, 2**63 - 1, "a number of bytes")


def time(option: str, value: Any) -> bytes:
    """A length of time."""
    example = f"expected seconds, or a time such as 500ms, 1.5s, 10m or 2h, found {value!r}"
    if isinstance(value, str):
        if not _TIME.fullmatch(value) or not value.strip("0.smh"):
            raise OptionError(option, example)
        return value.encode()
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise OptionError(option, example)
    if not 0 < value <= _LONGEST_TIME:
        raise OptionError(option, f"expected a time above 0, of at most 100 years, found {value!r}")
    return b"%dms" % math.ceil(value * 1000)


def _time_in_seconds(option: str, value: Any) -> int:
    """A length of time in whole seconds, rounded up."""
    text = time(option, value).decode()
    number, unit = re.fullmatch(r"([\d.]+)(\D*)", text, re.ASCII).groups()  # type: ignore[union-attr]
    return math.ceil(float(number) * {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600}[unit])


def _ports(option: str, value: Any) -> bytes:
    """Ports as rules of the network have them: 80,8000-8010."""
    result = word(option, str(value) if type(value) is int else value)
    for part in result.split(b","):
        match = re.fullmatch(rb"(\d{1,5})(?:-(\d{1,5}))?", part)
        if not match or not 0 < int(match[1]) <= int(match[2] or match[1]) <= 65535:
            raise OptionError(option, f"expected ports such as 80 or 8000-8010, found {value!r}")
    return result


def _published(option: str, value: Any) -> bytes:
    result = word(option, str(value) if type(value) is int else value)
    match = re.fullmatch(rb"(?:[\d.]+:|\[[\da-fA-F:.]+\]:)?(\d{1,5})(?::(\d{1,5}))?", result)
    if not match or not all(0 < int(port) <= 65535 for port in match.groups() if port):
        raise OptionError(option, f"expected PORT, PORT:INSIDE or ADDRESS:PORT:INSIDE, found {value!r}")
    return result


def _kept(option: str, value: Any) -> bytes:
    result = _variable(option, value)
    if b"," in result:
        raise OptionError(option, f"expected one name in each element, found {value!r}")
    return result


def _processors(option: str, value: Any) -> bytes:
    what = f"expected a number of processors, at least 0.01, found {value!r}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise OptionError(option, what) from None
    if isinstance(value, bool) or not 0.01 <= number <= 10_000:
        raise OptionError(option, what)
    return b"%.3f" % number


def _count(option: str, value: Any) -> bytes:
    return b"%d" % _number(option, value, 1, 2**31 - 1, "a number of processes")


_RESOURCES = frozenset(
    "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending "
    "stack".split()
)


def _resource(name: Any, value: Any) -> bytes:
    if name not in _RESOURCES:
        raise OptionError("rlimits", f"{name!r} is not a resource of prlimit(1)")
    values = value if isinstance(value, tuple) else (value,)
    if not 1 <= len(values) <= 2:
        raise OptionError("rlimits", f"{name}: expected one value or a pair, found {value!r}")
    return f"{name}=".encode() + b":".join(_rlimit(name, part) for part in values)


def _rlimit(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        if not re.fullmatch(r"unlimited|\d+(\.\d{1,9})?(ms|[smhKMGT])?", value, re.ASCII):
            raise OptionError("rlimits", f"{name}: expected a number or unlimited, found {value!r}")
        return value.encode()
    # resource.RLIM_INFINITY
    if value == -1 and not isinstance(value, bool):
        return b"unlimited"
    return b"%d" % _number("rlimits", value, 0, 2**63 - 1, f"{name}: a number")


def _variable(option: str, name: Any) -> bytes:
    result = word(option, name)
    if b"=" in result:
        raise OptionError(option, f"{name!r} is not the name of a variable")
    return result


def _name(option: str, value: Any) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(
        r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", value, re.ASCII
    ):
        raise OptionError(
            option, f"expected up to 64 letters, digits, dots, dashes and underscores, found {value!r}"
        )
    return value.encode()
