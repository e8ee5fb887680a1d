# SPDX-License-Identifier: Apache-2.0
# Functions for scripts of tests. Each script begins with this file, in the scene that start.sh makes.

set -euo pipefail
shopt -s inherit_errexit

# Says why a script cannot run here. The status is the one that automake reserves for this.
skip() {
  echo "$*"
  exit 77
}

need() { # PROGRAM PACKAGE
  [ -e "$1" ] || command -v "$1" >/dev/null || skip "$1 of the package $2 is missing"
}

fail() { # WHAT DETAIL
  printf 'not so: %s\n%s\n' "$1" "$2"
  exit 1
}

is() { # WHAT EXPECTED FOUND
  [ "$2" = "$3" ] || fail "$1" "expected: $2"$'\n'"found: $3"
  echo "ok: $1"
}

has() { # WHAT PART FOUND
  case $3 in
    *"$2"*) echo "ok: $1" ;;
    *) fail "$1" "expected: …$2…"$'\n'"found: $3" ;;
  esac
}

succeeds() { # WHAT COMMAND…
  local what=$1 output
  shift
  output=$("$@" 2>&1) || fail "$what" "status $?: $*"$'\n'"$output"
  echo "ok: $what"
}

refuses() { # WHAT COMMAND…
  local what=$1 output
  shift
  ! output=$("$@" 2>&1) || fail "$what" "this should have failed: $*"$'\n'"$output"
  echo "ok: $what"
}

# How many seconds another program may take to answer. A test ends after NESTBOX_PATIENCE seconds.
patience=$((NESTBOX_PATIENCE / 5))

# Waits until a command succeeds, which depends on another process.
await() {
  local tries
  for ((tries = 0; tries < 10 * patience; tries++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  fail "waited for" "$*"
}

work=${NESTBOX_CLIENT_TEST:?start.sh starts these scripts}
[ "$(id -u)" != 0 ] || fail "the script runs as an ordinary user" "it is root"

umask 022
cd "$HOME"
