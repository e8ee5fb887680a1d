// SPDX-License-Identifier: Apache-2.0
// Interface flags (netdevice(7)), all that a launch needs of the network.
#pragma once

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "process.h"

static inline int linux_set_interface_flags(int socket, const char *_Nonnull name, short flags) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = flags;
  return (int)linux_result(ioctl(socket, SIOCSIFFLAGS, &request));
}
