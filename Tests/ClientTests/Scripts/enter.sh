# SPDX-License-Identifier: Apache-2.0
# A running sandbox made with --dev is entered from outside: by nsenter, and by a second nestbox
# that joins its namespaces.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need nsenter util-linux
need ip iproute2
need pgrep procps
need python3 python3

# Starts a sandbox that sleeps, and sets `child`; options are added.
start() {
  rm -f info
  mkfifo info
  nestbox --unshare-all --hostname box --die-with-parent --ro-bind / / --dev /dev --proc /proc \
    --tmpfs /tmp --info-fd 3 "$@" bash -c 'touch /tmp/marked; exec sleep 1000' 3>info &
  sandbox=$!
  child=$(python3 -c 'import json; print(json.load(open("info"))["child-pid"])')
  await test -e "/proc/$child/root/tmp/marked"
}
stop() {
  kill -KILL "$child"
  wait $sandbox || true
}
trap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT
namespaces() { # PID
  for kind in "${@:2}"; do readlink "/proc/$1/ns/$kind"; done | paste -sd ' '
}
# Opens the namespaces that a second nestbox may be given: 10 for user, 11 for pid, 12 for net.
second() {
  nestbox "$@" 10<"/proc/$child/ns/user" 11<"/proc/$child/ns/pid" 12<"/proc/$child/ns/net"
}
root=(--ro-bind / / --dev /dev --proc /proc)
sleepers='ps -e -o args= | grep -cx "sleep 1000"'

for options in '' '--uid 0 --gid 0' '--cap-add ALL' '--disable-userns'; do
  echo "# a sandbox with: $options"
  # shellcheck disable=SC2086
  start $options

  joined=$(nsenter -t "$child" -U -m -p -n -i -u -C --preserve-credentials bash -c '
    hostname; ls /tmp; ls -d /dev/pts/ptmx; '"$sleepers"'
    for kind in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$kind; done')
  is "nsenter joins all of its namespaces" \
    "box marked /dev/pts/ptmx 1 $(namespaces "$child" user mnt pid net ipc uts cgroup)" \
    "$(paste -sd ' ' <<<"$joined")"

  is "a second nestbox joins its user and pid namespaces" "1 $(namespaces "$child" user pid)" \
    "$(second --userns 10 --pidns 11 "${root[@]}" bash -c "$sleepers"'
      for kind in user pid; do readlink /proc/self/ns/$kind; done' | paste -sd ' ')"
  is "and its network" "$(namespaces "$child" user pid net) lo" \
    "$(second --userns 10 --pidns 11 --netns 12 "${root[@]}" bash -c '
      for kind in user pid net; do readlink /proc/self/ns/$kind; done
      ip -brief link | cut -d " " -f 1' | paste -sd ' ')"
  is "with a file system of its own" "no no" \
    "$(second --userns 10 --pidns 11 "${root[@]}" --tmpfs /tmp bash -c '
      test -e /tmp/marked && echo yes || echo no
      [ $(readlink /proc/self/ns/mnt) = '"$(namespaces "$child" mnt)"' ] && echo yes || echo no' | paste -sd ' ')"
  is "and without the descriptors of the namespaces, 3 being that of ls" "0 1 2 3" \
    "$(second --userns 10 --pidns 11 --netns 12 "${root[@]}" ls /proc/self/fd | paste -sd ' ')"
  is "what runs there can be signalled from the first" yes \
    "$(second --userns 10 --pidns 11 "${root[@]}" bash -c 'exec sleep 2000' >/dev/null 2>&1 &
      await nsenter -t "$child" -U -m -p --preserve-credentials pkill -KILL -x -f 'sleep 2000'
      wait $! || [ $? = 137 ] && echo yes)"

  is "a nested pid namespace belongs to it" "0 2" \
    "$(second --userns 10 --pidns 11 --unshare-pid "${root[@]}" bash -c "$sleepers"'; echo $$' | paste -sd ' ')"
  status=0
  second --userns 10 --pidns 11 "${root[@]}" sh -c 'exit 7' || status=$?
  is "the status of a command in it comes back" 7 $status
  assert=(second --userns 10 --pidns 11 "${root[@]}" --assert-userns-disabled true)
  case $options in
    *--disable-userns*) succeeds "no user namespace can be made from there either" "${assert[@]}" ;;
    *) refuses "user namespaces can be made, which is noticed" "${assert[@]}" ;;
  esac
  stop
done

start --uid 0 --gid 0
is "where it maps to root, nsenter has power over it" "0 other" \
  "$(nsenter -t "$child" -U -u --preserve-credentials bash -c 'id -u; hostname other; hostname' | paste -sd ' ')"
stop

# A user namespace within the first, as bubblewrap makes for --dev, is entered by both.
start --uid 0 --gid 0 --cap-add ALL
nsenter -t "$child" -U -p --preserve-credentials unshare --user --map-root-user sleep 3000 &
inner() { pgrep -u "$(id -u)" -n -x -f 'sleep 3000'; }
await inner
is "--userns2 leads on from --userns" "$(namespaces "$(inner)" user)" \
  "$(second --userns 10 --userns2 13 --pidns 11 "${root[@]}" readlink /proc/self/ns/user 13<"/proc/$(inner)/ns/user")"
stop

# Processes on the way into nested pid namespaces must not overtake one another.
start
round() {
  timeout --signal=KILL 20 nestbox --userns 10 --pidns 11 --unshare-pid "${root[@]}" \
    --info-fd 3 --json-status-fd 4 sh -c 'exit 9' \
    3>info.json 4>status.json 10<"/proc/$child/ns/user" 11<"/proc/$child/ns/pid"
}
for ((count = 0; count < 200; count++)); do
  status=0
  round 2>messages || status=$?
  [ $status = 9 ] || fail "launch $count of a nested pid namespace ends with 9" "$status: $(cat messages)"
done
is "what is told of the last is what is told of all" "child-pid mnt-namespace pid-namespace" \
  "$(python3 -c 'import json; print(*json.load(open("info.json")))')"
stop
