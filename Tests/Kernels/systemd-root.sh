# SPDX-License-Identifier: Apache-2.0
# Runs groups.sh as a user whose systemd runs, as root and as a service of the system's systemd; with
# and without `nsdelegate`, which systemd mounts the hierarchy with.
export PATH=/usr/bin:/usr/sbin:/opt/busybox
as_user() { # VARIABLES WORDS: in a session of the user's
  su -l user -c "export XDG_RUNTIME_DIR=/run/user/1000 PATH_INSIDE=$PATH $1; shift; exec sh /groups.sh $2" </dev/null
}
check() { # NAME EXPECTED SEEN
  if [ "$2" = "$3" ]; then echo "CHECK ok [groups] $1"; else echo "CHECK FAILED [groups] $1: $3" | tr '\n' ' '; echo; fi
}
echo; echo "CHECK ok Linux $(uname -r), $(/usr/lib/systemd/systemd --version | head -n 1)"
check 'the user is in a session' 'user.slice user-1000.slice session' "$(su -l user -c "sed -n 's|^0::/||p' /proc/self/cgroup" | tr / ' ' | sed 's/session-.*/session/')"
# A second session keeps the user's systemd, as lingering would.
su -l user -c 'sleep 100000' </dev/null & sleep 1
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ ! -S /run/user/1000/systemd/private ] || break; sleep 1; done
check 'systemd delegates' 'cpu memory pids' "$(tr ' ' '\n' </sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers | grep -E '^(cpu|memory|pids)$' | sort | xargs)"
for mounted in nsdelegate nothing; do
  [ $mounted = nsdelegate ] || mount -t cgroup2 -o remount,memory_recursiveprot cgroup2 /sys/fs/cgroup
  check "mounted with $mounted" $mounted "$(grep -q ' /sys/fs/cgroup cgroup2 .*nsdelegate' /proc/mounts && echo nsdelegate || echo nothing)"
  as_user 'ASK=' session
  [ $mounted = nsdelegate ] || continue
  as_user 'ASK="systemd-run -q --user --scope -p Delegate=yes --"' scope
  as_user 'ASK="systemd-run -q --user --scope --"' plain
done
check 'systemd has no scope left' '' "$(su -l user -c 'XDG_RUNTIME_DIR=/run/user/1000 systemctl --user list-units --all --plain --no-legend "nestbox-*"')"
echo 'CHECK ok the end was reached'
