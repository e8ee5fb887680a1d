# SPDX-License-Identifier: Apache-2.0
# flatpak installs applications from a local repository and runs them: triggers, apply_extra, the
# D-Bus proxy, the application with its seccomp filter, and sandboxes within its namespaces.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need flatpak flatpak
need xdg-dbus-proxy xdg-dbus-proxy
need dbus-run-session dbus-daemon
need dbus-send dbus-bin
need pkill procps
need python3 python3

export FLATPAK_BWRAP=$work/bin/bwrap

# A private bus with flatpak's helper as its only service. It is also the system bus, which flatpak
# asks for parental controls.
if [ -z "${DBUS_SESSION_BUS_ADDRESS-}" ]; then
  mkdir services
  cp /usr/share/dbus-1/services/org.freedesktop.Flatpak.service services/
  cat >bus.conf <<END
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=$work</listen>
  <servicedir>$HOME/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
END
  mkdir -m 700 run
  export XDG_RUNTIME_DIR=$HOME/run
  status=0
  dbus-run-session --config-file=bus.conf -- bash "$0" || status=$?
  # The helper's own helper does not notice that the bus is gone.
  pkill -u "$(id -u)" -f "^server .*$XDG_RUNTIME_DIR/.flatpak-helper/" || true
  exit $status
fi
export DBUS_SYSTEM_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS

# The runtime: a shell and a few tools from this machine.
runtime=$(flatpak --default-arch)/1
mkdir -p runtime/files/bin
for program in bash sh cat env grep id ls mkdir ps readlink sleep stat touch unshare dbus-send; do
  file=$(command -v "$program")
  cp -L "$file" runtime/files/bin/
  ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
    directory=$(realpath "${library%/*}")
    install -D "$library" "runtime/files/${directory#/usr/}/${library##*/}"
    # The interpreter is looked for where the programs say it is.
    directory=${library%/*}
    directory=${directory#/usr}
    install -D "$library" "runtime/files/${directory#/}/${library##*/}"
  done
done
cat >runtime/metadata <<END
[Runtime]
name=org.example.Platform
runtime=org.example.Platform/$runtime
sdk=org.example.Platform/$runtime
END
succeeds "a runtime is exported" flatpak build-export --runtime --files=files repo runtime 1

# An application that gets more from a web server while it is installed, and unpacks it in a sandbox.
mkdir -p hello/files/bin hello/export/share/applications web
echo 'from the web' >web/extra
(cd web && exec python3 -u -m http.server --bind 127.0.0.1 0) >server.log 2>&1 &
server=$!
trap 'kill $server' EXIT
await grep -q 'port [0-9]' server.log
port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' server.log)
cat >hello/metadata <<END
[Application]
name=org.example.Hello
runtime=org.example.Platform/$runtime
sdk=org.example.Platform/$runtime
command=hello

[Session Bus Policy]
org.example.Friend=own

