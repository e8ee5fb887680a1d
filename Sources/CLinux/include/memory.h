// SPDX-License-Identifier: Apache-2.0
// The program's image in memory.
#pragma once

#include <poll.h>
#include <stdint.h>

// poll(2) and wait4(2), for processes that wait long: after a moment they release the program's
// instructions and constants, which the kernel reads from the file again when needed. Each is one
// function next to the C library's `syscall`, so that waiting touches one page.
//
// A key of `keys`, typed at the terminal, ends the wait for children too. So does the signal `stay`,
// from any process. If `stay` is not 0, a process without children waits for that signal, or for
// children that the kernel hands to it.
long linux_poll_released(struct pollfd *_Nonnull polled, unsigned long count);
long linux_wait_released(int *_Nonnull status, uint64_t keys, int stay, int64_t deadline,
                         int *_Nonnull key);

// Releases them at once.
void linux_release_image(void);
