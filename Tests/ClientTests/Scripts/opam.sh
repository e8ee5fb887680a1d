# SPDX-License-Identifier: Apache-2.0
# opam installs and removes a package from a local repository: each of its commands runs through
# the wrapper script that opam lays down, which starts `bwrap`.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need opam opam
# opam looks for these before it begins.
need git git
need patch patch
need unzip unzip
need bzip2 bzip2
need rsync rsync

# Every command prints its rights.
cat >probe.sh <<'END'
try() { if (eval "$2") 2>/dev/null; then echo "$1 yes"; else echo "$1 no"; fi; }
try build 'touch here'
try prefix "touch $1/made-by-$2"
try home "touch $HOME/made-by-$2"
try tmp 'touch "$TMPDIR/made" && [ "$TMPDIR" = /opam-tmp ]'
try host-tmp 'touch /tmp/made'
try usr 'touch /usr/made'
try network "[ \$(stat -Lc %i /proc/self/ns/net) = $3 ]"
END

mkdir -p repo/packages/probe/probe.1
echo 'opam-version: "2.0"' >repo/repo
net=$(stat -Lc %i /proc/self/ns/net)
cat >repo/packages/probe/probe.1/opam <<END
opam-version: "2.0"
build: ["bash" "-c" "bash $HOME/probe.sh %{prefix}% build $net >build.log; cat build.log"]
install: ["bash" "-c" "mkdir -p %{share}% && cp build.log %{share}%/ && bash $HOME/probe.sh %{prefix}% install $net >%{share}%/install.log"]
remove: ["bash" "-c" "bash $HOME/probe.sh %{prefix}% remove $net >%{share}%/remove.log"]
END

export OPAMYES=1 OPAMCOLOR=never OPAMNODEPEXTS=1
succeeds "opam sets itself up, its check of the sandbox included" opam init --no-setup --bare default ./repo
succeeds "an empty switch is made" opam switch create box --empty
prefix=$(opam var prefix)
succeeds "a package is built and installed" opam install probe

is "a build writes to its own directory and to /opam-tmp" \
  "build yes prefix no home no tmp yes host-tmp no usr no network no" \
  "$(paste -sd ' ' "$prefix/share/build.log")"
is "an installation writes to the prefix as well" \
  "build yes prefix yes home no tmp yes host-tmp no usr no network no" \
  "$(paste -sd ' ' "$prefix/share/install.log")"
succeeds "the package is removed" opam remove probe
is "and so does a removal" \
  "build yes prefix yes home no tmp yes host-tmp no usr no network no" \
  "$(paste -sd ' ' "$prefix/share/remove.log")"
is "nothing else was written" "" "$(ls -d "$HOME"/made-by-* /tmp/made 2>/dev/null)"

# The wrapper itself, as opam calls it.
wrapper=$HOME/.opam/opam-init/hooks/sandbox.sh
export OPAM_SWITCH_PREFIX=$prefix
status=0
"$wrapper" build sh -c 'exit 5' || status=$?
is "the command's status comes back through the wrapper" 5 $status

# Red: a wrapper that does without bwrap would pass all of this.
PATH=$work/broken:$PATH
refuses "without a working bwrap it does not build" "$wrapper" build true
