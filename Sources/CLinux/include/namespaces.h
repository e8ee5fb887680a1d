// SPDX-License-Identifier: Apache-2.0
// Questions to an open namespace (ioctl_ns(2)).
#pragma once

#include <errno.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "process.h"

// The parent of a user or pid namespace, as a new descriptor; EPERM where it is out of sight.
static inline int linux_namespace_parent(int fd) {
  return (int)linux_result(ioctl(fd, NS_GET_PARENT));
}

// The user namespace that owns another namespace.
static inline int linux_namespace_user(int fd) {
  return (int)linux_result(ioctl(fd, NS_GET_USERNS));
}

// The user who made a user namespace.
static inline int linux_namespace_owner(int fd, uid_t *_Nonnull owner) {
  return (int)linux_result(ioctl(fd, NS_GET_OWNER_UID, owner));
}
