# SPDX-License-Identifier: Apache-2.0
# Runs a program with windows: the display, the graphics card, fonts, a few messages on the bus.
# It shows none of your files. On an X server the program can see the windows of other X11 programs
# and type into them, into a terminal as well; where there is Wayland only, use wayland, gpu, dbus and
# fonts-and-themes in place of desktop. Sound is left out: see audio. The network is left out: see
# network, and host-network for printers and other devices of the local network.
--profile wayland
--profile x11
--profile gpu
--profile fonts-and-themes

# If there is a bus.
--profile dbus
--dbus-try

# With rules of --net-allow, as under network, programs that look for a link take the machine for online.
--net-link-try

# Without the system calls that programs with windows do not make.
--seccomp-policy desktop

# Settings of the system for programs with windows. The rest of /etc is left out: it holds tokens and
# passwords on some machines, and tells of other users and machines.
--ro-same-try /etc/xdg
--ro-same-try /etc/dconf
--ro-same-try /etc/gtk-2.0
--ro-same-try /etc/libreoffice
--ro-same-try /etc/gimp
--ro-same-try /etc/ghostscript
--ro-same-try /etc/mpv
--ro-same-try /etc/vlc
--ro-same-try /etc/thunderbird
--ro-same-try /etc/chromium
--ro-same-try /etc/chromium.d
--ro-same-try /etc/opt/chrome
--ro-same-try /etc/firefox
--ro-same-try /etc/firefox-esr
