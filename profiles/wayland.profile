# SPDX-License-Identifier: Apache-2.0
# Shows windows on the Wayland compositor: like untrusted, with that one socket.
# A compositor keeps its clients apart, except in what it offers to each of them. GNOME and KDE offer
# the clipboard of the focused window; compositors of wlroots and some others offer all of them
# pictures of the screen, a virtual keyboard, which can type into a terminal, and the clipboard at any
# time. wayland-info lists what yours offers: zwp_virtual_keyboard_manager_v1,
# zwlr_screencopy_manager_v1 and zwlr_data_control_manager_v1 are these.
--profile untrusted

# Where programs look for it and put their own sockets; it belongs to the sandbox.
--perms 0700
--dir ${XDG_RUNTIME_DIR}
--setenv XDG_RUNTIME_DIR ${XDG_RUNTIME_DIR}
--keep-env WAYLAND_DISPLAY,XDG_SESSION_TYPE,XDG_CURRENT_DESKTOP

--ro-bind-try ${WAYLAND_DISPLAY_SOCKET} ${WAYLAND_DISPLAY_SOCKET}
