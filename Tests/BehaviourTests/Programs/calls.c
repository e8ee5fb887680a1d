// SPDX-License-Identifier: Apache-2.0
// Makes system calls and says what became of each.
//
//   calls --filter       writes a filter which has a call whose sixth argument is MARK fail
//   calls                reads lines "NUMBER A B C D E" and makes each call, with MARK behind them
//   calls --int80 N      makes call N through the entry of 32-bit programs
//
// Under the filter no such call is ever carried out. A policy that is installed later is asked
// first, and its own error counts; where it allows the call, the filter's is left.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK 0x5eccfeedu
#define ALLOWED 4000

static int write_filter(void) {
  const struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16 + 5 * 8),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ALLOWED),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return write(1, filter, sizeof filter) == sizeof filter ? 0 : 1;
}

static void report(const char *what, int status) {
  if (WIFSIGNALED(status)) {
    printf("%s signal %d\n", what, WTERMSIG(status));
  } else {
    printf("%s exit %d\n", what, WEXITSTATUS(status));
  }
}

// In a child, because the call may kill it. It reports through a pipe: an exit status has too few
// bits.
static void try_call(const char *line, const unsigned long *words) {
  int ends[2];
  if (pipe(ends) < 0) exit(1);
  pid_t child = fork();
  if (child < 0) exit(1);
  if (child == 0) {
    errno = 0;
    long result = syscall((long)words[0], words[1], words[2], words[3], words[4], words[5],
                          (unsigned long)MARK);
    int error = result < 0 ? errno : 0;
    // MARK is still in the register of the sixth argument, which the C library does not touch.
    syscall(SYS_getppid, 0L, 0L, 0L, 0L, 0L, 0L);
    if (write(ends[1], &error, sizeof error) != sizeof error) _exit(1);
    _exit(0);
  }
  close(ends[1]);
  int error = -1, status = 0;
  ssize_t count = read(ends[0], &error, sizeof error);
  close(ends[0]);
  waitpid(child, &status, 0);
  if (count == sizeof error) {
    if (error == ALLOWED) printf("%s allow\n", line);
    else printf("%s errno %d\n", line, error);
  } else {
    report(line, status);
  }
}

static void try_int80(int number) {
  pid_t child = fork();
  if (child == 0) {
    long result = -ENOSYS;
#ifdef __x86_64__
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory");
#endif
    _exit(result < 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  report("int80", status);
}

int main(int argc, char **argv) {
  // Otherwise both processes would write the buffered text.
  setvbuf(stdout, NULL, _IONBF, 0);
  if (argc == 2 && strcmp(argv[1], "--filter") == 0) return write_filter();
  if (argc == 3 && strcmp(argv[1], "--int80") == 0) {
    try_int80(atoi(argv[2]));
    return 0;
  }
  char line[512];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    unsigned long words[6] = {0};
    char *rest = line;
    for (int i = 0; i < 6; i++) words[i] = strtoul(rest, &rest, 0);
    try_call(line, words);
  }
  return 0;
}
