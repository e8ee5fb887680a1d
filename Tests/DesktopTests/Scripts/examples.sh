# SPDX-License-Identifier: Apache-2.0
# The examples of docs/desktop.md, in a session that has everything that they use.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bus.sh"
. "$(dirname "$0")/display.sh"

need Xvfb xvfb
need xclock x11-apps
need weston weston
need pulseaudio pulseaudio
need pactl pulseaudio-utils
need fc-match fontconfig
need file file
fc-match sans-serif | grep -q DejaVu || skip "fonts of the package fonts-dejavu-core are missing"

start_bus DBUS_SESSION_BUS_ADDRESS
start_service "$DBUS_SESSION_BUS_ADDRESS" org.freedesktop.Notifications
start_service "$DBUS_SESSION_BUS_ADDRESS" org.freedesktop.secrets
Xvfb -displayfd 3 -screen 0 320x240x24 -nolisten tcp 3>"$work/number" 2>/dev/null &
started+=($!)
weston --backend=headless-backend.so --use-pixman --socket=wayland-0 --idle-time=0 \
  >"$work/log" 2>&1 &
started+=($!)
pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --log-target=stderr \
  --load=module-null-sink --load=module-native-protocol-unix 2>"$work/pulse-log" &
started+=($!)
await test -s "$work/number"
await test -S "$XDG_RUNTIME_DIR/wayland-0"
await test -S "$XDG_RUNTIME_DIR/pulse/native"
DISPLAY=:$(<"$work/number")
export DISPLAY
python3 "$work/scripts/examples.py" "$work/desktop.md" \
  "$HOME" /home/joe "$work/bin/" /usr/local/bin/ "$(id -un)" joe
