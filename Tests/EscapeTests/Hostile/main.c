// SPDX-License-Identifier: Apache-2.0
// hostile ATTACK, inside; hostile SCENE COMMAND..., outside. With one more word an attack prints
// nothing if it fails, because it is part of another.
#include "hostile.h"

#include <stdarg.h>

const char *secret;

void escaped(const char *how, ...) {
  va_list arguments;
  va_start(arguments, how);
  printf("escaped: ");
  vprintf(how, arguments);
  printf("\n");
  fflush(stdout);
  _exit(ESCAPED);
}

int is_secret(int fd) {
  char text[64] = {0};
  if (fd < 0) return 0;
  ssize_t count = pread(fd, text, sizeof text - 1, 0);
  close(fd);
  return count > 0 && strncmp(text, CONTENT, strlen(CONTENT)) == 0;
}

void look_from(int fd, const char *how) {
  char path[8192] = ".";
  for (int up = 0; up < 12; up++) {
    char full[16384];
    snprintf(full, sizeof full, "%s%s", path, secret);
    if (is_secret(openat(fd, full, O_RDONLY | O_NONBLOCK))) escaped("%s, %d up", how, up);
    strcat(path, "/..");
  }
  // By the names on the way, should the directory be one of them.
  for (const char *rest = strchr(secret + 1, '/'); rest; rest = strchr(rest + 1, '/'))
    if (is_secret(openat(fd, rest + 1, O_RDONLY | O_NONBLOCK))) escaped("%s, as %s", how, rest);
}

void for_each_process(void (*body)(int pid)) {
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc && (entry = readdir(proc));) {
    int pid = atoi(entry->d_name);
    if (pid > 0 && pid != getpid()) body(pid);
  }
  if (proc) closedir(proc);
}

void in_child(void (*body)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    // If permitted, so that its mounts do not affect the next attempts.
    unshare(CLONE_NEWNS);
    body();
    _exit(42);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  // It has said so itself.
  if (WIFEXITED(status) && WEXITSTATUS(status) == ESCAPED) _exit(ESCAPED);
  // A policy may kill it; any other death means that it did not try.
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGSYS) {
    printf("broken: signal %d\n", WTERMSIG(status));
    fflush(stdout);
  }
}

int put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return 0;
  ssize_t count = write(fd, text, strlen(text));
  close(fd);
  return count == (ssize_t)strlen(text);
}

static int nested_kinds;
static void (*nested_body)(void);

static void nested(void) {
  char map[64];
  unsigned user = geteuid(), group = getegid();
  if (unshare(CLONE_NEWUSER | nested_kinds) < 0) return;
  put("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "0 %u 1", user);
  put("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "0 %u 1", group);
  put("/proc/self/gid_map", map);
  nested_body();
}

void in_namespaces(int kinds, void (*body)(void)) {
  nested_kinds = kinds;
  nested_body = body;
  in_child(nested);
}

int start(char **argv) {
  pid_t pid = fork();
  if (pid == 0) {
    execvp(argv[0], argv);
    _exit(127);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv) {
  const struct attack *attacks[] = {
      root_attacks, privilege_attacks, process_attacks, file_attacks, terminal_attacks,
      lasting_attacks, standard_attacks};
  secret = getenv("SECRET");
  if (argc < 2 || !secret) return 2;
  for (const struct scene *scene = scenes; scene->name; scene++)
    if (strcmp(scene->name, argv[1]) == 0) return scene->run(argv + 2);
  for (unsigned i = 0; i < sizeof attacks / sizeof *attacks; i++)
    for (const struct attack *attack = attacks[i]; attack->name; attack++)
      if (strcmp(attack->name, argv[1]) == 0) {
        attack->run();
        if (argc == 2) printf("held\n");
        return 0;
      }
  fprintf(stderr, "hostile: no attack is called %s\n", argv[1]);
  return 2;
}
