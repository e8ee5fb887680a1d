// SPDX-License-Identifier: Apache-2.0
// Made from seccomp/ by `make generate`.
// swift-format-ignore-file

extension BuiltInPolicy {
  static let desktopPolicy = BuiltInPolicy(
    name: "desktop", text: desktopText, program: { desktopInstructions })

  private static let desktopText: StaticString = ##"""
# For programs with windows: browsers, Electron, games, Wine. What `default` allows, and what these
# need beyond that.
include default

# Browsers put their pages into sandboxes of their own, with user namespaces, and so do Electron and
# WebKit, the latter with bubblewrap: where that fails they refuse to start, or run their pages
# with no sandbox at all, which is worse than the kernel's larger surface. (bubblewrap 0.12 and later
# also need --seccomp-allow openat2; host.policy says why that is refused.)
allow clone clone3 unshare setns @mount sethostname

# 32-bit programs of Steam and Wine. Those whose C library makes sockets through socketcall have
# none, unless the caller says --seccomp-allow socketcall (sockets.policy).
arch? x86 arm

# Crash reporters read the memory of the process that crashed; Wine is built on ptrace and
# process_vm_readv, as its programs look into each other.
allow ptrace process_vm_readv process_vm_writev process_madvise

# Mesa asks with it whether two descriptors are the same device.
allow kcmp

# 16-bit and 32-bit segments, for Wine.
allow? modify_ldt
# Games and their runtimes for Windows were built for other rules of memory.
allow personality
"""##
}
