# SPDX-License-Identifier: Apache-2.0
# Shows windows on the Wayland compositor: like untrusted, with that one socket.
--profile untrusted

# Where programs look for it and put their own; it is the sandbox's.
--perms 0700
--dir ${XDG_RUNTIME_DIR}
--setenv XDG_RUNTIME_DIR ${XDG_RUNTIME_DIR}
--keep-env WAYLAND_DISPLAY,XDG_SESSION_TYPE,XDG_CURRENT_DESKTOP

# The compositor keeps its clients from each other, but for what it offers to all of them: with
# some that is the clipboard, with some screenshots as well.
--ro-bind-try ${WAYLAND_DISPLAY_SOCKET} ${WAYLAND_DISPLAY_SOCKET}
