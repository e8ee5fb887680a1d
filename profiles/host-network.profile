# SPDX-License-Identifier: Apache-2.0
# Shares the host's network: the command reaches your localhost and the local network as you do.
# It can connect to every service of this machine, of the router, of a cloud's metadata and of a VPN,
# many of which trust an address, and listen where others connect. The sockets of X11 and D-Bus that
# belong to the network are refused. network has the internet alone.
--profile certificates

--share-net
# X11 and D-Bus listen on sockets that belong to the network. Without Linux 6.12 there are
# no Unix sockets inside at all.
--landlock-scope abstract-unix

# The name servers. The file may be a link; its target is shown in its place.
--ro-bind-try /etc/resolv.conf /etc/resolv.conf
--ro-same-try /etc/gai.conf
--ro-same-try /etc/networks
--ro-same-try /etc/ethers
