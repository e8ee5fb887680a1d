# SPDX-License-Identifier: Apache-2.0
# A whole range of ids: the set-uid helpers newuidmap and newgidmap write the maps of a sandbox
# that waits for them, and inside, programs change owners and users as root does.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need newuidmap uidmap
need python3 python3
need dpkg-deb dpkg
need apt-get apt
user=$(id -un)
range() { awk -F: -v user="$user" -v id="$(id -u)" '$1 == user || $1 == id { print $2, $3; exit }' "$1"; }
read -r uids uid_count <<<"$(range /etc/subuid) "
read -r gids gid_count <<<"$(range /etc/subgid) "
((${uid_count:-0} >= 65535 && ${gid_count:-0} >= 65535)) ||
  skip "$user has no range of 65535 ids in /etc/subuid and /etc/subgid"

# Usage: mapped OPTION… COMMAND…
# What a container tool does: reads child-pid, has the maps written, and lets the sandbox go on.
cat >mapped.py <<'END'
import json
import os
import subprocess
import sys

uids, gids, *line = sys.argv[1:]
info, info_write = os.pipe()
block_read, block = os.pipe()
sandbox = subprocess.Popen(
    ["bwrap", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL",
     "--info-fd", str(info_write), "--userns-block-fd", str(block_read), *line],
    pass_fds=[info_write, block_read])
os.close(info_write)
os.close(block_read)
with open(info) as pipe:
    child = str(json.load(pipe)["child-pid"])
for helper, own, ids in ("newuidmap", os.getuid(), uids), ("newgidmap", os.getgid(), gids):
    subprocess.run([helper, child, "0", str(own), "1", "1", ids, "65535"], check=True)
os.write(block, b"1")
os.close(block)
sys.exit(sandbox.wait())
END
mapped() { python3 mapped.py "$uids" "$gids" --unshare-pid --die-with-parent "$@"; }
host=(--ro-bind / / --proc /proc --dev /dev --tmpfs /tmp)

is "the maps hold the range" "0 $(id -u) 1 1 $uids 65535 0 $(id -g) 1 1 $gids 65535" \
  "$(mapped "${host[@]}" cat /proc/self/uid_map /proc/self/gid_map | xargs)"
is "the command is root, and may set groups" "0 0 allow" \
  "$(mapped "${host[@]}" bash -c 'echo $(id -u) $(id -g) $(</proc/self/setgroups)')"
is "--cap-add ALL keeps every capability" "$(mapped "${host[@]}" sed -n 's/^CapBnd:\t//p' /proc/self/status)" \
  "$(mapped "${host[@]}" sed -n 's/^CapEff:\t//p' /proc/self/status)"
is "a file may be given to any id" "33:44 65535:65535" \
  "$(mapped "${host[@]}" bash -c 'cd /tmp; touch a b; chown 33:44 a; chown 65535:65535 b; stat -c %u:%g a b' | paste -sd ' ')"
is "and a process may become any" "33 33 7 44" \
  "$(mapped "${host[@]}" setpriv --reuid=33 --regid=33 --groups=7,44 bash -c 'echo $(id -u) $(id -g) $(id -G | cut -d " " -f 2-)')"

mkdir shared
# The user outside could not remove what belongs to other ids.
trap 'mapped "${host[@]}" --bind shared /tmp find /tmp -mindepth 1 -delete || true' EXIT
mapped "${host[@]}" --bind shared /tmp bash -c 'touch /tmp/a; chown 33:44 /tmp/a'
is "on the host, it belongs to an id of the range" "$((uids + 32)):$((gids + 43))" "$(stat -c %u:%g shared/a)"
mapped "${host[@]}" --bind shared /tmp bash -c 'rm /tmp/a; mkdir /tmp/d; touch /tmp/d/f; chown -R 33 /tmp/d'
refuses "from a directory of such an id, the user outside can't remove it" rm -r shared/d
succeeds "but within a sandbox" mapped "${host[@]}" --bind shared /tmp rm -r /tmp/d

