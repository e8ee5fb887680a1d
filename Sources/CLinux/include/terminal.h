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

// The window's size of `to` becomes that of `from`. Pixels as well.
static inline int linux_copy_terminal_size(int from, int to) {
  struct winsize size = {0};
  long result = linux_result(ioctl(from, TIOCGWINSZ, &size));
  return (int)(result < 0 ? result : linux_result(ioctl(to, TIOCSWINSZ, &size)));
}

// Makes `fd` the controlling terminal of this session, which has none, without taking it from another.
static inline int linux_take_terminal(int fd) { return (int)linux_result(ioctl(fd, TIOCSCTTY, 0)); }

// The other end of a pseudo-terminal whose master is `fd`. See ioctl_tty(2), TIOCGPTPEER.
static inline int linux_unlock_terminal(int fd) {
  int locked = 0;
  return (int)linux_result(ioctl(fd, TIOCSPTLCK, &locked));
}

static inline int linux_terminal_peer(int fd, int flags) {
  return (int)linux_result(ioctl(fd, _IO('T', 0x41), flags));
}

static inline int linux_terminal_number(int fd) {
  unsigned number = 0;
  long result = linux_result(ioctl(fd, TIOCGPTN, &number));
  return (int)(result < 0 ? result : number);
}

// Discards what waits in a terminal: 0 for input, 1 for output.
static inline int linux_flush_terminal(int fd, int queue) {
  return (int)linux_result(ioctl(fd, TCFLSH, queue));
}
