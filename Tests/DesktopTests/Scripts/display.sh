# SPDX-License-Identifier: Apache-2.0
# Displays and pictures of them, for scripts that begin with lib.sh.

need python3 python3

started=(${started[@]+"${started[@]}"})
end_started() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap end_started EXIT

# What a session gives to its programs, beside the display.
export XDG_RUNTIME_DIR=$work/runtime
mkdir -m 700 "$XDG_RUNTIME_DIR"

# The contents of a picture, analysed once for identical pictures.
picture() { # FILE
  local known
  known=$(sha256sum <"$1")
  known=$work/known-${known%% *}
  [ -e "$known" ] || python3 "$work/scripts/picture.py" "$1" >"$known"
  cat "$known"
}

# Starts a program and prints what it draws: as soon as that is EXPECTED, or where that is empty, as
# soon as it stays the same.
drawn() { # EXPECTED COMMAND…
  local expected=$1 tries last='' now=blank pid
  shift
  "$@" >"$work/output" 2>&1 &
  pid=$!
  for ((tries = 0; tries < 100; tries++)); do
    last=$now
    now=$(picture "$(screenshot)")
    if [ "$now" = "${expected:-$last}" ] && [ "$now" != blank ]; then break; fi
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
  done
  kill $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
  # Until it is gone from the screen.
  for ((tries = 0; tries < 100; tries++)); do
    if [ "$(picture "$(screenshot)")" = blank ]; then break; fi
    sleep 0.1
  done
  echo "$now"
}
