// SPDX-License-Identifier: Apache-2.0
// Prints where the processes of a program have been, instruction by instruction: the address of
// each block of 16 bytes between BEGIN and END when it is entered for the first time.
//
// step BEGIN END PROGRAM [ARGUMENT...]; the addresses are hexadecimal. Children are followed until
// they execute something else.

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 16 };

static void note(pid_t process, unsigned char *seen, unsigned long begin, unsigned long end) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, process, 0, &registers) < 0) return;
  if (registers.rip < begin || registers.rip >= end) return;
  unsigned long block = (registers.rip - begin) / BLOCK;
  if (seen[block]) return;
  seen[block] = 1;
  printf("%lx\n", (unsigned long)registers.rip);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  unsigned long begin = strtoul(argv[1], NULL, 16), end = strtoul(argv[2], NULL, 16);
  unsigned char *seen = calloc((end - begin) / BLOCK + 1, 1);
  if (seen == NULL) return 1;
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(argv[3], argv + 3);
    _exit(127);
  }
  int status, started = 0;
  pid_t process;
  while ((process = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
    if (process <= 0 || !WIFSTOPPED(status)) continue;
    int event = status >> 16, number = WSTOPSIG(status);
    if (!started) {
      started = 1;
      long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
      ptrace(PTRACE_SETOPTIONS, process, 0, options);
    } else if (event == PTRACE_EVENT_EXEC) {
      ptrace(PTRACE_DETACH, process, 0, 0);
      continue;
    } else {
      note(process, seen, begin, end);
    }
    int passed = number == SIGTRAP || number == SIGSTOP ? 0 : number;
    ptrace(PTRACE_SINGLESTEP, process, 0, passed);
  }
}
