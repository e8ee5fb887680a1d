// SPDX-License-Identifier: Apache-2.0
// Measures nestbox against bubblewrap and against minimal.c. The programs take turns, so that
// disturbances affect them alike, and only runs that were side by side are compared.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum program { NESTBOX, BWRAP, OLD_BWRAP, MINIMAL, PROGRAMS };

// If a program is not installed, its path is NULL and its columns stay empty.
static struct {
  char *paths[PROGRAMS];
  // The home directory of all programs, which is removed at the end.
  char home[32];
  int rounds;
  bool failed;
} bench = {.rounds = 200, .home = "/tmp/nestbox-bench-XXXXXX"};

static _Noreturn void die(const char *what, const char *subject) {
  fprintf(stderr, "bench: %s %s\n", what, subject);
  exit(2);
}

static void *checked(void *memory) {
  if (memory == NULL) die("out of", "memory");
  return memory;
}

// Command lines: kept to the end, never freed

struct line {
  char **words;
  size_t count;
};

static void add(struct line *line, const char *word) {
  line->words = checked(realloc(line->words, (line->count + 2) * sizeof *line->words));
  line->words[line->count++] = checked(strdup(word));
  line->words[line->count] = NULL;
}

static void add_all(struct line *line, const char *const *words) {
  for (; *words != NULL; words++) add(line, *words);
}

// Adds the words after the program's name. Each builder gives the number its meaning, such as how
// many binds.
typedef void builder(struct line *line, int number);

static void version_line(struct line *line, int number) {
  (void)number;
  add(line, "--version");
}

static void plain_line(struct line *line, int number) {
  (void)number;
  add_all(line, (const char *const[]){"--ro-bind", "/", "/", "true", NULL});
}

static void policy_line(struct line *line, int number) {
  add(line, "--seccomp-policy");
  add(line, "default");
  plain_line(line, number);
}

// Limits that need no control group, and a report that nobody reads.
static void report_line(struct line *line, int number) {
  static const char *const options[] = {"--timeout", "10", "--processes", "100", "--rlimit", "core=0",
                                        "--report", "9", NULL};
  add_all(line, options);
  add(line, "--unshare-pid");
  plain_line(line, number);
}

// The same where all of it is in a control group.
static void group_line(struct line *line, int number) {
  add(line, "--cpu-time");
  add(line, "10");
  report_line(line, number);
}

static void pid_line(struct line *line, int number) {
  add(line, "--unshare-pid");
  plain_line(line, number);
}

// A typical wrapper script for a desktop program: 25 operations on paths that every Debian has.
static void desktop_line(struct line *line, int number) {
  (void)number;
  static const char *const words[] = {
    "--unshare-all", "--die-with-parent", "--new-session",
    "--ro-bind", "/usr", "/usr",
    "--ro-bind", "/etc", "/etc",
    "--symlink", "usr/bin", "/bin",
    "--symlink", "usr/sbin", "/sbin",
    "--symlink", "usr/lib", "/lib",
    "--symlink", "usr/lib64", "/lib64",
    "--proc", "/proc",
    "--dev", "/dev",
    "--dev-bind", "/dev/shm", "/dev/shm",
    "--ro-bind", "/sys/class", "/sys/class",
    "--ro-bind", "/sys/dev", "/sys/dev",
    "--ro-bind", "/sys/devices", "/sys/devices",
    "--tmpfs", "/tmp",
    "--tmpfs", "/run",
    "--dir", "/run/user/1000",
    "--dir", "/var",
    "--symlink", "../run", "/var/run",
    "--symlink", "../tmp", "/var/tmp",
    "--ro-bind", "/var/lib", "/var/lib",
    "--tmpfs", "/home",
    "--dir", "/home/user/.config",
    "--bind", "/var/tmp", "/home/user/Downloads",
    "--ro-bind", "/etc/passwd", "/etc/passwd",
    "--setenv", "HOME", "/home/user",
    "--setenv", "XDG_RUNTIME_DIR", "/run/user/1000",
    "--chdir", "/home/user", "true", NULL,
  };
  add_all(line, words);
}

