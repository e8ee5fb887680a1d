# SPDX-License-Identifier: Apache-2.0
"""The host of world.sh: a name server, a web server, and services that behave badly.

Every question to the name server and every connection to another port is written to standard output.
"""

import http.server
import socket
import socketserver
import struct
import subprocess
import threading
import time

NAMES = {
    "web.test": ("203.0.113.7", "2001:db8:113::7"),
    "www.web.test": ("203.0.113.7", None),
    "other.test": ("203.0.113.8", None),
    "six.test": (None, "2001:db8:113::7"),
    "rebind.test": ("127.0.0.1", None),
    "private.test": ("10.113.0.7", None),
    "blocked.test": ("0.0.0.0", None),
    "blocked6.test": (None, "::"),
    "own.test": ("203.0.113.1", None),
    "further.test": ("203.0.113.2", "2001:db8:114::9"),
    "either.test": ("203.0.113.7", "::1"),
    "mapped.test": (None, "::ffff:10.113.0.7"),
    "cut.test": ("203.0.113.7", None),
    "two.test": ("203.0.113.99", "2001:db8:113::7"),
}


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def say(*words):
    print(*words, flush=True)


def wait_for_link():
    while subprocess.run(["ip", "link", "show", "far"], capture_output=True).returncode:
        time.sleep(0.01)
    ip("link", "set", "lo", "up")
    for address in ("203.0.113.7/24", "203.0.113.8/24", "203.0.113.53/24", "10.113.0.7/24"):
        ip("address", "add", address, "dev", "far")
    ip("address", "add", "2001:db8:113::7/64", "dev", "far", "nodad")
    ip("link", "set", "far", "up")


def answer(message, is_stream=False):
    name, index = [], 12
    while message[index]:
        name.append(message[index + 1 : index + 1 + message[index]].decode())
        index += message[index] + 1
    kind = struct.unpack(">H", message[index + 1 : index + 3])[0]
    text = ".".join(name).lower()
    say("asked", text, kind)
    if text == "cut.test" and not is_stream:
        return message[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + message[12 : index + 5]
    if text == "silent.test":
        return None
    if text == "failing.test":
        return message[:2] + b"\x81\x82\0\1\0\0\0\0\0\0" + message[12 : index + 5]
    addresses = NAMES.get(text)
    code = 0 if addresses else 3
    records = b""
    if addresses:
        four, six = addresses
        if kind == 1 and four:
            records = b"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4" + socket.inet_aton(four)
        if kind == 28 and six:
            records = b"\xc0\x0c\0\x1c\0\1\0\0\0\x1e\0\x10" + socket.inet_pton(socket.AF_INET6, six)
    header = message[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" + struct.pack(">H", bool(records)) + b"\0\0\0\0"
    return header + message[12 : index + 5] + records


def serve_names():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("203.0.113.53", 53))
    while True:
        message, sender = server.recvfrom(4096)
        if reply := answer(message):
            server.sendto(reply, sender)


class Names(socketserver.BaseRequestHandler):
    """The name server for streams, which sends an answer in two pieces."""

    def handle(self):
        while head := self.request.recv(2, socket.MSG_WAITALL):
            message = self.request.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
            reply = answer(message, True)
            reply = len(reply).to_bytes(2, "big") + reply
            self.request.sendall(reply[:7])
            time.sleep(0.05)
            self.request.sendall(reply[7:])


def serve_datagrams(family, address, port):
    """Sends each datagram back, after the address that it came to."""
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, port))
    while True:
        message, sender = server.recvfrom(65535)
        server.sendto(address.encode() + b" " + message, sender)


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/bytes/"):
            count = int(self.path[7:].split("?")[0])
            self.send_response(200)
            self.send_header("Content-Length", str(count))
            self.end_headers()
            block = bytes(range(256)) * 256
            while count:
                count -= self.wfile.write(block[: min(count, len(block))])
            return
        body = f"{self.headers['Host']} {self.connection.getsockname()[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it was sent, after the other side has ended."""

    def handle(self):
        data = b""
        while block := self.request.recv(65536):
            data += block
        self.request.sendall(data)


class Reset(socketserver.BaseRequestHandler):
    """Ends the connection by a reset as soon as something arrives."""

    def handle(self):
        self.request.recv(1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()


class Watch(socketserver.BaseRequestHandler):
    """Says how the other side has ended the connection."""

    def handle(self):
        try:
            while self.request.recv(65536):
                pass
            say("watched end")
        except ConnectionResetError:
            say("watched reset")


class Count(socketserver.BaseRequestHandler):
    """Says how many bytes have arrived, read slowly."""

    def handle(self):
        count = 0
        while block := self.request.recv(65536):
            count += len(block)
            time.sleep(0.005)
        say("counted", count)


def listen_to_datagrams():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("203.0.113.7", 13))
    while True:
        say("datagram", server.recv(99).decode())


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 4096


wait_for_link()
threading.Thread(target=serve_names, daemon=True).start()
for port, handler in ((80, Web), (443, Web), (7, Echo), (9, Reset), (11, Watch), (12, Count), (22, Echo), (8080, Web), (53, Names), (30000, Web)):
    threading.Thread(target=Server(("::", port), handler).serve_forever, daemon=True).start()
threading.Thread(target=listen_to_datagrams, daemon=True).start()
for family, address in ((socket.AF_INET, "203.0.113.7"), (socket.AF_INET6, "2001:db8:113::7")):
    for port in (443, 4433):
        threading.Thread(target=serve_datagrams, args=(family, address, port), daemon=True).start()
say("ready")
threading.Event().wait()
