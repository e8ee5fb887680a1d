// SPDX-License-Identifier: Apache-2.0
// The module CLinux wraps the parts of the C library that Swift cannot import: variadic functions,
// function-like macros, calls without a wrapper, and names that need _GNU_SOURCE. No logic lives
// here. Every wrapper returns a negative errno on failure, as the kernel does, so that Swift never
// reads `errno` after another call may have changed it.
#pragma once

#include "process.h"
#include "constants.h"
#include "files.h"
#include "landlock.h"
#include "memory.h"
#include "mounts.h"
#include "namespaces.h"
#include "network.h"
#include "terminal.h"
#include "watch.h"
