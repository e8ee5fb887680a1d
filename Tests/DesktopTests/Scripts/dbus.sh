# SPDX-License-Identifier: Apache-2.0
# What passes through the D-Bus proxy: real services on a real bus, a client in a sandbox.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bus.sh"

start_bus DBUS_SESSION_BUS_ADDRESS
start_bus DBUS_SYSTEM_BUS_ADDRESS
for name in One Two Three; do start_service "$DBUS_SESSION_BUS_ADDRESS" org.example.$name; done
start_service "$DBUS_SYSTEM_BUS_ADDRESS" org.example.System

noted() { cat "$work/notes/org.example.$1" 2>/dev/null || cat "$work/notes/org.$1"; }
session=(nestbox "${system[@]}" --dbus-session)

# Talking.
is "a call that a rule allows is answered" "('noted a  b',)" \
  "$(nestbox "${system[@]}" --dbus-talk org.example.One \
    gdbus call --session --dest org.example.One --object-path /org/example \
    --method org.example.Test.Note 'a  b')"
is "it arrived" "a  b" "$(noted One)"
# shellcheck disable=SC2046
refuses "a call to another name fails" \
  nestbox "${system[@]}" --dbus-talk org.example.One $(note org.example.Two denied)
is "it did not arrive" "" "$(noted Two)"
# shellcheck disable=SC2046
refuses "without a rule none passes" "${session[@]}" $(note org.example.One denied)
is "none arrived" "a  b" "$(noted One)"
# Red: the test would show nothing, as the service is not there.
# shellcheck disable=SC2046
succeeds "outside, both calls work" $(note org.example.Two outside)
is "they arrive" "outside" "$(noted Two)"
# shellcheck disable=SC2046
succeeds "a rule for a group of names allows each of them" \
  nestbox "${system[@]}" --dbus-talk 'org.example.*' $(note org.example.Three group)
is "their calls arrive" "group" "$(noted Three)"

# Some calls only.
only=(nestbox "${system[@]}" --dbus-call 'org.example.Two=org.example.Test.Note@/org/example/other')
# shellcheck disable=SC2046
succeeds "a call of the method and the path in a rule passes" \
  "${only[@]}" $(note org.example.Two rule /org/example/other)
# shellcheck disable=SC2046
refuses "at another path it does not" "${only[@]}" $(note org.example.Two denied)
refuses "nor does another method" "${only[@]}" gdbus call --session --dest org.example.Two \
  --object-path /org/example/other --method org.example.Test.Tell
is "just the one arrived" "outside rule" "$(noted Two | paste -sd ' ')"

# The proxy's end. Red: calls fail without a message, or the command ends with the proxy.
mkfifo "$work/go"
"${session[@]}" sh -c 'echo begun; read -r word; exit 5' <"$work/go" >"$work/begun" 2>"$work/loss" &
launcher=$!
exec 8>"$work/go"
until [ -s "$work/begun" ] || ! kill -0 "$launcher"; do sleep 0.01; done
pkill -KILL -P "$launcher" -x xdg-dbus-proxy
until [ -s "$work/loss" ] || ! kill -0 "$launcher"; do sleep 0.01; done
exec 8>&-
wait "$launcher" && status=0 || status=$?
is "a command outlives the proxy" 5 "$status"
has "and its loss is told" "the command no longer has D-Bus" "$(cat "$work/loss")"

# Seeing.
list=(gdbus call --session --dest org.freedesktop.DBus --object-path /
  --method org.freedesktop.DBus.ListNames)
has "the bus itself is there" "org.freedesktop.DBus" "$("${session[@]}" "${list[@]}")"
is "nobody else is seen" 0 "$("${session[@]}" "${list[@]}" | grep -c org.example || true)"
names=$("${session[@]}" --dbus-see org.example.One "${list[@]}")
has "a name that may be seen is" "org.example.One" "$names"
is "others are not" 0 "$(grep -c org.example.Two <<<"$names" || true)"
# shellcheck disable=SC2046
refuses "it cannot be called" "${session[@]}" --dbus-see org.example.One \
  $(note org.example.One denied)

# Owning.
own() { # NAME
  echo gdbus call --session --dest org.freedesktop.DBus --object-path / \
    --method org.freedesktop.DBus.RequestName "$1" 4
}
mine=(nestbox "${system[@]}" --dbus-own org.example.Mine)
# shellcheck disable=SC2046
has "a name that a rule allows can be taken" "uint32 1" "$("${mine[@]}" $(own org.example.Mine))"
# shellcheck disable=SC2046
refuses "another cannot" "${mine[@]}" $(own org.example.Other)

# Signals.
mkdir share
heard() { # OPTION…
  rm -f share/ready
  nestbox "${system[@]}" --bind share /share --ro-bind "$work/scripts" /scripts "$@" \
    python3 /scripts/listen.py /share/ready >share/heard &
  await test -e share/ready
  gdbus call --session --dest org.example.Three --object-path /org/example \
    --method org.example.Test.Tell >/dev/null
  wait $!
  cat share/heard
}
is "the first signal is heard with --dbus-talk" Whispered "$(heard --dbus-talk org.example.Three)"
is "one that no rule allows is not" Told \
  "$(heard --dbus-broadcast org.example.Three=org.example.Test.Told)"

