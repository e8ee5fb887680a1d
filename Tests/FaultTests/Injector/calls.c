// SPDX-License-Identifier: Apache-2.0
// A table of system calls: their names, how messages name them, how they fail.
#include "injector.h"

#include <sys/syscall.h>

static const int files[] = {EPERM, EACCES, ENOENT, EMFILE, ENOMEM, 0};
static const int data[] = {EIO, EINTR, ENOSPC, EPIPE, 0};
static const int mounts[] = {EPERM, EINVAL, ENOSPC, ENOSYS, EBUSY, 0};
static const int processes[] = {EAGAIN, ENOSPC, EPERM, ENOMEM, 0};
static const int others[] = {EPERM, EINVAL, ENOMEM, 0};
static const int waits[] = {EINTR, EINVAL, 0};
// Whether a file exists: if it does not, that is a valid answer, and an optional part is left out.
static const int looks[] = {EACCES, EPERM, ENOMEM, 0};
static const int memory[] = {ENOMEM, 0};
// Somebody else has the lock, or there are none on this file system.
static const int locks[] = {EWOULDBLOCK, ENOLCK, 0};
static const int none[] = {0};

static const struct {
  int number;
  const char *name, *alias;
  const int *errors;
} calls[] = {
    {SYS_openat, "openat", "open", files},
    {SYS_openat2, "openat2", "open", files},
    {SYS_read, "read", "seccomp_export_bpf", data},
    {SYS_pread64, "pread64", "read", data},
    {SYS_write, "write", "seccomp_export_bpf", data},
    {SYS_sendmsg, "sendmsg", 0, data},
    {SYS_recvmsg, "recvmsg", 0, data},
    {SYS_ppoll, "ppoll", "poll", waits},
    {SYS_waitid, "waitid", 0, waits},
    {SYS_wait4, "wait4", 0, waits},
    {SYS_close, "close", 0, data},
    {SYS_close_range, "close_range", 0, others},
    {SYS_pipe2, "pipe2", 0, files},
    {SYS_socketpair, "socketpair", 0, files},
    {SYS_socket, "socket", 0, files},
    {SYS_setsockopt, "setsockopt", 0, others},
    {SYS_getsockopt, "getsockopt", 0, others},
    {SYS_getsockname, "getsockname", 0, others},
    {SYS_bind, "bind", 0, others},
    {SYS_listen, "listen", 0, others},
    {SYS_connect, "connect", 0, others},
    {SYS_accept4, "accept4", "accept", data},
    {SYS_sendto, "sendto", 0, data},
    {SYS_recvfrom, "recvfrom", 0, data},
    {SYS_sendmmsg, "sendmmsg", 0, data},
    {SYS_recvmmsg, "recvmmsg", 0, data},
    {SYS_shutdown, "shutdown", 0, others},
    {SYS_dup, "dup", 0, files},
    {SYS_fcntl, "fcntl", 0, files},
    {SYS_ioctl, "ioctl", 0, others},
    {SYS_signalfd4, "signalfd4", "signalfd", files},
    {SYS_pidfd_open, "pidfd_open", 0, files},
    {SYS_pidfd_send_signal, "pidfd_send_signal", 0, others},
    {SYS_clone3, "clone3", 0, processes},
    {SYS_clone, "clone", 0, processes},
    {SYS_unshare, "unshare", 0, processes},
    {SYS_setns, "setns", 0, others},
    {SYS_execve, "execve", 0, files},
    {SYS_fsopen, "fsopen", 0, mounts},
    {SYS_fsconfig, "fsconfig", 0, mounts},
    {SYS_fsmount, "fsmount", 0, mounts},
    {SYS_open_tree, "open_tree", 0, mounts},
    {SYS_move_mount, "move_mount", 0, mounts},
    {SYS_mount_setattr, "mount_setattr", 0, mounts},
    {SYS_mount, "mount", 0, mounts},
    {SYS_umount2, "umount2", 0, mounts},
    {SYS_pivot_root, "pivot_root", 0, mounts},
    {SYS_chroot, "chroot", 0, files},
    {SYS_chdir, "chdir", 0, files},
    {SYS_fchdir, "fchdir", 0, files},
    {SYS_getcwd, "getcwd", 0, files},
    {SYS_mkdirat, "mkdirat", 0, files},
    {SYS_mkdir, "mkdir", 0, files},
    {SYS_mknodat, "mknodat", 0, files},
    {SYS_symlinkat, "symlinkat", 0, files},
    {SYS_unlinkat, "unlinkat", 0, files},
    {SYS_readlinkat, "readlinkat", "readlink", looks},
    {SYS_fchmodat, "fchmodat", "chmod", files},
    {SYS_newfstatat, "newfstatat", "stat", files},
    {SYS_fstat, "fstat", "stat", files},
    {SYS_faccessat, "faccessat", "access", files},
    {SYS_faccessat2, "faccessat2", "access", files},
    {SYS_prctl, "prctl", "cap_", others},
    {SYS_capget, "capget", "cap_", others},
    {SYS_capset, "capset", "cap_", others},
    {SYS_seccomp, "seccomp", 0, others},
    {SYS_keyctl, "keyctl", 0, others},
    {SYS_setsid, "setsid", 0, others},
    {SYS_setpgid, "setpgid", 0, others},
    {SYS_getpgid, "getpgid", 0, none},
    {SYS_getsid, "getsid", 0, none},
    {SYS_kill, "kill", 0, others},
    {SYS_setresuid, "setresuid", 0, others},
    {SYS_setresgid, "setresgid", 0, others},
    {SYS_sethostname, "sethostname", 0, others},
    {SYS_setdomainname, "setdomainname", 0, others},
    {SYS_rt_sigprocmask, "rt_sigprocmask", "sigprocmask", others},
    {SYS_rt_sigaction, "rt_sigaction", "sigaction", others},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait", 0, waits},
    {SYS_madvise, "madvise", 0, others},
    {SYS_memfd_create, "memfd_create", 0, files},
    {SYS_ftruncate, "ftruncate", 0, data},
    {SYS_lseek, "lseek", 0, others},
    // readdir(3) takes ENOENT for the end of a directory that was removed.
    {SYS_getdents64, "getdents64", "read", data},
    {SYS_statx, "statx", "stat", files},
    {SYS_fchmod, "fchmod", "chmod", files},
    {SYS_fchown, "fchown", 0, files},
    {SYS_dup3, "dup3", 0, files},
    {SYS_landlock_create_ruleset, "landlock_create_ruleset", 0, others},
    {SYS_landlock_restrict_self, "landlock_restrict_self", 0, others},
    {SYS_process_vm_readv, "process_vm_readv", 0, others},
    {SYS_uname, "uname", 0, none},
    {SYS_clock_gettime, "clock_gettime", 0, none},
    {SYS_mmap, "mmap", 0, memory},
    {SYS_munmap, "munmap", 0, memory},
    {SYS_mprotect, "mprotect", 0, memory},
    // It fails by returning the old end of the heap, never an error: the C library would take that
    // for an address, and write there. The faults of mmap cover a lack of memory.
    {SYS_brk, "brk", 0, none},
    {SYS_mremap, "mremap", 0, memory},
    {SYS_getrandom, "getrandom", 0, others},
    {SYS_prlimit64, "prlimit64", 0, others},
    {SYS_sched_getaffinity, "sched_getaffinity", 0, others},
    {SYS_set_robust_list, "set_robust_list", 0, others},
    {SYS_rseq, "rseq", 0, others},
    {SYS_flock, "flock", 0, locks},
    {SYS_statfs, "statfs", 0, files},
    {SYS_fgetxattr, "fgetxattr", "getxattr", others},
    {SYS_fsetxattr, "fsetxattr", "setxattr", others},
    {SYS_fremovexattr, "fremovexattr", "removexattr", others},
    {SYS_flistxattr, "flistxattr", "listxattr", others},
    {SYS_epoll_create1, "epoll_create1", "epoll_create", files},
    {SYS_epoll_ctl, "epoll_ctl", 0, others},
    {SYS_epoll_wait, "epoll_wait", 0, waits},
    {SYS_epoll_pwait, "epoll_pwait", "epoll_wait", waits},
    {SYS_timerfd_create, "timerfd_create", 0, files},
    {SYS_timerfd_settime, "timerfd_settime", 0, others},
    {SYS_getrusage, "getrusage", 0, none},
    {SYS_splice, "splice", 0, data},
    {SYS_umask, "umask", 0, none},
    {SYS_getpid, "getpid", 0, none},
    {SYS_getppid, "getppid", 0, none},
    {SYS_gettid, "gettid", 0, none},
    {SYS_getuid, "getuid", 0, none},
    {SYS_geteuid, "geteuid", 0, none},
    {SYS_getgid, "getgid", 0, none},
    {SYS_getegid, "getegid", 0, none},
    {SYS_set_tid_address, "set_tid_address", 0, none},
    {SYS_exit, "exit", 0, none},
    {SYS_exit_group, "exit_group", 0, none},
#ifdef SYS_arch_prctl
    {SYS_arch_prctl, "arch_prctl", 0, none},
    {SYS_getpgrp, "getpgrp", 0, none},
    {SYS_dup2, "dup2", 0, files},
    {SYS_vfork, "vfork", 0, processes},
    {SYS_fork, "fork", 0, processes},
    {SYS_open, "open", 0, files},
    {SYS_stat, "stat", 0, files},
    {SYS_access, "access", 0, looks},
    {SYS_poll, "poll", 0, waits},
    {SYS_readlink, "readlink", 0, looks},
    {SYS_chmod, "chmod", 0, files},
#endif
};
enum { COUNT = sizeof calls / sizeof *calls };

