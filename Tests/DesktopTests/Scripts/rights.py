# SPDX-License-Identifier: Apache-2.0
# Asks a Wayland compositor what it offers, and binds all of it: prints each interface and whether the
# compositor agreed.

import os, socket, struct

def connect():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"], os.environ["WAYLAND_DISPLAY"]))
    return client

def request(number, code, body):
    return struct.pack("<IHH", number, code, 8 + len(body)) + body

def events(client, last):
    """The events until the callback `last`, or until the compositor hangs up."""
    data = b""
    while True:
        try: chunk = client.recv(65536)
        except OSError: return
        if not chunk: return
        data += chunk
        while len(data) >= 8 and len(data) >= struct.unpack_from("<H", data, 6)[0]:
            number, code, size = struct.unpack_from("<IHH", data)
            yield number, code, data[8:size]
            data = data[size:]
            if number == last: return

def offers():
    client = connect()
    client.sendall(request(1, 1, struct.pack("<I", 2)) + request(1, 0, struct.pack("<I", 3)))
    for number, code, body in events(client, 3):
        if number == 2 and code == 0:
            name, length = struct.unpack_from("<II", body)
            version = struct.unpack_from("<I", body, 8 + (length + 3) // 4 * 4)[0]
            yield name, body[8:7 + length], version

def binds(name, interface, version):
    client = connect()
    text = interface + b"\0"
    body = struct.pack("<II", name, len(text)) + text + bytes(-len(text) % 4)
    message = request(2, 0, body + struct.pack("<II", version, 3))
    try: client.sendall(request(1, 1, struct.pack("<I", 2)) + message + request(1, 0, struct.pack("<I", 4)))
    except OSError: return False
    found = list(events(client, 4))
    return any(number == 4 for number, _, _ in found) and not any(
        number == 1 and code == 0 for number, code, _ in found)

for name, interface, version in sorted(offers(), key=lambda offer: offer[1]):
    print(interface.decode(), "granted" if binds(name, interface, version) else "refused")
