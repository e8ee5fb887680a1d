// SPDX-License-Identifier: Apache-2.0
// watched.c MODE: a command that --explain watches. It prints what its calls answered; the report then
// says whether each was heard of. Names of files that exist nowhere inside are relative, so that the
// test can make them outside.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int missing(const char *name) {
  struct stat status;
  errno = 0;
  return stat(name, &status) < 0 ? errno : 0;
}

static void *look(void *name) {
  return (void *)(long)missing(name);
}

static void threads(void) {
  enum { COUNT = 16 };
  pthread_t threads[COUNT];
  char names[COUNT][8];
  int wrong = 0;
  for (int i = 0; i < COUNT; i++) {
    snprintf(names[i], sizeof names[i], "f%d", i);
    if (pthread_create(&threads[i], 0, look, names[i])) exit(1);
  }
  for (int i = 0; i < COUNT; i++) {
    void *error;
    pthread_join(threads[i], &error);
    wrong += (long)error != ENOENT;
  }
  printf("wrong %d\n", wrong);
}

// All of them wait at the same time for an answer.
static void crowd(void) {
  enum { COUNT = 300 };
  int gate[2], wrong = 0, begun = 0;
  if (pipe(gate)) exit(1);
  for (int i = 0; i < COUNT; i++) {
    pid_t child = fork();
    if (child < 0) break;
    begun++;
    if (child) continue;
    char byte;
    close(gate[1]);
    if (read(gate[0], &byte, 1) < 0) _exit(2);
    _exit(missing("f0") == ENOENT ? 0 : 1);
  }
  close(gate[0]);
  close(gate[1]);
  for (int status; wait(&status) > 0;) wrong += status != 0;
  printf("begun %d wrong %d\n", begun, wrong);
}

static void ignore(int number) {
  (void)number;
}

// Looks at a file again and again while signals arrive.
static void signals(int flags) {
  enum { SIGNALS = 10000 };
  struct sigaction action = {.sa_handler = ignore, .sa_flags = flags};
  sigaction(SIGUSR1, &action, 0);
  pid_t parent = getpid(), child = fork();
  if (!child) {
    for (int i = 0; i < SIGNALS; i++) {
      kill(parent, SIGUSR1);
      usleep(50);
    }
    _exit(0);
  }
  long calls = 0, interrupted = 0, wrong = 0;
  int status;
  while (waitpid(child, &status, WNOHANG) <= 0) {
    int error = missing(calls % 2 ? "f0" : "/");
    if (error == EINTR) interrupted++;
    else if (error != (calls % 2 ? ENOENT : 0)) wrong++;
    calls++;
  }
  fprintf(stderr, "calls %ld interrupted %ld\n", calls, interrupted);
  printf("wrong %ld, interrupted %d\n", wrong, flags ? interrupted != 0 : 0);
}

static int refused(void) {
  return syscall(SYS_mkdir, "/tmp/made", 0700) < 0 ? errno : 0;
}

// Installs a filter that answers mkdir(2) in its own way.
static int younger(unsigned answer, unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = 4, .filter = code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) < 0 ? errno : 0;
}

// A child is stopped in the middle of calls, and goes on.
static void stopped(void) {
  int gate[2], wrong = 0, status;
  if (pipe(gate)) exit(1);
  pid_t child = fork();
  if (!child) {
    close(gate[1]);
    fcntl(gate[0], F_SETFL, O_NONBLOCK);
    char byte;
    while (read(gate[0], &byte, 1) < 0) wrong += missing("f0") != ENOENT;
    _exit(wrong != 0);
  }
  for (int i = 0; i < 200; i++) {
    usleep(500);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    if (!WIFSTOPPED(status)) exit(1);
    kill(child, SIGCONT);
  }
  close(gate[1]);
  waitpid(child, &status, 0);
  printf("wrong %d\n", WEXITSTATUS(status));
}

static int gate[2];

static void *lookLater(void *name) {
  char byte;
  if (read(gate[0], &byte, 1) < 0) return (void *)-1L;
  return (void *)(long)(missing(name) * 1000 + refused());
}

// A filter is put over all threads at once.
static void everyThread(void) {
  pthread_t thread;
  void *result;
  if (pipe(gate) || pthread_create(&thread, 0, lookLater, "f0")) exit(1);
  int error = younger(SECCOMP_RET_ERRNO | 33, SECCOMP_FILTER_FLAG_TSYNC);
  close(gate[1]);
  pthread_join(thread, &result);
  printf("%d %ld\n", error, (long)result);
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  char *const none[] = {"f0", 0};
  if (!strcmp(mode, "look")) printf("%d\n", missing("f0"));
  else if (!strcmp(mode, "threads")) threads();
  else if (!strcmp(mode, "crowd")) crowd();
  else if (!strcmp(mode, "signals")) signals(0);
  else if (!strcmp(mode, "restarted")) signals(SA_RESTART);
  else if (!strcmp(mode, "vfork")) {
    int status;
    pid_t child = vfork();
    if (!child) {
      execv("f0", none);
      _exit(errno);
    }
    waitpid(child, &status, 0);
    printf("%d\n", WEXITSTATUS(status));
  } else if (!strcmp(mode, "closed")) {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    printf("%d\n", missing("f0"));
  } else if (!strcmp(mode, "nested")) {
    if (unshare(CLONE_NEWUSER)) printf("unshare %d ", errno);
    printf("%d ", missing("f0"));
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    printf("%d\n", missing("f1"));
  } else if (!strcmp(mode, "stopped")) {
    stopped();
  } else if (!strcmp(mode, "tsync")) {
    everyThread();
  } else if (!strcmp(mode, "uring")) {
    long result = syscall(SYS_io_uring_setup, 4, 0);
    printf("%d\n", result < 0 ? errno : 0);
  } else if (!strcmp(mode, "listener")) {
    // The filters of one process have one listener.
    printf("%d\n", younger(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
  } else if (!strcmp(mode, "younger")) {
    printf("%d ", younger(SECCOMP_RET_USER_NOTIF, 0));
    printf("%d\n", refused());
  } else if (!strcmp(mode, "trace")) {
    printf("%d ", younger(SECCOMP_RET_TRACE, 0));
    printf("%d\n", refused());
  } else if (!strcmp(mode, "refused")) {
    printf("%d\n", refused());
  } else if (!strcmp(mode, "killed")) {
    // Children die in the middle of calls.
    for (int i = 0; i < 100; i++) {
      pid_t child = fork();
      if (!child)
        for (;;) missing("f0");
      usleep(1000);
      kill(child, SIGKILL);
      waitpid(child, 0, 0);
    }
    printf("%d\n", missing("f0"));
  }
  return 0;
}