static int is_directory(const struct dirent *entry) {
  return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

// If there are too few directories, they repeat: the cost of a bind does not depend on its source.
static void binds_line(struct line *line, int number) {
  static const char *const system[] = {
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
    "--symlink", "usr/lib64", "/lib64", NULL,
  };
  struct dirent **entries;
  int count = scandir("/usr/share", &entries, is_directory, alphasort);
  if (count <= 0) die("no directories to bind in", "/usr/share");
  add_all(line, system);
  for (int i = 0; i < number; i++) {
    char source[sizeof "/usr/share/" + sizeof entries[0]->d_name], destination[32];
    snprintf(source, sizeof source, "/usr/share/%s", entries[i % count]->d_name);
    snprintf(destination, sizeof destination, "/b/%d", i);
    add_all(line, (const char *const[]){"--ro-bind", source, destination, NULL});
  }
  add(line, "true");
}

static void default_line(struct line *line, int number) {
  (void)number;
  add(line, "true");
}

// Those for programs with windows are measured without a session: they show what is there.
static const char *const profiles[] = {
  "untrusted", "build", "network", "host-network", "shell", "git", "toolchains", "caches", "agent",
  "browser", "desktop",
};

static void profile_line(struct line *line, int number) {
  add_all(line, (const char *const[]){"--profile", profiles[number], NULL});
  // It has its own home directory, which contains no project.
  if (strcmp(profiles[number], "browser") == 0) add_all(line, (const char *const[]){"--chdir", "/", NULL});
  add(line, "true");
}

// Returns what a profile means by `word`.
static char *expanded(const char *word) {
  static const char *const variables[][2] = {{"${HOME}", bench.home}, {"${USER}", "user"}};
  char *text = checked(strdup(word));
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    char *place;
    while ((place = strstr(text, variables[i][0])) != NULL) {
      char *next;
      *place = 0;
      if (asprintf(&next, "%s%s%s", text, variables[i][1], place + strlen(variables[i][0])) < 0)
        checked(NULL);
      free(text);
      text = next;
    }
  }
  if (strpbrk(text, "$'\"\\") != NULL) die("the profile has a word that is not plain:", word);
  return text;
}

// The options of the default profile, typed.
static void typed_line(struct line *line, int number) {
  (void)number;
  char *command, text[4096];
  if (asprintf(&command, "exec '%s' --show-profile untrusted", bench.paths[NESTBOX]) < 0)
    checked(NULL);
  FILE *lines = popen(command, "r");
  if (lines == NULL) die("cannot start", bench.paths[NESTBOX]);
  while (fgets(text, sizeof text, lines) != NULL) {
    char *comment = strstr(text, "  # "), *rest = text;
    if (comment != NULL) *comment = 0;
    for (char *word; (word = strsep(&rest, " \n")) != NULL;)
      if (*word != 0) add(line, expanded(word));
  }
  if (pclose(lines) != 0) die("cannot show the profile with", bench.paths[NESTBOX]);
  add(line, "true");
}

// Sleeps longer than the measurement takes, and ends by itself if it is lost.
static void sleep_line(struct line *line, int number) {
  (void)number;
  add_all(line, (const char *const[]){"--unshare-all", "--ro-bind", "/", "/", NULL});
  add_all(line, (const char *const[]){"--proc", "/proc", "sleep", "5", NULL});
}

// A directory under review, and the same shown writable. The store lies in the bench's home.
static void review_line(struct line *line, int number) {
  add_all(line, (const char *const[]){"--ro-bind", "/", "/", NULL});
  if (number) add_all(line, (const char *const[]){"--review", bench.home, NULL});
  else add_all(line, (const char *const[]){"--bind", bench.home, bench.home, NULL});
  add_all(line, (const char *const[]){"true", NULL});
}

static void network_line(struct line *line, int number) {
  static const char *const options[][3] = {
    {"--unshare-net"}, {"--net-allow", "example.org"}, {"--network", "bench"},
  };
  add_all(line, options[number]);
  plain_line(line, 0);
}

