#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# order.sh NESTBOX MAP > ORDER
#
# Prints the symbols that launches use, for the linker to lay them side by side: functions by
# the processes that enter them and in the order of entry, then the variables and constants that a
# launch accesses. NESTBOX is an executable of `make build`, MAP the linker's map of it. `make order`
# calls this. Needs gcc, valgrind, an ordinary user, and x86_64.
set -euo pipefail

nestbox=$(realpath "${1:?usage: order.sh NESTBOX MAP > ORDER}")
map=$(realpath "${2:?usage: order.sh NESTBOX MAP > ORDER}")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
gcc -O2 -Wall -Wextra -o "$work/order" "$here/order.c"
install -m 755 "$nestbox" "$work/nestbox"
as_user=()
[ "$(id -u)" != 0 ] || as_user=(setpriv --reuid=61234 --regid=61234 --clear-groups)
command -v valgrind >/dev/null || { echo 'order: valgrind is not installed' >&2; exit 1; }
launch() { (cd / && "${as_user[@]}" env -i HOME=/ PATH=/usr/bin:/bin "$work/order" "$work/nestbox" "$@" </dev/null 2>/dev/null) || {
  echo "order: this failed: nestbox $*" >&2; exit 1; }; }

run() { (cd / && "${as_user[@]}" env -i HOME=/ PATH=/usr/bin:/bin "$work/nestbox" "$@" </dev/null); }

# Limits with a report, and where root can make a control group for the user, the same with one.
limits() {
  launch --report 9 "$@" true 9>/dev/null
  [ -n "$group" ] || { echo 'order: without a control group: it needs root and cgroup2' >&2; return; }
  echo $$ >"$group/shell/cgroup.procs"
  launch --report 9 --cpu-time 10 "$@" true 9>/dev/null
}
group=
for top in /sys/fs/cgroup /sys/fs/cgroup/unified; do
  [ "$(id -u)" = 0 ] && [ "$(stat -f -c %T $top 2>/dev/null)" = cgroup2fs ] || continue
  group=$top/nestbox-order-$$
  mkdir "$group" "$group/shell"
  chown -R 61234:61234 "$group"
  own=$(sed -n 's/^0:://p' /proc/self/cgroup)
  trap 'echo $$ >"$top$own/cgroup.procs"; rmdir "$group/shell" "$group"; rm -rf "$work"' EXIT
  break
done

# What the start and the first steps of the child read: order sees only what is written. Valgrind does
# not know mount_setattr(2), which ends the launch. Under this name nothing looks for the reason.
accesses() {
  strip -g -o "$work/bwrap" "$nestbox"
  chmod 755 "$work/bwrap"
  mkdir -m 1777 "$work/traces"
  (cd / && "${as_user[@]}" env -i HOME=/ PATH=/usr/bin:/bin valgrind -q --tool=lackey --trace-mem=yes \
    --log-file="$work/traces/%p" "$work/bwrap" --ro-bind / / true </dev/null >/dev/null 2>&1) || :
  cat "$work/traces"/* | "$work/order" --accessed "$work/bwrap"
}

mkdir "$work/reviewed"
mkdir -m 1777 "$work/store"

# The plainest first: what it needs, all need.
{
  launch --ro-bind / / true
  accesses
  launch --ro-bind / / --unshare-all --proc /proc --dev /dev true
  launch --ro-bind /usr /usr --ro-bind /etc /etc --symlink usr/bin /bin \
    --symlink usr/lib /lib --symlink usr/lib64 /lib64 --dir /run --tmpfs /tmp \
    --bind-try /nonexistent /x --unshare-all --proc /proc --dev /dev --setenv A B --unsetenv C \
    --chdir / --die-with-parent --new-session --perms 0700 --dir /run/user --hostname x true
  launch --seccomp-policy default --ro-bind / / true
  run --ro-bind / / --unshare-all --proc /proc --dev /dev --name order --keep --detach
  launch --enter order true
  run --stop order
  limits --unshare-pid --ro-bind / / --timeout 10 --processes 100 --rlimit core=0
  launch true
  launch --ro-bind / / --net-allow example.org true
  launch --ro-bind / / --review "$work/reviewed" --review-store "$work/store/reviews" true
} >"$work/seen"

# A symbol moves its whole section. The library's Swift is one section of more than a megabyte:
# such ones come last, or they would keep all others apart.
# 7800 is 30 kB; the map has sizes in hexadecimal.
awk '$5 ~ /:\(/ { large = length($3) > 4 || length($3) == 4 && $3 >= "7800" }
  NF == 5 && $5 !~ /:\(/ && large { print $5, "large" }' "$map" >"$work/sizes"

echo '# What a launch needs, for the linker to lay it side by side, so that a start touches few pages.'
echo '# Made by `make order`.'
# These share one page, all that a waiting process needs. Nothing may come between.
printf '%s\n' linux_poll_released linux_wait_released syscall linux_vfork >"$work/waiting"
awk -v place="$work" '
  FILENAME == place "/sizes" { if ($2 == "large") large[$1] = 1; next }
  seen[$0]++ { next }
  $0 in large { last[++count] = $0; next }
  { print }
  END { for (i = 1; i <= count; i++) print last[i] }' \
  "$work/sizes" "$work/waiting" "$work/seen"
