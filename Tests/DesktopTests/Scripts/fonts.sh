# SPDX-License-Identifier: Apache-2.0
# Fonts and settings of windows, and nothing beside them.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need fc-list fontconfig
need fc-scan fontconfig
font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
need $font fonts-dejavu-core

mkdir -p .local/share/fonts .config/gtk-3.0 .config/fontconfig .icons/theme .ssh
cp $font .local/share/fonts/mine.ttf
echo '[Settings]' >.config/gtk-3.0/settings.ini
echo file:///secret >.config/gtk-3.0/bookmarks
echo secret >.ssh/id_ed25519
before=$(find . | sort)
# The caches of fonts are made by the first who asks.
mine() { "$@" fc-list : file | grep -c mine.ttf || true; }
is "outside, there is a font in the home directory" 1 "$(mine env)"
is "under fonts-and-themes it is there" 1 "$(mine nestbox --profile fonts-and-themes)"
is "under desktop too" 1 "$(mine nestbox --profile desktop)"
is "otherwise it is not" 0 "$(mine nestbox --profile x11)"
is "the same font is chosen as outside" "$(fc-match serif:bold)" \
  "$(nestbox --profile fonts-and-themes fc-match serif:bold)"
is "settings and icons are shown, and nothing of what lies beside them" \
  "./.config/gtk-3.0/settings.ini ./.icons/theme ./.local/share/fonts/mine.ttf" \
  "$(nestbox --profile fonts-and-themes --chdir "$HOME" find . -type f -o -name theme |
    grep -v '^./.cache' | sort | paste -sd ' ')"
# shellcheck disable=SC2016
is "they can't be changed" "refused" "$(nestbox --profile fonts-and-themes sh -c \
  'for file in ~/.config/gtk-3.0/settings.ini ~/.icons/theme/x ~/.local/share/fonts/x; do
     ! (echo x >"$file") 2>/dev/null || exit 1; done; echo refused')"
is "nothing has changed outside" "$before" "$(find . | grep -v '^./.cache' | sort)"
