# SPDX-License-Identifier: Apache-2.0
# A program with sound, at real servers.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/display.sh"

need pulseaudio pulseaudio
need pactl pulseaudio-utils
need pipewire pipewire
need pw-cli pipewire-bin

# PulseAudio with one silent device. It refuses a client without the cookie, even of the same user.
pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --log-target=stderr \
  --load="module-null-sink sink_name=silence" \
  --load="module-native-protocol-unix auth-group-enable=0 auth-cookie=cookie" 2>"$work/pulse-log" &
started+=($!)
await test -S "$XDG_RUNTIME_DIR/pulse/native"
sinks=(pactl list short sinks)
session=(--setenv XDG_RUNTIME_DIR "$XDG_RUNTIME_DIR")
await "${sinks[@]}"
has "outside, the device is there" silence "$("${sinks[@]}")"
has "under audio it is" silence "$(nestbox --profile audio "${sinks[@]}")"
refuses "under desktop it is not" nestbox --profile desktop "${session[@]}" "${sinks[@]}"
has "but under both" silence "$(nestbox --profile desktop --profile audio "${sinks[@]}")"
head -c 40000 /dev/zero >sound
succeeds "sound can be played" nestbox --profile audio --ro-bind sound /tmp/sound \
  timeout "$patience" pacat --playback --raw /tmp/sound
refuses "without the profile the server is out of reach" nestbox "${session[@]}" "${sinks[@]}"
refuses "with one for windows too" nestbox --profile x11 "${session[@]}" "${sinks[@]}"
mv "$XDG_RUNTIME_DIR/pulse" "$work/elsewhere"
has "a path in PULSE_SERVER is followed" silence \
  "$(PULSE_SERVER=unix:$work/elsewhere/native nestbox --profile audio "${sinks[@]}")"

# PipeWire.
cat >pipewire.conf <<'END_OF_SETTINGS'
context.properties = { core.daemon = true core.name = pipewire-0 support.dbus = false }
context.spa-libs = { support.* = support/libspa-support }
context.modules = [
  { name = libpipewire-module-protocol-native }
  { name = libpipewire-module-access args = { } }
]
END_OF_SETTINGS
pipewire -c "$PWD/pipewire.conf" 2>"$work/pipewire-log" &
started+=($!)
await test -S "$XDG_RUNTIME_DIR/pipewire-0"
server=(timeout "$patience" pw-cli info 0)
has "outside, PipeWire answers" pipewire-0 "$("${server[@]}")"
has "under audio it does" pipewire-0 "$(nestbox --profile audio "${server[@]}")"
refuses "without the profile it does not" nestbox "${session[@]}" "${server[@]}"
