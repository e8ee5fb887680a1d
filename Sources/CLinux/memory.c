// SPDX-License-Identifier: Apache-2.0
// Waiting without holding the program's own image in memory.
#include "CLinux.h"

#include <stdint.h>
#include <sys/mman.h>

// Laid down by the linker: the first byte, the end of the instructions, and where the constants
// lie, which it puts between variables. Absent in a program that is not linked statically.
extern const char __executable_start __attribute__((weak));
extern const char etext __attribute__((weak));
extern const char linux_constants_start __attribute__((weak));
extern const char linux_constants_end __attribute__((weak));

// The whole pages between two addresses, none of which was ever written (madvise(2),
// MADV_DONTNEED). Through `syscall` and not by name: another function would be another page.
static inline void release_pages(const char *start, const char *end) {
  uintptr_t first = ((uintptr_t)start + 4095) & ~(uintptr_t)4095;
  uintptr_t last = (uintptr_t)end & ~(uintptr_t)4095;
  if (start && first < last) syscall(SYS_madvise, first, last - first, MADV_DONTNEED);
}

static inline void release_image(void) {
  release_pages(&linux_constants_start, &linux_constants_end);
  release_pages(&__executable_start, &etext);
}

long linux_poll_released(struct pollfd *polled, unsigned long count) {
  release_image();
  return linux_result(syscall(SYS_ppoll, polled, count, (void *)0, (void *)0, 0));
}

long linux_wait_released(int *status) {
  release_image();
  return linux_result(syscall(SYS_wait4, -1, status, 0, (void *)0));
}
