# SPDX-License-Identifier: Apache-2.0
# Runs a program that nobody vouches for: the system read-only, no network, nothing of yours.

# All namespaces are new: the command sees no process, network, message queue or cgroup of the host.
--unshare-all
--hostname sandbox

# All processes inside end with the command or the caller.
--die-with-parent
--kill-on-exit

# However often it forks, the machine stays usable.
--processes-try 2000

# The command is in the caller's process group, and signals to a group reach processes that the
# command does not see.
--landlock-scope-try signal

# System calls that programs have no use for are refused, among them those that push characters into
# the terminal. So the command can stay in the caller's session, and job control works.
--seccomp-policy default

# Open files and variables of the caller may be secrets, or lead to them: tokens, agents, the
# session's bus. These variables only say who, where and in which language.
--close-fds
--keep-env TERM,COLORTERM,NO_COLOR,COLUMNS,LINES,LANG,LANGUAGE,LC_*,TZ,HOME,USER,LOGNAME,SHELL
# So that AppImages unpack themselves instead of asking for FUSE.
--setenv APPIMAGE_EXTRACT_AND_RUN 1
--setenv HOME ${HOME}
--setenv USER ${USER}
--setenv LOGNAME ${USER}
--setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games:/run/current-system/sw/bin:/run/current-system/profile/bin:/etc/profiles/per-user/${USER}/bin

# Private places that are gone afterwards. The home directory may lie in one of the others; the
# system comes behind it, as the homes of service users lie there.
--perms 1777
--tmpfs /tmp
--perms 1777
--tmpfs /var/tmp
--tmpfs /run
--perms 0700
--tmpfs ${HOME}

# The system: with a merged /usr, /bin and its like are links into it.
--ro-same-try /usr
--ro-same-try /bin
--ro-same-try /sbin
--ro-same-try /lib
--ro-same-try /lib32
--ro-same-try /lib64
--ro-same-try /libx32
# On some systems a link, to /var/opt for instance: then with what it leads to.
--read-glob /opt
# Where an ostree system keeps what /usr/local leads to.
--ro-same-try /var/usrlocal
# NixOS and Guix keep theirs in a store, and reach what is in use by links from these places.
--ro-same-try /nix/store
--ro-same-try /gnu/store
--ro-same-try /run/current-system
--ro-same-try /var/guix/profiles
--ro-same-try /etc/profiles/per-user/${USER}

# As little of /etc as programs need in order to start: where libraries are, ...
--ro-same-try /etc/ld.so.cache
--ro-same-try /etc/alternatives
--ro-same-try /etc/static
# ... which system this is, in which place and language, ...
--ro-same-try /etc/os-release
--ro-same-try /etc/localtime
--ro-same-try /etc/timezone
--ro-same-try /etc/locale.conf
--ro-same-try /etc/locale.alias
--ro-same-try /etc/terminfo
# ... how names are looked up, ...
--ro-same-try /etc/nsswitch.conf
--ro-same-try /etc/host.conf
--hosts-file /etc/hosts
--ro-same-try /etc/services
--ro-same-try /etc/protocols
# ... and whose signatures are trusted. The private keys beside these stay where they are.
--ro-same-try /etc/ssl/certs
--ro-same-try /etc/ssl/openssl.cnf
--ro-same-try /etc/ca-certificates
--ro-same-try /etc/pki/ca-trust
--ro-same-try /etc/pki/tls/certs
--ro-same-try /etc/pki/tls/cert.pem
--ro-same-try /etc/pki/tls/openssl.cnf
--ro-same-try /etc/crypto-policies
# Some distributions link the settings of these there, and they do not start without.
--ro-same-try /etc/java-11-openjdk
--ro-same-try /etc/java-17-openjdk
--ro-same-try /etc/java-21-openjdk
--ro-same-try /etc/java-25-openjdk
# ... settings that keep programs from working, or restrict them, and say nothing of the machine.
--ro-same-try /etc/manpath.config
--ro-same-try /etc/man_db.conf
--ro-same-try /etc/ImageMagick-6
--ro-same-try /etc/ImageMagick-7
--ro-same-try /etc/R
--ro-same-try /etc/maven
--ro-same-try /etc/php
--ro-same-try /etc/emacs
--ro-same-try /etc/texmf
--ro-same-try /etc/magic
--ro-same-try /etc/mime.types
--ro-same-try /etc/papersize
# The other users of the machine are nobody's business.
--user-files /etc

--proc /proc
--dev /dev
# How many processors there are, which lscpu and libraries of numbers look up there.
--ro-same-try /sys/devices/system/cpu
--ro-same-try /sys/devices/system/node

# So that relative paths mean the same as outside.
--private-cwd
# Last, as it lies in one of the places above more often than not.
--bind-program
