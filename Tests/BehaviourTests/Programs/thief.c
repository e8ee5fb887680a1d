// SPDX-License-Identifier: Apache-2.0
// Goes for what a user's session holds, and says what it got: each argument is a kind of theft, a
// colon, and what to steal.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *mark;  // What every secret contains.

static int holds(int fd) {
  static char buffer[1 << 16];
  ssize_t count = read(fd, buffer, sizeof buffer);
  return count > 0 && memmem(buffer, (size_t)count, mark, strlen(mark)) != 0;
}

static int reads(const char *path) {
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  int got = fd >= 0 && holds(fd);
  if (fd >= 0) close(fd);
  return got;
}

static int writes(const char *path) {
  int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  int got = fd >= 0 && write(fd, "stolen\n", 7) == 7;
  if (fd >= 0) close(fd);
  return got;
}

// Leaves a file in a directory, which is made if need be.
static int leaves(const char *path) {
  char *copy = strdup(path);
  for (char *end = copy + 1; (end = strchr(end, '/')); end++) {
    *end = 0;
    mkdir(copy, 0755);
    *end = '/';
  }
  free(copy);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// An @ stands for the NUL that an abstract name begins with.
static int connects(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return 0;
  memcpy(address.sun_path, path, length);
  if (*path == '@') address.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int got = connect(fd, (void *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                    length + (*path != '@'))) == 0;
  close(fd);
  return got;
}

static int connects_to_port(const char *port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int got = connect(fd, (void *)&address, sizeof address) == 0;
  close(fd);
  return got;
}

// Whether one of the processes that are seen sleeps that long.
static int sees(const char *time) {
  int got = 0;
  char name[64];
  int length = snprintf(name, sizeof name, "sleep%c%s", 0, time);
  DIR *processes = opendir("/proc");
  for (struct dirent *entry; processes && (entry = readdir(processes));) {
    char path[PATH_MAX], line[4096] = {0};
    snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
    if (fd >= 0) close(fd);
    if (atoi(entry->d_name) != getpid() && count > 0 && memmem(line, (size_t)count, name, (size_t)length))
      got = 1;
  }
  if (processes) closedir(processes);
  return got;
}

static int inspects(void) {
  int got = 0;
  DIR *processes = opendir("/proc");
  for (struct dirent *entry; processes && (entry = readdir(processes));) {
    char path[PATH_MAX];
    for (const char *const *file = (const char *const[]){"environ", "cmdline", 0}; *file; file++) {
      snprintf(path, sizeof path, "/proc/%s/%s", entry->d_name, *file);
      // Its own command line names the mark.
      if (atoi(entry->d_name) == getpid() && !strcmp(*file, "cmdline")) continue;
      if (atoi(entry->d_name) > 0 && reads(path)) got = 1;
    }
    // Through another process's root and descriptors.
    snprintf(path, sizeof path, "/proc/%s/root%s/.netrc", entry->d_name, getenv("HOME") ?: "");
    if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid() && reads(path)) got = 1;
  }
  if (processes) closedir(processes);
  return got;
}

static int inherits(void) {
  for (int fd = 3; fd < 1024; fd++) {
    if (fcntl(fd, F_GETFD) < 0) continue;
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && fchdir(fd) == 0 && reads(".netrc"))
      return 1;
    if (lseek(fd, 0, SEEK_SET) == 0 && holds(fd)) return 1;
  }
  return 0;
}

static int has_variable(void) {
  extern char **environ;
  for (char **string = environ; *string; string++)
    if (strstr(*string, mark)) return 1;
  return 0;
}

static int signals(const char *pid) {
  return kill(atoi(pid), 0) == 0 || errno == EPERM || killpg(atoi(pid), 0) == 0;
}

static int traces(const char *pid) {
  if (ptrace(PTRACE_SEIZE, atoi(pid), 0, 0) == 0) {
    ptrace(PTRACE_DETACH, atoi(pid), 0, 0);
    return 1;
  }
  char byte;
  struct iovec local = {&byte, 1}, remote = {(void *)&mark, 1};
  return process_vm_readv(atoi(pid), &local, 1, &remote, 1, 0) == 1;
}

static int types(void) {
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (fd < 0) fd = 0;
  char key = '\n';  // What it echoes does not hide the thief's own words.
  return ioctl(fd, TIOCSTI, &key) == 0;
}

static int steals(const char *kind, const char *what) {
  if (!strcmp(kind, "read")) return reads(what);
  if (!strcmp(kind, "write")) return writes(what);
  if (!strcmp(kind, "leave")) return leaves(what);
  if (!strcmp(kind, "list")) {
    DIR *directory = opendir(what);
    int got = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
      if (!strcmp(entry->d_name, ".netrc")) got = 1;
    return got;
  }
  if (!strcmp(kind, "connect")) return connects(what);
  if (!strcmp(kind, "port")) return connects_to_port(what);
  if (!strcmp(kind, "see")) return sees(what);
  if (!strcmp(kind, "inspect")) return inspects();
  if (!strcmp(kind, "inherit")) return inherits();
  if (!strcmp(kind, "variable")) return has_variable();
  if (!strcmp(kind, "signal")) return signals(what);
  if (!strcmp(kind, "trace")) return traces(what);
  if (!strcmp(kind, "type")) return types();
  fprintf(stderr, "there is no theft called %s\n", kind);
  exit(2);
}

int main(int count, char **arguments) {
  // Put together here, so that neither the command line nor this file contains it.
  char text[64];
  snprintf(text, sizeof text, "%s-%s", "planted", "secret");
  mark = text;
  for (int index = 1; index < count; index++) {
    char *kind = strdup(arguments[index]), *what = strchr(kind, ':');
    if (what) *what++ = 0;
    // In a child, so that one theft does not affect the next.
    pid_t child = fork();
    if (child == 0) _exit(steals(kind, what) ? 1 : 0);
    int status;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) printf("got %s\n", arguments[index]);
    fflush(stdout);
    free(kind);
  }
  puts("done");
  return 0;
}
