#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the wheel of the package, with the executable in it.

    build_wheel.py EXECUTABLE DIRECTORY

It needs Python alone. The same executable gives the same bytes: the files of the archive have a
fixed order, time and mode. pip calls `build_wheel` and takes the executable from the variable
NESTBOX_EXECUTABLE.
"""

import base64
import hashlib
import os
import pathlib
import re
import struct
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent

# ELF's numbers for machines; see elf(5).
MACHINES = {62: "x86_64", 183: "aarch64"}

METADATA = """\
Metadata-Version: 2.1
Name: nestbox
Version: {version}
Summary: Runs commands in a sandbox, as an ordinary user, without a daemon or containers
License: Apache-2.0
Keywords: sandbox,namespaces,seccomp,landlock,bubblewrap
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Typing :: Typed
Requires-Python: >=3.9
Description-Content-Type: text/markdown

"""


def version():
    """The version of the package, which is that of the executable."""
    text = (HERE / "nestbox" / "__init__.py").read_text()
    return re.search(r'^__version__ = "(.*)"$', text, re.M)[1]


def machine(executable):
    """The machine that the executable is for. Refuses one that needs libraries."""
    header = executable[:64]
    if header[:6] != b"\x7fELF\x02\x01" or len(header) < 64:
        raise SystemExit("build_wheel.py: this is not an executable of a 64-bit Linux machine")
    number, start, size, count = struct.unpack("<18xH12xQ14xHH6x", header)
    if number not in MACHINES:
        raise SystemExit(f"build_wheel.py: unknown machine {number}")
    for index in range(count):
        # PT_INTERP
        if struct.unpack_from("<I", executable, start + index * size)[0] == 3:
            raise SystemExit("build_wheel.py: the executable is not static; make build makes it")
    return MACHINES[number]


def tags(machine):
    """The platforms: every C library, as the executable uses none of the system's. manylinux2014
    is the oldest name that every pip in use knows."""
    return [
        f"manylinux2014_{machine}", f"manylinux_2_17_{machine}", f"musllinux_1_1_{machine}",
    ]  # fmt: skip


def write(directory, executable):
    """Writes the wheel into `directory`, and returns its name."""
    data = pathlib.Path(executable).read_bytes()
    platforms = tags(machine(data))
    name = f"nestbox-{version()}"
    info = f"{name}.dist-info"
    readme = (HERE / "README.md").read_text()
    wheel = "Wheel-Version: 1.0\nGenerator: nestbox\nRoot-Is-Purelib: false\n"
    wheel += "".join(f"Tag: py3-none-{platform}\n" for platform in platforms)
    files = [
        (f"nestbox/{file.name}", file.read_bytes(), 0o644)
        for file in sorted((HERE / "nestbox").iterdir())
        if file.suffix == ".py" or file.name == "py.typed"
    ]
    files += [
        (f"{name}.data/scripts/nestbox", data, 0o755),
        (f"{info}/LICENSE", (HERE.parent / "LICENSE").read_bytes(), 0o644),
        (f"{info}/METADATA", (METADATA.format(version=version()) + readme).encode(), 0o644),
        (f"{info}/WHEEL", wheel.encode(), 0o644),
    ]
    record = "".join(
        f"{path},sha256={digest(content)},{len(content)}\n" for path, content, _ in files
    )
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode(), 0o644))

    # What reproducible-builds.org defines; an archive knows no time before 1980.
    moment = max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800)
    result = f"{name}-py3-none-{'.'.join(platforms)}.whl"
    with zipfile.ZipFile(pathlib.Path(directory, result), "w") as archive:
        for path, content, mode in files:
            entry = zipfile.ZipInfo(path, time.gmtime(moment)[:6])
            entry.external_attr = (0o100000 | mode) << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)
    return result


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


# MARK: As pip calls it


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    executable = os.environ.get("NESTBOX_EXECUTABLE")
    if not executable:
        raise SystemExit("build_wheel.py: NESTBOX_EXECUTABLE names no executable; see make wheel")
    return write(wheel_directory, executable)


def get_requires_for_build_wheel(config_settings=None):
    return []


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    print(pathlib.Path(sys.argv[2], write(sys.argv[2], sys.argv[1])))
