# SPDX-License-Identifier: Apache-2.0
# Runs a web browser: desktop and network, with a home directory of its own, and your downloads.
# The home directory is kept in ~/.local/share/nestbox/browser: bookmarks, passwords and settings are
# not those of the browser outside. The browser's own sandbox works inside. Sound is left out: see
# audio. What desktop says of X11 holds here as well.
--profile desktop
--profile network

# A browser has many threads for each page.
--processes-try 10000

--home ${XDG_DATA_HOME:-${HOME}/.local/share}/nestbox/browser
--bind-kept ${DOWNLOADS} ${HOME}/Downloads

# Which processors there are, and how much memory a process may take.
--ro-same-try /sys/devices/system/cpu
--keep-env MOZ_ENABLE_WAYLAND,MOZ_USE_XINPUT2
