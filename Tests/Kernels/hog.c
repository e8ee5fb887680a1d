// SPDX-License-Identifier: Apache-2.0
// hog KIND MEGABYTES: takes memory in one of the ways that a process has, and says so when it has it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

// Fills pipes, each of the largest size.
static int fill_pipes(size_t size) {
  static char full[1 << 20];
  for (; size >= sizeof full; size -= sizeof full) {
    int ends[2];
    if (pipe(ends) < 0 || fcntl(ends[1], F_SETPIPE_SZ, sizeof full) < 0) return 3;
    if (write(ends[1], full, sizeof full) != sizeof full) return 3;
  }
  puts("has it");
  return 0;
}

int main(int count, char **words) {
  if (count != 3) return 2;
  size_t size = strtoul(words[2], 0, 10) << 20;
  if (strcmp(words[1], "pipes") == 0) return fill_pipes(size);
  int flags = MAP_PRIVATE | MAP_ANONYMOUS, file = -1;
  if (strcmp(words[1], "shared") == 0) flags = MAP_SHARED | MAP_ANONYMOUS;
  if (strcmp(words[1], "memfd") == 0) {
    flags = MAP_SHARED;
    file = memfd_create("hog", 0);
    if (file < 0 || ftruncate(file, (off_t)size) < 0) return 3;
  }
  char *memory;
  if (strcmp(words[1], "sysv") == 0) {
    int segment = shmget(IPC_PRIVATE, size, 0600);
    memory = shmat(segment, 0, 0);
    shmctl(segment, IPC_RMID, 0);
  } else
    memory = mmap(0, size, PROT_READ | PROT_WRITE, flags, file, 0);
  if (memory == MAP_FAILED) return 3;
  for (size_t i = 0; i < size; i += 4096) memory[i] = 1;
  puts("has it");
  return 0;
}
