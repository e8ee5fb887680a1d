# SPDX-License-Identifier: Apache-2.0
# Shows windows on the X server, for programs that you trust: like untrusted, with its socket.
# X11 does not isolate programs: this one can see what others show, read what is typed into them, and
# type into them itself, commands into a terminal for instance. Where there is Wayland, use wayland.
--profile untrusted

# The abstract socket beside this one is out of reach unless the network is shared.
--ro-bind-try ${X11_SOCKET:-} ${X11_SOCKET:-}
--keep-env DISPLAY,XDG_SESSION_TYPE,XDG_CURRENT_DESKTOP

# The cookie is found by the host's name, which the server tells its clients in any case.
--ro-bind-try ${XAUTHORITY:-${HOME}/.Xauthority} ${XAUTHORITY:-${HOME}/.Xauthority}
--setenv XAUTHORITY ${XAUTHORITY:-${HOME}/.Xauthority}
--hostname ${HOSTNAME}
