// SPDX-License-Identifier: Apache-2.0
// Watching the system calls of other processes: seccomp_unotify(2) and process_vm_readv(2).
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "files.h"
#include "process.h"

// A call that waits for an answer, with room for what later kernels may add.
struct linux_waiting_call {
  struct seccomp_notif notification;
  uint64_t reserve[16];
};

// seccomp(2): like linux_install_filter, but returns the descriptor of a listener. Before Linux 5.19
// a signal may interrupt a call that the listener has received (WAIT_KILLABLE_RECV).
static inline int linux_install_watched_filter(
    const void *_Nonnull instructions, unsigned short count) {
  struct sock_fprog program = {
      .len = count, .filter = (struct sock_filter *)(uintptr_t)instructions};
  unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  int result = (int)linux_result(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | 1U << 5, &program));
  if (result != -EINVAL) return result;
  return (int)linux_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

// SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, since Linux 6.6: the watched
// process and its watcher take turns on one processor.
static inline void linux_wake_synchronously(int listener) {
  (void)ioctl(listener, SECCOMP_IOW(4, uint64_t), 1UL);
}

static inline int linux_receive_call(int listener, struct linux_waiting_call *_Nonnull call) {
  memset(call, 0, sizeof *call);
  return (int)linux_result(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call->notification));
}

static inline int linux_continue_call(int listener, uint64_t id) {
  struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  return (int)linux_result(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

static inline int linux_refuse_call(int listener, uint64_t id, int number) {
  struct seccomp_notif_resp answer = {.id = id, .error = -number};
  return (int)linux_result(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

static inline long linux_read_memory(
    int process, uint64_t address, void *_Nonnull buffer, size_t length) {
  struct iovec ours = {.iov_base = buffer, .iov_len = length};
  struct iovec theirs = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
  return linux_result(syscall(SYS_process_vm_readv, process, &ours, 1UL, &theirs, 1UL, 0UL));
}

// The working directory of a process, or what its descriptor `number` leads to if that is not
// negative, as a path from its root (proc(5)).
static inline long linux_process_link(
    int process, int number, char *_Nonnull buffer, size_t length) {
  char name[64];
  if (number < 0) {
    snprintf(name, sizeof name, "/proc/%d/cwd", process);
  } else {
    snprintf(name, sizeof name, "/proc/%d/fd/%d", process, number);
  }
  return linux_result(readlink(name, buffer, length));
}

// The name of a process (proc(5), comm).
static inline long linux_process_name(int process, char *_Nonnull buffer, size_t length) {
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/comm", process);
  int file = open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  long count = linux_result(read(file, buffer, length));
  close(file);
  return count;
}

// The process of a thread (proc(5), Tgid); the thread itself if nobody can tell.
static inline int linux_thread_process(int thread) {
  char name[64], status[256];
  snprintf(name, sizeof name, "/proc/%d/status", thread);
  int file = open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return thread;
  long count = linux_result(read(file, status, sizeof status - 1));
  close(file);
  status[count < 0 ? 0 : count] = 0;
  // The kernel escapes a line break in the program's name, which comes before.
  const char *line = strstr(status, "\nTgid:\t");
  int process = line ? atoi(line + 7) : 0;
  return process > 0 ? process : thread;
}

// Whether a descriptor of a process is a socket for UDP (the attribute that sockets have of themselves).
//
// Only a socket is asked: the kernel would hand the question about another file to its file system, and one
// that never answers, as of a stopped server of FUSE inside, would hold up the watcher. The file is held
// first, because another thread can put a file in the socket's place (dup2(2)); which kind of file it is
// comes from the link that leads to it, for which the kernel asks no file system.
static inline bool linux_process_has_udp(int process, int number) {
  char name[64], target[8], protocol[16] = "";
  snprintf(name, sizeof name, "/proc/%d/fd/%d", process, number);
  int file = open(name, LINUX_O_PATH | O_CLOEXEC);
  if (file < 0) return false;
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  bool is_udp = readlink(name, target, sizeof target) == sizeof target &&
                memcmp(target, "socket:[", sizeof target) == 0 &&
                getxattr(name, "system.sockprotoname", protocol, sizeof protocol - 1) > 0 &&
                strncmp(protocol, "UDP", 3) == 0;
  close(file);
  return is_udp;
}

// faccessat2(2) of an open file, since Linux 5.8.
static inline int linux_access(int fd, int mode) {
  return (int)linux_result(syscall(SYS_faccessat2, fd, "", mode, 0x1000 /* AT_EMPTY_PATH */));
}

// Sends a byte, a number and a descriptor behind a filter: without memory from the heap, for which the
// process would have to make a call.
static inline int linux_send_listener(
    int fd, uint8_t byte, uint64_t number, int passed, uint64_t word) {
  uint8_t message[9] = {byte};
  memcpy(message + 1, &number, sizeof number);
  return (int)linux_send_marked(fd, message, sizeof message, passed, word);
}

// prlimit64(2): the soft limit of descriptors of another process.
static inline int linux_set_soft_limit(int process, uint64_t soft) {
  uint64_t values[2];
  int result = linux_get_limit(process, RLIMIT_NOFILE, &values[0], &values[1]);
  if (result < 0) return result;
  values[0] = soft;
  return (int)linux_result(syscall(SYS_prlimit64, process, RLIMIT_NOFILE, values, (void *)0));
}

enum { LINUX_SENDMSG = SYS_sendmsg };
