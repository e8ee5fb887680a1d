// SPDX-License-Identifier: Apache-2.0
// Terminals (ioctl_tty(2)).
#pragma once

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "process.h"

// The number of columns of a terminal.
static inline int linux_terminal_columns(int fd) {
  struct winsize size = {0};
  long result = linux_result(ioctl(fd, TIOCGWINSZ, &size));
  return (int)(result < 0 ? result : size.ws_col);
}

// The kernel's struct termios2, which the C library's headers do not define beside their own.
struct linux_terminal_settings {
  uint32_t flags[4];
  uint8_t discipline, characters[19];
  uint32_t speeds[2];
};

// The settings of a terminal.
static inline int linux_get_terminal_settings(
    int fd, struct linux_terminal_settings *_Nonnull settings) {
  return (int)linux_result(ioctl(fd, _IOR('T', 0x2A, struct linux_terminal_settings), settings));
}

static inline int linux_set_terminal_settings(
    int fd, const struct linux_terminal_settings *_Nonnull settings) {
  return (int)linux_result(ioctl(fd, _IOW('T', 0x2B, struct linux_terminal_settings), settings));
}

static inline int linux_are_equal_settings(
    const struct linux_terminal_settings *_Nonnull a,
    const struct linux_terminal_settings *_Nonnull b) {
  return memcmp(a, b, sizeof *a) == 0;
}
