// SPDX-License-Identifier: Apache-2.0
// Holds the sizes that the kernel reads to what this was written against, and the one call that
// returns twice.
#include "CLinux.h"

_Static_assert(sizeof(struct open_how) == 24, "openat2(2) of Linux 5.6");
_Static_assert(sizeof(struct mount_attr) == 32, "mount_setattr(2) of Linux 5.12");
_Static_assert(sizeof(struct clone_args) == 88, "clone3(2) with CLONE_INTO_CGROUP");

// vfork(2) has to be called in C: the child runs on the caller's own stack and may neither return
// nor let the compiler believe that the caller's variables are its own.
int linux_vfork(void (*_Nonnull body)(void *_Nonnull), void *_Nonnull context) {
  pid_t pid = vfork();
  if (pid == 0) {
    body(context);
    _exit(125);
  }
  return (int)linux_result(pid);
}