static void no_words(struct line *line, int number) {
  (void)line;
  (void)number;
}

// One run, one value

// Warm-up runs may print errors; timed runs write to /dev/null.
static pid_t start(char **argv, bool quiet) {
  // The same PATH everywhere: the time includes the search for the command.
  static char home[sizeof "HOME=" + sizeof bench.home];
  static char runtime[sizeof "XDG_RUNTIME_DIR=" + sizeof bench.home];
  static char *const environment[] = {"PATH=/usr/bin:/bin", home, runtime, "USER=user",
                                      "LANG=C.UTF-8", NULL};
  snprintf(home, sizeof home, "HOME=%s", bench.home);
  // Where sandboxes with a name are registered.
  snprintf(runtime, sizeof runtime, "XDG_RUNTIME_DIR=%s", bench.home);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (quiet) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid;
  int error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environment);
  if (error != 0) die(argv[0], strerror(error));
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

// Init briefly outlives the monitor and becomes this process's child. Wait for it before the next
// run, or that run would be charged for its end.
static void reap_all(void) {
  while (wait(NULL) > 0 || errno == EINTR) continue;
}

// pivot_root(2) walks every task of the machine, and a desktop has thousands. This function starts
// `count` of them, which sleep until the returned descriptor is closed.
static int gather_crowd(int count) {
  int hold[2], ready[2];
  char byte;
  if (pipe2(hold, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0) die("cannot open", "a pipe");
  // They are children of another process, because this one waits until it has none.
  prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  pid_t middle = fork();
  if (middle == 0) {
    if (fork() != 0) _exit(0);
    close(hold[1]);
    for (int i = 0; i < count; i++) {
      pid_t pid = fork();
      if (pid < 0) _exit(1);
      if (pid > 0) continue;
      prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      while (true) pause();
    }
    if (write(ready[1], "", 1) != 1) _exit(1);
    _exit(read(hold[0], &byte, 1) != 0);
  }
  while (waitpid(middle, NULL, 0) < 0 && errno == EINTR) continue;
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  close(hold[0]);
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) die("cannot start", "sleeping tasks");
  close(ready[0]);
  return hold[1];
}

// Runs a command line once; negative when the run failed.
typedef double measurement(char **argv, bool quiet);

static double milliseconds(char **argv, bool quiet) {
  int status = -1;
  double begin = now();
  pid_t pid = start(argv, quiet);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  double end = now();
  reap_all();
  return status == 0 ? end - begin : -1;
}

// Reads one value of a file below /proc/PID. The file may be gone together with its process.
static bool scan_proc(pid_t pid, const char *file, const char *format, void *value) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
  FILE *stream = fopen(path, "re");
  if (stream == NULL) return false;
  bool found = false;
  while (!found && fgets(line, sizeof line, stream) != NULL)
    found = sscanf(line, format, value) == 1;
  fclose(stream);
  return found;
}

static pid_t first_child(pid_t pid) {
  char file[32];
  int child;
  snprintf(file, sizeof file, "task/%d/children", (int)pid);
  return scan_proc(pid, file, "%d", &child) ? child : 0;
}

static void pause_for(int milliseconds) {
  nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL);
}

// The process below the monitor that executes `sleep`; 0 if there is none after two seconds.
static pid_t find_command(pid_t monitor) {
  char name[32];
  for (int attempt = 0; attempt < 2000; attempt++, pause_for(1))
    for (pid_t pid = first_child(monitor); pid != 0; pid = first_child(pid))
      if (scan_proc(pid, "comm", "%31s", name) && strcmp(name, "sleep") == 0) return pid;
  return 0;
}

// The launcher's memory while the command runs: the monitor, and init if there is one.
static double kilobytes(char **argv, bool quiet) {
  pid_t monitor = start(argv, quiet), command = find_command(monitor);
  double sum = command == 0 ? -1 : 0, size;
  // The memory held while the command runs, not the launch's peak.
  pause_for(200);
  for (pid_t pid = monitor; sum >= 0 && pid != command; pid = first_child(pid))
    sum = scan_proc(pid, "smaps_rollup", "Pss: %lf kB", &size) ? sum + size : -1;
  // When the command ends, all processes above it end by themselves.
  kill(command != 0 ? command : monitor, SIGKILL);
  reap_all();
  return sum;
}

