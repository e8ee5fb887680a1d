# SPDX-License-Identifier: Apache-2.0
# fuse-server.py USE: a server of FUSE inside a sandbox, with one file, "f". It mounts itself at /mnt, looks for a
# file of the host while it serves, and runs `use`, which is a path of a program in Python, beside it.
import ctypes, os, struct, subprocess, sys

libc = ctypes.CDLL(None, use_errno=True)
device = os.open("/dev/fuse", os.O_RDWR)
data = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
if libc.mount(b"fuse", b"/mnt", b"fuse", 0, data):
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))

CONTENT = b"/missing/through/fuse\0" + b"works\n"


def attributes(node):
    mode = 0o40755 if node == 1 else 0o100644
    return struct.pack(
        "<6Q10I", node, 0 if node == 1 else len(CONTENT), 0, 0, 0, 0, 0, 0, 0, mode, 1,
        os.getuid(), os.getgid(), 0, 4096, 0)


def answer(code, node, body):
    os.path.exists("/missing/beside/fuse")
    if code == 26:  # FUSE_INIT
        return struct.pack("<4I2HI", 7, 31, 65536, 0, 12, 10, 4096) + bytes(40)
    if code == 1:  # FUSE_LOOKUP
        if body != b"f\0":
            return 2
        return struct.pack("<4Q2I", 2, 0, 0, 0, 0, 0) + attributes(2)
    if code == 3:  # FUSE_GETATTR
        return struct.pack("<QII", 0, 0, 0) + attributes(node)
    if code in (14, 27):  # FUSE_OPEN, FUSE_OPENDIR
        return struct.pack("<QII", 1, 0, 0)
    if code == 15:  # FUSE_READ
        offset, size = struct.unpack_from("<QI", body, 8)
        return CONTENT[offset:offset + size]
    return b"" if code in (18, 25, 29) else 38


child = None
while child is None or child.poll() is None:
    if child is None:
        child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
        os.set_blocking(device, False)
    try:
        request = os.read(device, 1 << 17)
    except BlockingIOError:
        import select
        select.select([device], [], [], 0.05)
        continue
    length, code, unique, node = struct.unpack_from("<IIQQ", request)
    if code in (2, 42):  # FUSE_FORGET, FUSE_BATCH_FORGET
        continue
    result = answer(code, node, request[40:length])
    error, rest = (-result, b"") if isinstance(result, int) else (0, result)
    os.write(device, struct.pack("<IiQ", 16 + len(rest), error, unique) + rest)
