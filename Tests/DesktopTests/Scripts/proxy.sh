# SPDX-License-Identifier: Apache-2.0
# The life of the D-Bus proxy, and what remains afterwards.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bus.sh"
need pgrep procps

start_bus DBUS_SESSION_BUS_ADDRESS
export XDG_RUNTIME_DIR=$work/runtime TMPDIR=$work/tmp
mkdir -m 700 "$XDG_RUNTIME_DIR" "$TMPDIR"

# Those of this bus: other tests have theirs at the same time. One that has ended and is not yet
# reaped by the machine's process 1 has no command line any more.
proxies() { pgrep -u "$(id -u)" -f "^xdg-dbus-proxy .*$DBUS_SESSION_BUS_ADDRESS" || true; }
files() { find "$work" -not -name "*.sh" | sort; }
none() { [ -z "$(proxies)" ]; }
bus=(--dbus-session)
before=$(files)

nestbox "${system[@]}" "${bus[@]}" true
is "the proxy has ended with the command" "" "$(proxies)"
nestbox --ro-bind / / "${bus[@]}" true
is "without a pid namespace as well" "" "$(proxies)"
nestbox "${system[@]}" "${bus[@]}" --as-pid-1 true
is "and where the command is process 1" "" "$(proxies)"
! nestbox "${system[@]}" "${bus[@]}" --bind "$work/missing" /x true 2>/dev/null
is "a launch that fails takes it along" "" "$(proxies)"

# While it runs.
mkfifo hold
exec 9<"$0"
nestbox "${system[@]}" "${bus[@]}" cat <hold >/dev/null &
monitor=$!
exec 8>hold
await pgrep -u "$(id -u)" -f "^xdg-dbus-proxy .*$DBUS_SESSION_BUS_ADDRESS"
proxy=$(proxies)
is "it is a child of the monitor" "$monitor" "$(ps -o ppid= -p "$proxy" | tr -d ' ')"
is "it has none of the caller's files" "" \
  "$(find "/proc/$proxy/fd" -lname "*/$(basename "$0")")"
is "its input and output lead nowhere" "/dev/null /dev/null /dev/null" \
  "$(for n in 0 1 2; do readlink "/proc/$proxy/fd/$n"; done | paste -sd ' ')"
is "it can gain no privilege" 1 "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$proxy/status")"
is "it has none" 0000000000000000 "$(sed -n 's/^CapBnd:\t//p' "/proc/$proxy/status")"
is "it can write nowhere" "" "$(awk '$6 !~ /^ro/' "/proc/$proxy/mountinfo")"
is "nothing of it lies on the host" "$before" "$(files | grep -v /hold)"
kill -KILL $monitor
exec 8>&-
wait $monitor 2>/dev/null || true
await none
echo "ok: it does not outlive a monitor that was killed"
rm hold
is "nothing is left behind by it" "$before" "$(files)"

# What lives on in the background keeps its bus.
mkdir share
nestbox "${system[@]}" "${bus[@]}" --bind share /share sh -c '
  (while [ ! -e /share/go ]; do sleep 0.1; done
   gdbus call --session --dest org.freedesktop.DBus --object-path / \
     --method org.freedesktop.DBus.GetId >/share/id) >/dev/null 2>&1 &'
[ -n "$(proxies)" ] || fail "a process in the background keeps the proxy" "it has ended"
touch share/go
await test -s share/id
has "a process in the background can use the bus" "('" "$(cat share/id)"
await none
echo "ok: the proxy ends with the last process"
nestbox "${system[@]}" "${bus[@]}" --kill-on-exit sh -c 'sleep 1000 >/dev/null 2>&1 &'
is "with --kill-on-exit it ends with the command" "" "$(proxies)"

# What cannot be had is an error before the command starts.
refused() { # WHAT PART COMMAND…
  local what=$1 part=$2 output status=0
  shift 2
  output=$("$@" 2>&1) || status=$?
  is "$what: the status" 125 $status
  has "$what: the reason" "$part" "$output"
}
refused "no proxy is installed" "package xdg-dbus-proxy" \
  env PATH="$work/bin" nestbox "${system[@]}" "${bus[@]}" touch started
refused "there is no bus" "Can't find the session bus" \
  env -u DBUS_SESSION_BUS_ADDRESS nestbox "${system[@]}" "${bus[@]}" touch started
refused "there is no system bus" "Can't find the system bus" \
  env DBUS_SYSTEM_BUS_ADDRESS= nestbox "${system[@]}" --dbus-system touch started
is "with --dbus-try there may be none" unset "$(env -u DBUS_SESSION_BUS_ADDRESS \
  nestbox "${system[@]}" --dbus-try --dbus-system "${bus[@]}" \
  sh -c 'echo ${DBUS_SESSION_BUS_ADDRESS-unset}')"
is "with a warning where the program is missing" "nestbox: The command gets no D-Bus: the program \
xdg-dbus-proxy is not in PATH unset" \
  "$(env PATH="$work/bin" nestbox "${system[@]}" --dbus-try "${bus[@]}" \
  /bin/sh -c 'echo ${DBUS_SESSION_BUS_ADDRESS-unset}' 2>&1 | paste -sd ' ')"
address=${DBUS_SESSION_BUS_ADDRESS#unix:path=}
is "the bus itself is then out of reach" "regular empty file" \
  "$(env PATH="$work/bin" nestbox --ro-bind / / --dbus-try "${bus[@]}" \
  /usr/bin/stat -c %F "${address%%,*}" 2>/dev/null)"
is "otherwise there is one" "unix:path=/run/user/$(id -u)/bus" \
  "$(nestbox "${system[@]}" --dbus-try "${bus[@]}" printenv DBUS_SESSION_BUS_ADDRESS)"
mkdir false
printf '#!/bin/sh\nexit 3\n' >false/xdg-dbus-proxy
chmod +x false/xdg-dbus-proxy
refused "the proxy ends before it is ready" "ended before it was ready" \
  env PATH="$PWD/false:$PATH" nestbox "${system[@]}" "${bus[@]}" touch started
is "no command was started" "" "$(find . -name started)"
