#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The package for Debian: installed, used by an ordinary user, upgraded and removed, in a copy of the
# machine whose changes nobody keeps.
#
# usage: debian.sh NESTBOX REPOSITORY, as root, in an empty directory
set -euo pipefail
shopt -s inherit_errexit

nestbox=$1 repository=$2
fail() { printf 'not so: %s\n%s\n' "$1" "${2-}"; exit 1; }
skip() { echo "$*"; exit 77; }
is() { [ "$2" = "$3" ] || fail "$1" "expected: $2"$'\n'"found: $3"; echo "ok: $1"; }

if readelf -l "$nestbox" | grep -q INTERP; then skip "a package needs the static executable"; fi

# The tree that make stage makes; the pages are those that are checked in.
mkdir -p stage/usr/bin one two
strip -o stage/usr/bin/nestbox "$nestbox"
make -s -C "$repository" install-pages DESTDIR="$PWD/stage" PREFIX=/usr >/dev/null
export MAINTAINER='Tester <tester@example.org>'
cp -r "$repository/Packaging" "$repository/docs" "$repository/LICENSE" "$repository/CHANGELOG.md" two
mkdir -p two/Sources/Options
cp "$repository/Sources/Options/Release.swift" two/Sources/Options
(umask 077 && cp -r --no-preserve=mode stage two/stage && chmod u+x two/stage/usr/bin/nestbox)
for kind in deb archive; do
  (cd one && "$repository/Packaging/package.sh" $kind ../stage . >/dev/null)
  (cd two && umask 077 && TZ=Asia/Tokyo Packaging/package.sh $kind stage . >/dev/null)
done
for file in one/*; do
  cmp "$file" "two/${file#*/}" || fail "two builds in two directories give the same bytes" "$file"
done
echo "ok: two builds in two directories give the same bytes"
deb=$PWD/$(echo one/*.deb)
if command -v lintian >/dev/null; then
  output=$(lintian --allow-root --fail-on error "$deb" 2>&1) || fail "lintian finds no error" "$output"
  echo "ok: lintian finds no error"
fi
REVISION=2 "$repository/Packaging/package.sh" deb stage one >/dev/null
newer=$PWD/$(echo one/*-2_*.deb)

# Everything from here on happens in the copy.
mkdir copy
export deb newer
unshare --mount --pid --fork --propagation private bash -euo pipefail -c '
  mount -t tmpfs tmpfs copy
  mkdir copy/upper copy/work copy/root copy/files
  cp "$deb" "$newer" copy/files
  mount -t overlay overlay -o lowerdir=/,upperdir=copy/upper,workdir=copy/work copy/root
  mount -t proc proc copy/root/proc
  mount --rbind /dev copy/root/dev
  mkdir -p copy/root/packages
  mount --bind copy/files copy/root/packages
  # No chroot(2): in one the kernel lets nobody make user namespaces.
  cd copy/root
  mkdir old
  pivot_root . old
  exec bash -euo pipefail -s
' <<'EOF' || fail "in a copy of the machine" "see above"
is() { [ "$2" = "$3" ] || { printf 'not so: %s\nexpected: %s\nfound: %s\n' "$1" "$2" "$3"; exit 1; }; echo "ok: $1"; }
cd /
umount -l /old
PATH=/usr/sbin:/usr/bin:/sbin:/bin
rm -f /usr/bin/nestbox /usr/local/bin/nestbox /etc/apparmor.d/nestbox
find /usr /etc -name '*nestbox*' -not -path '/usr/src/*' -not -path '/usr/local/*' 2>/dev/null | sort >/before
mkdir /thing
printf '#!/bin/sh\nls -A; ls -A ..\n' >/thing/thing
chmod 755 /thing /thing/thing
use() {
  (cd /thing && setpriv --reuid=61234 --regid=61234 --clear-groups env -i PATH=$PATH HOME=/nonexistent nestbox "$@" 2>/dev/null)
}
dpkg -i /packages/*-1_*.deb >/dev/null
is "an ordinary user runs a program" thing "$(use ./thing | head -n 1)"
is "the manual is there" "NESTBOX(1)" "$(man -P cat nestbox 2>/dev/null | grep -o '^NESTBOX(1)' | head -n 1)"
is "bash completes its options" --seccomp-policy "$(bash -c '
  . /usr/share/bash-completion/bash_completion; . /usr/share/bash-completion/completions/nestbox
  COMP_WORDS=(nestbox --seccomp-pol) COMP_CWORD=1 COMP_LINE="nestbox --seccomp-pol" COMP_POINT=21
  [[ $(complete -p nestbox) =~ -F\ ([^ ]+) ]]; ${BASH_REMATCH[1]} nestbox --seccomp-pol nestbox
  echo "${COMPREPLY[0]}"' | sed "s/ *$//")"
is "all files are as they were packed" "" "$(dpkg --verify nestbox)"
is "AppArmor gets a profile only where it can read it" "$([ ! -e /etc/apparmor.d/abi/4.0 ] || echo there)" \
  "$([ ! -e /etc/apparmor.d/nestbox ] || echo there)"
# As if AppArmor were that of a later release.
mkdir -p /etc/apparmor.d/abi
[ -e /etc/apparmor.d/abi/4.0 ] || touch /etc/apparmor.d/abi/4.0
dpkg -i /packages/*-2_*.deb >/dev/null
is "it is upgraded" "0.1.0-2 install ok installed" "$(dpkg-query -W -f '${Version} ${Status}' nestbox | sed 's/^[0-9.]*-/0.1.0-/')"
is "and used" thing "$(use ./thing | head -n 1)"
is "AppArmor gets a profile for its path" "profile nestbox /usr/bin/nestbox" \
  "$(grep -o '^profile nestbox [^ ]*' /etc/apparmor.d/nestbox)"
dpkg -P nestbox >/dev/null
is "and removed as a whole" "" \
  "$(find /usr /etc -name '*nestbox*' -not -path '/usr/src/*' -not -path '/usr/local/*' 2>/dev/null | sort | comm -13 /before -)"
EOF
