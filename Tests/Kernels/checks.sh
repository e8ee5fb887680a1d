# SPDX-License-Identifier: Apache-2.0
# The essential behaviour, as an ordinary user of a machine with only busybox. Each line that
# begins with CHECK is a result: `ok`, `FAILED`, or `without` for what the kernel does not have.
export HOME=/home PATH=/bin
cd /home
check() { # NAME EXPECTED COMMAND...
  name=$1 expected=$2; shift 2
  seen=$("$@" 2>&1) || true
  if [ "$seen" = "$expected" ]; then echo "CHECK ok $name"; else echo "CHECK FAILED $name: $seen" | tr '\n' ' '; echo; fi
}
is_at_least() { # MAJOR.MINOR
  release=$(uname -r)
  [ "${release%%.*}" -gt "${1%.*}" ] && return
  minor=${release#*.}
  [ "${release%%.*}" -eq "${1%.*}" ] && [ "${minor%%.*}" -ge "${1#*.}" ]
}
# What the kernel has from a release on, or by a module that may be missing.
since() { # MAJOR.MINOR|FILE:WORD NAME EXPECTED COMMAND...
  from=$1; shift
  case $from in
    /*) if grep -qw "${from#*:}" "${from%%:*}"; then check "$@"; else echo "CHECK without $1: not in ${from%%:*}"; fi ;;
    *) if is_at_least "$from"; then check "$@"; else echo "CHECK without $1: older than $from"; fi ;;
  esac
}
# With the word `closed`, behind all others, as there is no way back: where no process may read another.
if [ "${1-}" = closed ]; then
is_at_least 5.12 || exit
since /proc/sys/kernel/yama/ptrace_scope:3 'where Yama lets nobody read a process, a watched command runs, and that is said' 'works nobody may read the paths that this program uses (cat' sh -c ": >kept; echo works >shown; nestbox --unshare-all --ro-bind /bin /bin --ro-bind shown /shown --explain cat /shown /home/kept 2>&1 | grep -o 'works\|nobody may.*(cat' | tr '\n' ' ' | sed 's/ \$//'"
exit
fi
# Not behind what the kernel has last said.
echo; echo "CHECK ok Linux $(uname -r)"
box="nestbox --unshare-all --ro-bind /bin /bin --proc /proc --dev /dev --tmpfs /tmp"
# Kernels before 5.12 are told apart by the message.
if ! is_at_least 5.12; then
  nestbox --ro-bind / / true 2>/tmp/message
  case $(cat /tmp/message) in
    *"Linux 5.12"*) echo "CHECK ok too old, and the message says so: $(head -n 1 /tmp/message)" ;;
    *) echo "CHECK FAILED start: $(cat /tmp/message)" ;;
  esac
  echo "CHECK ok the end was reached"
  exit
fi
check 'a command runs' 'hello' nestbox --ro-bind / / echo hello
check 'its status is passed on' '42' sh -c "nestbox --ro-bind / / sh -c 'exit 42'; echo \$?"
check 'in place' '7' sh -c "nestbox --exec --unshare-net --ro-bind / / sh -c 'exit 7'; echo \$?"
check 'all namespaces' '2' $box sh -c 'echo $$'
check 'no capability' '5' $box grep -c 'Cap.*:.0000000000000000$' /proc/self/status
check 'no new privileges' 'NoNewPrivs:	1' $box grep NoNewPrivs /proc/self/status
check 'the network has lo alone' 'lo' $box sh -c "ip link | sed -n 's/^[0-9]*: \([^:]*\):.*/\1/p'"
check 'lo is up' '1' $box sh -c 'ip link show lo | grep -c LOOPBACK,UP'
check 'the root holds what was named' 'bin dev proc tmp' $box sh -c 'echo $(ls /)'
check 'a read-only bind is read-only' 'refused' nestbox --ro-bind / / --dev /dev sh -c '(: >/home/file) 2>/dev/null && echo written || echo refused'
mkdir -p work
check 'a bind can be written' 'text' $box --bind work /work sh -c 'echo text >/work/file; cat /work/file'
check 'devices work' '0000' $box sh -c 'head -c 2 /dev/zero | hexdump -v -e "/1 \"%02x\""'
check 'devpts without user 0' 'ptmx' $box ls /dev/pts
check 'the host name' 'box' $box --hostname box hostname
check 'data from a descriptor' 'data' sh -c "echo data | $box --ro-bind-data 0 /file cat /file"
check 'user 0' '0' $box --uid 0 --gid 0 id -u
check 'disabled user namespaces' 'refused' $box --unshare-user --disable-userns sh -c 'unshare -U true 2>/dev/null && echo made || echo refused'
check 'a sandbox in a sandbox' 'inner' nestbox --bind / / --unshare-pid --proc /proc --dev /dev nestbox --bind / / --unshare-pid --proc /proc echo inner
check 'a link on the way stays inside' '' sh -c "ln -sf /home/outside work/link; $box --bind work /work --dir /work/link/made true; ls outside 2>/dev/null"
check 'init is out of reach' 'refused' $box sh -c 'cat /proc/1/environ >/dev/null 2>&1 && echo read || echo refused'
check 'a message for what is missing' 'nestbox: '"Can't find source path /nosuch: No such file or directory (--bind, open_tree)" sh -c 'nestbox --bind /nosuch /x true 2>&1 | head -n 1'
since /proc/filesystems:overlay 'overlays' 'file' sh -c "mkdir -p below; : >below/file; $box --overlay-src below --tmp-overlay /over ls /over"
check 'time namespaces' 'ahead' $box --unshare-time --boottime 1000000 sh -c '[ $(cut -d. -f1 /proc/uptime) -gt 1000000 ] && echo ahead'
check 'the built-in policy' 'Seccomp:	2' $box --seccomp-policy default grep Seccomp: /proc/self/status
check 'the profile untrusted' 'hello' nestbox --profile untrusted echo hello
since 6.12 'landlock scopes' 'hello' $box --landlock-scope abstract-unix,signal echo hello
since 6.12 'TIOCSTI is refused by the kernel' '0' cat /proc/sys/dev/tty/legacy_tiocsti
check 'a missing .git stays free' 'taken' sh -c "mkdir -p project; $box --kill-on-exit --bind \$PWD/project /project --ro-repositories /project sh -c 'mkdir /project/.git 2>/dev/null || echo taken; test -e /project/.git && echo there'; ls -A project"
: >kept
check 'what a command did not get is named' 'kept is not shown inside (cat): --read /home/kept' sh -c "$box --explain cat /home/kept 2>&1 | grep -o 'kept is not shown.*'"
since /proc/sys/kernel/yama/ptrace_scope:2 'what a command did not get is named where Yama keeps processes apart' 'kept is not shown inside (cat): --read /home/kept' sh -c "$box --explain cat /home/kept 2>&1 | grep -o 'kept is not shown.*'"
check 'a keyring of its own' 'of its own' $box sh -c 'grep -q "keyring *nestbox:" /proc/keys && echo of its own'
# These kernels have bridges, pairs of interfaces and nf_tables as modules, which this machine lacks.
check 'without bridges, a network between sandboxes says what is missing' 'the kernel lacks bridges' sh -c "nestbox --ro-bind / / --network lab true 2>&1 | grep -o 'the kernel lacks bridges'"
httpd -p 127.0.0.1:8080 -h /bin 2>/dev/null
check 'without nf_tables, a host is reached by name, and no other' 'reached refused' $box --net-allow web.test:8080=127.0.0.1 sh -c 'a=$(nslookup web.test | sed -n "s/^Address.*: *\(198[.0-9]*\).*/\1/p" | head -n 1); wget -qO /dev/null "http://$a:8080/busybox" && printf "reached "; wget -qO /dev/null http://192.0.2.1/ 2>/dev/null || echo refused'
echo "CHECK ok the end was reached"
