# SPDX-License-Identifier: Apache-2.0
# The demonstrations show what they claim.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
demos=$work/demos

mkdir Documents
echo secret >Documents/secret
touch .bashrc
output=$("$demos/untrusted-binary.sh")
has "an untrusted program sees no process but its own" "process 2; I see nestbox program" "$output"
has "no secret" "Secrets: 0 files" "$output"
has "no network" "Network: 1 device, connections refused" "$output"
has "has no capability" "Capabilities: none" "$output"
has "makes no namespaces" "User namespaces: refused" "$output"
has "changes nothing of the system" "The system: read-only" "$output"
has "writes to a home directory" "Home: I wrote" "$output"
is "which was not the real one" "" "$(cat .bashrc)"
printf '#!/bin/sh\necho "$@"; exit 4\n' >thing
chmod +x thing
status=0
output=$("$demos/untrusted-binary.sh" ./thing 'a  b' c) || status=$?
is "a program of one's own gets its arguments, and its status comes back" "a  b c 4" "$output $status"

output=$("$demos/thief.sh")
is "a thief gets everything without nestbox, and nothing with it" \
  "4 4 1 1" "$(grep -c 'stolen *not found$' <<<"$output") $(grep -c stolen <<<"$output") \
$(grep -c 'loopback *[1-9][0-9]* *0$' <<<"$output") $(grep -c 'left there *gone$' <<<"$output")"

"$demos/desktop-program.sh" >/dev/null
output=$("$demos/desktop-program.sh")
has "a desktop program has a home directory of its own that lasts" "Home: started, started 2 times" "$output"
has "and no bus where there is none" "Bus: none" "$output"
if command -v xdg-dbus-proxy >/dev/null && command -v dbus-run-session >/dev/null &&
  command -v dbus-send >/dev/null; then
  names=$(dbus-run-session -- "$demos/desktop-program.sh" dbus-send --session --print-reply \
    --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames)
  has "through the proxy, it sees the bus" "org.freedesktop.DBus" "$names"
  is "but nobody else on it" 2 "$(grep -c string <<<"$names")"
else
  echo "left out: xdg-dbus-proxy, dbus-daemon or dbus-bin is missing"
fi

output=$("$demos/job.py")
has "a job's output and status come back" '{"outcome": "ended with 0", "output": "42"}' "$output"
has "its failure too" '{"outcome": "ended with 3", "output": ""}' "$output"
has "one that takes too long is ended" '{"outcome": "took too long", "output": ""}' "$output"
has "one that can't be started is told apart" '{"outcome": "could not be started"' "$output"
