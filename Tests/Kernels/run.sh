#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boots kernels of Debian's archive under qemu's software emulation, with the static executable and
# busybox in an initramfs, and runs checks.sh in each. Downloads stay in .build/kernels.
#
# KERNELS: what to boot, as versions of linux-image-VERSION-cloud-amd64; by default the newest of
# each series that the archive has. TIMEOUT: seconds for one kernel.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${TIMEOUT:=240}" "${KERNELS:=}" "${NESTBOX:=.build/release/nestbox}"
work=$PWD/.build/kernels
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,debs}

for program in qemu-system-x86_64 busybox cpio apt-get dpkg-deb; do
  command -v $program >/dev/null || { echo "kernels: needs $program (qemu-system-x86, busybox-static, cpio)"; exit 77; }
done

# The archives of the maintained releases, from this machine's mirror, read by a separate apt.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$') ||
  { echo "kernels: apt knows no archive of Debian's"; exit 77; }
key=/usr/share/keyrings/debian-archive-keyring.gpg
for line in 'debian bullseye' 'debian-security bullseye-security' 'debian bookworm' \
  'debian-security bookworm-security' 'debian bookworm-backports' 'debian trixie' 'debian trixie-backports'; do
  echo "deb [arch=amd64 signed-by=$key] ${archive%debian/}${line% *} ${line#* } main"
done >"$work/sources.list"
apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State=$work/state"
  -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=$(id -un)" -q)
[ -n "$(find "$work/state/lists" -name '*Packages*' -mtime -1 -print -quit)" ] ||
  apt-get "${apt[@]}" update >"$work/update.log" 2>&1 || { cat "$work/update.log"; exit 1; }
if [ -z "$KERNELS" ]; then
  KERNELS=$(apt-cache "${apt[@]}" search '^linux-image-[0-9].*-cloud-amd64$' |
    sed -n 's/^linux-image-\([0-9]*\.[0-9]*\.[^ ]*\)-cloud-amd64 .*/\1/p' | sort -V |
    awk -F. '{ newest[$1 "." $2] = $0 } END { for (series in newest) print newest[series] }' | sort -V)
fi

[ -n "$KERNELS" ] || { echo 'kernels: the archive has none'; exit 1; }

# One root for all kernels.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,proc,sys,dev,tmp,run,etc}
cp "$(command -v busybox)" "$root/bin/busybox"
install -m 755 "$NESTBOX" "$root/bin/nestbox"
install -m 755 Tests/Kernels/init.sh "$root/init"
install -m 755 Tests/Kernels/{checks,groups,groups-root}.sh "$root/"

# All lines of checks.sh, with the release before and the end after them; of a kernel that is too old
# there are three.
all=$(($(grep -cE '^(check|since) ' Tests/Kernels/checks.sh) + 2))
# Those of groups.sh, beside another group once with each way to mount the hierarchy.
beside=$(sed -n '/^  beside)/,/;;/p' Tests/Kernels/groups.sh | grep -c '^ *check ')
all_groups=$((2 * (beside + 3) + 3 + 2 + 1))
failed=0
for version in $KERNELS; do
  place=$work/$version
  if [ ! -e "$place/done" ]; then
    mkdir -p "$place"
    # From 6.19 on the kernel and its modules have separate packages.
    packages=$(apt-cache "${apt[@]}" search "^linux-(image|binary|modules)-${version//+/[+]}-cloud-amd64\$" |
      cut -d ' ' -f 1)
    # shellcheck disable=SC2086
    (cd "$work/debs" && apt-get "${apt[@]}" download $packages) >"$place/download.log" 2>&1 ||
      { echo "$version: could not be fetched"; failed=1; continue; }
    for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$place"; done
    rm -f "$work"/debs/*.deb
    touch "$place/done"
  fi
  # Of the modules, what the checks need and these kernels do not have built in.
  rm -rf "$root/modules"
  mkdir "$root/modules"
  for module in overlay; do
    file=$(find "$place" -name "$module.ko*" | head -n 1)
    case $file in
      '') ;;
      *.xz) xz -dc "$file" >"$root/modules/$module.ko" ;;
      *.zst) zstd -qdc "$file" >"$root/modules/$module.ko" ;;
      *) cp "$file" "$root/modules/$module.ko" ;;
    esac
  done
  (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$place/initramfs.gz"
  timeout "$TIMEOUT" qemu-system-x86_64 -accel tcg -cpu max -m 512 -smp 1 -nographic -no-reboot -nic none \
    -kernel "$(find "$place" -name 'vmlinuz*' -type f | head -n 1)" -initrd "$place/initramfs.gz" \
    -append 'console=ttyS0 quiet panic=-1 rdinit=/init' </dev/null >"$place/log" 2>&1 || true
  tr -d '\r' <"$place/log" | sed -n 's/^CHECK //p' >"$place/checks"
  echo "$version: $(grep -c '^ok' "$place/checks" || true) of $(wc -l <"$place/checks") checks passed"
  grep -v '^ok' "$place/checks" | sed 's/^/    /' || true
  grep -q '^ok the end was reached' "$place/checks" || { echo "    it did not come to an end"; failed=1; }
  groups=$(grep -c '\[groups\]' "$place/checks" || true)
  case $(grep -vc '\[groups\]' "$place/checks") in
    "$all")
      if [ "$groups" != "$all_groups" ]; then
        echo "    of $all_groups checks of control groups there are $groups"
        failed=1
      fi
      ;;
    3) grep -q '^ok too old' "$place/checks" || failed=1 ;;
    *) echo "    of $all checks some are missing"; failed=1 ;;
  esac
  grep -q '^FAILED' "$place/checks" && failed=1
done
exit $failed