static int index_of(int number) {
  for (int i = 0; i < COUNT; i++)
    if (calls[i].number == number) return i;
  // Report it rather than skip it.
  fprintf(stderr, "injector: nothing is known of call %d\n", number);
  exit(2);
}

const char *call_name(int number) { return calls[index_of(number)].name; }
const int *call_errors(int number) { return calls[index_of(number)].errors; }
int is_memory_call(int number) { return call_errors(number) == memory; }
int names_call(const char *text, int number) {
  int index = index_of(number);
  // Where one group cannot be used another may do; the last one that was tried is told.
  if (strstr(text, "Can't make a control group")) return 1;
  // Who has the lock of a review is told, not how that was found.
  if (number == SYS_flock && strstr(text, "is in use")) return 1;
  // A file that is not there is called gone.
  if (calls[index].errors == files && strstr(text, "is gone")) return 1;
  // A profile or a policy that cannot be read is one of the user's files, not a call.
  if (calls[index].errors == files && strstr(text, "can't read")) return 1;
  // What a close did not close is waited for in vain; the kernel itself always closes.
  if (number == SYS_close && strstr(text, "Can't watch the command: Connection timed out")) return 1;
  // Nor is a working directory without a name.
  if (number == SYS_getcwd && strstr(text, "working directory")) return 1;
  return strstr(text, calls[index].name) ||
         (calls[index].alias && strstr(text, calls[index].alias));
}
