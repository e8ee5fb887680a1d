// SPDX-License-Identifier: Apache-2.0
// Descriptors and paths.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/memfd.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "process.h"

enum {
  LINUX_MFD_CLOEXEC = 1,
  LINUX_MFD_ALLOW_SEALING = 2,
  // Since Linux 6.3.
  LINUX_MFD_NOEXEC_SEAL = 8,
  LINUX_MFD_EXEC = 16,
  // F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE.
  LINUX_SEALS = 1 | 2 | 4 | 8,
  LINUX_F_GET_SEALS = 1034,
};

static inline int linux_memory_file_with(const char *_Nonnull name, unsigned flags) {
  return (int)linux_result(syscall(SYS_memfd_create, name, flags));
}

enum {
  LINUX_O_PATH = 010000000,
  LINUX_AT_EMPTY_PATH = 0x1000,
  LINUX_AT_RECURSIVE = 0x8000,
  LINUX_AT_SYMLINK_NOFOLLOW = 0x100,
  LINUX_F_SETPIPE_SZ = 1031,
  LINUX_F_ADD_SEALS = 1033,
  LINUX_F_SEAL_SEAL = 1,
  LINUX_F_SEAL_SHRINK = 2,
  LINUX_F_SEAL_GROW = 4,
  LINUX_F_SEAL_WRITE = 8,
};

static inline int linux_openat2(
    int directory, const char *_Nonnull path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  return (int)linux_result(syscall(SYS_openat2, directory, path, &how, sizeof how));
}

static inline int linux_openat(int directory, const char *_Nonnull path, int flags, mode_t mode) {
  return (int)linux_result(openat(directory, path, flags, mode));
}

static inline int linux_pipe2(int *_Nonnull ends, int flags) {
  return (int)linux_result(syscall(SYS_pipe2, ends, flags));
}

static inline int linux_close_range(unsigned first, unsigned last, unsigned flags) {
  return (int)linux_result(syscall(SYS_close_range, first, last, flags));
}

static inline int linux_fcntl(int fd, int command, long argument) {
  return (int)linux_result(fcntl(fd, command, argument));
}

static inline int linux_fcntl_lock(int fd, struct flock *_Nonnull lock) {
  return (int)linux_result(fcntl(fd, F_SETLK, lock));
}

static inline int linux_flock(int fd, int operation) {
  return (int)linux_result(flock(fd, operation));
}

// memfd_create(2).
static inline int linux_memory_file(const char *_Nonnull name) {
  return (int)linux_result(syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

// fcntl(2), F_ADD_SEALS: all seals.
static inline int linux_seal(int fd) {
  return (int)linux_result(
      fcntl(fd, LINUX_F_ADD_SEALS,
            LINUX_F_SEAL_SEAL | LINUX_F_SEAL_SHRINK | LINUX_F_SEAL_GROW | LINUX_F_SEAL_WRITE));
}

// How many bytes a pipe holds (ioctl_pipe(2)).
static inline int linux_waiting_bytes(int fd) {
  int count = 0;
  long result = linux_result(ioctl(fd, FIONREAD, &count));
  return (int)(result < 0 ? result : count);
}

// sendmsg(2) with descriptors.
//
// The kernel counts those that a user has sent and nobody has received yet, also those of other programs,
// against the sender's soft limit (unix(7), ETOOMANYREFS). A program that lets them pile up must not stop
// others, so this one takes its hard limit for the moment, and then waits: most receivers take them soon.
long linux_send_message(int fd, const struct msghdr *_Nonnull message);

// The same for a process that has put itself under a filter whose listener it sends: it calls sendmsg(2)
// and nothing else, because for any other call the kernel may ask the listener, which nobody holds yet but
// this process. `word` is in the register of a sixth argument, which the kernel ignores and a filter can see.
long linux_send_behind_filter(int fd, const struct msghdr *_Nonnull message, uint64_t word);

// For such a process, before the filter: if a message had to wait, this takes the hard limit of descriptors,
// and returns the soft one, which another process has to give back. Otherwise it returns the largest number.
uint64_t linux_take_hard_limit(void);

// Sends `length` bytes and, if `passed` is not negative, that descriptor (unix(7)); behind a filter if
// `word` is not 0.
static inline long linux_send_marked(
    int fd, const void *_Nonnull bytes, size_t length, int passed, uint64_t word) {
  struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (passed >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control.space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof(int));
  }
  return word ? linux_send_behind_filter(fd, &message, word) : linux_send_message(fd, &message);
}

// The same without a word.
static inline long linux_send(
    int fd, const void *_Nonnull bytes, size_t length, int passed) {
  return linux_send_marked(fd, bytes, length, passed, 0);
}

// Receives one message; `*passed` is the descriptor that came with it, or -1.
static inline long linux_receive(
    int fd, void *_Nonnull bytes, size_t length, int *_Nonnull passed) {
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1,
      .msg_control = &control, .msg_controllen = sizeof control.space};
  *passed = -1;
  long received = linux_result(recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
  struct cmsghdr *header = received >= 0 ? CMSG_FIRSTHDR(&message) : 0;
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
    memcpy(passed, CMSG_DATA(header), sizeof(int));
  return received;
}

// The most descriptors that come with one message (unix(7), SCM_RIGHTS).
enum { linux_most_passed = 253 };

union linux_passed {
  struct cmsghdr header;
  char space[CMSG_SPACE(linux_most_passed * sizeof(int))];
};

// Sends `length` bytes with `count` descriptors, at least one.
static inline long linux_send_many(
    int fd, const void *_Nonnull bytes, size_t length, const int *_Nonnull passed, size_t count) {
  if (count == 0 || count > linux_most_passed) return -EINVAL;
  struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
  union linux_passed control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1,
      .msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(header), passed, count * sizeof(int));
  return linux_send_message(fd, &message);
}

