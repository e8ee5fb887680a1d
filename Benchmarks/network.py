#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""network.py NESTBOX [ROUNDS]: what a connection and a stream cost through the relay of --net-allow.

A server on this machine's localhost is reached directly, through nestbox's relay, and through pasta, if that
is installed and works here. All three take turns; the ratios are those within a round, so that a busy machine
disturbs all of them. At the end the relay's memory is read while it carries streams that stand still.
"""

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CONNECTIONS = 200
BYTES = 400_000_000
BLOCK = 1 << 18
# How many seconds pasta may take to start a program, and a client for all that it measures.
START, CLIENT = 5, 120
# While the relay's memory is read, and the most that it may be, in kB.
STREAMS, MEMORY = 100, 3000


def serve(listener):
    def handle(peer):
        # A client that has measured leaves its streams.
        with contextlib.suppress(ConnectionError), peer:
            kind = peer.recv(1)
            if kind == b"e":
                peer.send(kind)
            elif kind == b"u":
                buffer = bytearray(BLOCK)
                while peer.recv_into(buffer):
                    pass
                peer.send(kind)
            elif kind == b"d":
                block = bytes(BLOCK)
                for _ in range(BYTES // BLOCK):
                    peer.sendall(block)

    while True:
        peer, _ = listener.accept()
        threading.Thread(target=handle, args=(peer,), daemon=True).start()


def measure(host, port):
    """Prints milliseconds for a connection with its first answer, and Gbit/s each way."""
    address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]

    def connect(kind):
        peer = socket.create_connection(address, 20)
        peer.send(kind)
        return peer

    times = []
    for _ in range(CONNECTIONS):
        begin = time.perf_counter()
        with connect(b"e") as peer:
            peer.recv(1)
            times.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    with connect(b"u") as peer:
        block = bytes(BLOCK)
        for _ in range(BYTES // BLOCK):
            peer.sendall(block)
        peer.shutdown(socket.SHUT_WR)
        peer.recv(1)
    up = time.perf_counter() - begin
    begin = time.perf_counter()
    with connect(b"d") as peer:
        buffer = bytearray(BLOCK)
        while peer.recv_into(buffer):
            pass
    down = time.perf_counter() - begin
    size = BYTES // BLOCK * BLOCK * 8e-9
    print(statistics.median(times) * 1e3, size / up, size / down)


def hold(host, port):
    """Opens streams, reads a little of each, and leaves them so until standard input ends."""
    peers = [socket.create_connection((host, port), 20) for _ in range(STREAMS)]
    for peer in peers:
        peer.send(b"d")
    for peer in peers:
        peer.recv(BLOCK, socket.MSG_WAITALL)
    print("ready", flush=True)
    sys.stdin.read()


def processes(above):
    """The ids of a process and of all below it."""
    found = [above]
    for process in found:
        with open(f"/proc/{process}/task/{process}/children") as children:
            found += map(int, children.read().split())
    return found


def memory(line):
    """The resident set of the relay, in kB, which is the largest of nestbox's processes there."""
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher:
        if launcher.stdout.readline() != "ready\n":
            sys.exit("the client with many streams failed")
        sizes = []
        for process in processes(launcher.pid):
            with open(f"/proc/{process}/status") as status:
                fields = dict(text.split(":", 1) for text in status)
            if fields["Name"].strip() == "nestbox":
                sizes.append(int(fields["VmRSS"].split()[0]))
        launcher.stdin.close()
    return max(sizes)


def gateway():
    """The address that pasta leads to this machine's localhost."""
    with open("/proc/net/route") as routes:
        for line in routes.readlines()[1:]:
            words = line.split()
            if words[1] == "00000000":
                return socket.inet_ntoa(bytes.fromhex(words[2])[::-1])
    return None


def ways(nestbox, port):
    """The command lines that reach the server, without those that do not work here."""
    client = [sys.executable, os.path.abspath(__file__), "--measure"]
    lines = {
        "direct": client + ["127.0.0.1", str(port)],
        "nestbox": [nestbox, "--ro-bind", "/", "/", "--net-host", str(port)]
        + client + ["host.nestbox.internal", str(port)],
    }
    pasta, address = shutil.which("pasta"), gateway()
    if not pasta:
        print("pasta is left out: it is not installed (Debian's package passt)")
        return lines
    line = [pasta, "--config-net", "--"]
    # As root without a usable /dev/net/tun it runs for ever instead of failing.
    status, _, reason = run(line + ["true"], START)
    if status:
        print(f"pasta is left out: {reason}")
    elif not address:
        print("pasta is left out: there is no default route")
    else:
        lines["pasta"] = line + client + [address, str(port)]
    return lines


def run(line, seconds):
    """Runs a command line, and ends all that is left of its process group.

    Returns its status, its output, and the reason of a failure. Its output is a file: a process that it leaves
    behind could hold a pipe open.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True)
        try:
            status, late = process.wait(seconds), ""
        except subprocess.TimeoutExpired:
            status, late = 124, f"it did not end within {seconds} seconds"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        output.seek(0)
        errors.seek(0)
        told = errors.read().strip().split("\n")[-1]
        return status, output.read(), late or told or f"it failed with status {status}"


def main():
    if sys.argv[1] == "--measure":
        return measure(sys.argv[2], int(sys.argv[3]))
    if sys.argv[1] == "--hold":
        return hold(sys.argv[2], int(sys.argv[3]))
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    lines = ways(sys.argv[1], listener.getsockname()[1])
    found, failures, reason = {}, 0, None
    for number in range(rounds):
        for name, line in lines.items():
            status, output, why = run(line, CLIENT)
            if not status:
                found.setdefault(name, {})[number] = [float(word) for word in output.split()]
            elif name == "pasta":
                failures, reason = failures + 1, why
            else:
                sys.exit(f"{name} failed: {why}")
    print(f"{'':10} {'connect, ms':>12} {'more than direct':>17} {'up, Gbit/s':>12} {'down':>8} {'of direct':>12}")
    if failures:
        print(f"pasta failed in {failures} of {rounds} rounds: {reason}")
    for name, values in found.items():
        connect, up, down = (statistics.median(column) for column in zip(*values.values()))
        more = statistics.median(a[0] - found["direct"][n][0] for n, a in values.items())
        parts = [
            statistics.median(a[column] / found["direct"][n][column] for n, a in values.items())
            for column in (1, 2)
        ]
        print(
            f"{name:10} {connect:12.3f} {more:+17.3f} {up:12.2f} {down:8.2f} {parts[0]:6.2f} {parts[1]:5.2f}")
    size = memory([word.replace("--measure", "--hold") for word in lines["nestbox"]])
    verdict = "meets" if size <= MEMORY else "misses"
    print(f"the relay's memory with {STREAMS} streams, kB {size:8} {MEMORY:8} {verdict}")


main()
