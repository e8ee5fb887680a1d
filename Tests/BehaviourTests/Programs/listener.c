// SPDX-License-Identifier: Apache-2.0
// listener.c: what the watch of --explain takes from the kernel, a line for each fact: the errors of
// listeners for system calls, and which processes can be read from outside. 0 stands for success.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void told(const char *name, long error) {
  printf("%s %ld\n", name, error);
}

static void need(int holds, const char *what) {
  if (holds) return;
  perror(what);
  exit(1);
}

// A filter that asks a listener about getppid(2).
static int install(unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = 4, .filter = code};
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  return result < 0 ? -errno : (int)result;
}

static int ended(pid_t child) {
  int status;
  need(waitpid(child, &status, 0) == child, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The error of a filter with these flags, in a process that ends with it.
static void flags(const char *name, int isRestrained, unsigned flags) {
  pid_t child = fork();
  if (!child) {
    if (isRestrained) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int result = install(flags);
    _exit(result < 0 ? -result : 0);
  }
  told(name, ended(child));
}

// Starts a process that makes the watched call, and returns the listener when the call waits. The
// process ends with 1 if the call fails with the error `expected`.
static int waiting(pid_t *child, int expected) {
  int pair[2], listener = -1;
  need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
  *child = fork();
  if (!*child) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int own = install(SECCOMP_FILTER_FLAG_NEW_LISTENER), done;
    if (write(pair[1], &own, sizeof own) < 0 || read(pair[1], &done, sizeof done) <= 0) _exit(2);
    close(own);
    long result = syscall(SYS_getppid);
    _exit(result < 0 && errno == expected);
  }
  close(pair[1]);
  need(read(pair[0], &listener, sizeof listener) == sizeof listener && listener >= 0, "listener");
  int process = syscall(SYS_pidfd_open, *child, 0);
  listener = syscall(SYS_pidfd_getfd, process, listener, 0);
  need(listener >= 0 && write(pair[0], &process, sizeof process) > 0, "pidfd_getfd");
  close(process);
  struct pollfd asked = {.fd = listener, .events = POLLIN};
  need(poll(&asked, 1, -1) == 1, "poll");
  close(pair[0]);
  return listener;
}

static int receive(int listener, struct seccomp_notif *call) {
  memset(call, 0, sizeof *call);
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, call) ? errno : 0;
}

static int answer(int listener, struct seccomp_notif *call, int error, unsigned flags) {
  struct seccomp_notif_resp response = {.id = call->id, .error = error, .flags = flags};
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) ? errno : 0;
}

static void calls(void) {
  struct seccomp_notif call;
  pid_t child;
  int listener = waiting(&child, 512);
  receive(listener, &call);
  told("permitted-with-error", answer(listener, &call, -1, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
  told("answered", answer(listener, &call, -512, 0));
  told("unchecked", ended(child));
  close(listener);

  listener = waiting(&child, 0);
  kill(child, SIGKILL);
  ended(child);
  told("received-after-death", receive(listener, &call));
  close(listener);

  listener = waiting(&child, 0);
  receive(listener, &call);
  kill(child, SIGKILL);
  ended(child);
  told("valid-after-death", ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) ? errno : 0);
  told("answered-after-death", answer(listener, &call, 0, 0));
  close(listener);

  listener = waiting(&child, ENOSYS);
  receive(listener, &call);
  close(listener);
  told("refused-without-listener", ended(child));
}

static char word[] = "memory";

// How a process is read that has not executed a program since it entered its user namespace.
static void reads(const char *name, int hasNamespace, int isDumpable) {
  int pair[2], ready = 0;
  char seen[sizeof word], path[64];
  need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
  pid_t child = fork();
  if (!child) {
    close(pair[0]);
    int error = hasNamespace && unshare(CLONE_NEWUSER) ? errno : 0;
    prctl(PR_SET_DUMPABLE, isDumpable, 0, 0, 0);
    if (write(pair[1], &error, sizeof error) < 0 || read(pair[1], &error, sizeof error) < 0) _exit(2);
    _exit(0);
  }
  close(pair[1]);
  need(read(pair[0], &ready, sizeof ready) == sizeof ready, "read");
  errno = ready;
  need(!ready, "unshare");
  struct iovec own = {seen, sizeof seen}, other = {word, sizeof word};
  long vm = process_vm_readv(child, &own, 1, &other, 1, 0) < 0 ? errno : 0;
  snprintf(path, sizeof path, "/proc/%d/mem", child);
  long memory = open(path, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
  snprintf(path, sizeof path, "/proc/%d/root", child);
  long root = readlink(path, seen, sizeof seen) < 0 ? errno : 0;
  int process = syscall(SYS_pidfd_open, child, 0);
  long file = syscall(SYS_pidfd_getfd, process, 0, 0) < 0 ? errno : 0;
  printf("%s %ld %ld %ld %ld\n", name, vm, memory, root, file);
  close(pair[0]);
  ended(child);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  // Root may do all of it.
  if (!geteuid()) need(!setresgid(65534, 65534, 65534) && !setresuid(65534, 65534, 65534), "setresuid");
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  need(!prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), "no_new_privs is set already");
  flags("no-new-privileges", 0, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  flags("all-threads", 1, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC);
  flags("all-threads-or-none", 1,
        SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
  flags("killable-without-listener", 1, 1 << 5);
  flags("listener", 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  calls();
  reads("open", 0, 1);
  reads("closed", 0, 0);
  reads("open-before-exec", 1, 1);
  reads("closed-before-exec", 1, 0);
  return 0;
}
