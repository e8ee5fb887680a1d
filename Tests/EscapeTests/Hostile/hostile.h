// SPDX-License-Identifier: Apache-2.0
// What the attacks have in common. Each tries everything that it knows and then says "held", unless
// it got what it wanted, which it says at once: "escaped: " and how.
#pragma once

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The absolute path of a file of the host's that the sandbox was not given.
extern const char *secret;
// Its content.
#define CONTENT "the secret"

// Ends the program, with the status ESCAPED: the attack has succeeded.
enum { ESCAPED = 66 };
void escaped(const char *how, ...) __attribute__((noreturn, format(printf, 1, 2)));
// Whether `fd` is the secret; closes it.
int is_secret(int fd);
// Looks for the secret below the open directory `fd`, and up from there.
void look_from(int fd, const char *how);
// Calls `body` with the number of every other process that /proc shows.
void for_each_process(void (*body)(int pid));
// Runs `body` in a child, so that what it does to itself does not harm the rest of an attack.
void in_child(void (*body)(void));
// Runs `body` in a child with every capability, in a new user namespace and other new namespaces.
void in_namespaces(int kinds, void (*body)(void));
// Writes `text` to the file `path`; answers whether that worked.
int put(const char *path, const char *text);

struct attack {
  const char *name;
  void (*run)(void);
};
extern const struct attack root_attacks[], privilege_attacks[], process_attacks[], file_attacks[],
    terminal_attacks[], lasting_attacks[], standard_attacks[];
// What runs outside: it prepares something and then starts the sandbox that `argv` names.
struct scene {
  const char *name;
  int (*run)(char **argv);
};
extern const struct scene scenes[];
// Starts `argv` and waits for it; answers its status.
int start(char **argv);
