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

mkdir problem
for number in $(seq 7); do
  echo "$number 2" >"problem/$number.in"
  echo "$((number + 2))" >"problem/$number.out"
done
echo 'a, b = map(int, input().split()); print(a + b)' >right.py
echo 'print(1)' >wrong.py
echo 'while True: pass' >loop.py
echo 'while True: print("x" * 1000)' >chatty.py
echo '1 / 0' >crash.py
submissions=(right.py wrong.py loop.py chatty.py crash.py)
expected='chatty.py output limit 7
crash.py runtime error 7
loop.py time limit 7
right.py accepted 7
wrong.py wrong answer 7'
if command -v cc >/dev/null; then
  printf '#include <stdio.h>\nint main(void) { int a, b; scanf("%%d %%d", &a, &b); printf("%%d\\n", a + b); }' >right.c
  echo 'int main(' >broken.c
  submissions+=(right.c broken.c)
  expected=$(printf 'broken.c compile error 7\nright.c accepted 7\n%s' "$expected" | sort)
else
  echo "left out: a C compiler is missing"
fi
verdicts=$("$demos/grader.py" problem "${submissions[@]}" | sed 's/ [0-9]*:/:/' | sort | uniq -c |
  sed 's/^ *\([0-9]*\) \(.*\): \(.*\)/\2 \3 \1/' | sort)
is "an autograder tells verdicts apart" "$expected" "$verdicts"
