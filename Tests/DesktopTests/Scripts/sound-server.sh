# SPDX-License-Identifier: Apache-2.0
# A hostile program at real sound servers with a session manager: what it has them load runs outside.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/display.sh"

need gcc gcc
need pulseaudio pulseaudio
need pactl pulseaudio-utils
need pipewire pipewire
need wireplumber wireplumber
need pipewire-pulse pipewire-pulse
need pw-play pipewire-bin
need dbus-daemon dbus-daemon

# A library that says where it was loaded: no sandbox shows the directory `outside`.
mkdir outside data project
cat >library.c <<END_OF_LIBRARY
#include <fcntl.h>
__attribute__((constructor)) static void run(void) {
  open("$PWD/outside/ran", O_CREAT | O_WRONLY, 0600);
}
END_OF_LIBRARY
gcc -shared -fPIC -o data/library.so library.c
python3 -c 'import wave
with wave.open("data/sound.wav", "wb") as file:
  file.setnchannels(2); file.setsampwidth(2); file.setframerate(48000); file.writeframes(bytes(9600))'
top=$PWD
cd project

inside() { # PROFILE COMMAND…
  local profile=$1
  shift
  # shellcheck disable=SC2086 # Several profiles are several words.
  nestbox ${profile//+/ --profile } --setenv XDG_RUNTIME_DIR "$XDG_RUNTIME_DIR" \
    --ro-bind "$top/data" "$top/data" timeout "$patience" "$@"
}

# Makes the server load the library, whichever it is. The requests may fail in the end.
attack() { # +PROFILE…
  rm -f "$top/outside/ran"
  inside "$1" pactl load-module module-ladspa-sink plugin="$top/data/library.so" label=x || true
  inside "$1" pw-cli create-node adapter "{ factory.name=support.null-audio-sink
    library.name=../../../../../../../../../..$top/data/library }" || true
  inside "$1" pactl info || true
  if [ -e "$top/outside/ran" ]; then echo ran; else echo held; fi
}

attacks() { # SERVER PLAYER…
  local server=$1 player profile
  shift
  for player; do
    succeeds "$player plays sound through $server" inside +audio "$player" "$top/data/sound.wav"
    succeeds "$player does under desktop and audio" \
      inside +desktop+audio "$player" "$top/data/sound.wav"
  done
  is "$server loads what a client names" ran "$(attack +audio 2>/dev/null | tail -n 1)"
  is "$server: not under the others" held "$(
    attack +desktop+wayland+x11+gpu+dbus+fonts-and-themes+network+build+shell 2>/dev/null | tail -n 1
  )"
  is "$server: not under desktop" held "$(attack +desktop 2>/dev/null | tail -n 1)"
}

pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --log-target=stderr \
  --load="module-null-sink sink_name=silence" --load="module-native-protocol-unix" 2>"$work/log" &
started+=($!)
await pactl info
attacks PulseAudio paplay
end_started
started=()
rm -rf "$XDG_RUNTIME_DIR/pulse"

# PipeWire with its own settings, and a silent device.
python3 - <<'END_OF_PROGRAM'
settings = open("/usr/share/pipewire/pipewire.conf").read()
device = """{ factory = adapter args = { factory.name = support.null-audio-sink node.name = silence
  media.class = Audio/Sink object.linger = true audio.position = "FL,FR" } }"""
open("../pipewire.conf", "w").write(
    settings.replace("context.objects = [", "context.objects = [\n" + device, 1))
END_OF_PROGRAM
dbus-daemon --session --nofork --print-address=4 4>"$work/address" 2>/dev/null &
started+=($!)
await test -s "$work/address"
DBUS_SESSION_BUS_ADDRESS=$(<"$work/address")
export DBUS_SESSION_BUS_ADDRESS
pipewire -c "$top/pipewire.conf" 2>"$work/pipewire-log" &
started+=($!)
await pw-cli info 0
wireplumber >"$work/wireplumber-log" 2>&1 &
started+=($!)
pipewire-pulse 2>"$work/pulse-log" &
started+=($!)
await pactl info
found() { pactl list short sinks | grep -q silence; }
await found
# The session manager may still be about to link new streams to the device.
await timeout "$patience" pw-play "$top/data/sound.wav"
attacks PipeWire pw-play paplay
