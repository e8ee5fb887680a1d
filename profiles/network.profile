# SPDX-License-Identifier: Apache-2.0
# Reaches the internet, but no localhost outside, no local network and no abstract sockets.
# The command has a network of its own, and nestbox connects outside for it: to any name and address
# that is not private and not this machine's. What was refused is told at the end.
# It reaches all ports of TCP if the kernel has nf_tables and nft_tproxy, else those of the list below;
# and of UDP time (123) and HTTP/3 (443). Names are looked up. There is no ping, no other UDP, such as
# that of calls, and nobody connects from outside except to what --publish names. A connection begins
# before the server outside has answered: where that refuses, it ends at once.
# Rules add to it: --net-allow proxy.example:3128@10.0.0.0/8 a proxy of the local network, --net-allow
# 192.168.1.1 a router, --net-host 3128 a port of your localhost as host.nestbox.internal. So a proxy
# that a variable names as 127.0.0.1 is not reached. To reach named hosts alone, use certificates and
# --net-allow. host-network shares the host's network.
--profile certificates

# Where the kernel can't lead every port outside: ssh, mail, the web, directories, rsync, chat, Gemini,
# git and keys. The command keeps the ports that servers of developers use.
--net-allow *:22,25,43,80,110,119,143,389,443,465,563,587,636,853,873,990,993,995,1965,5222,5223,6697,9418,11371
--net-allow-try *:*
--net-allow *:123,443/udp
