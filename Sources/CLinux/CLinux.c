// SPDX-License-Identifier: Apache-2.0
// Holds the sizes that the kernel reads to what this was written against.
#include "CLinux.h"

_Static_assert(sizeof(struct open_how) == 24, "openat2(2) of Linux 5.6");
_Static_assert(sizeof(struct mount_attr) == 32, "mount_setattr(2) of Linux 5.12");
_Static_assert(sizeof(struct clone_args) == 88, "clone3(2) with CLONE_INTO_CGROUP");
