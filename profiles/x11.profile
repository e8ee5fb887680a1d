# SPDX-License-Identifier: Apache-2.0
# Shows windows on the X server: like untrusted, with that one socket and the cookie for it.
# X11 keeps no client from another: this program can see what the others show, read what is typed
# into them, and type into them itself. Where there is Wayland, wayland is the one to take.
--profile untrusted

# The abstract socket beside this one is out of reach, unless the network is shared.
--ro-bind-try ${X11_SOCKET:-} ${X11_SOCKET:-}
--keep-env DISPLAY,XDG_SESSION_TYPE,XDG_CURRENT_DESKTOP

# The cookie is found by the host's name, which the server tells its clients anyway.
--ro-bind-try ${XAUTHORITY:-${HOME}/.Xauthority} ${XAUTHORITY:-${HOME}/.Xauthority}
--setenv XAUTHORITY ${XAUTHORITY:-${HOME}/.Xauthority}
--hostname ${HOSTNAME}
