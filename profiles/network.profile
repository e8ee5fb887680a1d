# SPDX-License-Identifier: Apache-2.0
# Shows the host's network to a program: like untrusted, with connections to anywhere.
--profile untrusted

--share-net
# X11 and D-Bus listen on sockets that belong to the network. Needs Linux 6.12.
--landlock-scope abstract-unix

# Who knows the addresses. The file may be a link; what it leads to is shown in its place.
--ro-bind-try /etc/resolv.conf /etc/resolv.conf
--ro-same-try /etc/gai.conf
--ro-same-try /etc/networks
--ro-same-try /etc/ethers
