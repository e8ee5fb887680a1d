# SPDX-License-Identifier: Apache-2.0
# Buses with services on them, for scripts that have begun with lib.sh.

need dbus-daemon dbus-daemon
need xdg-dbus-proxy xdg-dbus-proxy
need gdbus libglib2.0-bin
need python3 python3
python3 -c 'import gi' 2>/dev/null || skip "the package python3-gi is missing"

started=()
end_started() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
}
trap end_started EXIT

# Starts a bus of the kind that a session has; its address is put into the variable.
start_bus() { # VARIABLE [OPTION…]
  local variable=$1 file=$work/bus-$1
  shift
  # Nobody may think that it is the one of the session it was started in.
  env -u DBUS_SESSION_BUS_ADDRESS dbus-daemon --session --nofork --nopidfile --print-address=3 \
    "$@" 3>"$file" &
  started+=($!)
  await test -s "$file"
  declare -gx "$variable=$(<"$file")"
}

# Starts a service that owns a name and notes calls of org.example.Test.Note(s) at any path of
# /org/example. Its method Tell emits the signals Whispered and Told.
start_service() { # ADDRESS NAME
  python3 "$work/scripts/service.py" "$1" "$2" "$work/notes" &
  started+=($!)
  await test -e "$work/notes/$2"
}
mkdir -p "$work/notes"

# A program in a small sandbox with python3 and the scripts.
system=(--unshare-all --ro-bind /usr /usr --symlink usr/bin /bin
  --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp
  --ro-bind /etc/passwd /etc/passwd)

# A call of Note, as a program makes it on the session bus.
note() { # NAME TEXT [PATH]
  echo gdbus call --session --timeout "$patience" --dest "$1" --object-path "${3-/org/example}" \
    --method org.example.Test.Note "$2"
}
