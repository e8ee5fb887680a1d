# SPDX-License-Identifier: Apache-2.0
# A service on a bus: service.py ADDRESS NAME DIRECTORY. Calls of Note are written to the file
# DIRECTORY/NAME, one line each. It also has an interface with its own name.

import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib

address, name, directory = sys.argv[1:]
members = """<method name="Note">
      <arg type="s" direction="in"/><arg type="s" direction="out"/>
    </method>
    <method name="Tell"/><signal name="Whispered"/><signal name="Told"/>"""
interface, own = Gio.DBusNodeInfo.new_for_xml(
    f"""<node><interface name="org.example.Test">{members}</interface>
    <interface name="{name}">{members}</interface></node>"""
).interfaces


def called(connection, sender, path, interface_name, method, parameters, invocation):
    if method == "Note":
        (text,) = parameters.unpack()
        with open(f"{directory}/{name}", "a") as notes:
            notes.write(text + "\n")
        invocation.return_value(GLib.Variant("(s)", (f"noted {text}",)))
    else:
        for signal in "Whispered", "Told":
            connection.emit_signal(None, path, interface_name, signal, None)
        invocation.return_value(None)


flags = Gio.DBusConnectionFlags
connection = Gio.DBusConnection.new_for_address_sync(
    address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None
)
for path in "/org/example", "/org/example/other":
    connection.register_object(path, interface, called, None, None)
connection.register_object("/" + name.replace(".", "/"), own, called, None, None)
Gio.bus_own_name_on_connection(
    connection,
    name,
    Gio.BusNameOwnerFlags.NONE,
    lambda *_: open(f"{directory}/{name}", "a").close(),
    None,
)
GLib.MainLoop().run()
