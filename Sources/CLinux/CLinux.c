// SPDX-License-Identifier: Apache-2.0
// Checks the sizes of structures that the kernel reads, and holds calls that cannot be part of
// a header: one returns twice, and the C library declares the others for GNU sources only.
#define _GNU_SOURCE
#include <linux/magic.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "CLinux.h"

_Static_assert(sizeof(struct open_how) == 24, "openat2(2) of Linux 5.6");
_Static_assert(sizeof(struct mount_attr) == 32, "mount_setattr(2) of Linux 5.12");
_Static_assert(sizeof(struct clone_args) == 88, "clone3(2) with CLONE_INTO_CGROUP");

// Only C can call vfork(2): the child runs on the caller's stack, so it may not return, and the
// compiler must know that both share the caller's variables.
int linux_vfork(void (*_Nonnull body)(void *_Nonnull), void *_Nonnull context) {
  pid_t pid = vfork();
  if (pid == 0) {
    body(context);
    _exit(125);
  }
  return (int)linux_result(pid);
}

// AddressSanitizer keeps the return address of one vfork(2) for all processes that share memory, and the
// caller of linux_clone_orphan may be one that vfork(2) made: the second would lead the first astray.
#if __has_feature(address_sanitizer)
#define vfork_middle fork
#else
#define vfork_middle vfork
#endif

// Only the middle process may run in shared memory here, and it makes one call: the grandchild, which
// returns, has a copy of the stack.
int linux_clone_orphan(void) {
  pid_t middle = vfork_middle();
  if (middle < 0) return -errno;
  if (middle == 0) {
    long orphan = syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);
    if (orphan == 0) return 0;
    _exit(orphan < 0 ? errno : 0);
  }
  int status = 0;
  while (waitpid(middle, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  if (!WIFEXITED(status)) return -EINTR;
  return WEXITSTATUS(status) == 0 ? middle : -WEXITSTATUS(status);
}

int linux_spawn_in(void *_Nonnull actions, const char *_Nonnull directory) {
  return posix_spawn_file_actions_addchdir_np(actions, directory);
}

// FNV-1a over the numbers, enough to tell files apart.
static uint64_t mix(uint64_t stamp, uint64_t number) { return (stamp ^ number) * 0x100000001b3; }

int linux_file_stamp(int fd, uint64_t *_Nonnull stamp) {
  struct statx status = {0};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) < 0) return -errno;
  *stamp = mix(mix(mix(0xcbf29ce484222325, status.stx_ino), (uint64_t)status.stx_btime.tv_sec),
      status.stx_btime.tv_nsec);
  return 0;
}

int linux_is_mount_root(int fd) {
  struct statx status = {0};
  if (statx(fd, "", AT_EMPTY_PATH, 0, &status) < 0) return -errno;
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int linux_is_on_fuse(int fd) {
  struct statfs system;
  if (fstatfs(fd, &system) < 0) return -errno;
  return system.f_type == FUSE_SUPER_MAGIC;
}

int linux_mounted_file(
    int fd, uint64_t *_Nonnull device, uint64_t *_Nonnull inode, uint64_t *_Nonnull mount) {
  struct statx status = {0};
  // STATX_MNT_ID.
  if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | 0x1000, &status) < 0) return -errno;
  *device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
  *inode = status.stx_ino;
  *mount = status.stx_mask & 0x1000 ? status.stx_mnt_id : 0;
  return 0;
}
