# SPDX-License-Identifier: Apache-2.0
# Limits that a control group holds, as the user of a delegated subtree. groups-root.sh and
# systemd-root.sh run this with one word that says where this process is:
#
# beside   in a group of the user's, below another of the user's that is divided already
# alone    in a group of the user's, where the launcher is alone
# bare     the same, without controllers
# none     in a group of root's
# session  in a session of logind, beside the user's systemd
# scope    in a scope of the user's systemd with a delegated group, where each launcher is alone
# plain    in a scope without one
export HOME=/home PATH=${PATH_INSIDE:-/bin}
cd /home
place=$1
groups=/sys/fs/cgroup
check() { # NAME EXPECTED COMMAND...
  name="[groups] $place: $1" expected=$2; shift 2
  seen=$("$@" 2>&1) || true
  if [ "$seen" = "$expected" ]; then echo "CHECK ok $name"; else echo "CHECK FAILED $name: $seen" | tr '\n' ' '; echo; fi
}
box="$ASK nestbox --unshare-all --ro-bind /bin /bin --ro-bind-try /usr /usr --ro-bind-try /lib /lib"
box="$box --ro-bind-try /lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp"
# The status, and the named members of the report.
ends() { # MEMBERS OPTIONS... -- COMMAND
  members=$1; shift
  $box --report 3 "$@" 3>report >/dev/null 2>&1
  line=$?
  for member in $members; do
    line="$line $(sed -n "s/.*\"$member\": \"\{0,1\}\([^\",}]*\).*/\1/p" report)"
  done
  echo "$line"
}
member() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" report; }
is_below() { # NUMBER LIMIT
  awk -v n="$1" -v limit="$2" 'BEGIN { print (n != "" && n + 0 <= limit + 0) ? "below" : "not: " n }'
}
# What --inspect shows of a running sandbox: its limit, and whether its use is within that.
inspected() {
  $box --memory 32M sleep 60 >/dev/null 2>&1 &
  launcher=$!
  for i in 1 2 3 4 5 6 7 8 9 10; do
    nestbox --inspect $launcher 2>/dev/null >shown
    grep -q 'memory.max 33554432' shown && break
    sleep 0.5
  done
  current=$(sed -n 's/.*memory.current \([0-9]*\), .*memory.max 33554432.*/\1/p' shown | head -n 1)
  echo "$(grep -c 'control group: .*memory.max 33554432' shown) $(is_below "$current" 33554432)"
  { kill $launcher; wait $launcher; } 2>/dev/null
}
# Compares the report with the group's own files, which are read from outside when all has been used and
# the command waits for its end.
agrees() {
  rm -f ready go
  mkfifo go
  : >ready
  $box --memory 64M --report 3 sh -c 'hog private 24 >/dev/null
    for child in 1 2; do (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done) & done; wait
    echo >&4; read line <&5' 3>report 4>ready 5<>go &
  launcher=$!
  for i in $(seq 300); do [ ! -s ready ] || break; sleep 0.2; done
  # By the launcher's number: another group may not have gone yet, and goes while it is read.
  group=$(dirname "$(find $groups -path "*/nestbox-$launcher-*" -name payload -type d 2>/dev/null)")
  peak=$(cat "$group/memory.peak")
  used=$(sed -n 's/^usage_usec //p' "$group/cpu.stat")
  echo >go
  wait
  awk -v peak="$peak" -v told="$(member memory-peak)" -v used="$used" -v user="$(member user)" \
    -v kernel="$(member system)" '
    function near(a, b) { return b > 0 && a - b <= 0.05 * b && b - a <= 0.05 * b ? "agree" : a " for " b }
    BEGIN { print near(told, peak), near((user + kernel) * 1000000, used) }'
}
left() { find $groups -name 'nestbox-*' -type d 2>/dev/null | grep -v monitor$; }
# systemd forgets a scope a little later than the launcher ends.
settled() { for i in 1 2 3 4 5 6 7 8 9 10; do [ -n "$(left)" ] || break; sleep 0.5; done; left; }