[Extra Data]
name=extra
checksum=$(sha256sum <web/extra | cut -d ' ' -f 1)
size=$(stat -c %s web/extra)
uri=http://127.0.0.1:$port/extra
END
cat >hello/files/bin/hello <<'END'
#!/bin/sh
echo "hello $*"
exit 7
END
cat >hello/files/bin/apply_extra <<'END'
#!/bin/sh
set -e
cat extra >unpacked
echo $$ >pid
if touch /app/bin/made; then exit 1; fi
END
chmod +x hello/files/bin/*
cat >hello/export/share/applications/org.example.Hello.desktop <<'END'
[Desktop Entry]
Type=Application
Name=Hello
Exec=hello
END
succeeds "an application is exported" flatpak build-export repo hello
succeeds "the repository gets its summary" flatpak build-update-repo repo
succeeds "the repository is added" flatpak --user remote-add --no-gpg-verify local repo

succeeds "the application and its runtime are installed" \
  flatpak --user install --noninteractive local org.example.Hello
files=$(flatpak info --show-location org.example.Hello)/files
is "apply_extra ran" "from the web" "$(cat "$files/extra/unpacked")"
is "apply_extra was process 2 of its own" 2 "$(cat "$files/extra/pid")"
if [ -e /usr/share/flatpak/triggers/desktop-database.trigger ] &&
  command -v update-desktop-database >/dev/null; then
  succeeds "the trigger for desktop files wrote its cache" \
    test -e .local/share/flatpak/exports/share/applications/mimeinfo.cache
fi

run() { flatpak run "$@" 2>>messages; }
inside() { run --command=bash org.example.Hello -c "$@"; }

status=0
output=$(run org.example.Hello big world) || status=$?
is "the application gets its arguments and prints" "hello big world" "$output"
is "its status comes back" 7 $status
is "it runs as the user" "$(id -u)" "$(inside 'id -u')"
is "with a seccomp filter, no capability and no new privileges" \
  "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2" \
  "$(inside "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status" | tr '\t\n' '  ' | sed 's/ $//')"
is "the filter keeps it from making a user namespace" no \
  "$(inside 'unshare --user true 2>/dev/null && echo yes || echo no')"
is "it is process 2 of its own" 2 "$(inside 'echo $$')"
is "its files are read-only, its data is not" "no no yes" \
  "$(inside 'for d in /usr /app "$XDG_DATA_HOME"; do touch $d/made 2>/dev/null && echo yes || echo no; done' | paste -sd ' ')"
is "what it wrote lies in its own directory" .var/app/org.example.Hello/data/made \
  "$(ls -d .var/app/org.example.Hello/data/made)"
touch secret
is "the user's files are not there" no "$(inside "test -e $HOME/secret && echo yes || echo no")"
is "unless they are asked for" yes \
  "$(run --filesystem=home --command=bash org.example.Hello -c "test -e $HOME/secret && echo yes || echo no")"
is "no descriptor of the launch is left, 3 being that of ls" "0 1 2 3" \
  "$(run --command=ls org.example.Hello /proc/self/fd | paste -sd ' ')"

# The D-Bus proxy
own() { # NAME
  echo "dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
    org.freedesktop.DBus.RequestName string:$1 uint32:0 2>&1"
}
has "on the bus it may own the name that its policy allows" "uint32 1" "$(inside "$(own org.example.Friend)")"
has "and no other" "org.freedesktop.DBus.Error.ServiceUnknown" \
  "$(inside "$(own org.example.Foe) || true")"

# A second command in its namespaces, as flatpak-spawn asks the portal for.
flatpak run --command=bash org.example.Hello -c 'echo $$; sleep 1000.25; :' >started 2>>messages &
monitor=$!
trap 'kill $server; flatpak kill org.example.Hello 2>/dev/null || true' EXIT
await grep -q . started
# It lists those which have ended a moment ago, too.
listed=$(flatpak ps --columns=pid,child-pid,application | grep "^$monitor\s")
has "flatpak ps lists it" org.example.Hello "$listed"
child=$(cut -f 2 <<<"$listed")
# Other tests have proxies as well, under the same user: each parent is the monitor of a sandbox.
parents() {
  local proxy
  for proxy in $(pgrep -u "$(id -u)" -x xdg-dbus-proxy); do
    readlink "/proc/$(ps -o ppid= -p "$proxy" | tr -d ' ')/exe" || true
  done
}
has "its proxy was started by the bwrap named in FLATPAK_BWRAP" "$work/bin/nestbox" "$(parents)"
sleepers() { grep -c 'sleep 1000.25' || true; }
makers() {
  nestbox --list --json | python3 -c 'import json, sys
print(*[x["made-by"] for x in json.load(sys.stdin)["sandboxes"] if "sleep 1000.25" in " ".join(x["command"])])'
}
# Before its root is ready, a sandbox shows no file of flatpak's.
for _ in {1..100}; do [ "$(makers)" = flatpak ] && break; sleep 0.1; done
is "nestbox lists it as flatpak's" flatpak "$(makers)"
has "nestbox does not enter it without a policy, as it has a filter" "name a policy that is as strict" \
  "$(nestbox --enter "$monitor" true 2>&1 || true)"
is "with one it runs a command there" "Seccomp: 2 org.example.Hello yes" \
  "$(nestbox --seccomp-policy default --enter "$monitor" bash -c \
    'grep Seccomp: /proc/self/status; grep ^name= /.flatpak-info; ps -e -o args | grep -qx "sleep 1000.25" && echo yes' |
    tr '\t' ' ' | sed 's/^name=//' | paste -sd ' ')"
has "flatpak enter joins it" "sleep 1000.25" "$(flatpak enter "$child" ps -e -o args 2>>messages)"
has "a second command shares its processes" "sleep 1000.25" \
  "$(run --parent-pid="$child" --parent-share-pids --command=ps org.example.Hello -e -o args)"
is "another has its own, which it sees" "0" \
  "$(run --parent-pid="$child" --parent-expose-pids --command=ps org.example.Hello -e -o args | sleepers)"
is "a third has fewer permissions still" "same no" \
  "$(run --sandbox --parent-pid="$child" --parent-share-pids --command=bash org.example.Hello -c \
    "[ \$(stat -Lc %i /proc/self/ns/pid) = $(stat -Lc %i "/proc/$child/ns/pid") ] && echo same
     test -e \$XDG_DATA_HOME/made && echo yes || echo no" | paste -sd ' ')"
succeeds "flatpak kill ends it" flatpak kill org.example.Hello
status=0
wait $monitor || status=$?
is "by a signal that its monitor reports" 137 $status

# Last, as flatpak kill would take the process without a number that this leaves for its own group.
trap 'kill $server' EXIT
refuses "without a working bwrap nothing runs" \
  env FLATPAK_BWRAP="$work/broken/bwrap" flatpak run org.example.Hello

succeeds "the application is uninstalled" flatpak --user uninstall --noninteractive org.example.Hello
