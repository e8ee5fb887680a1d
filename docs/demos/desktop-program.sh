#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A wrapper for a desktop program: display, sound and fonts as usual, a private home directory, and
# a filtered session bus. Usage: desktop-program.sh [PROGRAM [ARGUMENT…]]

set -euo pipefail

state=${DEMO_STATE-$HOME/.local/share/nestbox-demo} # the program sees this as its home
runtime=${XDG_RUNTIME_DIR-/run/user/$(id -u)}
mkdir -p "$state"
# A sample program, if you name none.
(($#)) || set -- bash -c 'echo "Display: ${WAYLAND_DISPLAY:-${DISPLAY:-none}}"
  echo "Bus: ${DBUS_SESSION_BUS_ADDRESS:-none}"
  date >>~/started; echo "Home: $(ls -A ~ | paste -sd " "), started $(wc -l <~/started) times"'

options=(
  --unshare-user --unshare-pid --unshare-uts --unshare-cgroup-try
  --new-session --die-with-parent
  --ro-bind /usr /usr --ro-bind /etc /etc --proc /proc --dev /dev --tmpfs /tmp --tmpfs /run
  --symlink ../run /var/run
  --ro-bind-try /var/cache/fontconfig /var/cache/fontconfig
  --ro-bind-try /run/systemd/resolve /run/systemd/resolve
  --perms 0700 --dir "$runtime" --setenv XDG_RUNTIME_DIR "$runtime"
  # A private directory in the place of the home directory, and one that both share.
  --bind "$state" "$HOME" --bind-try "$HOME/Downloads" "$HOME/Downloads"
  --ro-bind-try "$HOME/.config/fontconfig" "$HOME/.config/fontconfig"
  --chdir "$HOME"
  # The graphics card.
  --dev-bind-try /dev/dri /dev/dri --ro-bind-try /sys/dev/char /sys/dev/char
  --ro-bind-try /sys/devices /sys/devices
  # Wayland, PipeWire and PulseAudio are sockets in the runtime directory.
  --ro-bind-try "$runtime/${WAYLAND_DISPLAY-wayland-0}" "$runtime/${WAYLAND_DISPLAY-wayland-0}"
  --ro-bind-try "$runtime/pipewire-0" "$runtime/pipewire-0"
  --ro-bind-try "$runtime/pulse" "$runtime/pulse"
  --unsetenv SSH_AUTH_SOCK --unsetenv DBUS_SESSION_BUS_ADDRESS --unsetenv DBUS_SYSTEM_BUS_ADDRESS
)
for directory in /bin /sbin /lib /lib32 /lib64; do
  [ ! -L $directory ] || options+=(--symlink "$(readlink $directory)" $directory)
done

# X11 does not isolate programs, so the program gets it only if there is no Wayland. It needs shared
# memory.
if [ -n "${WAYLAND_DISPLAY-}" ] || [ -z "${DISPLAY-}" ]; then
  options+=(--unshare-ipc)
else
  options+=(--ro-bind-try /tmp/.X11-unix /tmp/.X11-unix)
  options+=(--ro-bind-try "${XAUTHORITY-$HOME/.Xauthority}" "${XAUTHORITY-$HOME/.Xauthority}")
fi

# The bus, through a proxy that lets the program talk to the portals only.
if [ -n "${DBUS_SESSION_BUS_ADDRESS-}" ] && command -v xdg-dbus-proxy >/dev/null; then
  proxied=$(mktemp -d) && trap 'rm -r "$proxied"' EXIT
  exec 8< <(exec xdg-dbus-proxy --fd=1 "$DBUS_SESSION_BUS_ADDRESS" "$proxied/bus" --filter \
    '--talk=org.freedesktop.portal.*')
  read -rN 1 -u 8   # The proxy is ready. It ends when the last holder of the pipe, --sync-fd, has closed it.
  options+=(--ro-bind "$proxied/bus" "$runtime/bus")
  options+=(--setenv DBUS_SESSION_BUS_ADDRESS "unix:path=$runtime/bus" --sync-fd 8)
fi

nestbox "${options[@]}" -- "$@"