# An archive of many owners, as a system's
mapped "${host[@]}" --bind shared /tmp bash -c '
  cd /tmp && mkdir tree && for id in 1 33 1000 65534; do touch tree/$id; chown $id:$id tree/$id; done
  tar -cf tree.tar tree && rm -r tree'
is "tar unpacks every owner" "1:1 1000:1000 33:33 65534:65534" \
  "$(mapped "${host[@]}" --bind shared /tmp bash -c '
    cd /tmp && tar -xpf tree.tar && stat -c %u:%g tree/* && rm -r tree' | paste -sd ' ')"

# A package whose files belong to www-data, and a repository of that package
version() { echo "Package: probe
Version: $1
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: gives files to other users"; }
mapped "${host[@]}" --bind shared /tmp bash -ec '
  cd /tmp && mkdir -p probe/DEBIAN probe/srv/probe
  cat >probe/DEBIAN/control
  printf "%s\n" "#!/bin/sh" "touch \$DPKG_ROOT/srv/probe/made" "chown 7:7 \$DPKG_ROOT/srv/probe/made" \
    >probe/DEBIAN/postinst
  chmod 755 probe/DEBIAN/postinst
  touch probe/srv/probe/page; chown 33:33 probe/srv/probe probe/srv/probe/page; chmod 2750 probe/srv/probe
  mkdir repository && dpkg-deb --build probe repository/probe.deb >/dev/null && rm -r probe' <<<"$(version 1)"
(version 1 && echo "Filename: ./probe.deb
Size: $(stat -c %s shared/repository/probe.deb)
SHA256: $(sha256sum <shared/repository/probe.deb | cut -d ' ' -f 1)") >shared/repository/Packages

mapped "${host[@]}" --bind shared /tmp bash -ec '
  exec 2>&1
  cd /tmp && mkdir -p apt/etc apt/state/lists/partial apt/cache/archives/partial target/var/lib/dpkg
  touch target/var/lib/dpkg/status
  echo "deb [trusted=yes] file:/tmp/repository ./" >apt/etc/sources.list
  # The user under which apt downloads must reach the files.
  chmod 755 /tmp /tmp/repository
  options=(-o Dir::Etc=/tmp/apt/etc -o Dir::State=/tmp/apt/state -o Dir::Cache=/tmp/apt/cache
    -o Dir::State::status=/tmp/target/var/lib/dpkg/status -o Dir::Log=/tmp/apt
    -o DPkg::Options::=--root=/tmp/target -o DPkg::Options::=--force-script-chrootless
    -o DPkg::Options::=--log=/tmp/apt/dpkg.log -o APT::Sandbox::User=nobody)
  apt-get -q "${options[@]}" update
  apt-get -q "${options[@]}" -y install probe' >apt.log || fail "apt-get works" "$(cat apt.log)"
is "apt-get and dpkg install a package with its owners" "2750 33:33 640 7:7 33:33" \
  "$(mapped "${host[@]}" --bind shared /tmp bash -c '
    cd /tmp/target/srv/probe; chmod 640 made; stat -c "%a %u:%g" . made; stat -c %u:%g page' | paste -sd ' ')"
is "apt-get downloaded as another user" "" "$(grep -i 'unsandboxed\|setgroups\|seteuid' apt.log || true)"

# If the caller does not write the maps
status=0
python3 - <<'END' || status=$?
import json, os, subprocess, sys
info, info_write = os.pipe()
block_read, block = os.pipe()
sandbox = subprocess.Popen(
    ["bwrap", "--unshare-user", "--info-fd", str(info_write), "--userns-block-fd", str(block_read),
     "--ro-bind", "/", "/", "sh", "-c", "exit 3"],
    pass_fds=[info_write, block_read], stderr=subprocess.PIPE)
os.close(info_write)
os.close(block_read)
json.load(open(info))
os.close(block)
message = sandbox.communicate()[1].decode()
sys.exit(0 if sandbox.returncode == 1 and "bwrap: " in message else message or 1)
END
is "a sandbox whose maps nobody wrote does not start" 0 $status
