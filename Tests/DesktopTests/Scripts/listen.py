# SPDX-License-Identifier: Apache-2.0
# Prints the first signal of the interface org.example.Test that arrives on the session bus, having
# written the file READY before: listen.py READY.

import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib

loop = GLib.MainLoop()
connection = Gio.bus_get_sync(Gio.BusType.SESSION, None)


def heard(connection, sender, path, interface, signal, parameters):
    if loop.is_running():
        print(signal)
        loop.quit()


connection.signal_subscribe(
    None, "org.example.Test", None, None, None, Gio.DBusSignalFlags.NONE, heard
)
# The bus has the subscription by the time it answers another call.
connection.call_sync(
    "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", None, None, 0, -1, None
)
open(sys.argv[1], "w").close()
GLib.timeout_add_seconds(20, loop.quit)
loop.run()
