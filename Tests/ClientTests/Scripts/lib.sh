# SPDX-License-Identifier: Apache-2.0
# Every script here begins with this file: it creates a directory in which the program under test,
# the first `nestbox` in PATH, is also named `bwrap`, and continues as an ordinary user.

set -euo pipefail
shopt -s inherit_errexit

# The way to say that a script can't run here. Its status is the one that automake reserves.
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

# Waits for a command to succeed: for what another process is about to do.
await() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  fail "waited for" "$*"
}

# Runs its arguments with a user's name and a range of ids that only they see, as that user.
# It has to be root who calls it.
as_named_user() {
  local id=61234 name=nestbox-client
  chown -R $id:$id "$work"
  (cat /etc/passwd && echo "$name:x:$id:$id::$work/home:/bin/bash") >"$work/passwd"
  (cat /etc/group && echo "$name:x:$id:") >"$work/group"
  echo "$name:200000:65536" | tee "$work/subuid" >"$work/subgid"
  # shellcheck disable=SC2016
  unshare --mount bash -c '
    for file in passwd group subuid subgid; do
      [ ! -e "/etc/$file" ] || mount --bind "$work/$file" "/etc/$file"
    done
    exec setpriv --reuid="$0" --regid="$0" --clear-groups "$@"' $id "$@"
}

if [ -z "${NESTBOX_CLIENT_TEST-}" ]; then
  # Clients pass on what they inherit. 255 is this script.
  for descriptor in /proc/$$/fd/*; do
    descriptor=${descriptor##*/}
    if ((descriptor > 2 && descriptor != 255)); then eval "exec $descriptor>&-"; fi
  done
  # Not below the caller's own: names of sockets have to be short.
  work=$(mktemp -d --tmpdir=/tmp)
  export work
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  mkdir "$work/home" "$work/bin" "$work/broken"
  cp "$(command -v nestbox)" "$work/bin/nestbox"
  ln -s nestbox "$work/bin/bwrap"
  # The checkout may be out of the user's reach.
  cp -rL "$(dirname "$0")" "$work/scripts"
  cp -r "$(dirname "$0")/../../../docs/demos" "$work/demos"
  cp "$(dirname "$0")/../../../docs/desktop.md" "$work/desktop.md"
  chmod -R go+rX "$work"
  # For a client that is to find a bwrap which does nothing.
  ln -s /bin/false "$work/broken/bwrap"
  as=()
  [ "$(id -u)" != 0 ] || as=(as_named_user)
  status=0
  "${as[@]}" env -i NESTBOX_CLIENT_TEST="$work" HOME="$work/home" LC_ALL=C \
    PATH="$work/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
    bash "$work/scripts/$(basename "$0")" "$@" || status=$?
  exit $status
fi
work=$NESTBOX_CLIENT_TEST
[ "$(id -u)" != 0 ] || fail "the script goes on as an ordinary user" "it is root"

umask 022
cd "$HOME"
