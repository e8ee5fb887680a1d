// SPDX-License-Identifier: Apache-2.0
// Processes, namespaces, signals, and attributes of the calling process.
#pragma once

#include <errno.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static inline long linux_result(long value) { return value < 0 ? -(long)errno : value; }

// clone3(2), for which the C library has no wrapper. Without CLONE_VM the child gets a copy of this
// address space, as after fork(2). A sibling (CLONE_PARENT) reports its end as this process would.
static inline int linux_clone3(uint64_t flags, int *_Nullable pidfd) {
  struct clone_args arguments = {
      .flags = flags, .pidfd = (uint64_t)(uintptr_t)pidfd,
      .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD};
  return (int)linux_result(syscall(SYS_clone3, &arguments, sizeof arguments));
}

// The same, with a child that begins in the control group whose directory `group` is open
// (CLONE_INTO_CGROUP, since Linux 5.7).
static inline int linux_clone3_into(uint64_t flags, int *_Nullable pidfd, int group) {
  struct clone_args arguments = {
      .flags = flags | 0x200000000ULL, .pidfd = (uint64_t)(uintptr_t)pidfd,
      .exit_signal = SIGCHLD, .cgroup = (uint64_t)group};
  return (int)linux_result(syscall(SYS_clone3, &arguments, sizeof arguments));
}

// The same with clone(2), which lacks the newer flags.
static inline int linux_clone(uint64_t flags, int *_Nullable pidfd) {
  return (int)linux_result(syscall(SYS_clone, flags | SIGCHLD, 0UL, pidfd, 0UL, 0UL));
}

// Runs `body` in a child that shares this address space, while the caller waits: `body` has to end
// with an exec or _exit(2).
int linux_vfork(void (*_Nonnull body)(void *_Nonnull), void *_Nonnull context);

// Makes a grandchild with a copy of this address space, whose parent exits at once; 0 in the
// grandchild.
int linux_clone_orphan(void);

static inline int linux_pidfd_open(int pid) {
  return (int)linux_result(syscall(SYS_pidfd_open, pid, 0));
}

static inline long linux_keyctl(int operation, unsigned long a, unsigned long b) {
  return linux_result(syscall(SYS_keyctl, operation, a, b, 0, 0));
}

// KEYCTL_DESCRIBE.
static inline long linux_keyctl_describe(int key, void *_Nonnull text, size_t size) {
  return linux_result(syscall(SYS_keyctl, 6, key, text, size, 0));
}

// The path that was executed, as the caller of execve(2) gave it (getauxval(3), AT_EXECFN).
static inline const char *_Nullable linux_executed_path(void) {
  return (const char *)getauxval(AT_EXECFN);
}

static inline int linux_unshare(int flags) { return (int)linux_result(syscall(SYS_unshare, flags)); }

static inline int linux_setns(int fd, int type) {
  return (int)linux_result(syscall(SYS_setns, fd, type));
}

static inline int linux_pidfd_send_signal(int pidfd, int signal) {
  return (int)linux_result(syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0));
}

// The same for the process group that the process leads, since Linux 6.9.
static inline int linux_pidfd_signal_group(int pidfd, int signal) {
  return (int)linux_result(
      syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 4 /* PIDFD_SIGNAL_PROCESS_GROUP */));
}

// Whether the file lies in the unified hierarchy of control groups (CGROUP2_SUPER_MAGIC).
static inline int linux_is_in_cgroup2(const char *_Nonnull path) {
  struct statfs status;
  return statfs(path, &status) == 0 && (unsigned long)status.f_type == 0x63677270UL;
}

// The id type P_PIDFD is newer than the C library's declaration of waitid(2).
static inline int linux_wait_pidfd(int pidfd, siginfo_t *_Nonnull information, int options) {
  return (int)linux_result(syscall(SYS_waitid, 3 /* P_PIDFD */, pidfd, information, options, 0));
}

// The kernel's call also says what the process and its children have used.
static inline int linux_wait_pidfd_use(
    int pidfd, siginfo_t *_Nonnull information, struct rusage *_Nonnull use) {
  return (int)linux_result(syscall(SYS_waitid, 3 /* P_PIDFD */, pidfd, information, WEXITED, use));
}

// prlimit64(2), whose values have 64 bits on every architecture.
static inline int linux_set_limit(int resource, uint64_t soft, uint64_t hard) {
  uint64_t values[2] = {soft, hard};
  return (int)linux_result(syscall(SYS_prlimit64, 0, resource, values, (void *)0));
}

static inline int linux_get_limit(
    int process, int resource, uint64_t *_Nonnull soft, uint64_t *_Nonnull hard) {
  uint64_t values[2] = {0, 0};
  int result = (int)linux_result(syscall(SYS_prlimit64, process, resource, (void *)0, values));
  *soft = values[0];
  *hard = values[1];
  return result;
}