// Taking turns

struct entrant {
  char **argv;
  int rounds;
  double *values;
};

// A program without a path takes part in no round.
static struct entrant enter(const char *path, const char *option, builder *build, int number,
                            int rounds) {
  if (path == NULL) return (struct entrant){NULL, 0, NULL};
  struct line line = {NULL, 0};
  add(&line, path);
  if (option != NULL) add(&line, option);
  build(&line, number);
  return (struct entrant){line.words, rounds, checked(calloc((size_t)rounds, sizeof(double)))};
}

static bool run_once(const struct entrant *entrant, measurement *measure, bool quiet,
                     double *value) {
  *value = measure(entrant->argv, quiet);
  if (*value >= 0) return true;
  fputs("bench: this failed:", stderr);
  for (int i = 0; i < 30 && entrant->argv[i] != NULL; i++) fprintf(stderr, " %s", entrant->argv[i]);
  fputc('\n', stderr);
  bench.failed = true;
  return false;
}

static bool warm_up(const struct entrant *entrant, measurement *measure) {
  double ignored;
  int runs = entrant->rounds < 20 ? entrant->rounds > 0 : 5;
  while (runs-- > 0)
    if (!run_once(entrant, measure, false, &ignored)) return false;
  return true;
}

// Every other round runs backwards, so that no program always follows the same neighbour.
static bool take_turns(struct entrant *entrants, int count, measurement *measure) {
  int rounds = 0;
  for (int i = 0; i < count; i++) {
    if (!warm_up(&entrants[i], measure)) return false;
    if (entrants[i].rounds > rounds) rounds = entrants[i].rounds;
  }
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < count; i++) {
      struct entrant *entrant = &entrants[round % 2 == 0 ? i : count - 1 - i];
      if (round >= entrant->rounds) continue;
      if (!run_once(entrant, measure, true, &entrant->values[round])) return false;
    }
  return true;
}

// Medians

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

// Sorts its own copy: the values stay in the order of the rounds.
static double median(const double *values, int count) {
  double *sorted = checked(malloc((size_t)count * sizeof *sorted));
  memcpy(sorted, values, (size_t)count * sizeof *sorted);
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  double middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  free(sorted);
  return middle;
}

typedef double combination(double a, double b);

static double ratio(double a, double b) { return a / b; }

static double difference(double a, double b) { return a - b; }

// The median over the rounds of a value computed from each round's two runs.
static double median_of_pairs(const struct entrant *a, const struct entrant *b,
                              combination *combine) {
  int rounds = a->rounds < b->rounds ? a->rounds : b->rounds;
  double *pairs = checked(malloc((size_t)rounds * sizeof *pairs));
  for (int round = 0; round < rounds; round++)
    pairs[round] = combine(a->values[round], b->values[round]);
  double middle = median(pairs, rounds);
  free(pairs);
  return middle;
}

// The tables

static void print_value(const struct entrant *entrant) {
  if (entrant->rounds == 0) printf(" %9s", "-");
  else printf(" %9.2f", median(entrant->values, entrant->rounds));
}

// A limit of 0 means no limit.
static void print_comparison(const struct entrant *a, const struct entrant *b, combination *combine,
                             double limit) {
  if (b->rounds == 0) {
    printf("  %8s %15s", "-", "");
    return;
  }
  double value = median_of_pairs(a, b, combine);
  printf("  %8.3f ", value);
  if (limit > 0) printf("%6.2f %8s", limit, value <= limit ? "meets" : "misses");
  else printf("%15s", "");
}

// The same line for all programs. A work is run in one of so many rounds: where an old bubblewrap
// is slow, it sits out most. `has_command` rows are net of `true`, which takes turns as well.
// In an `in_place` row nestbox and the floor get --exec, which bubblewrap does not have.
struct work {
  const char *title;
  measurement *measure;
  builder *build;
  int number;
  int one_in, one_in_of_old;
  bool has_command, in_place;
  int tasks;
  double bwrap_limit, minimal_limit;
};

