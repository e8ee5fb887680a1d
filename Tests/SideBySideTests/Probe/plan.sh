#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs one line with --dry-run, and then as it is, and leaves the plan and the observations in
# RESULTS: plan, plan-status, seen (the table of mounts inside), status, errors and made (the dry
# run's changes in the directory: none).
#
# usage: NESTBOX=FILE RESULTS=DIRECTORY TEMPLATE=DIRECTORY plan.sh 'bwrap OPTION... observe'
set -u
nestbox=$NESTBOX results=$RESULTS template=$TEMPLATE line=$1
unset RESULTS NESTBOX TEMPLATE OLDPWD

# As in compare.sh.
system="--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib"
system+=" --symlink usr/lib64 /lib64"
shared="unshare --user --map-current-user --mount --propagation shared"
within=

bwrap() {
  if [[ ${!#} == observe ]]; then
    # The caller's /proc, so that looking needs no mount.
    set -- "${@:1:$#-1}" /usr/bin/python3 -ISc \
      'import os, sys; sys.stdout.write(open("self/mountinfo", opener=lambda name, flags: os.open(name, flags, dir_fd=9)).read())'
  fi
  $within "$results/bwrap" "${first[@]}" "$@"
}

# Without what the shell's redirections make new.
list() { find . ! -name info ! -name status -printf '%p %M %l %i %s %T@\n' | sort; }

cd "$results" || exit
ln -s "$nestbox" bwrap
cp -a "$template" scene
cd scene || exit
# Only the socket of a bus.
/usr/bin/python3 -ISc 'import socket; socket.socket(socket.AF_UNIX).bind("bus")'
export DBUS_SESSION_BUS_ADDRESS="unix:path=$PWD/bus"
umask 027
list >../before
first=(--dry-run --json)
(eval "$line") 9</proc </dev/null >../plan 2>../plan-errors
echo $? >../plan-status
list | diff ../before - >../made
first=()
(eval "$line") 9</proc </dev/null >../seen 2>../errors
echo $? >../status
cd .. || exit
rm -rf scene 2>/dev/null || { chmod -R u+rwX scene; rm -rf scene; }
