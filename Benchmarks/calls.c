// SPDX-License-Identifier: Apache-2.0
// The cost of a system call under each policy, compared with no policy.
//
//   calls --nestbox PATH [--rounds N]
//
// For getppid only the number matters, and the kernel caches the decision; for ioctl the filter
// checks an argument each time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOPS = 400000, MOST_ROUNDS = 1000 };

static const char *const policies[] = {"none", "default", "desktop", "strict", "compat"};
enum { POLICIES = sizeof policies / sizeof *policies };

static _Noreturn void die(const char *message) {
  perror(message);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

// Runs in the sandbox: nanoseconds per call, for both.
static int loop(void) {
  double start = now();
  for (int i = 0; i < LOOPS; i++) syscall(SYS_getppid);
  double middle = now();
  for (int i = 0; i < LOOPS; i++) syscall(SYS_ioctl, -1, FIONREAD, NULL);
  double end = now();
  printf("%.2f %.2f\n", (middle - start) / LOOPS, (end - middle) / LOOPS);
  return 0;
}

static void measure(const char *nestbox, const char *self, const char *policy, double *values) {
  int ends[2];
  if (pipe(ends) < 0) die("pipe");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    execl(nestbox, nestbox, "--ro-bind", "/", "/", "--seccomp-policy", policy, self, "--loop",
          (char *)NULL);
    die(nestbox);
  }
  close(ends[1]);
  FILE *answer = fdopen(ends[0], "r");
  if (answer == NULL || fscanf(answer, "%lf %lf", &values[0], &values[1]) != 2) die("no answer");
  fclose(answer);
  int status;
  if (waitpid(child, &status, 0) < 0 || status != 0) die("the command failed");
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare);
  return values[count / 2];
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--loop") == 0) return loop();
  const char *nestbox = NULL;
  int rounds = 15;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--nestbox") == 0) nestbox = argv[i + 1];
    if (strcmp(argv[i], "--rounds") == 0) rounds = atoi(argv[i + 1]);
  }
  if (nestbox == NULL || rounds < 1 || rounds > MOST_ROUNDS) {
    fputs("usage: calls --nestbox PATH [--rounds N]\n", stderr);
    return 2;
  }
  char *self = realpath("/proc/self/exe", NULL);
  if (self == NULL) die("/proc/self/exe");
  static double values[POLICIES][2][MOST_ROUNDS];
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < POLICIES; i++) {
      double pair[2];
      int policy = round % 2 == 0 ? i : POLICIES - 1 - i;
      measure(nestbox, self, policies[policy], pair);
      values[policy][0][round] = pair[0];
      values[policy][1][round] = pair[1];
    }
  }
  printf("\n%-24s %9s %9s   medians of %d rounds\n", "a call under a policy, ns", "getppid", "ioctl",
         rounds);
  for (int i = 0; i < POLICIES; i++)
    printf("%-24s %9.1f %9.1f\n", policies[i], median(values[i][0], rounds),
           median(values[i][1], rounds));
  return 0;
}