static const struct work works[] = {
  {"--version, ms", milliseconds, version_line, 0, 1, 1, false, false, 0, 0, 0},
  {"--ro-bind / / true, ms", milliseconds, plain_line, 0, 1, 1, true, false, 0, 0.62, 1.15},
  {"with 2000 tasks asleep", milliseconds, plain_line, 0, 1, 1, true, false, 2000, 0.55, 1.15},
  {"the first with --exec", milliseconds, plain_line, 0, 1, 1, true, true, 0, 0.5, 1.15},
  {"both", milliseconds, plain_line, 0, 1, 1, true, true, 2000, 0, 1.15},
  {"desktop, ms", milliseconds, desktop_line, 0, 1, 1, true, false, 0, 0.65, 1.15},
  {"100 binds, ms", milliseconds, binds_line, 100, 2, 4, true, false, 0, 0, 0},
  {"1000 binds, ms", milliseconds, binds_line, 1000, 4, 40, true, false, 0, 0.48, 1.2},
  {"2000 binds, ms", milliseconds, binds_line, 2000, 8, 66, true, false, 0, 0, 0},
  {"monitor and init, kB", kilobytes, sleep_line, 0, 20, 20, false, false, 0, 0.25, 0},
};

// nestbox alone: the cost of one line relative to another, as a ratio and in milliseconds.
struct step {
  const char *title;
  builder *build;
  int number;
  builder *build_base;
  int number_of_base;
  int one_in;
  double ratio_limit, extra_limit;
  // Whether the ratio is net of `true`, which takes turns as well.
  bool is_net;
};

static const struct step steps[] = {
  {"2000 binds against 1000", binds_line, 2000, binds_line, 1000, 4, 2.2, 0, false},
  {"--seccomp-policy default", policy_line, 0, plain_line, 0, 1, 0, 0.1, false},
  {"--review or --bind", review_line, 1, review_line, 0, 1, 0, 0.5, false},
  {"default profile or typed", default_line, 0, typed_line, 0, 1, 0, 0.3, false},
  {"--net-allow or --unshare", network_line, 1, network_line, 0, 1, 0, 0.3, false},
  // Each launch is the network's only member, so that it starts a holder as well.
  {"--network or --unshare", network_line, 2, network_line, 0, 1, 0, 4, false},
};

static int share(int one_in) { return bench.rounds < one_in ? 1 : bench.rounds / one_in; }

// The time of each run, less the time of the command.
static void take_off(struct entrant *entrant, double command) {
  for (int round = 0; round < entrant->rounds; round++) entrant->values[round] -= command;
}

static void run_work(const struct work *work) {
  // The command alone runs after the programs.
  struct entrant entrants[PROGRAMS + 1];
  for (enum program program = 0; program < PROGRAMS; program++) {
    int rounds = share(program == OLD_BWRAP ? work->one_in_of_old : work->one_in);
    bool in_place = work->in_place && (program == NESTBOX || program == MINIMAL);
    entrants[program] = enter(bench.paths[program], in_place ? "--exec" : NULL, work->build,
                              work->number, rounds);
  }
  entrants[PROGRAMS] =
      enter(work->has_command ? "/bin/true" : NULL, NULL, no_words, 0, share(work->one_in));
  printf("%-24s", work->title);
  fflush(stdout);
  int crowd = work->tasks > 0 ? gather_crowd(work->tasks) : -1;
  bool done = take_turns(entrants, PROGRAMS + 1, work->measure);
  if (crowd >= 0) close(crowd);
  if (!done) {
    puts(" failed");
    return;
  }
  if (work->has_command) {
    double command = median(entrants[PROGRAMS].values, entrants[PROGRAMS].rounds);
    for (enum program program = 0; program < PROGRAMS; program++)
      take_off(&entrants[program], command);
  }
  for (enum program program = 0; program < PROGRAMS; program++) print_value(&entrants[program]);
  print_comparison(&entrants[NESTBOX], &entrants[BWRAP], ratio, work->bwrap_limit);
  print_comparison(&entrants[NESTBOX], &entrants[OLD_BWRAP], ratio, 0);
  print_comparison(&entrants[NESTBOX], &entrants[MINIMAL], ratio, work->minimal_limit);
  putchar('\n');
}

