// SPDX-License-Identifier: Apache-2.0
// The mount interface of Linux 5.2 to 5.12: three calls bind a whole tree with flags, through
// descriptors. glibc 2.36 has wrappers, older C libraries have none.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process.h"

static inline int linux_open_tree(int directory, const char *_Nonnull path, unsigned flags) {
  return (int)linux_result(syscall(SYS_open_tree, directory, path, flags));
}

static inline int linux_move_mount(
    int from, const char *_Nonnull from_path, int to, const char *_Nonnull to_path,
    unsigned flags) {
  return (int)linux_result(syscall(SYS_move_mount, from, from_path, to, to_path, flags));
}

static inline int linux_mount_setattr(
    int directory, const char *_Nonnull path, unsigned flags, uint64_t set, uint64_t clear,
    uint64_t propagation) {
  struct mount_attr attributes = {
      .attr_set = set, .attr_clr = clear, .propagation = propagation};
  return (int)linux_result(
      syscall(SYS_mount_setattr, directory, path, flags, &attributes, sizeof attributes));
}

static inline int linux_fsopen(const char *_Nonnull type) {
  return (int)linux_result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

static inline int linux_fsconfig_string(
    int context, const char *_Nonnull key, const char *_Nonnull value) {
  return (int)linux_result(
      syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0));
}

static inline int linux_fsconfig_flag(int context, const char *_Nonnull key) {
  return (int)linux_result(syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, (void *)0, 0));
}

static inline int linux_fsconfig_create(int context) {
  return (int)linux_result(
      syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, (void *)0, (void *)0, 0));
}

static inline int linux_fsmount(int context, unsigned attributes) {
  return (int)linux_result(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
}

static inline int linux_pivot_root(const char *_Nonnull new_root, const char *_Nonnull put_old) {
  return (int)linux_result(syscall(SYS_pivot_root, new_root, put_old));
}

static inline int linux_umount(const char *_Nonnull path, int flags) {
  return (int)linux_result(umount2(path, flags));
}
