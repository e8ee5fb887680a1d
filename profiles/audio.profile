# SPDX-License-Identifier: Apache-2.0
# Plays and records sound, for programs that you trust: like untrusted, with the sound server.
# Both servers load a library for any client that names its path, and run it outside, as you. So a
# hostile program gets out through them; it can also record, and PipeWire may let it have cameras and
# the screen. No profile includes this one.
--profile untrusted

--perms 0700
--dir ${XDG_RUNTIME_DIR}
--setenv XDG_RUNTIME_DIR ${XDG_RUNTIME_DIR}

# The sockets, not /dev/snd, which one program would keep for itself. A /.flatpak-info inside would
# not help: session managers then let a client make nodes, which names a library as well.
--keep-env PIPEWIRE_REMOTE,PULSE_SERVER
--ro-bind-try ${PIPEWIRE_SOCKET} ${PIPEWIRE_SOCKET}
--ro-bind-try ${PULSE_SOCKET:-} ${PULSE_SOCKET:-}

# A server for several users asks for a cookie.
--ro-bind-try ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie} ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie}
--setenv PULSE_COOKIE ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie}

# The devices for programs that speak ALSA, as a rule the server.
--ro-same-try /etc/alsa
--ro-same-try /etc/asound.conf
--ro-same-try /etc/pulse
--ro-same-try /etc/pipewire