in_every_group() {
    check 'memory within the limit' '0 exited 0' ends 'outcome oom-kills' --memory 64M hog private 16
    check 'memory beyond the limit' '137 memory true' ends 'outcome complete' --memory 32M hog private 64
    check 'memory of children together' '137 memory' ends outcome --memory 32M sh -c 'for i in 1 2 3 4; do dd if=/dev/zero of=/dev/null bs=12M count=9999 & done; wait'
    check 'memory of daemons' '137 memory' ends outcome --memory 32M sh -c '(setsid hog private 64 &) ; sleep 60'
    check 'memory of a process whose parent has ended' '137 memory' ends outcome --memory 32M sh -c '((sleep 1; hog private 64) &) ; sleep 60'
    check 'memory in tmpfs' '137 memory' ends outcome --memory 32M sh -c 'dd if=/dev/zero of=/tmp/file bs=1M count=64'
    check 'memory in memfd' '137 memory' ends outcome --memory 32M hog memfd 64
    check 'shared memory' '137 memory' ends outcome --memory 32M hog shared 64
    check 'shared memory of System V' '137 memory' ends outcome --memory 32M hog sysv 64
    check 'memory in pipes' '137 memory' ends outcome --memory 32M hog pipes 48
    check 'a neighbour is untouched' 'has it' sh -c "$box --memory 32M sh -c 'hog private 24; sleep 3' >/dev/null & sleep 1; hog private 64; wait"
    check 'exit 137 is no kill' '137 exited 137' ends 'outcome exit-code' --memory 32M sh -c 'exit 137'
    check 'the command alone is killed by another' '137 signaled 9' ends 'outcome signal' --memory 32M sh -c 'kill -9 $$'
    check 'figures of --inspect' '1 below' inspected
    ends '' --memory 32M hog private 16 >/dev/null
    check 'the peak' 'below' is_below "$(member memory-peak)" 33554432
    check 'the peak is what the command took' 'below' is_below 16777216 "$(member memory-peak)"
    check 'what held it' '1' grep -c '"memory": {"bytes": 33554432, "by": "control-group"}' report
    check 'peak and processor time are those of the group' 'agree agree' agrees
    ends '' --cpus 0.2 --timeout 2 sh -c 'while :; do :; done' >/dev/null
    check 'a share of a processor' 'below' is_below "$(member user)" 0.5
    check 'processor time' '124 cpu-time' ends outcome --cpu-time 500ms sh -c 'while :; do :; done'
    check 'processor time of a tree' '124 cpu-time true' ends 'outcome complete' --cpu-time 500ms sh -c '(trap "" TERM; while :; do :; done) & (setsid sh -c "while :; do :; done" &) ; sleep 60'
    check 'processor time is held' 'below' is_below "$(member user)" 0.6
    check 'processor time that suffices' '3 exited' ends outcome --cpu-time 1m sh -c 'exit 3'
    ends '' --kill-on-exit --memory 64M --processes 20 sh -c 'i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done 2>/dev/null' >/dev/null
    if grep -q processes-peak report; then
      check 'the most processes' 'below' is_below "$(member processes-peak)" 21
    else
      echo "CHECK without [groups] $place: the most processes: the kernel does not note it"
    fi
    check 'inside, the group is the root' '0::/' $box --memory 32M cat /proc/self/cgroup
    # A payload that does all that its user may do to its own limit.
    lift='for file in $(find /sys/fs/cgroup -name memory.max) $(find /mnt -name memory.max); do echo max >$file; done
      for file in $(find /sys/fs/cgroup -name cgroup.procs); do echo 0 >$file; done; hog private 64'
    check 'it cannot be lifted through the host tree' '137 memory' ends outcome --bind /sys /sys --memory 32M sh -c "$lift"
    check 'nor through all of it' '137 memory' ends outcome --dev-bind / / --proc /proc --memory 32M sh -c "$lift"
    check 'nor in the namespace of groups around' 137 sh -c "$ASK nestbox --dev-bind / / --memory 32M sh -c '$lift' >/dev/null 2>&1; echo \$?"
    check 'nor in a hierarchy of its own' '137 memory' ends outcome --dir /mnt --uid 0 --cap-add CAP_SYS_ADMIN --memory 32M sh -c "mount -t cgroup2 none /mnt; $lift"
    check 'nor from a user namespace inside' '137 memory' ends outcome --bind /sys /sys --dir /mnt --memory 32M unshare -Urm sh -c "mount -o remount,bind,rw /sys/fs/cgroup; mount -t cgroup2 none /mnt; $lift"
    check 'a command that mounts sees no group' '125 not-started' ends outcome --bind /sys /sys --uid 0 --cap-add CAP_SYS_ADMIN --memory 32M sh -c "mount -o remount,bind,rw /sys/fs/cgroup; $lift"
    check 'a writable view is read-only' 'refused' $box --bind /sys /sys --memory 32M sh -c 'mkdir $(dirname $(find /sys/fs/cgroup -path "*nestbox-*" -name memory.max | head -n 1))/made 2>/dev/null && echo made || echo refused'
    check 'groups of the payload are removed' '0 exited' ends outcome --dir /mnt --uid 0 --cap-add CAP_SYS_ADMIN --memory 64M sh -c 'mount -t cgroup2 none /mnt && mkdir -p /mnt/a/b/c /mnt/d'
    check 'nothing is left' '' settled
    $box --die-with-parent --memory 64M sleep 60 & monitor=$!
    $box --memory 64M sleep 8 & other=$!
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
      [ "$(find $groups -name payload -type d 2>/dev/null | wc -l)" != 2 ] || break
      sleep 0.5
    done
    check 'each has a group' '2' sh -c "find $groups -name payload -type d 2>/dev/null | wc -l"
    kill -9 $monitor; wait $monitor 2>/dev/null; wait $other
    $box --memory 64M true
    check 'nothing is left of a monitor that was killed' '' settled
    $box --memory 64M --bind /nosuch /x true 2>/dev/null
    check 'nothing is left of a launch that failed' '' settled
    check 'swap is limited' '4096000' sh -c "$box --memory 64M --swap 4000K sleep 8 & sleep 3; cat \$(find $groups -path \"*/nestbox-\$!-*\" -name payload 2>/dev/null)/../memory.swap.max; wait"
    check 'no swap unless asked' '0' sh -c "$box --memory 64M sleep 8 & sleep 3; cat \$(find $groups -path \"*/nestbox-\$!-*\" -name payload 2>/dev/null)/../memory.swap.max; wait"
    check 'ten at a time' '10 memory 10' sh -c "for i in 1 2 3 4 5 6 7 8 9 10; do $box --memory 32M --report 3 hog private 64 3>report\$i >/dev/null 2>&1 & done; wait
      echo \$(sed -n 's/.*\"outcome\": \"\([^\"]*\).*/\1/p' report?* | sort | uniq -c) \$(grep -l '\"complete\": true' report?* | wc -l)
      sed -n 's/.*\"message\": \"\([^\"]*\).*/\1/p' report?*"
    check 'nothing is left in the end' '' settled
}

case $place in
  beside | session | scope | plain) in_every_group ;;
  alone)
    # This process becomes the launcher, or it would not be alone.
    case $2 in
      run) exec $box --memory 32M hog private 64 ;;
      after) check 'nothing is left' '' sh -c "find $groups/alone -mindepth 1 -type d" ;;
    esac
    ;;
  bare)
    case $2 in
      refused) exec $box --memory 32M true ;;
      try) exec $box --memory-try 32M echo runs ;;
    esac
    ;;
  none)
    check 'an error without a group' '1' sh -c "$box --memory 32M true 2>&1 | grep -c 'make a control group'"
    check 'without the limit where it may fail' 'runs' $box --memory-try 32M --cpus-try 1 echo runs
    ;;
esac
