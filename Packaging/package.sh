#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes what others install: a package for Debian, or an archive with checksums. `make deb` and
# `make dist` stage the files and start this.
#
# usage: package.sh deb|archive STAGE DIRECTORY
#
# STAGE has the tree that `make install PREFIX=/usr` makes. The same tree gives the same bytes: owner,
# mode, order and time of the files are fixed, and gzip stores neither name nor time.
set -euo pipefail

kind=$1 stage=$2 directory=$3
source=$(dirname "$(dirname "$(realpath "$0")")")
value() { sed -n "s/.*let $1 = \"\(.*\)\"/\1/p" "$source/Sources/Options/Release.swift"; }
version=$(value version)
day=$(value date)
machine=$(uname -m)
# What reproducible-builds.org defines; tar and dpkg-deb take it as the latest time of a file.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -u -d "$day" +%s)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

archive() {
  local name=nestbox-$version-linux-$machine
  cp -r "$stage/usr" "$work/$name"
  install -D -m 644 -t "$work/$name/share/doc/nestbox" "$source/LICENSE" "$source/CHANGELOG.md" \
    "$source/Packaging/copyright"
  # With @bindir@ in it, for those who need it.
  install -D -m 644 "$source/docs/apparmor/nestbox" "$work/$name/share/nestbox/apparmor/nestbox"
  chmod -R go-w,a+rX "$work/$name"
  tar --create --directory "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --format=gnu \
    --owner=0 --group=0 --numeric-owner "$name" | gzip -9n >"$directory/$name.tar.gz"
  echo "$directory/$name.tar.gz"
}

deb() {
  local architecture revision=${REVISION:-1} name root=$work/root
  architecture=$(dpkg --print-architecture)
  name=nestbox_$version-${revision}_$architecture
  mkdir -p "$root/DEBIAN"
  cp -r "$stage/usr" "$root/usr"
  local doc=$root/usr/share/doc/nestbox
  install -D -m 644 "$source/Packaging/copyright" "$doc/copyright"
  gzip -9nc "$source/CHANGELOG.md" >"$doc/changelog.gz"
  gzip -9nc >"$doc/changelog.Debian.gz" <<EOF
nestbox ($version-$revision) unstable; urgency=medium

  * This release; changelog.gz says what is new.

 -- ${MAINTAINER:?}  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
EOF
  find "$root/usr/share/man" -type f -exec gzip -9n {} +
  mkdir -p "$root/usr/share/nestbox/apparmor"
  sed 's|@bindir@|/usr/bin|' "$source/docs/apparmor/nestbox" >"$root/usr/share/nestbox/apparmor/nestbox"
  # zsh looks in another place for what packages bring.
  mkdir -p "$root/usr/share/zsh/vendor-completions"
  mv "$root/usr/share/zsh/site-functions/_nestbox" "$root/usr/share/zsh/vendor-completions/"
  rmdir "$root/usr/share/zsh/site-functions"
  install -D -m 644 "$source/Packaging/lintian-overrides" "$root/usr/share/lintian/overrides/nestbox"
  install -m 755 "$source/Packaging/postinst" "$source/Packaging/prerm" "$root/DEBIAN"
  # As dpkg counts it: in KiB, each file rounded up.
  local size
  size=$(find "$root/usr" -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
  cat >"$root/DEBIAN/control" <<EOF
Package: nestbox
Version: $version-$revision
Architecture: $architecture
Maintainer: $MAINTAINER
Installed-Size: $size
Suggests: xdg-dbus-proxy
Section: utils
Priority: optional
Built-Using: $(built_using)
Description: run commands in a sandbox, as an ordinary user
 nestbox runs a command in a sandbox of Linux namespaces: it sees the system
 read-only, an empty home directory, no network and no other processes, unless
 options or profiles show it more. It needs no daemon and no set-user-ID helper.
 .
 It has the options of bubblewrap, and policies of system calls, limits of time
 and memory, reviews of what a command changes, and running sandboxes that can
 be listed, entered and stopped.
EOF
  (cd "$root" && find usr -type f -printf '%P\0' | sort -z | (cd usr && xargs -0 md5sum) |
    sed 's|  |  usr/|') >"$root/DEBIAN/md5sums"
  chmod -R go-w,a+rX "$root"
  find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --build --root-owner-group -Zxz "$root" "$directory/$name.deb" >/dev/null
  echo "$directory/$name.deb"
}

# The packages whose libraries are in the executable, with their versions.
built_using() {
  dpkg-query --show --showformat '${source:Package} (= ${source:Version})\n' \
    libc6-dev libcap-dev libseccomp-dev libjansson-dev 2>/dev/null | sort -u | paste -sd , | sed 's/,/, /g'
}

mkdir -p "$directory"
"$kind"
