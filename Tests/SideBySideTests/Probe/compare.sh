#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs one line through bubblewrap and through nestbox and shows in what they differ.
#
# usage: [NESTBOX=FILE] compare.sh 'bwrap OPTION... observe' [LINE-FOR-BUBBLEWRAP]
#
# The line is a piece of shell that is run twice, each time in a new directory with the same few
# files. In it, bwrap stands for the program that is tried, nestbox under the name bwrap the second
# time, and observe for a command that prints what it sees inside. With RESULTS=DIRECTORY nothing
# is shown, and what was seen is left there.
set -u
here=$(cd -P "${BASH_SOURCE[0]%/*}" && pwd)
program=$(<"$here/observe.py")
nestbox=${NESTBOX:-$here/../../../.build/debug/nestbox}
results=${RESULTS:-} is_shown=
if [[ ! $results ]]; then results=$(mktemp -d) is_shown=1; fi
template=${TEMPLATE:-$results/template}
unset RESULTS NESTBOX TEMPLATE OLDPWD

# A root with nothing of the host but what python3 needs.
system="--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib"
system+=" --symlink usr/lib64 /lib64"
# What to start bwrap within, to have mounts that are shared with others.
shared="unshare --user --map-current-user --mount --propagation shared"

bwrap() {
  if [[ ${!#} == observe ]]; then
    set -- "${@:1:$#-1}" /usr/bin/python3 -ISc "$program" "$results/scene"
  fi
  $within "$launcher" "$@"
}

# Starts a process in new namespaces, made by unshare(1) with the given options, and puts its id
# into $holder. Its namespaces count as given.
hold() {
  mkfifo "$results/ready"
  unshare "$@" sh -c "echo >'$results/ready'; exec sleep 60" >/dev/null 2>&1 9<&- &
  read -r <"$results/ready"
  holder=$!
  readlink /proc/$holder/ns/{cgroup,ipc,mnt,net,pid_for_children,user,uts} >"$results/$name/given"
  rm "$results/ready"
}

make_template() {
  umask 022
  mkdir -p template/source/dir template/work/dir template/empty
  cd template || exit
  echo first >source/file; echo second >source/dir/inner; echo third >work/dir/inner
  echo fourth >work/file; echo data >data; : >info; : >status
  # A program for seccomp that allows everything: BPF_RET of SECCOMP_RET_ALLOW.
  printf '\x06\0\0\0\0\0\xff\x7f' >filter
  ln -s file source/link; ln -s nowhere source/dangling; ln -s /mnt/target source/outward
  chmod 711 work/dir; chmod 640 source/file
  cd .. || exit
}

try() {
  name=$1 launcher=$2 line=$3 holder= within=
  cp -a "$template" scene
  cd scene || exit
  (
    eval "$line"
    status=$?
    # unshare(1) does not heed SIGTERM while it waits for its child.
    if [[ $holder ]]; then kill -KILL "$holder"; fi
    exit $status
  ) 9</proc </dev/null >../"$name"/output 2>../"$name"/errors
  echo $? >../"$name"/status
  # What an overlay works in cannot be listed.
  find . -mindepth 1 -printf '%p %M %l\n' >../"$name"/tree 2>/dev/null
  cat info status >../"$name"/channels
  cd .. || exit
  rm -rf scene 2>/dev/null || { chmod -R u+rwX scene; rm -rf scene; }
}

cd "$results" || exit
ln -s "$nestbox" bwrap
readlink /proc/self/ns/{cgroup,ipc,mnt,net,pid,user,uts} >outside
mkdir reference nestbox
if [[ ! -d $template ]]; then make_template; fi
umask 027
try reference "${BWRAP:-/usr/bin/bwrap}" "${2:-$1}"
# Where bubblewrap fails late it leaves the command behind.
if [[ ! $is_shown ]]; then pkill -KILL -s 0 -x bwrap; fi
try nestbox "$results/bwrap" "$1"
if [[ $is_shown ]]; then
  sort -o reference/tree reference/tree; sort -o nestbox/tree nestbox/tree
  diff -ru reference nestbox
  cd / && rm -rf "$results"
fi
