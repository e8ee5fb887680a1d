# SPDX-License-Identifier: Apache-2.0
# Runs a program that nobody vouches for: the system read-only, no network, nothing of yours.

# Everything that can be new is; of the host's there is no process, no network, no message queue.
--unshare-all
--hostname sandbox

# Nothing goes on when the command or the caller has ended.
--die-with-parent
--kill-on-exit

# Private places that are gone afterwards. The home directory may lie in one of the others; the
# system comes behind it, as the homes of service users lie there.
--perms 1777
--tmpfs /tmp
--perms 1777
--dir /var/tmp
--dir /run
--perms 0700
--tmpfs ${HOME}

# The system, merged or not.
--ro-bind /usr /usr
--ro-bind-try /bin /bin
--ro-bind-try /sbin /sbin
--ro-bind-try /lib /lib
--ro-bind-try /lib64 /lib64

--proc /proc
--dev /dev
