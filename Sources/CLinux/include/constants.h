// SPDX-License-Identifier: Apache-2.0
// Constants of the kernel by name, for policies: the preprocessor alone knows both.
#pragma once

#include <stdint.h>

// The name of the constant at `index`, or null behind the last one; its value goes to `value`,
// that of a signed one as the 32 bits of an int.
const char *_Nullable linux_constant(int index, uint64_t *_Nonnull value);
