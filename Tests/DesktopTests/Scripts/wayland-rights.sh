# SPDX-License-Identifier: Apache-2.0
# What a compositor grants a hostile client in the sandbox: docs/attacks.md assesses each.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/display.sh"

need weston weston
cp "$(dirname "$0")/rights.py" .

granted() { # OPTIONS…
  weston --backend=headless-backend.so --use-pixman --idle-time=0 --socket=display "$@" >"$work/log" 2>&1 &
  local weston=$!
  started+=($weston)
  export WAYLAND_DISPLAY=display
  await test -S "$XDG_RUNTIME_DIR/display"
  await nestbox --profile wayland --read rights.py python3 rights.py
  nestbox --profile wayland --read rights.py python3 rights.py | sed -n 's/ granted$//p'
  kill $weston
  wait $weston || true
}

# Pictures of the screen, the shell's own protocol, key presses, the clipboard at any time, contexts.
powers='screenshooter|screencopy|capture|desktop_shell|virtual_keyboard|virtual_pointer|input_method|data_control|security_context|foreign_toplevel|session_lock|layer_shell|export_dmabuf|debug'
plain=$(granted)
has "windows can be shown" xdg_wm_base "$plain"
is "this compositor grants a client no power over others" '' "$(grep -E "$powers" <<<"$plain" || true)"
# With its developers' option it does: the list is known to notice.
has "with --debug it grants pictures of the screen" weston_screenshooter "$(granted --debug)"
