// SPDX-License-Identifier: Apache-2.0
// injector SHARE SEED LINE..., in a directory with `work` and `data`: hinders one call in SHARE, or
// every call that is named in its place, and reports deviations. The line's command is
// `injector observe`.
#include "injector.h"

#include <sys/syscall.h>

static struct outcome plain, hindered;
static long runs, started, refused, killed, left_by_kill, problems;

static void problem(const char *what, struct fault fault) {
  problems++;
  char reason[64];
  snprintf(reason, sizeof reason, "%s", fault.error == KILL ? "SIGKILL" : strerror(fault.error));
  printf("PROBLEM %s: process %d, call %d, %s: %s\n  status %d, it said: %s%s\n", what,
      fault.process, fault.call, call_name(fault.number), reason, hindered.status, hindered.errors,
      hindered.status_lines);
}

// The process that answers the command's watched calls.
static int watcher = -1;

static int has_exit_code(const char *lines, int *code) {
  const char *line = strstr(lines, "\"exit-code\": ");
  return line && sscanf(line, "\"exit-code\": %d", code) == 1;
}

static int is_monitor(struct fault fault) { return fault.process == 0; }

// Whether the command saw what it should; otherwise prints the first line that differs. The start
// directory does not protect anything, so one that cannot be determined or entered is left out
// (except with --chdir).
static int agrees(int number, int shows) {
  int is_place = number == SYS_getcwd || number == SYS_chdir;
  const char *a = hindered.observed, *b = plain.observed;
  while (*a && *b) {
    size_t seen = strcspn(a, "\n"), wanted = strcspn(b, "\n");
    // The last line of a command that was killed in the middle of it.
    if (!a[seen] && !strncmp(a, b, seen)) return 1;
    int is_free = is_place && ((!strncmp(a, "directory ", 10) && !strncmp(b, "directory ", 10)) ||
                               (!strncmp(a, "PWD=", 4) && !strncmp(b, "PWD=", 4)));
    if (!is_free && (seen != wanted || strncmp(a, b, seen))) {
      if (shows) printf("  seen: %.*s\n  expected: %.*s\n", (int)seen, a, (int)wanted, b);
      return 0;
    }
    a += seen + 1;
    b += wanted + 1;
  }
  return !*a;
}

static void judge(struct fault fault) {
  int number = fault.number;
  int has_run = hindered.observed[0] != 0, code = -1;
  int is_kill = fault.error == KILL, says = strstr(hindered.errors, "nestbox: ") != 0;
  if (hindered.hung) problem("it hung", fault);
  // Of a command that was itself killed with its namespace, what it had written must agree.
  int is_partial = has_run && !strstr(hindered.observed, "\nend\n");
  // A command whose watcher has ended sees its calls refused, until it is killed.
  int is_unwatched = fault.process == watcher && hindered.status == 125;
  if (has_run && !is_unwatched && !agrees(number, 0)) {
    problem("LESS THAN WAS ASKED", fault);
    agrees(number, 1);
  }
  if (hindered.is_alone && !is_kill) problem("executed after the launcher had ended", fault);
  if (has_run) started++;
  else if (is_kill) killed++;
  else refused++;
  // The reports of the end.
  int has_code = has_exit_code(hindered.status_lines, &code);
  if (has_code && code != hindered.status && !(is_kill && is_monitor(fault)))
    problem("two statuses", fault);
  // A process killed in exec looks like one killed right after it. So does one that the kernel ends with its init,
  // between its last message and its exec.
  int ends_with_init = is_kill && !is_monitor(fault) && fault.process != plain.executing;
  if (!hindered.executed && has_code && !(is_kill && number == SYS_execve) && !ends_with_init)
    problem("the end of a command that never ran", fault);
  if (!has_run && hindered.status < 125) problem("a false status", fault);
  if (has_run && hindered.status != plain.status && hindered.status < 125)
    problem("a false status", fault);
  // Only a process that was killed, or got no memory, may end without a message.
  int is_quiet = is_kill || is_memory_call(number);
  if ((!has_run || hindered.status != plain.status) && !is_quiet && !says && !is_partial)
    problem("no message", fault);
  if (!has_run && !is_quiet && says && !names_call(hindered.errors, number))
    problem("a message that does not name the call", fault);
  // A monitor that is killed, or may not change the settings, cannot give them back.
  if (hindered.is_changed && !(is_monitor(fault) && (is_kill || number == SYS_ioctl)))
    problem("the terminal is not as it was", fault);
  // What remains on the host.
  int is_clean = !strcmp(hindered.tree, "work 40755\n");
  // A command that init cannot supervise is ended, perhaps in the middle of its exec.
  int has_begun = hindered.executed || (hindered.executing && hindered.executing != fault.process);
  if (!is_clean && !(has_begun && (!strcmp(hindered.tree, plain.tree) || is_partial || !has_run))) {
    // A monitor that must kill its child cannot know what the child has made.
    if (is_kill || is_monitor(fault) || (is_quiet && hindered.status > 128)) left_by_kill++;
    else {
      problem("something is left", fault);
      printf("  left:\n%s", hindered.tree);
    }
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "observe") == 0) return observe(atoi(argv[2]));
  if (argc < 4) return 2;
  unsigned long share = strtoul(argv[1], 0, 10);
  const char *name = share ? 0 : argv[1];
  if (name) share = 1;
  unsigned long number_of_fault = strtoul(argv[2], 0, 10);
  char **line = argv + 3;
  for (int i = 0; line[i]; i++)
    if (!strcmp(line[i], "--explain")) watcher = 1;
  empty_work();
  run(line, (struct fault){0}, &plain);
  if (plain.hung || !strstr(plain.observed, "\nend\n") || plain.status != 42) {
    printf("PROBLEM the line does not work: status %d, %s\n%s", plain.status, plain.errors,
        plain.observed);
    return 1;
  }
  int total = 0;
  for (int process = 0; process < plain.processes; process++)
    for (int call = 0; call < plain.calls[process]; call++) {
      int number = plain.numbers[process][call], occurrence = 0;
      if (name && strcmp(call_name(number), name)) continue;
      for (int i = 0; i < call; i++) occurrence += plain.numbers[process][i] == number;
      const int *errors = call_errors(number);
      total++;
      for (int i = 0;; i++) {
        struct fault fault = {process, call, number, occurrence, errors[i] ? errors[i] : KILL};
        // The seeds from 0 to SHARE - 1 together try every fault once.
        if (number_of_fault++ % share == 0 && number != SYS_exit_group) {
          run(line, fault, &hindered);
          // On a busy machine it may only have been slow; a process that hangs does so again.
          if (hindered.hung) run(line, fault, &hindered);
          // Where the processes took turns in another order the call may not have been made.
          if (hindered.hit) {
            runs++;
            judge(fault);
          }
        }
        if (!errors[i]) break;
      }
    }
  printf("%d calls of %d processes, %ld faults: the command was started as asked in %ld runs, "
         "refused in %ld, killed in %ld; left by a killed launcher %ld; problems %ld\n",
      total, plain.processes, runs, started, refused, killed, left_by_kill, problems);
  if (!runs) printf("PROBLEM nothing was hindered\n");
  return problems != 0 || !runs;
}
