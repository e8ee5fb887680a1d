// SPDX-License-Identifier: Apache-2.0
// Made from seccomp/ by `make generate`.
// swift-format-ignore-file

extension BuiltInPolicy {
  static let compatPolicy = BuiltInPolicy(
    name: "compat", text: compatText, program: { compatInstructions })

  private static let compatText: StaticString = ##"""
# For programs that nothing may be known about: what flatpak keeps from every application is refused
# and all else is allowed, calls that do not exist yet among it. The weakest of these policies.
default allow
foreign kill
arch? x86 arm

# The kernel's log tells addresses; accounting, quotas and uselib are nobody's business in here.
errno EPERM syslog acct quotactl quotactl_fd
errno? EPERM uselib

# Keys are not kept apart by namespaces.
errno EPERM @keyring

# Where memory lies is the machine's affair.
errno EPERM move_pages mbind get_mempolicy set_mempolicy migrate_pages

# Other sandboxes, roots and mounts: a program that thinks itself privileged in a namespace of its
# own could change the files by which the host knows it.
errno EPERM unshare setns mount umount2 pivot_root chroot
errno? EPERM umount
errno EPERM clone if arg0 & CLONE_NEWUSER != 0
# The younger calls for the same; programs fall back where these seem not to exist.
errno ENOSYS clone3 open_tree open_tree_attr move_mount mount_setattr
errno ENOSYS fsopen fsconfig fsmount fspick

# Typing into the caller's terminal; lower 32 bits, as the kernel itself looks (CVE-2019-10063).
errno EPERM ioctl if arg1 == TIOCSTI
errno EPERM ioctl if arg1 == TIOCLINUX

# Looking into other processes, and counters that were a way into the kernel.
errno EPERM ptrace perf_event_open

# Programs of other systems.
errno EPERM personality
allow personality if arg0 == PER_LINUX
allow personality if arg0 == PER_LINUX32
allow personality if arg0 == 0xffffffff

# Families of sockets beyond the common ones.
include sockets
allow socket if arg0 == AF_NETLINK

include host
"""##
}
