# SPDX-License-Identifier: Apache-2.0
# GNOME's desktop library, as file managers call it, makes a thumbnail: its thumbnailers are
# started through the first `bwrap` in PATH, with a seccomp filter and hardly a file to be seen.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
need /usr/share/thumbnailers/gdk-pixbuf-thumbnailer.thumbnailer libgdk-pixbuf2.0-bin
python3 -c 'import gi' 2>/dev/null || skip "the package python3-gi is missing"
python3 -c 'import gi; gi.require_version("GnomeDesktop", "3.0")' 2>/dev/null ||
  skip "the package gir1.2-gnomedesktop-3.0 is missing"

cat >factory.py <<'END'
import pathlib
import sys

import gi

gi.require_version("GdkPixbuf", "2.0")
gi.require_version("GnomeDesktop", "3.0")
from gi.repository import GdkPixbuf, GLib, GnomeDesktop

# 300 by 200, blue.
picture = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, 300, 200)
picture.fill(0x204080FF)
picture.savev("picture.png", "png", [], [])

factory = GnomeDesktop.DesktopThumbnailFactory.new(GnomeDesktop.DesktopThumbnailSize.NORMAL)
uri = pathlib.Path(sys.argv[1]).resolve().as_uri()
try:
    thumbnail = factory.generate_thumbnail(uri, "image/png")
    pixel = thumbnail.read_pixel_bytes().get_data()[:3].hex()
    print(thumbnail.get_width(), thumbnail.get_height(), pixel)
except GLib.GError:
    print("no thumbnail")
END

is "a picture of 300 by 200 is scaled to 128 by 85" "128 85 204080" \
  "$(python3 factory.py picture.png)"

# Red: the library worked without a sandbox, so the test above proves nothing.
is "without a working bwrap there is none" "no thumbnail" \
  "$(PATH=$work/broken:$PATH python3 factory.py picture.png)"

echo "not a picture" >broken.png
is "a thumbnailer that fails in its sandbox is noticed" "no thumbnail" \
  "$(python3 factory.py broken.png)"
