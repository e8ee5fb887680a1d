# SPDX-License-Identifier: Apache-2.0
# Delegates control groups to the user, as root, and runs groups.sh in each; with and without
# `nsdelegate`, which keeps a payload from the limits of the group where its namespace begins.
release=$(uname -r)
# The launcher says that these kernels are too old.
case $release in 5.[0-9].*|5.1[01].*) exit ;; esac
groups=/sys/fs/cgroup
mount -t cgroup2 cgroup2 $groups || { echo 'CHECK FAILED [groups] no cgroup2'; exit; }
echo '+memory +cpu +pids +io' >$groups/cgroup.subtree_control
delegate() {
  mkdir -p "$groups/$1"
  for file in '' /cgroup.procs /cgroup.subtree_control /cgroup.threads; do chown 1000:1000 "$groups/$1$file"; done
}
run() { # GROUP WORDS: in that group, as the user
  sh -c 'echo $$ >'"$groups/$1"'/cgroup.procs; shift; exec su user -c "exec sh /groups.sh $*"' sh "$@"
}
check() { # NAME EXPECTED SEEN
  if [ "$2" = "$3" ]; then echo "CHECK ok [groups] $1"; else echo "CHECK FAILED [groups] $1: $3" | tr '\n' ' '; echo; fi
}
delegate user
echo '+memory +cpu +pids' >$groups/user/cgroup.subtree_control
delegate user/shell
delegate alone
mkdir $groups/around; delegate around/bare
for option in '' nsdelegate; do
  [ -z "$option" ] || mount -o remount,$option $groups
  echo "CHECK ok [groups] mounted with: ${option:-nothing}"
  run user/shell beside
  run alone alone run >/tmp/out 2>&1
  check 'alone: memory beyond the limit' 137 $?
  run user/shell alone after
done
run around/bare bare refused >/tmp/out 2>&1
check 'bare: refused without the controller' 125 $?
check 'bare: the message names it' 1 "$(grep -c "Can't make a control group memory: Operation not supported" /tmp/out)"
check 'bare: not limited where that is allowed' runs "$(run around/bare bare try 2>&1)"
run . none
echo 'CHECK ok [groups] the end was reached'
