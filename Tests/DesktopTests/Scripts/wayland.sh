# SPDX-License-Identifier: Apache-2.0
# A program with a window on a real Wayland compositor.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/display.sh"

need weston weston
need weston-image weston
need weston-screenshooter weston

cat >weston.ini <<'END_OF_SETTINGS'
[core]
shell=desktop-shell.so
idle-time=0
[shell]
panel-position=none
background-image=
background-color=0xff204080
animation=none
startup-animation=none
locking=false
END_OF_SETTINGS
weston --backend=headless-backend.so --use-pixman --width=640 --height=480 --config="$PWD/weston.ini" \
  --socket=display --debug >"$work/log" 2>&1 &
started+=($!)
export WAYLAND_DISPLAY=display
await test -S "$XDG_RUNTIME_DIR/display"

mkdir "$work/screens"
screenshot() {
  rm -f "$work"/screens/*
  (cd "$work/screens" && weston-screenshooter)
  echo "$work"/screens/*
}
# Until the shell has drawn its background, none or a part of it is visible.
is_blank() { [ "$(picture "$(screenshot)")" = blank ]; }
await test -e "$XDG_RUNTIME_DIR/display"
await is_blank

# It draws a picture of the package's own.
image=(weston-image /usr/share/weston/terminal.png)
outside=$(drawn '' "${image[@]}")
has "outside, a window is drawn" " colours" "$outside"
is "under desktop it is the same" "$outside" \
  "$(drawn "$outside" nestbox --profile desktop "${image[@]}")"
has "under wayland its title is set in another font" "${outside%% *} " \
  "$(drawn '' nestbox --profile wayland "${image[@]}")"
is "with fonts and themes it is the same" "$outside" \
  "$(drawn "$outside" nestbox --profile wayland --profile fonts-and-themes "${image[@]}")"

refused() { # WHAT COMMAND…
  local what=$1
  shift
  is "$what, nothing is drawn" blank "$(drawn '' "$@")"
  has "$what, the program can't connect" "failed to connect" "$(cat "$work/output")"
}
session=(--setenv XDG_RUNTIME_DIR "$XDG_RUNTIME_DIR" --setenv WAYLAND_DISPLAY display)
refused "without a profile for windows" nestbox "${session[@]}" "${image[@]}"
refused "with the one for X11" nestbox --profile x11 "${session[@]}" "${image[@]}"
is "of the session's sockets just one is shown" "$XDG_RUNTIME_DIR/display" \
  "$(nestbox --profile wayland find "$XDG_RUNTIME_DIR" ! -type d)"
is "a path in WAYLAND_DISPLAY serves as well" "$outside" \
  "$(WAYLAND_DISPLAY=$XDG_RUNTIME_DIR/display drawn "$outside" nestbox --profile desktop "${image[@]}")"
