# SPDX-License-Identifier: Apache-2.0
# Every pair of built-in profiles, in both orders, with a program that needs both.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
need dbus-daemon dbus-daemon
need dbus-send dbus-bin
need xdg-dbus-proxy xdg-dbus-proxy
need git git

cp "$work/scripts/probes.py" .
output=$(python3 "$work/scripts/pairs.py" "$HOME/probes.py" 2>&1) || true
count=$(nestbox --list-profiles | wc -l)
is "in each pair everything works" "$count $((count * count))" "$output"
