#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds what other people build, without the Makefile and its flags: the executable in a fresh
# clone, and a package that depends on this one, first by path, then by version tag.
set -euo pipefail
cd "$(dirname "$0")/../.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
swift=${SWIFT:-swift}
fail() { printf 'dependents: %s\n' "$@" >&2; exit 1; }

# The state of this checkout, committed or not, as a repository with a version.
git clone -q . "$place/nestbox"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ] || [ -L "$file" ]; then cp -P --parents "$file" "$place/nestbox"; else
    rm -f "$place/nestbox/$file"; fi
done
as_author=(-c user.name=tester -c user.email=tester@localhost)
git -C "$place/nestbox" add --all
git -C "$place/nestbox" "${as_author[@]}" commit -q --allow-empty -m 'As it is now'
git -C "$place/nestbox" tag 7.0.0

# Releases of SwiftPM before 6.2 refuse a dependency that has some.
! "$swift" package --package-path "$place/nestbox" dump-package | grep -q unsafeFlags ||
  fail 'Package.swift has unsafe flags; flags that only tune belong into the Makefile'

echo 'dependents: swift build -c release in a fresh clone'
"$swift" build --package-path "$place/nestbox" -c release 2>&1 | tail -n 1
# As root the sandbox would be another one.
chmod 755 "$place"
as_user=()
[ "$(id -u)" != 0 ] || as_user=(setpriv --reuid=61234 --regid=61234 --clear-groups)
built=$("$swift" build --package-path "$place/nestbox" -c release --show-bin-path)/nestbox
cp "$built" "$place/tried"
output=$(cd / && "${as_user[@]}" env -i PATH=/usr/bin:/bin HOME=/ "$place/tried" --ro-bind / / \
  --unshare-all --proc /proc --dev /dev --seccomp-policy default \
  sh -c 'set -- /proc/[0-9]*; echo "$$${SWIFT_ROOT-}" "$@"') # The shell alone: no race with a pipe's other end.
[ "$output" = '2 /proc/1 /proc/2' ] || fail "the plain build's sandbox is not as expected:" "$output"

client() { # DIRECTORY DEPENDENCY
  mkdir -p "$1/Sources/client"
  cat >"$1/Package.swift" <<EOF
// swift-tools-version: 6.0
import PackageDescription
let package = Package(
  name: "client", dependencies: [$2],
  targets: [
    .executableTarget(name: "client", dependencies: [.product(name: "Sandbox", package: "nestbox")]),
    .executableTarget(name: "grade", dependencies: [.product(name: "Nestbox", package: "nestbox")]),
    .executableTarget(name: "many", dependencies: [.product(name: "Nestbox", package: "nestbox")]),
    .executableTarget(name: "stream", dependencies: [.product(name: "Nestbox", package: "nestbox")]),
  ])
EOF
  cp Tests/Dependents/client.swift "$1/Sources/client/main.swift"
  for example in grade many stream; do
    mkdir -p "$1/Sources/$example"
    cp "Examples/$example.swift" "$1/Sources/$example/"
  done
  output=$("$swift" run --package-path "$1" client 2>"$1/log") || fail "$(tail -n 20 "$1/log")"
  [ "$output" = $'--hostname needs --unshare-uts\ntrue' ] || fail "the client says:" "$output"
  # The examples, as an ordinary user, with the executable of the fresh clone.
  "$swift" build --package-path "$1" >"$1/log" 2>&1 || fail "$(tail -n 20 "$1/log")"
  local programs example
  programs=$("$swift" build --package-path "$1" --show-bin-path)
  for example in grade many stream; do cp "$programs/$example" "$place/$example"; done
  printf '#!/bin/sh\ntr a-z A-Z\n' >"$place/thing"
  chmod 755 "$place/thing"
  for line in 'grade ./thing hello' 'grade ./missing x' 'many 300' stream; do
    # shellcheck disable=SC2086
    (cd "$place" && "${as_user[@]}" env NESTBOX="$place/tried" LD_LIBRARY_PATH="${LD_LIBRARY_PATH-}" \
      HOME="$place" ./$line 2>&1 | head -n 3)
  done >"$place/said"
  grep -qx 'answered: HELLO' "$place/said" && grep -q '^not started: ' "$place/said" &&
    [ "$(grep -c '^exited with [012]: 100$' "$place/said")" = 3 ] &&
    grep -qx 'cancelled after more than 100000 bytes' "$place/said" ||
    fail "the examples say:" "$(cat "$place/said")"
}
# Where time is short, the version alone: it compiles the same sources in the same way.
if [ -z "${DEPENDENTS_BY_VERSION-}" ]; then
  echo 'dependents: a package that depends on this one by its path'
  client "$place/by-path" ".package(name: \"nestbox\", path: \"$place/nestbox\")"
fi
echo 'dependents: by the tag of a version'
client "$place/by-version" ".package(url: \"file://$place/nestbox\", from: \"7.0.0\")"
grep -q '"version" : "7.0.0"' "$place/by-version/Package.resolved" || fail 'the version is not used'
echo 'dependents: passed'
