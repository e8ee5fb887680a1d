#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boots kernels of Debian's archive under qemu's software emulation, with the static executable and
# busybox in an initramfs, and runs checks.sh in each. Downloads stay in .build/kernels.
#
# KERNELS: what to boot, see archive.sh. TIMEOUT: seconds for one kernel.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${TIMEOUT:=240}" "${KERNELS:=}" "${NESTBOX:=.build/release/nestbox}"
for program in qemu-system-x86_64 busybox cpio gcc apt-get dpkg-deb; do
  command -v $program >/dev/null || { echo "kernels: needs $program (qemu-system-x86, busybox-static, cpio)"; exit 77; }
done

. Tests/Kernels/archive.sh

# One root for all kernels.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,proc,sys,dev,tmp,run,etc}
cp "$(command -v busybox)" "$root/bin/busybox"
install -m 755 "$NESTBOX" "$root/bin/nestbox"
gcc -O2 -static -o "$root/bin/hog" Tests/Kernels/hog.c
install -m 755 Tests/Kernels/init.sh "$root/init"
install -m 755 Tests/Kernels/{checks,groups,groups-root}.sh "$root/"

# All lines of checks.sh, with the release before and the end after them; of a kernel that is too old
# there are three.
all=$(($(grep -cE '^(check|since) ' Tests/Kernels/checks.sh) + 2))
# Those of groups.sh, beside another group once with each way to mount the hierarchy.
beside=$(sed -n '/^in_every_group/,/^}/p' Tests/Kernels/groups.sh | grep -c '^ *check ')
all_groups=$((2 * (beside + 3) + 3 + 2 + 1))
failed=0
for version in $KERNELS; do
  place=$work/$version
  fetch_kernel "$version" || { echo "$version: could not be fetched"; failed=1; continue; }
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
  boot "$version" "$root" 512 "$TIMEOUT" "$place/log" "$place/checks"
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
