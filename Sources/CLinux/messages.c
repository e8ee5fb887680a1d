// SPDX-License-Identifier: Apache-2.0
// Sends messages with descriptors, also where the kernel has too many of this user's on their way.
#include <sys/resource.h>
#include <time.h>

#include "CLinux.h"

// How often this process tries again, each time after 2 milliseconds: 5 seconds in its life.
static int patience = 2500;

long linux_send_message(int fd, const struct msghdr *_Nonnull message, uint64_t word) {
  struct rlimit limit, raised;
  bool is_raised = false;
  long result;
  while (1) {
    result = linux_result(
        syscall(SYS_sendmsg, fd, message, (unsigned long)MSG_NOSIGNAL, 0UL, 0UL, word));
    if (result != -ETOOMANYREFS || patience <= 0) break;
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
