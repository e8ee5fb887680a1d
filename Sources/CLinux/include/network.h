// SPDX-License-Identifier: Apache-2.0
// Interface flags (netdevice(7)), all that a launch needs of the network, and sockets in the file
// system.
#pragma once

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "process.h"

// connect(2) to the socket in the file system; `*pid` is the process that listens, 0 if this pid
// namespace does not have it. See unix(7), SO_PEERCRED.
static inline int linux_connect_to(const char *_Nonnull path, int *_Nonnull pid) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int fd = (int)linux_result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd < 0) return fd;
  // struct ucred, which has a name with _GNU_SOURCE only.
  struct {
    int pid;
    unsigned uid, gid;
  } peer = {0};
  socklen_t length = sizeof peer;
  long result = linux_result(connect(fd, (struct sockaddr *)&address, sizeof address));
  if (result == 0)
    result = linux_result(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length));
  if (result < 0) {
    close(fd);
    return (int)result;
  }
  *pid = peer.pid;
  return fd;
}

static inline int linux_set_interface_flags(int socket, const char *_Nonnull name, short flags) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = flags;
  return (int)linux_result(ioctl(socket, SIOCSIFFLAGS, &request));
}
