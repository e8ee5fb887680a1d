# SPDX-License-Identifier: Apache-2.0
# Shows windows on the X server, for programs that you trust: like untrusted, with its socket.
# X11 does not isolate programs: this one can see what others show, read what is typed into them, and
# type into them itself, commands into a terminal for instance. Where there is Wayland, use wayland.
--profile untrusted

# Its socket under another number, and its cookie alone. The abstract socket beside it is out of reach
# unless the network is shared; where it is, host-network has it refused.
--x11
--keep-env XDG_SESSION_TYPE,XDG_CURRENT_DESKTOP