// Receives one message, and up to `linux_most_passed` descriptors into `passed`; `*count` says how many.
static inline long linux_receive_many(
    int fd, void *_Nonnull bytes, size_t length, int *_Nonnull passed, size_t *_Nonnull count) {
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  union linux_passed control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1,
      .msg_control = &control, .msg_controllen = sizeof control.space};
  *count = 0;
  long received = linux_result(recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
  struct cmsghdr *header = received >= 0 ? CMSG_FIRSTHDR(&message) : 0;
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(passed, CMSG_DATA(header), *count * sizeof(int));
  }
  return received;
}

// xattr(7): whether the attribute `name` of the open file is `1`.
static inline int linux_is_marked(int fd, const char *_Nonnull name) {
  char value;
  return fgetxattr(fd, name, &value, 1) == 1 && value == '1';
}

// statx(2): a number that tells this file from others with the same inode number.
int linux_file_stamp(int fd, uint64_t *_Nonnull stamp);

// statx(2), STATX_ATTR_MOUNT_ROOT: whether a mount begins at the file.
int linux_is_mount_root(int fd);

// statfs(2): whether the file lies on FUSE, which all users are told.
int linux_is_on_fuse(int fd);

// statx(2): which file this is, and the number of its mount, or 0 where the kernel does not tell it.
int linux_mounted_file(
    int fd, uint64_t *_Nonnull device, uint64_t *_Nonnull inode, uint64_t *_Nonnull mount);

// renameat2(2), RENAME_NOREPLACE: fails where `to` exists.
static inline int linux_rename_to_free_name(
    int directory, const char *_Nonnull from, const char *_Nonnull to) {
  return (int)linux_result(syscall(SYS_renameat2, directory, from, directory, to, 1));
}

// Writes the file system of `fd` to its device (syncfs(2)).
static inline int linux_syncfs(int fd) {
  return (int)linux_result(syscall(SYS_syncfs, fd));
}

// fgetxattr(2): the length of the attribute.
static inline long linux_attribute(
    int fd, const char *_Nonnull name, void *_Nonnull value, size_t size) {
  return linux_result(fgetxattr(fd, name, value, size));
}

// fsetxattr(2).
static inline int linux_set_attribute(
    int fd, const char *_Nonnull name, const void *_Nonnull value, size_t size) {
  return (int)linux_result(fsetxattr(fd, name, value, size, 0));
}

// getdents(2): whether a directory that was not read yet has only the entries `.` and `..`.
static inline int linux_is_empty_directory(int fd) {
  char buffer[256] __attribute__((aligned(8)));
  long length;
  while ((length = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0) {
    for (long offset = 0; offset < length;) {
      const char *entry = buffer + offset;
      const char *name = entry + 19;
      if (name[0] != '.' || (name[1] && (name[1] != '.' || name[2]))) return 0;
      offset += *(const unsigned short *)(entry + 16);
    }
  }
  return length == 0;
}

// fsetxattr(2) and fremovexattr(2): whether the file system keeps the attribute `name`.
static inline int linux_try_attribute(int fd, const char *_Nonnull name) {
  int result = (int)linux_result(fsetxattr(fd, name, "y", 1, 0));
  return result < 0 ? result : (int)linux_result(fremovexattr(fd, name));
}