static inline int linux_timer(void) {
  return (int)linux_result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

// Makes the timer run out once, or stops it if the time is 0.
static inline int linux_timer_start(int timer, int64_t milliseconds) {
  struct itimerspec time = {
      .it_value = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000}};
  return (int)linux_result(timerfd_settime(timer, 0, &time, (void *)0));
}

// Into the kernel: the vDSO's two pages, which a launch does not touch otherwise, cost more than these calls.
static inline long linux_monotonic_time(struct timespec *_Nonnull time) {
  return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, time);
}

static inline int linux_use_of_children(struct rusage *_Nonnull use) {
  return (int)linux_result(getrusage(RUSAGE_CHILDREN, use));
}

static inline int linux_prctl(int operation, unsigned long a, unsigned long b, unsigned long c) {
  return (int)linux_result(prctl(operation, a, b, c, 0UL));
}

// seccomp(2); `instructions` are `count` values of struct sock_filter.
static inline int linux_install_filter(
    const void *_Nonnull instructions, unsigned short count, unsigned flags) {
  struct sock_fprog program = {
      .len = count, .filter = (struct sock_filter *)(uintptr_t)instructions};
  int result = (int)linux_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
  if (result != -ENOSYS && result != -EPERM) return result;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0UL, 0UL) == 0) return 0;
  return result;
}

static inline int linux_setresuid(uid_t user) {
  return (int)linux_result(syscall(SYS_setresuid, user, user, user));
}

static inline int linux_setresgid(gid_t group) {
  return (int)linux_result(syscall(SYS_setresgid, group, group, group));
}

// Sets of signals as the kernel has them, a bit each: the C library keeps two of them to itself.
static inline int linux_set_mask(uint64_t mask, uint64_t *_Nullable old) {
  return (int)linux_result(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, old, sizeof mask));
}

static inline int linux_pending(uint64_t *_Nonnull signals) {
  return (int)linux_result(syscall(SYS_rt_sigpending, signals, sizeof *signals));
}

// Whether this process ignores a signal.
static inline int linux_ignores(int signal) {
  struct sigaction action;
  return sigaction(signal, 0, &action) == 0 && action.sa_handler == SIG_IGN;
}

static inline int linux_signalfd(uint64_t signals) {
  return (int)linux_result(
      syscall(SYS_signalfd4, -1, &signals, sizeof signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

static inline int linux_set_hostname(const char *_Nonnull name, size_t length) {
  return (int)linux_result(syscall(SYS_sethostname, name, length));
}

static inline int linux_set_domainname(const char *_Nonnull name, size_t length) {
  return (int)linux_result(syscall(SYS_setdomainname, name, length));
}

// getcwd(2) itself: the C library's function hides the kernel's "(unreachable)" answers and
// searches the directories instead.
static inline int linux_getcwd(char *_Nonnull buffer, size_t length) {
  return (int)linux_result(syscall(SYS_getcwd, buffer, length));
}

// execve(2) with a word in the register of a sixth argument, which the kernel ignores and a filter
// can see.
static inline int linux_exec(
    const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
    char *_Nullable const *_Nonnull environment, uint64_t word) {
  return (int)linux_result(syscall(SYS_execve, path, arguments, environment, 0UL, 0UL, word));
}

// execveat(2) of an open file.
static inline int linux_exec_descriptor(
    int fd, char *_Nullable const *_Nonnull arguments, char *_Nullable const *_Nonnull environment) {
  return (int)linux_result(
      syscall(SYS_execveat, fd, "", arguments, environment, 0x1000 /* AT_EMPTY_PATH */));
}

static inline long linux_random(void *_Nonnull buffer, size_t length) {
  return linux_result(syscall(SYS_getrandom, buffer, length, 0U));
}

static inline int linux_wait_exited(int status) { return WIFEXITED(status); }
static inline int linux_wait_exit_status(int status) { return WEXITSTATUS(status); }
static inline int linux_wait_signal(int status) { return WTERMSIG(status); }
static inline int linux_wait_stopped(int status) { return WIFSTOPPED(status); }
static inline int linux_wait_stop_signal(int status) { return WSTOPSIG(status); }
static inline int linux_wait_continued(int status) { return WIFCONTINUED(status); }

// strerrorname_np(3), which the C library declares for GNU sources only.
const char *_Nullable strerrorname_np(int number);
static inline const char *_Nullable linux_error_name(int number) {
  return strerrorname_np(number);
}

// A call by its number, with arguments that every call rejects.
static inline int linux_probe(long number) {
  return (int)linux_result(syscall(number, -1L, 0L, 0L, 0L, 0L, 0L));
}

// posix_spawn_file_actions_addchdir_np(3): has the process that posix_spawn(3) starts with these actions begin in
// `directory`.
int linux_spawn_in(void *_Nonnull actions, const char *_Nonnull directory);
