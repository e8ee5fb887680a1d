// SPDX-License-Identifier: Apache-2.0
// Made from seccomp/ by `make generate`.
// swift-format-ignore-file

extension BuiltInPolicy {
  static let strictPolicy = BuiltInPolicy(
    name: "strict", text: strictText, program: { strictInstructions })

  private static let strictText: StaticString = ##"""
# For programs that compute: they read and write files, start threads and processes, and do nothing
# else. No network, no terminal tricks, nothing of the machine.
default errno ENOSYS
errno EPERM @known
foreign kill

allow @default @basic-io @file-system @io-event @signal @sync @timer @memlock @pkey
allow? pipe pipe2 memfd_create

# Threads and copies of the program itself. The C library prefers clone3, whose flags a filter does
# not see, and goes back to clone where there is none.
errno ENOSYS clone3
allow? clone fork vfork wait4 waitid waitpid kill tkill tgkill pidfd_open pidfd_send_signal
errno EPERM clone if arg0 & CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET != 0
allow setpgid setsid capget prlimit64

# The command itself is executed, and no program after it: what it is tricked into can use no other
# program's rights or abilities. A script therefore needs a shell that does it all by itself.
exec once

# Splicing moves pages between files and pipes without copying them: CVE-2022-0847 ("Dirty Pipe").
errno EPERM splice tee vmsplice
# Handles name files by number, past the mounts.
errno EPERM name_to_handle_at
# Devices, and files that are no files.
errno? EPERM mknodat mknod
allow mknodat if arg2 & S_IFMT == S_IFREG
allow mknodat if arg2 & S_IFMT == S_IFIFO

# Pairs of sockets are pipes with two directions; the calls on sockets work on nothing else, as no
# other socket can be made.
allow socketpair if arg0 == AF_UNIX
allow sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg shutdown
allow getsockopt getsockname getpeername

# Asking a terminal for its size and mode, and descriptors for what can be read.
errno ENOTTY ioctl
allow ioctl if arg1 == TCGETS
allow ioctl if arg1 == TIOCGWINSZ
allow ioctl if arg1 == TIOCGPGRP
allow ioctl if arg1 == FIONREAD
allow ioctl if arg1 == FIONBIO
allow ioctl if arg1 == FIOCLEX
allow ioctl if arg1 == FIONCLEX

# Of prctl, what the C library and language runtimes do to their own process.
allow prctl if arg0 == PR_SET_NAME
allow prctl if arg0 == PR_GET_NAME
allow prctl if arg0 == PR_SET_VMA
allow prctl if arg0 == PR_GET_DUMPABLE
allow prctl if arg0 == PR_SET_DUMPABLE
allow prctl if arg0 == PR_SET_PDEATHSIG
allow prctl if arg0 == PR_CAPBSET_READ
allow prctl if arg0 == PR_SET_NO_NEW_PRIVS
allow prctl if arg0 == PR_GET_NO_NEW_PRIVS

include host
"""##
}
