# SPDX-License-Identifier: Apache-2.0
# Compares pictures of screens: picture.py FILE prints what is drawn on the background, wherever
# that is: its size and a sum of its pixels, or "blank". Reads what xwd and weston-screenshooter
# write.

import hashlib
import struct
import sys
import zlib


def rows_of_xwd(data):
    """The rows of pixels, each pixel as four bytes."""
    fields = struct.unpack(">25I", data[:100])
    header, width, height, bits, line = fields[0], fields[4], fields[5], fields[11], fields[12]
    assert bits == 32, bits
    start = header + 12 * fields[19]
    for row in range(height):
        line_data = data[start + row * line : start + row * line + 4 * width]
        # The fourth byte has no meaning.
        yield [line_data[n : n + 3] for n in range(0, len(line_data), 4)]


def rows_of_png(data):
    position, packed = 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        chunk = data[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", chunk[:10])
            size = {2: 3, 6: 4}[color]
            assert depth == 8
        elif kind == b"IDAT":
            packed += chunk
        position += 12 + length
    plain, before = zlib.decompress(packed), bytes(width * size)
    for row in range(height):
        start = row * (width * size + 1)
        method, line = plain[start], bytearray(plain[start + 1 : start + 1 + width * size])
        for n in range(len(line)):
            left = line[n - size] if n >= size else 0
            up, corner = before[n], before[n - size] if n >= size else 0
            if method == 4:
                guess = left + up - corner
                predicted = min((left, up, corner), key=lambda value: abs(guess - value))
            else:
                predicted = (0, left, up, (left + up) // 2)[method]
            line[n] = (line[n] + predicted) & 255
        before = bytes(line)
        yield [before[n : n + 3] for n in range(0, len(before), size)]


with open(sys.argv[1], "rb") as file:
    data = file.read()
rows = list((rows_of_png if data.startswith(b"\x89PNG") else rows_of_xwd)(data))
background = rows[0][0]
drawn = [n for n, row in enumerate(rows) if any(pixel != background for pixel in row)]
if not drawn:
    print("blank")
    sys.exit()
rows = rows[drawn[0] : drawn[-1] + 1]
width = len(rows[0])
left = min(n for row in rows for n in range(width) if row[n] != background)
right = max(n for row in rows for n in range(width) if row[n] != background)
part = [row[left : right + 1] for row in rows]
digest = hashlib.sha256(b"".join(b"".join(row) for row in part)).hexdigest()
print(f"{right + 1 - left}x{len(part)}", digest[:16], f"{len({p for r in part for p in r})} colours")
