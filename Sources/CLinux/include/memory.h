// SPDX-License-Identifier: Apache-2.0
// The program's own image in memory.
#pragma once


#include <poll.h>

// poll(2) and waitpid(2) for processes that wait long: after a moment they let go of the program's
// instructions and constants, which come back from the file when they are touched again. Both are
// one function each, laid next to the C library's `syscall`, so that waiting touches one page.
long linux_poll_released(struct pollfd *_Nonnull polled, unsigned long count);
long linux_wait_released(int *_Nonnull status);
