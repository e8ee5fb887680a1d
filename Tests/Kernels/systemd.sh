#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boots kernels under qemu's software emulation with the systemd of a Debian release, and runs the
# checks of control groups as a user whose own systemd runs. Downloads stay in .build/kernels.
#
# KERNELS: what to boot, see archive.sh; by default 6.1, 6.12, 6.18 and the newest. RELEASE: the
# release whose systemd is taken. TIMEOUT: seconds for one kernel.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${TIMEOUT:=900}" "${KERNELS:=}" "${RELEASE:=bookworm}" "${NESTBOX:=.build/release/nestbox}"
for program in qemu-system-x86_64 busybox cpio gcc apt-get dpkg-deb; do
  command -v $program >/dev/null || { echo "systemd: needs $program"; exit 77; }
done
chosen=$KERNELS
. Tests/Kernels/archive.sh
if [ -z "$chosen" ]; then
  KERNELS=$(for series in 6.1. 6.12. 6.18. ''; do printf '%s\n' $KERNELS | grep "^${series//./[.]}" | tail -n 1; done | sort -Vu)
fi
fetch_packages "$RELEASE" systemd dbus libpam-systemd libpam-modules util-linux bash ||
  { echo "systemd: the packages of $RELEASE could not be fetched"; exit 1; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
for package in "$work/packages-$RELEASE"/*.deb; do dpkg-deb -x "$package" "$root"; done
# One place for programs and libraries.
for name in bin sbin lib lib64; do
  [ -d "$root/$name" ] && [ ! -h "$root/$name" ] || continue
  mkdir -p "$root/usr/$name"
  cp -a "$root/$name/." "$root/usr/$name/"
  rm -rf "${root:?}/$name"
  ln -s "usr/$name" "$root/$name"
done
rm -rf "$root"/usr/share/{doc,man,locale,info,perl5,i18n,bash-completion,zsh} "$root"/usr/lib/x86_64-linux-gnu/{perl-base,gconv} "$root/var/lib/dpkg"
mkdir -p "$root"/{proc,sys,dev,tmp,run,home,root,mnt,opt/busybox,etc/systemd/system}
cp "$(command -v busybox)" "$root/opt/busybox/busybox"
for name in $(busybox --list | grep -vx busybox); do ln -sf busybox "$root/opt/busybox/$name"; done
[ -e "$root/usr/bin/sh" ] || ln -s bash "$root/usr/bin/sh"
install -m 755 "$NESTBOX" "$root/usr/bin/nestbox"
gcc -O2 -static -o "$root/usr/bin/hog" Tests/Kernels/hog.c
# Programs that the checks run inside, where /opt is not shown.
for name in awk dd find sleep cat grep sed tr wc head dirname mkdir true id env; do
  [ -e "$root/usr/bin/$name" ] || install -m 755 "$(command -v busybox)" "$root/usr/bin/$name"
done
install -m 755 Tests/Kernels/systemd-init.sh "$root/init"
install -m 755 Tests/Kernels/{groups,systemd-root}.sh "$root/"
printf '%s\n' 'root:x:0:0::/root:/bin/sh' 'user:x:1000:1000::/home:/bin/sh' 'messagebus:x:101:101::/nonexistent:/bin/false' \
  'nobody:x:65534:65534::/nonexistent:/bin/false' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'user:x:1000:' 'messagebus:x:101:' 'tty:x:5:' 'nogroup:x:65534:' >"$root/etc/group"
chown 1000:1000 "$root/home"
chmod 1777 "$root/tmp"
echo 00000000000000000000000000000001 >"$root/etc/machine-id"
# Accepts every user, and opens sessions.
for service in su su-l runuser other login systemd-user; do
  printf '%s required pam_permit.so\n' auth account password session >"$root/etc/pam.d/$service"
  echo 'session optional pam_systemd.so' >>"$root/etc/pam.d/$service"
done
cat >"$root/etc/systemd/system/checks.target" <<'END'
[Unit]
Requires=basic.target dbus.service systemd-logind.service systemd-user-sessions.service checks.service
After=basic.target
END
cat >"$root/etc/systemd/system/checks.service" <<'END'
[Unit]
Requires=dbus.service
After=basic.target dbus.service systemd-logind.service systemd-user-sessions.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
StandardInput=null
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStart=/bin/sh /systemd-root.sh
ExecStopPost=/opt/busybox/poweroff -f
END
each=$(sed -n '/^in_every_group/,/^}/p' Tests/Kernels/groups.sh | grep -c '^ *check ')
all=$((4 * each + 1 + 2 + 2 + 1 + 1))
failed=0
for version in $KERNELS; do
  fetch_kernel "$version" || { echo "$version: could not be fetched"; failed=1; continue; }
  log=$work/$version/systemd
  boot "$version" "$root" 1536 "$TIMEOUT" "$log.log" "$log.checks"
  echo "$version with systemd of $RELEASE: $(grep -c '^ok' "$log.checks" || true) of $(wc -l <"$log.checks") checks passed"
  grep -v '^ok' "$log.checks" | sed 's/^/    /' || true
  grep -q '^ok the end was reached' "$log.checks" || { echo "    it did not come to an end"; failed=1; }
  grep -q '^FAILED' "$log.checks" && failed=1
  # Where the kernel does not note the most processes, the line says `without` instead.
  [ "$(wc -l <"$log.checks")" = "$all" ] || { echo "    of $all checks some are missing"; failed=1; }
done
exit $failed
