#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# world.sh COMMAND...: runs a command on a machine with a small internet: one other host, with a name
# server and a web server at addresses that are kept for documentation. All of it lies in namespaces
# that end with the command.
set -eu
here=$(dirname "$(readlink -f "$0")")
if [ "${WORLD:-}" != inside ]; then
  WORLD=inside exec unshare --user --map-root-user --net --mount --pid --fork --kill-child bash "$0" "$@"
fi
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
echo 'nameserver 203.0.113.53' >/mnt/resolv.conf
printf '127.0.0.1 localhost\n203.0.113.7 hosts-file.test\n' >/mnt/hosts
mount --bind /mnt/resolv.conf "$(readlink -f /etc/resolv.conf)"
mount --bind /mnt/hosts /etc/hosts
ip link set lo up
unshare --net python3 "$here/internet.py" >/mnt/log 2>&1 &
host=$!
# Until that process is in its own namespace.
while [ "$(readlink "/proc/$host/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link add near type veth peer name far netns "$host"
ip address add 203.0.113.1/24 dev near
ip address add 2001:db8:113::1/64 dev near nodad
# Further addresses of this machine, of which the kernel sends from the first; and all of a network.
ip address add 203.0.113.2/24 dev near
ip -6 route add local 2001:db8:114::/64 dev lo
ip address add 10.113.0.1/24 dev near
ip link set near up
while ! grep -q ready /mnt/log; do sleep 0.02; done
status=0
"$@" || status=$?
[ -z "${WORLD_LOG:-}" ] || cat /mnt/log
exit $status
