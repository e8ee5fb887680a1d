#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes Sources/nestbox/order.txt, the functions of a launch in the order in which the linker is to
# lay them out: what was seen running most often, or touching a page first, comes first.
# Variables as well: those whose pages a start touches are laid side by side.
# Needs perf, valgrind and python3, an ordinary user, and a release build with its symbols.
set -euo pipefail

nestbox=${1:?usage: order.sh NESTBOX [OLD-ORDER] > NEW-ORDER}
# Only the first function on a page is seen touching it: repeat with the last result until nothing
# is added.
old=${2:-/dev/null}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objcopy --strip-debug "$nestbox" "$work/nestbox"

cat > "$work/launches" <<EOF
for round in {1..60}; do
  "$work/nestbox" --ro-bind / / true
  "$work/nestbox" --ro-bind /usr /usr --ro-bind /etc /etc --symlink usr/bin /bin \
    --symlink usr/lib /lib --symlink usr/lib64 /lib64 --dir /run --tmpfs /tmp \
    --bind-try /nonexistent /x --unshare-all --proc /proc --dev /dev --setenv A B --unsetenv C \
    --chdir / --die-with-parent --new-session --perms 0700 --dir /run/user --hostname x true
  "$work/nestbox" --seccomp-policy default --ro-bind / / true
  "$work/nestbox" true
done
EOF

symbols() { perf script --no-demangle -i "$1" --comm nestbox -F ip,sym 2>/dev/null | awk '{print $2}'; }
# The variables at the addresses that faulted.
variables() {
  perf script -i "$1" --comm nestbox -F addr 2>/dev/null | python3 -c '
import bisect, subprocess, sys
rows = (line.split() for line in subprocess.run(
    ["nm", sys.argv[1]], capture_output=True, text=True).stdout.splitlines())
symbols = sorted((int(row[0], 16), row[2]) for row in rows if len(row) == 3 and row[1] in "bBdDrR")
ends = symbols[0][0], symbols[-1][0] + 65536
for address in (int(line, 16) for line in sys.stdin if line.strip()):
    if ends[0] <= address < ends[1]:
        print(symbols[bisect.bisect(symbols, (address, "\U0010ffff")) - 1][1])
' "$work/nestbox"
}
by_count() { sort | uniq -c | sort -rn | awk '{print $2}'; }

perf record -q -o "$work/time" -e cpu-clock:u -F 49999 bash "$work/launches" >/dev/null 2>&1
perf record -q -o "$work/pages" -e page-faults:u -c 1 -d bash "$work/launches" >/dev/null 2>&1
# Samples miss what is quick; a count of calls does not, as far as it can follow, which is up to
# the clone.
valgrind --tool=callgrind --demangle=no --callgrind-out-file="$work/calls" "$work/nestbox" \
  --ro-bind / / --unshare-all --die-with-parent --tmpfs /tmp --setenv A B true >/dev/null 2>&1 ||
  true

echo "# The functions of a launch, laid side by side by the linker so that a start touches few pages."
echo "# Made by Benchmarks/order.sh; a name that is gone is passed over."
{
  symbols "$work/time" | by_count
  symbols "$work/pages" | by_count
  variables "$work/pages" | by_count
  grep -v '^#' "$old" || true
  sed -nE "s/^c?fn=\([0-9]+\) +([^' ]+).*/\1/p" "$work/calls" | sort -u
} | grep -vF '[unknown]' | awk 'NF && !seen[$0]++' > "$work/order"

# What a process does while it waits shares one page. Then Swift, of which each function moves by
# itself; the C++ of the runtime moves a file at a time, and would keep the others apart.
waiting='linux_poll_released linux_wait_released syscall linux_vfork'
printf '%s\n' $waiting
grep '^\$s' "$work/order"
grep -v '^\$s' "$work/order" | grep -vxF "$(printf '%s\n' $waiting)"
