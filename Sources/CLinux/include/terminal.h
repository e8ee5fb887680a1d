// SPDX-License-Identifier: Apache-2.0
// Terminals (ioctl_tty(2)).
#pragma once

#include <errno.h>
#include <sys/ioctl.h>

#include "process.h"

// The number of columns of a terminal.
static inline int linux_terminal_columns(int fd) {
  struct winsize size = {0};
  long result = linux_result(ioctl(fd, TIOCGWINSZ, &size));
  return (int)(result < 0 ? result : size.ws_col);
}
