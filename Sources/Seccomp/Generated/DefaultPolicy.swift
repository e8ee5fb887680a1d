// SPDX-License-Identifier: Apache-2.0
// Made from seccomp/ by `make generate`.
// swift-format-ignore-file

extension BuiltInPolicy {
  static let defaultPolicy = BuiltInPolicy(
    name: "default", text: defaultText, program: { defaultInstructions })

  private static let defaultText: StaticString = ##"""
# For ordinary programs: what they need is allowed, everything else refused.
#
# The kernel has some 370 system calls. Those that most of its holes of the last years were
# reached through are not among the ones that a compiler, an interpreter, a server or a tool makes.

# A call that is younger than this list fails as on a kernel that does not have it yet, and programs
# have something else to fall back on; one that is known and refused says so.
default errno ENOSYS
errno EPERM @known

# Calls of a 32-bit program, or of the x32 ABI, have numbers and rules of their own; few programs
# make them, and CVE-2014-0038 (recvmmsg of x32) could be reached in no other way.
foreign kill

allow @system-service

# io_uring carries out other calls where no filter sees them, and was the way in of CVE-2021-41073,
# CVE-2022-29582, CVE-2023-2598 and many others. Programs fall back on epoll.
errno EPERM @io-uring

# Page faults in user space are what races in the kernel are won with (CVE-2016-6187,
# CVE-2022-2590).
errno EPERM userfaultfd

# Other processes: their memory, descriptors and registers. It is the sandbox's own processes that
# are left to look at, but PTRACE_TRACEME was a hole by itself (CVE-2019-13272). A debugger runs
# with --seccomp-allow @debug.
errno EPERM process_vm_readv process_vm_writev process_madvise

# A page that the kernel itself cannot read keeps the machine from hibernating.
errno? EPERM memfd_secret

# Where pages lie can be told of other processes as well (CVE-2017-14140), and hardly any program
# moves its own.
errno EPERM migrate_pages move_pages set_mempolicy_home_node

# To be told the time is allowed; to set it needs privileges, which the kernel sees to.
allow? adjtimex clock_adjtime clock_adjtime64

# New namespaces, above all user namespaces, make a thousand paths in the kernel reachable that are
# otherwise for privileged processes only: CVE-2022-0185 (fsconfig), CVE-2022-25636, CVE-2022-32250,
# CVE-2023-32233 and CVE-2024-1086 (netfilter) began with one.
# The lower eight bits of what clone takes are a signal, so CLONE_NEWTIME is none of its flags.
errno EPERM setns
errno EPERM clone if arg0 & CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET != 0
errno EPERM unshare if arg0 & CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET|CLONE_NEWTIME != 0

# clone3 keeps its flags in memory, where a filter cannot see them. The C library goes back to clone
# when it is told that there is none, and only then.
errno ENOSYS clone3

# The terminal is shared with the caller: TIOCSTI types for the user (CVE-2017-5226), and so does
# TIOCLINUX on a console (CVE-2023-1523). The kernel looks at the lower 32 bits of the request
# alone; a filter that looks at all is passed by setting another one (CVE-2019-10063).
errno EPERM ioctl if arg1 == TIOCSTI
errno EPERM ioctl if arg1 == TIOCLINUX
# It loads line disciplines, of which nearly nobody uses one: CVE-2017-2636, CVE-2023-6546.
errno EPERM ioctl if arg1 == TIOCSETD

include sockets
# Asking for the machine's addresses and routes, and hearing of devices that come and go.
allow socket if arg0 == AF_NETLINK and arg2 == NETLINK_ROUTE
allow socket if arg0 == AF_NETLINK and arg2 == NETLINK_KOBJECT_UEVENT

# Other execution domains are for programs of other systems, and READ_IMPLIES_EXEC makes data
# executable. Asking is allowed, as are what `setarch` and `uname26` set, and an address space that
# is the same each time, which some Lisps and sanitizers need and which weakens nobody else.
errno EPERM personality
allow personality if arg0 == PER_LINUX
allow personality if arg0 == PER_LINUX32
allow personality if arg0 == UNAME26
allow personality if arg0 == UNAME26|PER_LINUX32
allow personality if arg0 == ADDR_NO_RANDOMIZE
allow personality if arg0 == 0xffffffff

include host

# Kept out by not being in @system-service, each for a reason:
# @keyring   CVE-2016-0728, and keys are not kept apart by namespaces.
# @module, @reboot, @raw-io, @swap   the machine, for administrators.
# @mount     needs a namespace of one's own.
# @debug     among it perf_event_open: CVE-2013-2094, CVE-2023-5717.
# bpf        CVE-2020-8835, CVE-2021-3490, CVE-2022-23222, CVE-2023-2163.
# @cpu-emulation   modify_ldt: CVE-2015-5157, CVE-2017-17053; `desktop` has it, for Wine.
# open_by_handle_at   opens files by number, past every mount: CVE-2014-3519.
# fanotify_init, quotactl, acct, syslog, sethostname, setdomainname, vhangup   administration.
# @obsolete  calls that are no longer needed.
"""##
}
