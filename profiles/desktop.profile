# SPDX-License-Identifier: Apache-2.0
# Runs a program with windows: the display, the graphics card, fonts, a few messages on the bus.
# It shows none of your files. On an X server the program can see the windows of other X11 programs
# and type into them, into a terminal as well; where there is Wayland only, use wayland, gpu, dbus and
# fonts-and-themes in place of desktop. Sound is left out: see audio. The network is left out: see
# network.
--profile wayland
--profile x11
--profile gpu
--profile fonts-and-themes

# If there is a bus.
--profile dbus
--dbus-try

# Without the system calls that programs with windows do not make.
--seccomp-policy desktop
