// SPDX-License-Identifier: Apache-2.0
// What Swift cannot import from the C library: variadic functions, function-like macros, calls
// without a wrapper, and names that the C library hides behind _GNU_SOURCE.
// No logic lives here. Every wrapper answers the kernel's own convention, a negative errno on
// failure, so that Swift never has to read `errno` after something else may have changed it.
#pragma once

#include "process.h"
#include "constants.h"
#include "files.h"
#include "landlock.h"
#include "memory.h"
#include "mounts.h"
#include "network.h"
