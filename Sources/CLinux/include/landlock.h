// SPDX-License-Identifier: Apache-2.0
// Landlock (landlock(7)): the C library has no wrappers, and older kernel headers lack the scopes.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process.h"

enum {
  LINUX_LANDLOCK_CREATE_RULESET = 444,  // The same number on every architecture.
  LINUX_LANDLOCK_RESTRICT_SELF = 446,
  LINUX_LANDLOCK_CREATE_RULESET_VERSION = 1,
  LINUX_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1,
  LINUX_LANDLOCK_SCOPE_SIGNAL = 2,
};

// struct landlock_ruleset_attr of Linux 6.12.
struct linux_landlock_attributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

static inline int linux_landlock_version(void) {
  return (int)linux_result(syscall(
      LINUX_LANDLOCK_CREATE_RULESET, (void *)0, 0, LINUX_LANDLOCK_CREATE_RULESET_VERSION));
}

static inline int linux_landlock_create_scope(uint64_t scoped) {
  struct linux_landlock_attributes attributes = {.scoped = scoped};
  return (int)linux_result(
      syscall(LINUX_LANDLOCK_CREATE_RULESET, &attributes, sizeof attributes, 0));
}

static inline int linux_landlock_restrict_self(int ruleset) {
  return (int)linux_result(syscall(LINUX_LANDLOCK_RESTRICT_SELF, ruleset, 0));
}

// Every access to files by name that the interface of this version knows, and all its scopes.
static inline int linux_landlock_create_closed(int version) {
  struct linux_landlock_attributes attributes = {
      .handled_access_fs = version >= 5 ? 0xffff : version >= 3 ? 0x7fff
                           : version == 2 ? 0x3fff : 0x1fff,
      .scoped = version >= 6 ? 3 : 0};
  size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  return (int)linux_result(syscall(LINUX_LANDLOCK_CREATE_RULESET, &attributes, size, 0));
}
