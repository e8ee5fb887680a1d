# SPDX-License-Identifier: Apache-2.0
# Runs a web browser: desktop and network, with a home directory of its own, and your downloads.
# The home directory is kept in ~/.local/share/nestbox/browser: bookmarks, passwords and settings are
# not those of the browser outside. The browser's own sandbox works inside. Sound is left out: see
# audio. What desktop says of X11 holds here as well. Pages of your localhost and your local network
# are out of reach: --net-host 3000 shows http://host.nestbox.internal:3000, and --net-allow
# 192.168.1.1 a router. With --profile host-network behind it, the browser shares the host's network.
--profile desktop
--profile network

# A browser has many threads for each page.
--processes-try 10000

--home ${XDG_DATA_HOME:-${HOME}/.local/share}/nestbox/browser
--bind-kept ${DOWNLOADS} ${HOME}/Downloads

# Which processors there are, and how much memory a process may take.
--ro-same-try /sys/devices/system/cpu
--keep-env MOZ_ENABLE_WAYLAND,MOZ_USE_XINPUT2
