#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program drives one-shot jobs: it passes options through --args, learns the sandbox's first
process from --info-fd, and the outcome from --json-status-fd, which tells "could not start" from
"failed"."""

import json
import os
import signal
import subprocess
import tempfile

SYSTEM = ["--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/usr", "/usr",
          "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
          "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev",
          "--tmpfs", "/tmp", "--clearenv", "--setenv", "PATH", "/usr/bin", "--chdir", "/work"]


def run(command, work, seconds=10):
    """Runs `command` with `work` as its only writable directory and returns the outcome."""
    options = [*SYSTEM, "--bind", work, "/work"]
    args = os.memfd_create("options")
    os.write(args, b"".join(option.encode() + b"\0" for option in options))
    os.lseek(args, 0, os.SEEK_SET)
    info, info_write = os.pipe()
    status, status_write = os.pipe()
    given = [args, info_write, status_write]
    job = subprocess.Popen(
        ["nestbox", "--args", str(args), "--info-fd", str(info_write),
         "--json-status-fd", str(status_write), "--", *command],
        pass_fds=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for descriptor in given:
        os.close(descriptor)

    with open(info) as pipe:
        text = pipe.read()  # ends when the sandbox exists, or when nestbox has failed
    try:
        first = os.pidfd_open(json.loads(text)["child-pid"]) if text else -1
    except ProcessLookupError:
        first = -1  # a short job has ended meanwhile
    late = False
    try:
        output = job.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        late = True
        # When the first process inside ends, the kernel ends all others.
        if first >= 0:
            signal.pidfd_send_signal(first, signal.SIGKILL)
        output = job.communicate()[0]
    output = output.decode(errors="replace").strip()
    with open(status) as pipe:
        told = {key: value for line in pipe for key, value in json.loads(line).items()}
    if late:
        return {"outcome": "took too long", "output": output}
    if "exit-code" not in told:
        return {"outcome": "could not be started", "output": output}
    return {"outcome": f"ended with {told['exit-code']}", "output": output}


JOBS = ["echo 42 >answer; id -u", "cat answer", "exit 3", "sleep 1000"]
with tempfile.TemporaryDirectory() as work:
    for job in [*(["sh", "-c", script] for script in JOBS), ["nosuch"]]:
        print(job[-1], "→", json.dumps(run(job, work, 2)))
