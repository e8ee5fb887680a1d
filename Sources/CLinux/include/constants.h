// SPDX-License-Identifier: Apache-2.0
// Constants of the kernel by name, for policies: only the preprocessor knows name and value.
#pragma once

#include <stdint.h>

// Returns the name of the constant at `index`, or null after the last one, and stores its value in
// `value`, a signed one as the 32 bits of an int.
const char *_Nullable linux_constant(int index, uint64_t *_Nonnull value);
