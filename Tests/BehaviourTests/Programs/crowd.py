# SPDX-License-Identifier: Apache-2.0
# Runs a command while 750 descriptors of this user are on their way: `crowd.py SOFT HARD COMMAND…`,
# with these limits of descriptors for the command.
import resource
import socket
import subprocess
import sys

sender, receiver = socket.socketpair()
for _ in range(3):
    socket.send_fds(sender, [b"x"], [0] * 250)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
sys.exit(subprocess.call(sys.argv[3:]))