# The system bus.
on_system=(--system --timeout "$patience" --dest org.example.System --object-path /org/example
  --method org.example.Test.Note)
is "calls on the system bus pass by their own rules" "('noted system',)" \
  "$(nestbox "${system[@]}" --dbus-system-talk org.example.System gdbus call "${on_system[@]}" system)"
refuses "rules for the session bus say nothing of it" nestbox "${system[@]}" --dbus-system \
  --dbus-talk org.example.System gdbus call "${on_system[@]}" denied
refuses "nor does a session bus alone bring it along" nestbox "${system[@]}" --dbus-session \
  gdbus call "${on_system[@]}" denied
refuses "a call on it can be allowed alone" nestbox "${system[@]}" \
  --dbus-system-call org.example.System=org.example.Test.Tell gdbus call "${on_system[@]}" denied
is "one call arrived" system "$(noted System)"
both=(nestbox "${system[@]}" --dbus-talk org.example.One --dbus-system-talk org.example.System)
# shellcheck disable=SC2046
succeeds "both buses can be had at once" "${both[@]}" sh -c "$(note org.example.One both) &&
  gdbus call ${on_system[*]} both"

# The profile.
start_service "$DBUS_SESSION_BUS_ADDRESS" org.freedesktop.Notifications
notifications=(gdbus call --session --timeout "$patience" --dest org.freedesktop.Notifications)
is "under the profile dbus, notifications pass" "('noted hello',)" \
  "$(nestbox --profile dbus "${notifications[@]}" \
    --object-path /org/freedesktop/Notifications --method org.freedesktop.Notifications.Note hello)"
refuses "what else the same program offers does not" nestbox --profile dbus \
  "${notifications[@]}" --object-path /org/example --method org.example.Test.Note denied
# shellcheck disable=SC2046
refuses "nor do other names" nestbox --profile desktop $(note org.example.One denied)
is "just the one has arrived" hello "$(noted freedesktop.Notifications)"
# Services that the bus starts later would load a library of the command's.
preload=(gdbus call --session --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus
  --method org.freedesktop.DBus.UpdateActivationEnvironment "{'LD_PRELOAD': '/tmp/library.so'}")
for profile in dbus desktop; do
  refuses "under $profile the bus takes no variables for services" nestbox --profile $profile "${preload[@]}"
  refuses "nor starts a program by its name" nestbox --profile $profile gdbus call --session \
    --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus \
    --method org.freedesktop.DBus.StartServiceByName org.example.One 0
done
# Red: the test above shows nothing.
succeeds "outside it does" "${preload[@]}"

# Where it is.
# shellcheck disable=SC2016
is "the address is the customary one" "unix:path=/run/user/$(id -u)/bus" \
  "$("${session[@]}" sh -c 'echo $DBUS_SESSION_BUS_ADDRESS')"
is "the directory of sessions is the user's alone" 700 \
  "$("${session[@]}" stat -c %a "/run/user/$(id -u)")"
# shellcheck disable=SC2046
refuses "where the bus's own socket would be seen, it is covered" \
  nestbox --ro-bind / / --dev /dev --dbus-session --setenv DBUS_SESSION_BUS_ADDRESS \
  "$DBUS_SESSION_BUS_ADDRESS" $(note org.example.One denied)
# shellcheck disable=SC2046
succeeds "and allowed calls pass there" \
  nestbox --ro-bind / / --dev /dev --dbus-talk org.example.One $(note org.example.One covered)
is "as was noted" covered "$(noted One | tail -n 1)"

# Where there is neither place, one is made without a trace on the host.
# shellcheck disable=SC2046
succeeds "a bus can be shown in a root that is the host's" \
  nestbox --ro-bind / / --dev /dev --tmpfs /tmp --dbus-talk org.example.One \
  $(note org.example.One hidden)
is "as was noted then" hidden "$(noted One | tail -n 1)"
is "what lies beside it is still there" "" "$(comm -23 <(ls -A /run) \
  <(nestbox --ro-bind / / --dev /dev --tmpfs /tmp --dbus-session ls -A /run))"
refuses "nothing of it lies on the host" test -e "/run/user/$(id -u)"

# An abstract socket can be reached past every mount.
start_bus ABSTRACT --address=unix:abstract="$work/abstract"
start_service "$ABSTRACT" org.example.Four
export DBUS_SESSION_BUS_ADDRESS=$ABSTRACT
# shellcheck disable=SC2046
succeeds "a bus on an abstract socket is reached through the proxy" \
  nestbox "${system[@]}" --dbus-talk org.example.Four $(note org.example.Four abstract)
output=$(nestbox "${system[@]}" --share-net --dbus-session true 2>&1) && status=0 || status=$?
is "it is refused where the command could go past the proxy" 125 "$status"
has "for that reason" "--unshare-net true" "$output"
