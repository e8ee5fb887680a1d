#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks the newest bubblewrap of Debian's archive into a directory, with the C library and the
# others that it needs beside it, and prints its path: for the variable NEWEST_BWRAP. Nothing is
# installed. Root runs it, on a Debian machine with patchelf.
#
# usage: newest.sh DIRECTORY
set -euo pipefail

directory=${1:?usage: newest.sh DIRECTORY}
mkdir -p "$directory"/{lists/partial,cache/archives/partial,root}
cd "$directory"
directory=$PWD
if [ -x bwrap ] && ./bwrap --version >/dev/null 2>&1; then
  echo "$directory/bwrap"
  exit
fi

# The archive that this machine uses, without its own lists.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$')
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [arch=$(dpkg --print-architecture) signed-by=$keys] $archive sid main" >sources.list
apt() {
  apt-get -qq -o Dir::Etc::SourceList="$directory/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$directory/lists" -o Dir::Cache="$directory/cache" \
    -o APT::Sandbox::User=root "$@" >&2
}
apt update
apt download bubblewrap libc6 libcap2 libselinux1 libpcre2-8-0
for package in *.deb; do dpkg-deb --extract "$package" root; done

libraries=$(echo "$directory"/root/usr/lib/*-linux-gnu*)
cp root/usr/bin/bwrap bwrap
for loader in "$libraries"/ld-linux*; do patchelf --set-interpreter "$loader" bwrap; done
patchelf --set-rpath "$libraries" bwrap
for library in "$libraries"/lib{selinux,cap,pcre2-8}.so.?*; do
  [ -L "$library" ] || patchelf --set-rpath "$libraries" "$library"
done
chmod -R a+rX "$directory"
./bwrap --version >&2
echo "$directory/bwrap"