static void run_step(const struct step *step) {
  const char *path = bench.paths[NESTBOX];
  struct entrant entrants[3] = {
    enter(path, NULL, step->build, step->number, share(step->one_in)),
    enter(path, NULL, step->build_base, step->number_of_base, share(step->one_in)),
    enter(step->is_net ? "/bin/true" : NULL, NULL, no_words, 0, share(step->one_in)),
  };
  printf("%-24s", step->title);
  fflush(stdout);
  if (take_turns(entrants, 3, milliseconds)) {
    double command = step->is_net ? median(entrants[2].values, entrants[2].rounds) : 0;
    for (int i = 0; i < 2; i++) take_off(&entrants[i], command);
    print_value(&entrants[0]);
    print_value(&entrants[1]);
    print_comparison(&entrants[0], &entrants[1], ratio, step->ratio_limit);
    print_comparison(&entrants[0], &entrants[1], difference, step->extra_limit);
    putchar('\n');
  } else puts(" failed");
}

// Each built-in profile beside the plain line, in a directory that is a project.
static void run_profiles(void) {
  if (chdir(bench.home) < 0 || (mkdir("project", 0755) < 0 && errno != EEXIST) ||
      chdir("project") < 0)
    die("cannot make a project in", bench.home);
  for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
    char title[32];
    snprintf(title, sizeof title, "--profile %s", profiles[i]);
    run_step(&(struct step){title, profile_line, (int)i, plain_line, 0, 1, 0, 0, false});
  }
  if (chdir("/") < 0) die("cannot change to", "/");
}

static void enter_line(struct line *line, int number) {
  (void)number;
  add_all(line, (const char *const[]){"--enter", "bench", "true", NULL});
}

static void enterable(const char *format) {
  char *command;
  if (asprintf(&command, format, bench.paths[NESTBOX]) < 0) checked(NULL);
  if (system(command) != 0) die("failed:", command);
  free(command);
}

// A command that enters a running sandbox, beside one in a new sandbox of the same profile.
static void run_entering(void) {
  setenv("XDG_RUNTIME_DIR", bench.home, 1);
  // Its monitor is not to be this process's child, which waits for all of them after each run.
  prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  enterable("exec '%s' --profile untrusted --name bench --keep --detach");
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  run_step(&(struct step){"--enter or untrusted", enter_line, 0, profile_line, 0, 1, 0.5, 0, true});
  enterable("exec '%s' --stop bench");
  unsetenv("XDG_RUNTIME_DIR");
}

// Limits and a report beside the same line without, and once more in a control group where this process
// may make one.
static void run_limits(void) {
  int null = open("/dev/null", O_WRONLY);
  if (null < 0 || dup2(null, 9) < 0) die("cannot open", "/dev/null");
  run_step(&(struct step){"limits and --report", report_line, 0, pid_line, 0, 1, 0, 0.15, false});
  char *command;
  if (asprintf(&command, "exec '%s' --ro-bind / / --unshare-pid --cpu-time 10 true 2>/dev/null", bench.paths[NESTBOX]) < 0)
    checked(NULL);
  if (system(command) == 0)
    run_step(&(struct step){"in a control group", group_line, 0, pid_line, 0, 1, 0, 0.5, false});
  else puts("in a control group       needs a group that is delegated to this user");
  free(command);
  close(null);
  close(9);
}

// A sandbox cannot cost less than its command. If `true` accounts for most of a row, the ratios say
// little about the launchers.
static void print_command_alone(void) {
  struct entrant command = enter("/bin/true", NULL, no_words, 0, share(1));
  if (take_turns(&command, 1, milliseconds))
    printf("`true` by itself takes %.2f ms, which the first table has taken off\n\n",
           median(command.values, command.rounds));
}

