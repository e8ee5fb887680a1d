#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# order.sh NESTBOX [OLD-ORDER] > NEW-ORDER
#
# Writes Sources/nestbox/order.txt: the functions of a launch in the order in which a start comes to
# them, for the linker to lay them out so, and behind them the variables whose pages it touches.
# Needs gcc, perf, python3 and swift, an ordinary user, and a release build with its symbols.
set -euo pipefail

nestbox=${1:?usage: order.sh NESTBOX [OLD-ORDER] > NEW-ORDER}
# Of variables, only the first on a page is seen touching it: repeat with the last result until
# nothing is added.
old=${2:-/dev/null}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -Wall -Wextra -o "$work/step" "$here/step.c"
objcopy --strip-debug "$nestbox" "$work/nestbox"

# The plainest first: what it needs, all need.
launches() { # RUNNER...
  "$@" "$work/nestbox" --ro-bind / / true
  "$@" "$work/nestbox" --ro-bind / / --unshare-all --proc /proc --dev /dev true
  "$@" "$work/nestbox" --ro-bind /usr /usr --ro-bind /etc /etc --symlink usr/bin /bin \
    --symlink usr/lib /lib --symlink usr/lib64 /lib64 --dir /run --tmpfs /tmp \
    --bind-try /nonexistent /x --unshare-all --proc /proc --dev /dev --setenv A B --unsetenv C \
    --chdir / --die-with-parent --new-session --perms 0700 --dir /run/user --hostname x true
  "$@" "$work/nestbox" --seccomp-policy default --ro-bind / / true
  "$@" "$work/nestbox" true
}

# Reads addresses, and writes the symbols of the kinds $1 that they lie in, each once.
symbols() {
  python3 -c '
import bisect, subprocess, sys
rows = (line.split() for line in subprocess.run(
    ["nm", sys.argv[1]], capture_output=True, text=True).stdout.splitlines())
symbols = sorted((int(row[0], 16), row[2]) for row in rows if len(row) == 3 and row[1] in sys.argv[2])
found = {}
for address in (int(line, 16) for line in sys.stdin if line.strip()):
    at = bisect.bisect(symbols, (address, "\U0010ffff")) - 1
    if symbols[0][0] <= address < symbols[-1][0] + 65536: found[symbols[at][1]] = None
print(*found, sep="\n")
' "$work/nestbox" "$1"
}

section() { # COLUMN of the section of instructions: 5 its address, 7 its size
  readelf -SW "$work/nestbox" | sed 's/\[ */[/' | awk -v column="$1" '$2 == ".text" { print $(column - 1) }'
}
begin=$(section 5) size=$(section 7)
end=$(printf '%x' $((0x$begin + 0x$size)))
launches "$work/step" "$begin" "$end" | symbols tTwWiI >"$work/functions"

export -f launches
export work
perf record -q -o "$work/pages" -e page-faults:u -c 1 -d bash -c launches >/dev/null 2>&1
perf script -i "$work/pages" --comm nestbox -F addr 2>/dev/null | symbols bBdDrR >"$work/variables"

echo "# What a launch needs, laid side by side by the linker so that a start touches few pages."
echo "# Made by Benchmarks/order.sh; a name that is gone is passed over."
# What a process does while it waits shares one page. Then our own Swift, of which each function
# moves by itself; what comes from libraries moves a file at a time, and would keep the others apart.
waiting='linux_poll_released linux_wait_released syscall linux_vfork'
library=$(dirname "$(readlink -f "$(command -v swift)")")/../lib/swift_static/linux/libswiftCore.a
nm "$library" 2>/dev/null | awk '$2 ~ /[tTwW]/ { print $3 }' | sort -u >"$work/library"
{
  printf '%s\n' $waiting
  grep '^\$s' "$work/functions" | grep -vFxf "$work/library" | grep -v 13SystemPackage
  cat "$work/functions" "$work/variables"
  # Variables that were seen before, and no functions: those have their order already.
  nm "$work/nestbox" | awk '$2 ~ /[bBdDrR]/ { print $3 }' | sort >"$work/all-variables"
  grep -v '^#' "$old" | grep -Fxf "$work/all-variables" || true
} | awk 'NF && !seen[$0]++'
