#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a program that you don't trust: it sees the system's programs and its own file, has no
# network, and nothing that it writes remains. Usage: untrusted-binary.sh [PROGRAM [ARGUMENT…]]

set -euo pipefail

if (($# == 0)); then
  # A sample program that reports what it can reach.
  sample=$(mktemp)
  trap 'rm "$sample"' EXIT
  set -- "$sample"
  cat >"$sample" <<'END'
#!/bin/bash
echo "User $(id -u), process $$; I see $(cat /proc/[0-9]*/comm 2>/dev/null | paste -sd ' ')."
echo "Secrets: $(find ~ /root /home -type f 2>/dev/null | wc -l) files in homes."
echo "Network: $(grep -c : /proc/net/dev) device, connections $(
  (exec 3<>/dev/tcp/192.0.2.1/80) 2>&1 | grep -q unreachable && echo refused || echo possible)."
echo "Capabilities: $(sed -n 's/^CapEff:\t0*//p' /proc/self/status | grep . || echo none)."
echo "User namespaces: $(unshare --user echo possible 2>/dev/null || echo refused)."
echo "The system: $(touch /usr/bin/evil 2>/dev/null && echo changed || echo read-only)."
echo "malware" >~/.bashrc && echo "Home: I wrote to $HOME/.bashrc."
END
  chmod 755 "$sample"
fi

program=$(realpath "$(command -v "$1")")
shift

options=(
  # Every kind of namespace: no network, no other processes, no shared memory of others.
  --unshare-all
  # With its own namespaces it would reach more of the kernel.
  --disable-userns
  # It cannot reach the terminal's input, and nothing of it lives on.
  --new-session --die-with-parent
  # The system, read-only. Nothing of /home, /root, /var, /run or /sys.
  --ro-bind /usr /usr
  --ro-bind-try /etc/alternatives /etc/alternatives
  --ro-bind-try /etc/ld.so.cache /etc/ld.so.cache
  --proc /proc --dev /dev
  # A bounded amount of memory to write to.
  --size $((64 << 20)) --tmpfs /tmp
  --size $((64 << 20)) --perms 0700 --tmpfs "$HOME"
  --ro-bind "$program" /run/program
  # Variables may hold secrets too.
  --clearenv --setenv PATH /usr/bin --setenv HOME "$HOME" --setenv TERM "${TERM-dumb}"
  --chdir "$HOME" --argv0 "$program"
)
# /bin, /lib and so on are links on Debian; elsewhere they may be directories.
for directory in /bin /sbin /lib /lib32 /lib64; do
  if [ -L $directory ]; then
    options+=(--symlink "$(readlink $directory)" $directory)
  else
    options+=(--ro-bind-try $directory $directory)
  fi
done

nestbox "${options[@]}" -- /run/program "$@"
