# SPDX-License-Identifier: Apache-2.0
# Speaks with the desktop over the session bus: like untrusted, with a few harmless services of it.
--profile untrusted

# Notifications, and no screen saver during a film. On some desktops a single program does everything,
# so these rules allow single messages, not all messages to a name.
--dbus-call org.freedesktop.Notifications=org.freedesktop.Notifications.*@/org/freedesktop/Notifications
--dbus-broadcast org.freedesktop.Notifications=org.freedesktop.Notifications.*@/org/freedesktop/Notifications
--dbus-call org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.Inhibit
--dbus-call org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.UnInhibit

# Of the portals, settings such as light or dark, notifications and the screen saver again. Portals
# take a client of the proxy for a program outside: others of them would start programs for it, or
# open files and addresses there.
--dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Settings.*@/org/freedesktop/portal/desktop
--dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Notification.*@/org/freedesktop/portal/desktop
--dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Inhibit.*@/org/freedesktop/portal/desktop
--dbus-call org.freedesktop.portal.Desktop=org.freedesktop.DBus.Properties.*@/org/freedesktop/portal/desktop
--dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Request.Close@/org/freedesktop/portal/desktop/request/*
--dbus-broadcast org.freedesktop.portal.Desktop=*@/org/freedesktop/portal/desktop/*

# The desktop sends the keys for playing and pausing to the owner of such a name.
--dbus-own org.mpris.MediaPlayer2.*
