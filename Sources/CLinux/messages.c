// SPDX-License-Identifier: Apache-2.0
// Sends messages with descriptors, also where the kernel has too many of this user's on their way.
#include <sys/resource.h>
#include <time.h>

#include "CLinux.h"

// How often this process tries again, each time after 2 milliseconds: 5 seconds in its life.
static int patience = 2500;

// Whether the kernel once had too many, for this process or for those that it is a copy of.
static bool was_crowded = false;

static long send_once(int fd, const struct msghdr *_Nonnull message, uint64_t word) {
  return linux_result(syscall(SYS_sendmsg, fd, message, (unsigned long)MSG_NOSIGNAL, 0UL, 0UL, word));
}

long linux_send_message(int fd, const struct msghdr *_Nonnull message) {
  struct rlimit limit, raised;
  bool is_raised = false;
  long result;
  while (1) {
    result = send_once(fd, message, 0);
    if (result != -ETOOMANYREFS || patience <= 0) break;
    was_crowded = true;
    if (!is_raised && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
      raised.rlim_cur = raised.rlim_max = limit.rlim_max;
      is_raised = setrlimit(RLIMIT_NOFILE, &raised) == 0;
      if (is_raised) continue;
    }
    patience -= 1;
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, 0);
  }
  if (is_raised) setrlimit(RLIMIT_NOFILE, &limit);
  return result;
}

uint64_t linux_take_hard_limit(void) {
  struct rlimit limit;
  if (!was_crowded || getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
    return UINT64_MAX;
  struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) < 0 ? UINT64_MAX : limit.rlim_cur;
}

long linux_send_behind_filter(int fd, const struct msghdr *_Nonnull message, uint64_t word) {
  long result = send_once(fd, message, word);
  for (int left = 100000; result == -ETOOMANYREFS && left > 0; left -= 1)
    result = send_once(fd, message, word);
  return result;
}
