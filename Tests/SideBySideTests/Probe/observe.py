# SPDX-License-Identifier: Apache-2.0
# What a command sees of the sandbox that it runs in, a fact a line, in the form "name = value".
#
# usage: python3 -ISc "$(cat observe.py)" DIRECTORY
#
# Descriptor 9 is the caller's /proc, so that looking needs no mount.
# DIRECTORY is listed if it exists inside, and so are the places that tests use as destinations.

import errno
import os
import stat
import sys

PLACES = ("a", "b", "c", "mnt")
facts = {}
mounts = {}


def text(path):
    def opener(name, flags):
        return os.open(name, flags, dir_fd=9)

    with open(path, "rb", opener=opener) as file:
        return file.read().decode("utf-8", "backslashreplace")


def attempt(body):
    try:
        return str(body())
    except OSError as error:
        return error.strerror


def ordered(words):
    return ",".join(sorted(words.split(",")))


def observe_descriptors():
    listing = os.open("self/fd", os.O_RDONLY, dir_fd=9)
    numbers = os.listdir(listing)
    os.close(listing)
    for number in numbers:
        try:
            kind = stat.filemode(os.fstat(int(number)).st_mode)[0]
        except OSError:
            continue  # It was open for the listing alone.
        for line in text(f"self/fdinfo/{number}").splitlines():
            if line.startswith("flags:"):
                access = ("reading", "writing", "both", "none")[int(line.split()[1], 8) & 3]
                facts["descriptor " + number] = f"{kind} {access}"


def observe_mounts():
    places = {}
    for line in text("self/mountinfo").splitlines():
        before, after = line.split(" - ")
        _, _, _, root, place, flags, *links = before.split()
        kind, _, options = after.split()
        # Several may be stacked on one place, the topmost last.
        index = places[place] = places.get(place, -1) + 1
        name = f"mount {place} #{index} "
        facts[name + "root"] = root
        facts[name + "type"] = kind
        facts[name + "flags"] = ordered(flags)
        facts[name + "options"] = ordered(options)
        facts[name + "propagation"] = " ".join(link.split(":")[0] for link in links)
        if attempt(lambda: os.lstat(place)) == os.strerror(errno.EACCES):
            facts[name + "is out of reach"] = "True"
        mounts[place] = (kind, root)


def observe_privileges():
    wanted = (
        "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
        "NoNewPrivs", "Seccomp", "Seccomp_filters", "SigBlk", "SigIgn",
    )  # fmt: skip
    for line in text("self/status").splitlines():
        name, value = line.split(":", 1)
        if name in wanted:
            facts["status " + name] = " ".join(value.split())
    for name in ("uid_map", "gid_map", "setgroups"):
        facts[name] = " ".join(text("self/" + name).split())
    for kind in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
        facts["namespace " + kind] = os.readlink("self/ns/" + kind, dir_fd=9)
    facts["name of the host"] = os.uname().nodename
    facts["one more user namespace"] = try_user_namespace()


def try_user_namespace():
    end, other = os.pipe()
    if os.fork() == 0:
        os.dup2(other, 2)
        os.execv("/usr/bin/unshare", ["unshare", "--user", "true"])
    os.close(other)
    os.wait()
    answer = os.read(end, 1000).decode().strip()
    os.close(end)
    return answer.split(": ")[-1] or "is possible"


def observe_process():
    pid = os.getpid()
    facts["pid"] = str(pid)
    facts["session"] = "own" if os.getsid(0) == pid else "another's"
    facts["process group"] = "own" if os.getpgrp() == pid else "another's"
    facts["umask"] = oct(os.umask(0))
    facts["directory"] = attempt(os.getcwd)
    for entry in text("self/environ").split("\0")[:-1]:
        name, _, value = entry.partition("=")
        # bash's own, which names the program that is started.
        if name != "_":
            facts["variable " + name] = value
    if os.path.islink("/proc/self") and os.readlink("/proc/self") == str(pid) != "1":
        read = lambda: len(open("/proc/1/environ").read()) > 0
        facts["environment of init is seen"] = attempt(read)


def describe(path):
    status = os.lstat(path)
    words = [stat.filemode(status.st_mode), f"{status.st_uid}:{status.st_gid}"]
    if stat.S_ISLNK(status.st_mode):
        words.append("-> " + os.readlink(path))
    elif stat.S_ISREG(status.st_mode) and status.st_size < 1000:
        words.append(attempt(lambda: open(path, "rb").read()))
    return stat.S_ISDIR(status.st_mode), " ".join(words)


def list_tree(path):
    is_directory, facts["file " + path] = describe(path)
    kind, _ = mounts.get(path, ("", ""))
    if is_directory and kind != "proc":
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            facts["file " + path] += " " + error.strerror
            return
        for name in names:
            list_tree(os.path.join(path, name))


def observe_files(scene):
    facts["file /"] = describe("/")[1]
    facts["names in /"] = attempt(lambda: " ".join(sorted(os.listdir("/"))))
    for name in PLACES + ("dev",):
        place = "/" + name
        # Not what the host may have there.
        if place in mounts:
            kind, root = mounts[place]
            ours = kind in ("tmpfs", "mqueue", "overlay") or scene in root
        else:
            ours = os.path.lexists(place) and not os.path.lexists("/etc")
        if ours:
            list_tree(place)
    if os.path.exists(scene):
        list_tree(scene)


observe_descriptors()
observe_mounts()
observe_process()
observe_files(sys.argv[1])
observe_privileges()
for name in sorted(facts):
    print(name, "=", facts[name].encode("unicode_escape").decode())
