# SPDX-License-Identifier: Apache-2.0
# Fetches kernels and packages of Debian's archive to .build/kernels; run.sh and systemd.sh read this.
#
# KERNELS: what to boot, as versions of linux-image-VERSION-cloud-amd64; by default the newest of
# each series that the archive has.
work=$PWD/.build/kernels
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,debs}

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

# Fetches the kernel $1 to $work/$1; from 6.19 on the kernel and its modules have separate packages.
fetch_kernel() {
  local place=$work/$1 packages package
  [ ! -e "$place/done" ] || return 0
  mkdir -p "$place"
  packages=$(apt-cache "${apt[@]}" search "^linux-(image|binary|modules)-${1//+/[+]}-cloud-amd64\$" |
    cut -d ' ' -f 1)
  # shellcheck disable=SC2086
  (cd "$work/debs" && apt-get "${apt[@]}" download $packages) >"$place/download.log" 2>&1 || return
  for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$place"; done
  rm -f "$work"/debs/*.deb
  touch "$place/done"
}

# The packages $2... of the release $1 and all that they need, as if nothing were installed, to
# $work/packages-$1.
fetch_packages() {
  local place=$work/packages-$1 release=$1
  shift
  [ ! -e "$place/done" ] || return 0
  mkdir -p "$place/partial"
  : >"$place/status"
  apt-get "${apt[@]}" -o "Dir::State::status=$place/status" -o "Dir::Cache::archives=$place" \
    --no-install-recommends -y --download-only -t "$release" install "$@" >"$place/download.log" 2>&1 || return
  touch "$place/done"
}

# Boots the kernel $1 with the files of the directory $2 in $3 MB of memory, for at most $4 seconds;
# what it prints goes to $5, and the lines that begin with CHECK to $6.
boot() {
  (cd "$2" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/$1/initramfs.gz"
  timeout "$4" qemu-system-x86_64 -accel tcg -cpu max -m "$3" -smp 1 -nographic -no-reboot -nic none \
    -kernel "$(find "$work/$1" -name 'vmlinuz*' -type f | head -n 1)" -initrd "$work/$1/initramfs.gz" \
    -append 'console=ttyS0 quiet no_timer_check panic=-1 rdinit=/init' </dev/null >"$5" 2>&1 || true
  rm "$work/$1/initramfs.gz"
  tr -d '\r' <"$5" | sed -n 's/^CHECK //p' >"$6"
}
