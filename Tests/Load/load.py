#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many launches at once and in a row, and limits that are exhausted on purpose.

load.py NESTBOX AT_ONCE IN_A_ROW [SECONDS]: what a machine has of processes, descriptors, mounts,
namespaces, keys and memory is counted before and after; the status is 1 if it grew, or if a launch
ended in another way than expected. The launches in a row take SECONDS at most."""
import glob, os, re, resource, subprocess, sys, tempfile, time

nestbox, at_once, in_a_row = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
patience = float(sys.argv[4]) if len(sys.argv) > 4 else 1e9
full = [nestbox, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev",
        "--tmpfs", "/tmp"]
failed = []


def own_processes():
    """The processes of this user that are called nestbox, and their descriptors."""
    found = {}
    for path in glob.glob("/proc/[0-9]*"):
        try:
            if os.stat(path).st_uid == os.getuid() and os.readlink(path + "/exe") == nestbox:
                found[path] = len(os.listdir(path + "/fd"))
        except OSError:
            pass
    return found


def namespaces():
    """The namespaces of this user's processes."""
    found = set()
    for path in glob.glob("/proc/[0-9]*/ns/*"):
        try:
            if os.stat(path.rsplit("/ns/", 1)[0]).st_uid == os.getuid(): found.add(os.readlink(path))
        except OSError:
            pass
    return found


def slabs():
    """How many of its objects the kernel holds for sandboxes, if this user may read that."""
    try:
        rows = [line.split() for line in open("/proc/slabinfo")]
    except OSError:
        return {}
    names = ("mnt_cache", "pid", "cred_jar", "task_struct", "user_namespace", "net_namespace")
    return {row[0]: int(row[1]) for row in rows if row[0] in names}


def keys():
    for line in open("/proc/key-users") if os.path.exists("/proc/key-users") else []:
        user, rest = line.split(":")
        if int(user) == os.getuid(): return int(rest.split()[2].split("/")[0])
    return 0


def census():
    return {
        "processes": len(own_processes()), "descriptors of this process": len(os.listdir("/proc/self/fd")),
        "mounts": sum(1 for _ in open("/proc/self/mountinfo")), "namespaces": len(namespaces()),
        "keys": keys(), "files in /tmp": len(os.listdir(tempfile.gettempdir())),
    }


def compare(what, before):
    # The kernel frees namespaces and keys a moment after their last process has ended.
    for _ in range(100):
        after = census()
        grown = {k: (before[k], after[k]) for k in before if after[k] > before[k]}
        if not grown: break
        time.sleep(0.1)
    print(f"{what}: " + (f"GREW {grown}" if grown else "nothing grew"))
    if grown: failed.append(what)


def expect(what, condition, seen=""):
    print(f"{what}: {'as expected' if condition else 'WRONG'} {seen if not condition else ''}")
    if not condition: failed.append(what)


def many_at_once():
    before = census()
    runs = [subprocess.Popen(full + ["sh", "-c", f"sleep 1; exit {i % 100}"], stderr=subprocess.PIPE)
            for i in range(at_once)]
    wrong = []
    for i, run in enumerate(runs):
        errors = run.communicate()[1]
        if run.returncode != i % 100 or errors: wrong.append((i, run.returncode, errors))
    expect(f"{at_once} at once", not wrong, wrong[:3])
    compare(f"after {at_once} at once", before)


def many_in_a_row():
    before, kernel, began, wrong, done = census(), slabs(), time.monotonic(), [], 0
    lines = [full, [nestbox, "--ro-bind", "/", "/"], full + ["--new-session", "--die-with-parent"],
             [nestbox, "--unshare-all", "--as-pid-1", "--ro-bind", "/", "/"]]
    while done < in_a_row and time.monotonic() - began < patience:
        status = subprocess.run(lines[done % len(lines)] + ["true"]).returncode
        if status: wrong.append((done, status))
        done += 1
    expect(f"{done} in a row", not wrong, wrong[:3])
    compare(f"after {done} in a row", before)
    now = slabs()
    if kernel: print("slabs of the kernel, before and after:", {k: (kernel[k], now[k]) for k in kernel})


def limited(what, prepare, line, words, status=125):
    """A launch under a limit says what is exhausted, and one without works again."""
    run = subprocess.run(prepare + line + ["true"], stderr=subprocess.PIPE, text=True)
    expect(what, run.returncode == status and any(word in run.stderr for word in words),
           (run.returncode, run.stderr))
    again = subprocess.run(line + ["true"], stderr=subprocess.PIPE, text=True)
    expect(f"{what}, and afterwards", again.returncode == 0 and not again.stderr, again.stderr)


def limits():
    before = census()
    python = [sys.executable, "-c"]
    wrap = "import os, resource, sys; {}; os.execv(sys.argv[1], sys.argv[1:])"
    def limit(kind, number):
        return python + [wrap.format(f"resource.setrlimit(resource.{kind}, ({number}, {number}))")]
    if os.getuid(): limited("processes", limit("RLIMIT_NPROC", 1), full, ["Resource temporarily unavailable"])
    limited("descriptors", limit("RLIMIT_NOFILE", 5), full, ["Too many open files"])
    # Just enough for the executable's own data: with less, the kernel or the C library ends it
    # before `main`. The list of many options has no room then, and the runtime aborts.
    def works(size):
        return subprocess.run(limit("RLIMIT_DATA", size) + [nestbox, "--version"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    enough = next(size for size in range(0, 64 << 20, 16 << 10) if works(size))
    many = full + [word for i in range(6000) for word in ("--ro-bind", "/etc", f"/tmp/{i}")]
    limited("memory", limit("RLIMIT_DATA", enough), many, ["failed to allocate"], status=-6)
    def namespaced(kind):
        return ["unshare", "--user", "--map-root-user", "sh", "-c",
                f"echo 0 > /proc/sys/user/max_{kind}_namespaces; exec \"$@\"", "sh"]
    for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
        limited(f"{kind} namespaces", namespaced(kind), full + ["--unshare-user"], ["No space left on device"])
    compare("after limits were exhausted", before)


for part in (many_at_once, many_in_a_row, limits):
    part()
print("load:", "FAILED " + ", ".join(failed) if failed else "passed")
sys.exit(bool(failed))