static void print_tables(void) {
  printf("%-24s %9s %9s %9s %9s  %8s %6s %8s  %8s %6s %8s  %8s %6s\n", "same line", "nestbox",
         "bwrap", "old bwrap", "minimal", "/bwrap", "goal", "", "/old", "", "", "/minimal", "goal");
  for (size_t i = 0; i < sizeof works / sizeof *works; i++) run_work(&works[i]);
  printf("\n%-24s %9s %9s  %8s %6s %8s  %8s %6s\n", "nestbox alone, ms", "first", "second", "ratio",
         "goal", "", "extra", "goal");
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) run_step(&steps[i]);
  run_limits();
  run_profiles();
  run_entering();
}

// Setting up

static unsigned ordinary_id(const char *variable) {
  const char *value = getenv(variable);
  unsigned long id = value == NULL ? 0 : strtoul(value, NULL, 10);
  return id == 0 ? 65534 : (unsigned)id;
}

// Root gets no user namespace by default, so it would measure a different sandbox. The whole
// benchmark gives up root, for everything that it starts.
static void become_ordinary(void) {
  if (geteuid() != 0) return;
  unsigned uid = ordinary_id("SUDO_UID"), gid = ordinary_id("SUDO_GID");
  if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
    die("cannot become an ordinary user:", strerror(errno));
  printf("started as root: everything runs as uid %u, gid %u\n", uid, gid);
}

// The benchmark itself runs in "/", a directory that every sandbox has.
static char *absolute(const char *path) {
  if (*path == '/') return checked(strdup(path));
  char *directory = checked(getcwd(NULL, 0)), *result;
  if (asprintf(&result, "%s/%s", directory, path) < 0) checked(NULL);
  free(directory);
  return result;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status;
  (void)type;
  (void)place;
  return remove(path);
}

// What a profile keeps is in the home directory.
static void remove_home(void) {
  nftw(bench.home, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static _Noreturn void usage(void) {
  fputs("usage: bench --nestbox PATH [--bwrap PATH] [--old-bwrap PATH]\n"
        "             [--minimal PATH] [--rounds N] [--quick]\n",
        stderr);
  exit(2);
}

static void parse(int argc, char **argv) {
  static const char *const options[PROGRAMS] = {"--nestbox", "--bwrap", "--old-bwrap", "--minimal"};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--quick") == 0) {
      bench.rounds = 20;
      continue;
    }
    if (i + 1 == argc) usage();
    enum program program = 0;
    while (program < PROGRAMS && strcmp(argv[i], options[program]) != 0) program++;
    if (program < PROGRAMS) bench.paths[program] = absolute(argv[++i]);
    else if (strcmp(argv[i], "--rounds") == 0) bench.rounds = atoi(argv[++i]);
    else usage();
  }
  if (bench.paths[NESTBOX] == NULL || bench.rounds < 1) usage();
}

// As the user who will run them, who may not have access to everything that root has.
static void check_programs(void) {
  static const char *const names[PROGRAMS] = {"nestbox", "bwrap", "old bwrap", "minimal"};
  for (enum program program = 0; program < PROGRAMS; program++) {
    const char *path = bench.paths[program];
    if (path != NULL && access(path, X_OK) == 0) continue;
    if (program == NESTBOX) die("cannot run", path);
    printf("no %s%s%s that can be run: its columns read -\n", names[program],
           path == NULL ? "" : " at ", path == NULL ? "" : path);
    bench.paths[program] = NULL;
  }
}

int main(int argc, char **argv) {
  parse(argc, argv);
  become_ordinary();
  check_programs();
  if (chdir("/") < 0) die("cannot change to", "/");
  if (mkdtemp(bench.home) == NULL) die("cannot make", bench.home);
  atexit(remove_home);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  printf("medians of up to %d rounds; the programs take turns\n", bench.rounds);
  print_command_alone();
  print_tables();
  return bench.failed ? 1 : 0;
}
