// SPDX-License-Identifier: Apache-2.0
// Waiting without keeping the program's image and the used part of the stack in memory.
#include "CLinux.h"

#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

// The linker defines these: the first byte, the end of the instructions, and the constants, which
// lie between variables (Sources/nestbox/layout.ld). A plain build lacks some; they are null then.
// The layout puts this file and `syscall` behind the last whole page of instructions, so that waiting
// touches none of the pages that it releases.
extern const char __executable_start __attribute__((weak));
extern const char etext __attribute__((weak));
extern const char linux_constants_start __attribute__((weak));
extern const char linux_constants_end __attribute__((weak));

// Releases the whole pages between two addresses (madvise(2), MADV_DONTNEED): they are as in the file,
// or nobody needs their contents. It uses `syscall`, because another function would lie on another page.
static inline void release_pages(const char *start, const char *end, uintptr_t page) {
  uintptr_t first = ((uintptr_t)start + page - 1) & -page;
  uintptr_t last = (uintptr_t)end & -page;
  if (start && first < last) syscall(SYS_madvise, first, last - first, MADV_DONTNEED);
}

static inline void release_image(void) {
  const uintptr_t page = getauxval(AT_PAGESZ);
  release_pages(&linux_constants_start, &linux_constants_end, page);
  release_pages(&__executable_start, &etext, page);
  // What the launch has used of the stack, but not the page below this frame, which `syscall` uses.
  // Further down the kernel maps nothing: it keeps a megabyte free below the stack.
  const char *here = (const char *)__builtin_frame_address(0);
  release_pages(here - 128 * 1024, here - page, page);
}

void linux_release_image(void) { release_image(); }

// After this time a wait is long. Most one-shot commands have ended by then; releasing pages costs,
// and so does reading them again.
static const struct timespec patience = {.tv_nsec = 50000000};

long linux_poll_released(struct pollfd *polled, unsigned long count) {
  struct timespec left = patience;  // The kernel writes to it.
  long ready = linux_result(syscall(SYS_ppoll, polled, count, &left, (void *)0, 0));
  if (ready != 0) return ready;
  release_image();
  return linux_result(syscall(SYS_ppoll, polled, count, (void *)0, (void *)0, 0));
}

long linux_wait_released(int *status, uint64_t keys, int stay, int64_t deadline, int *key) {
  // The signals are blocked here, so that they stay until they are asked for.
  const uint64_t signals =
      UINT64_C(1) << (SIGCHLD - 1) | keys | (stay ? UINT64_C(1) << (stay - 1) : 0);
  const struct timespec *limit = &patience;
  for (*key = 0;;) {
    const struct timespec *pause = limit;
    struct timespec now, left;
    // First: a payload whose processes end all the time must not keep this from looking.
    if (deadline && syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0) {
      const int64_t rest = deadline - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
      if (rest <= 0) {
        *key = SIGALRM;
        return 0;
      }
      left = (struct timespec){.tv_sec = rest / 1000, .tv_nsec = rest % 1000 * 1000000};
      if (!limit || rest < patience.tv_nsec / 1000000) pause = &left;
    }
    long pid = linux_result(
        syscall(SYS_wait4, -1, status, WNOHANG | WUNTRACED | WCONTINUED, (void *)0));
    if (pid != 0 && !(stay && pid == -ECHILD)) return pid;
    siginfo_t information;
    long signal = linux_result(
        syscall(SYS_rt_sigtimedwait, &signals, &information, pause, sizeof signals));
    if (signal == -EAGAIN) {
      if (limit) release_image();
      limit = 0;
    } else if (signal > 0 && (signal == stay || signal != SIGCHLD && information.si_code == SI_KERNEL)) {
      *key = (int)signal;
      return 0;
    }
  }
}
