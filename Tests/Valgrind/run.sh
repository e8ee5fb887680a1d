#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh EXECUTABLE: runs lines of a launcher that is not static under valgrind's memcheck, and fails
# where that finds something. A launch goes as far as the valgrind at hand knows the kernel's calls:
# 3.19 ends at mount_setattr(2).
set -euo pipefail
command -v valgrind >/dev/null || { echo 'make: valgrind is missing: apt-get install valgrind' >&2; exit 1; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
# Its debug information is newer than what valgrind reads.
strip -d -o "$place/nestbox" "$1"
export HOME=$place
cd "$place"
printf '%s\n' 'include default' 'errno? EPERM mkdir if arg1 & 0700 == 0700' >mine.policy
printf '%s\n' '--profile untrusted' '--setenv A ${HOME}' >mine.profile

# Nothing is found by what could not find anything.
printf '#include <stdlib.h>\nint main(void) { return ((volatile char *)malloc(1))[1]; }\n' >wrong.c
gcc -w -o wrong wrong.c
memcheck() { valgrind -q --trace-children=yes --error-exitcode=99 "$@"; }
# With -q such a line is a mistake, of whichever process.
is_clean() { ! grep -q '^==' err; }
memcheck sh -c './wrong; exit 125' 2>err || true
! is_clean || { echo 'valgrind does not find the mistake of a child' >&2; exit 1; }

count=0 failed=0
check() {
  local expected=$1 status=0; shift
  memcheck ./nestbox "$@" >out 2>err || status=$?
  count=$((count + 1))
  case " $expected " in *" $status "*) if is_clean; then return; fi ;; esac
  failed=$((failed + 1))
  printf 'status %d: nestbox %s\n' $status "$*"
  grep -vE 'WARNING|^--' err | head -n 40 || true
}
check 0 --help
check 0 --help profiles
check 0 --version
check 0 --list-profiles
check 0 --show-profile build
check 0 --seccomp-explain default
check 0 --dry-run true
check 0 --dry-run --profile ./mine.profile true
check 0 --dry-run --profile desktop true
check 0 --dry-run --json --profile network --hostname name true
check 0 --dry-run --ro-bind / / --seccomp-policy strict --seccomp-deny mkdir true
check 0 --dry-run --ro-bind / / --seccomp-policy mine.policy true
check 125 --ro-bnid / / true
check 125 --ro-bind / / --seccomp-policy nosuch true
check 125 --ro-bind /
check 125 --ro-bind / / --uid 4294967295 true
check '0 1' --doctor
check '0 125' true
check '0 125' --ro-bind / / true
check '0 125' --unshare-all --ro-bind / / --proc /proc --dev /dev true
echo "$count lines, $failed with mistakes"
[ $failed = 0 ]
