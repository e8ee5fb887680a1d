#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a script of the tests as an ordinary user, in a scene: a directory with the first `nestbox`
# in PATH under this name and as `bwrap`, a home, the scripts, the demonstrations, the recipes,
# the package for Python and docs/desktop.md.
#
# usage: PATH=DIRECTORY-OF-NESTBOX:$PATH start.sh SCRIPT [ARGUMENT...]
set -euo pipefail

script=$(realpath "$1")
shift
support=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
repository=$(realpath "$support/../../..")

# Runs its arguments as an ordinary user who has a name and a range of ids, which only the started
# processes see. Only root can do this.
as_named_user() {
  local id=61234 name=nestbox-client
  chown -R $id:$id "$work"
  (cat /etc/passwd && echo "$name:x:$id:$id::$work/home:/bin/bash") >"$work/passwd"
  (cat /etc/group && echo "$name:x:$id:") >"$work/group"
  echo "$name:200000:65536" | tee "$work/subuid" >"$work/subgid"
  # shellcheck disable=SC2016
  unshare --mount bash -c '
    for file in passwd group subuid subgid; do
      [ ! -e "/etc/$file" ] || mount --bind "$work/$file" "/etc/$file"
    done
    exec setpriv --reuid="$0" --regid="$0" --clear-groups "$@"' $id "$@"
}

# Clients pass on what they inherit. 255 is this script.
for descriptor in /proc/$$/fd/*; do
  descriptor=${descriptor##*/}
  if ((descriptor > 2 && descriptor != 255)); then eval "exec $descriptor>&-"; fi
done
work=$(mktemp -d)
export work
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/home" "$work/bin" "$work/broken"
cp "$(command -v nestbox)" "$work/bin/nestbox"
ln -s nestbox "$work/bin/bwrap"
# Copies, as the checkout may be out of the user's reach.
cp -r "$(dirname "$script")" "$work/scripts"
cp "$support/lib.sh" "$work/scripts"
cp -r "$repository/docs/demos" "$repository/docs/recipes" "$work"
cp -r "$repository/Python" "$repository/LICENSE" "$work"
cp "$repository/docs/desktop.md" "$work/desktop.md"
chmod -R go+rX "$work"
# For a client that needs a bwrap which does nothing.
ln -s /bin/false "$work/broken/bwrap"
as=()
[ "$(id -u)" != 0 ] || as=(as_named_user)
status=0
"${as[@]}" env -i NESTBOX_CLIENT_TEST="$work" HOME="$work/home" LC_ALL=C \
  NESTBOX_PATIENCE="${NESTBOX_PATIENCE:-150}" \
  PATH="$work/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
  bash "$work/scripts/$(basename "$script")" "$@" || status=$?
exit $status
