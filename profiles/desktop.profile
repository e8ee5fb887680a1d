# SPDX-License-Identifier: Apache-2.0
# Runs a program with windows: everything that those need, and nothing of yours beside it.
# It has no network; that is what the profile network is for.
--profile wayland
--profile x11
--profile gpu
--profile audio
--profile fonts-and-themes

# Also where there is no bus.
--profile dbus
--dbus-try

# Without system calls that programs with windows do not make.
--seccomp-policy desktop
