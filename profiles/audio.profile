# SPDX-License-Identifier: Apache-2.0
# Plays and records sound, through PipeWire or PulseAudio: like untrusted, with their sockets.
# Who can play can also record; PipeWire lets through to cameras and screens as its own rules say.
--profile untrusted

--perms 0700
--dir ${XDG_RUNTIME_DIR}
--setenv XDG_RUNTIME_DIR ${XDG_RUNTIME_DIR}

# The sockets themselves, and not /dev/snd, which one program would have for itself.
--keep-env PIPEWIRE_REMOTE,PULSE_SERVER
--ro-bind-try ${PIPEWIRE_SOCKET} ${PIPEWIRE_SOCKET}
--ro-bind-try ${PULSE_SOCKET:-} ${PULSE_SOCKET:-}

# A server that runs for several users asks for a cookie.
--ro-bind-try ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie} ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie}
--setenv PULSE_COOKIE ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie}

# Which devices there are for programs that speak ALSA: as a rule, the server.
--ro-same-try /etc/alsa
--ro-same-try /etc/asound.conf
--ro-same-try /etc/pulse
--ro-same-try /etc/pipewire
