# SPDX-License-Identifier: Apache-2.0
# A program with a window on a real X server.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/display.sh"

need Xvfb xvfb
need xauth xauth
need xlogo x11-apps
need xwd x11-apps

# A server that wants a cookie from everybody, and the cookie where sessions have it.
cookie=$(mcookie)
xauth -q -f "$work/server-cookie" add :0 . "$cookie" 2>/dev/null
Xvfb -displayfd 3 -screen 0 320x240x24 -nolisten tcp -noreset -auth "$work/server-cookie" \
  3>"$work/number" 2>"$work/log" &
started+=($!)
await test -s "$work/number"
DISPLAY=:$(<"$work/number")
export DISPLAY XAUTHORITY=$XDG_RUNTIME_DIR/cookie
xauth -q -f "$XAUTHORITY" add "$DISPLAY" . "$cookie" 2>/dev/null

screenshot() {
  xwd -root -silent -out "$work/screen"
  echo "$work/screen"
}

is "nothing is drawn yet" blank "$(picture "$(screenshot)")"
logo=(xlogo -geometry 100x80+20+30 -fg red)
outside=$(drawn '' "${logo[@]}")
files() { find "$HOME" "$XDG_RUNTIME_DIR" | sort; }
before=$(files)
has "outside, a window is drawn" "100x80 " "$outside"
is "under desktop it is the same" "$outside" \
  "$(drawn "$outside" nestbox --profile desktop "${logo[@]}")"
is "and under x11" "$outside" "$(drawn "$outside" nestbox --profile x11 "${logo[@]}")"
is "the host's name is not needed for that" sandbox "$(nestbox --profile x11 uname -n)"
# Red: a client tries the abstract socket first, is refused, and gives up.
for pair in "x11 host-network" "host-network x11" "desktop network" "browser caches"; do
  is "with the network as well, under $pair" "$outside" \
    "$(drawn "$outside" nestbox --profile ${pair% *} --profile ${pair#* } "${logo[@]}")"
done
rm -r "$HOME/.local" "$HOME/.cache" "$HOME/Downloads"
is "with a home directory that is kept" "$outside" \
  "$(drawn "$outside" nestbox --home "$HOME/box" --profile x11 "${logo[@]}")"
rmdir "$HOME/box"

is "nothing is left behind by that" "$before" "$(files)"

refused() { # WHAT COMMAND…
  local what=$1
  shift
  is "$what, nothing is drawn" blank "$(drawn '' "$@")"
  has "$what, the program can't connect" "Can't open display" "$(cat "$work/output")"
}
refused "without a profile for windows" nestbox --setenv DISPLAY "$DISPLAY" "${logo[@]}"
refused "without the cookie" nestbox --profile x11 --unsetenv XAUTHORITY "${logo[@]}"
for profile in network host-network; do
  refused "with $profile and without the socket" \
    nestbox --profile "$profile" --setenv DISPLAY "$DISPLAY" "${logo[@]}"
done
# Red: the test above shows nothing, as the cookie may have been missing.
has "the cookie alone is of no use" "Can't open display" "$(nestbox --profile untrusted \
  --setenv DISPLAY "$DISPLAY" --ro-bind "$XAUTHORITY" "$XAUTHORITY" --setenv XAUTHORITY "$XAUTHORITY" "${logo[@]}" 2>&1 || true)"

# Cookies of other displays, and of this one on another host.
cp "$XAUTHORITY" "$work/kept-cookie"
printf '\1\0\0\5other\0\1%s\0\22MIT-MAGIC-COOKIE-1\0\20%s' "${DISPLAY#:}" aaaaaaaaaaaaaaaa >"$XAUTHORITY"
printf '\1\0\0\1h\0\00277\0\22MIT-MAGIC-COOKIE-1\0\20%s' the-other-secret >>"$XAUTHORITY"
cat "$work/kept-cookie" >>"$XAUTHORITY"
is "the cookie of this host counts" "$outside" \
  "$(drawn "$outside" nestbox --profile x11 "${logo[@]}")"
is "that of another display is not shown" 0 \
  "$(nestbox --profile x11 sh -c 'grep -c other-secret "$XAUTHORITY"' || true)"
printf 'broken\377\377' >>"$XAUTHORITY"
is "a file with rubbish at its end is read as far as that" "$outside" \
  "$(drawn "$outside" nestbox --profile x11 "${logo[@]}")"
mv "$work/kept-cookie" "$XAUTHORITY"

# Other forms of DISPLAY and places of the cookie.
mv "$XAUTHORITY" "$HOME/.Xauthority"
unset XAUTHORITY
DISPLAY=unix$DISPLAY.0
is "a screen's number and the cookie's usual place make no difference" "$outside" \
  "$(drawn "$outside" nestbox --profile x11 "${logo[@]}")"
is "of other displays no socket is shown" "" \
  "$(DISPLAY=host:1 nestbox --profile x11 find /tmp ! -type d ! -name .Xauthority)"
is "of this one just one" "/tmp/.X11-unix/X1000" \
  "$(nestbox --profile x11 find /tmp ! -type d ! -name .Xauthority)"
is "nor is anything where there is no display" "unset" \
  "$(env -u DISPLAY nestbox --profile x11 sh -c 'echo ${DISPLAY-unset}; find /tmp ! -type d ! -name .Xauthority')"
