// SPDX-License-Identifier: Apache-2.0
// Standard input, output and error as a way to more of the files behind them.
#include "hostile.h"

#include <sys/mman.h>
#include <sys/xattr.h>

// A log that the caller appends to, as standard output and error.
#define EARLIER CONTENT ", in the log\n"

static const char *const links[] = {
    "/proc/self/fd/0", "/proc/thread-self/fd/0", "/dev/stdin", "/dev/fd/0"};

static void open_again(void) {
  static const int modes[] = {O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_WRONLY | O_TRUNC};
  // A copy that is sealed can be opened so.
  for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
    for (unsigned j = 0; j < sizeof modes / sizeof *modes; j++)
      if (write(open(links[i], modes[j]), "x", 1) == 1)
        escaped("standard input is writable, %s", links[i]);
  // Another process may do it as well.
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/0", getppid());
  if (write(open(path, O_WRONLY), "x", 1) == 1) escaped("standard input is writable, %s", path);
  if (truncate(links[0], 0) == 0) escaped("standard input was truncated");
}

#define ATTRIBUTE "user.nestbox"

// The scene looks whether one of these did something.
static void change_file(void) {
  fchmod(0, 0666);
  chmod(links[0], 0666);
  futimens(0, (struct timespec[2]){{0}});
  utimensat(AT_FDCWD, links[0], (struct timespec[2]){{0}}, 0);
  fsetxattr(0, ATTRIBUTE, "x", 1, 0);
  setxattr(links[0], ATTRIBUTE, "x", 1, 0);
  linkat(AT_FDCWD, links[0], AT_FDCWD, "linked", AT_SYMLINK_FOLLOW);
  linkat(0, "", AT_FDCWD, "linked", AT_EMPTY_PATH);
}

// What a remount or another clone of the mount would allow.
static void change_mount(void) {
  mount("", links[0], 0, MS_REMOUNT | MS_BIND, 0);
  uint64_t attributes[4] = {0, 1 /* MOUNT_ATTR_RDONLY, cleared */, 0, 0};
  syscall(442, 0, "", AT_EMPTY_PATH, attributes, sizeof attributes);
  int tree = syscall(428, 0, "", AT_EMPTY_PATH | 1 /* OPEN_TREE_CLONE */);
  syscall(442, tree, "", AT_EMPTY_PATH, attributes, sizeof attributes);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", tree);
  if (tree >= 0 && write(open(path, O_WRONLY), "x", 1) == 1)
    escaped("a clone of the mount of standard input");
  open_again();
}

static void open_output(void) {
  static const char *const outputs[] = {"/proc/self/fd/1", "/dev/stdout", "/dev/stderr"};
  for (unsigned i = 0; i < 3; i++)
    if (is_secret(open(outputs[i], O_RDONLY | O_NONBLOCK))) escaped("standard output is readable");
  // The scene looks whether one of these did something.
  for (int fd = 1; fd < 3; fd++) {
    fcntl(fd, F_SETFL, 0);
    lseek(fd, 0, SEEK_SET);
    if (pwrite(fd, "overwritten", 11, 0) < 0 && errno != ESPIPE) write(fd, "overwritten", 11);
    ftruncate(fd, 0);
    open(outputs[fd], O_WRONLY | O_TRUNC);
  }
}

// A regular file for reading as 0, a log for appending as 1, and the same for 2.
static void standard_files(void) {
  in_child(open_again);
  in_child(change_file);
  in_child(change_mount);
  in_namespaces(CLONE_NEWNS, change_mount);
  in_child(open_output);
}

// Whether `fd` still begins with `text`.
static int begins(int fd, const char *text) {
  char found[128] = {0};
  return pread(fd, found, strlen(text), 0) == (ssize_t)strlen(text) && strcmp(found, text) == 0;
}

// A caller with files as standard descriptors; if `isNameless`, their names are removed.
static int with_files(char **argv, int isNameless) {
  int result = dup(1), input = open("input", O_CREAT | O_RDWR, 0600);
  int log = open("log", O_CREAT | O_RDWR, 0600);
  write(input, "untouched", 9);
  write(log, EARLIER, strlen(EARLIER));
  int given[] = {open("input", O_RDONLY), open("log", O_WRONLY | O_APPEND)};
  if (isNameless) unlink("input"), unlink("log");
  fcntl(result, F_SETFD, FD_CLOEXEC);
  fcntl(input, F_SETFD, FD_CLOEXEC);
  fcntl(log, F_SETFD, FD_CLOEXEC);
  dup2(given[0], 0), dup2(given[1], 1), dup2(given[1], 2);
  close(given[0]), close(given[1]);
  struct stat before, after;
  fstat(input, &before);
  int status = start(argv);
  fstat(input, &after);
  char text[4096] = {0};
  pread(log, text, sizeof text - 1, 0);
  char *escape = strstr(text, "escaped: ");
  if (escape) dprintf(result, "%s", escape);
  else if (!begins(input, "untouched") || after.st_size != 9 || after.st_mode != before.st_mode ||
           after.st_mtime != before.st_mtime || after.st_nlink != before.st_nlink ||
           fgetxattr(input, ATTRIBUTE, 0, 0) >= 0)
    dprintf(result, "escaped: standard input was changed\n");
  else if (!begins(log, EARLIER)) dprintf(result, "escaped: the log was overwritten\n");
  else dprintf(result, "%s\n", strstr(text, "held") ? "held" : text);
  return status;
}

int files(char **argv) { return with_files(argv, 0); }
int nameless(char **argv) { return with_files(argv, 1); }

const struct attack standard_attacks[] = {{"standard-files", standard_files}, {0}};
