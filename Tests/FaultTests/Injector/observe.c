// SPDX-License-Identifier: Apache-2.0
// What the command sees of its protection, and what remains on the host.
#include "injector.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static FILE *out;

static void copy_lines(const char *path, const char *const *prefixes) {
  FILE *file = fopen(path, "r");
  char line[4096];
  if (!file) fprintf(out, "%s: %m\n", path);
  while (file && fgets(line, sizeof line, file))
    for (const char *const *prefix = prefixes; *prefix; prefix++)
      if (strncmp(line, *prefix, strlen(*prefix)) == 0) fputs(line, out);
  if (file) fclose(file);
}

// Whether it is a pseudo-terminal, even one that was hung up.
static int is_terminal(const struct stat *file) {
  return S_ISCHR(file->st_mode) && major(file->st_rdev) >= 136 && major(file->st_rdev) < 144;
}

int observe(int fd) {
  static const char *const status[] = {
      "Uid:", "Gid:", "Groups:", "SigBlk:", "SigIgn:", "Cap", "NoNewPrivs:", "Seccomp", "Umask:", 0};
  static const char *const kinds[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};
  out = fdopen(fd, "w");
  copy_lines("/proc/self/status", status);
  for (unsigned i = 0; i < 8; i++) {
    char path[64], link[64] = {0}, name[16];
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
    snprintf(name, sizeof name, "HOST_%s", kinds[i]);
    const char *host = getenv(name);
    if (readlink(path, link, sizeof link - 1) < 0) snprintf(link, sizeof link, "%m");
    fprintf(out, "%s: %s\n", kinds[i], host && strcmp(host, link) == 0 ? "the host's" : "its own");
  }
  // Where, what, and with which flags; numbers of mounts and devices differ from run to run.
  FILE *mounts = fopen("/proc/self/mountinfo", "r");
  char line[4096], root[1024], place[1024], flags[256], rest[1024], self[1024] = "";
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
  while (mounts && fgets(line, sizeof line, mounts))
    if (sscanf(line, "%*d %*d %*s %1023s %1023s %255s %1023[^\n]", root, place, flags, rest) == 4) {
      // This program is visible in any case; --bind-program need not have added it once more, and
      // leaves it out where it cannot find out.
      if (strcmp(place, self) == 0) continue;
      // A terminal whose master has gone, with a monitor that was killed.
      char *gone = strstr(root, "//deleted");
      if (gone) *gone = 0;
      char *type = strstr(rest, " - ");
      // Of an optional field it matters whether it is there, not which group it names.
      fprintf(out, "%s %s %s%s%s%s\n", strstr(root, ":[") ? "nsfs" : root, place, flags,
          strstr(rest, "shared:") ? " shared" : "", strstr(rest, "master:") ? " slave" : "",
          type ? strtok(type + 2, " ") - 1 : "");
    }
  static const char *const groups[] = {"0::", 0};
  copy_lines("/proc/self/cgroup", groups);
  for (int resource = 0; resource < (int)RLIM_NLIMITS; resource++) {
    struct rlimit limit = {0, 0};
    getrlimit((unsigned)resource, &limit);
    fprintf(out, "limit %d: %ju %ju\n", resource, (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max);
  }
  char path[4096] = "";
  if (!getcwd(path, sizeof path)) snprintf(path, sizeof path, "none");
  int death = 0;
  prctl(PR_GET_PDEATHSIG, &death);
  fprintf(out, "directory %s\nleader %d\ndeath %d\n", path, getsid(0) == getpid(), death);
  const char *terminal = getenv("HOST_terminal");
  for (int number = 0; number < 64; number++) {
    struct stat file;
    if (fstat(number, &file)) continue;
    snprintf(path, sizeof path, "%lx:%lx", (long)file.st_dev, (long)file.st_ino);
    int is_callers = terminal && strcmp(terminal, path) == 0;
    fprintf(out, "descriptor %d%s%s\n", number, is_terminal(&file) ? ", a terminal" : "",
        is_callers ? ", the caller's" : "");
  }
  unsetenv("HOST_terminal");
  if (gethostname(path, sizeof path) == 0) fprintf(out, "host %s\n", path);
  for (char **variable = environ; *variable; variable++) fprintf(out, "%s\n", *variable);
  fprintf(out, "end\n");
  fclose(out);
  return 42;
}

static char *list;
static size_t room;
static int note(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)kind, (void)where;
  int length = snprintf(list, room, "%s %o\n", path, status->st_mode);
  if (length > 0 && (size_t)length < room) list += length, room -= (size_t)length;
  return 0;
}
static int compare(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}
void list_work(char *text, size_t size) {
  static char unsorted[TEXT];
  char *lines[1024];
  size_t count = 0;
  list = unsorted;
  room = sizeof unsorted;
  *unsorted = 0;
  nftw("work", note, 16, FTW_PHYS);
  // The entries of a directory have no order.
  for (char *line = strtok(unsorted, "\n"); line && count < 1024; line = strtok(0, "\n"))
    lines[count++] = line;
  qsort(lines, count, sizeof *lines, compare);
  *text = 0;
  for (size_t i = 0, at = 0; i < count && at < size; i++)
    at += (size_t)snprintf(text + at, size - at, "%s\n", lines[i]);
}

static int take_away(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)status, (void)kind;
  if (where->level > 0) remove(path);
  return 0;
}
void empty_work(void) { nftw("work", take_away, 16, FTW_PHYS | FTW_DEPTH); }
