// SPDX-License-Identifier: Apache-2.0
// Interface flags (netdevice(7)), sockets of the internet (ip(7), ipv6(7)) and in the file system, and
// waiting for many of them (epoll(7)).
#pragma once

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "process.h"

// The process that made the other end of a connection, 0 if this pid namespace does not have it. See
// unix(7), SO_PEERCRED.
static inline int linux_peer_process(int fd) {
  // struct ucred, which has a name with _GNU_SOURCE only.
  struct {
    int pid;
    unsigned uid, gid;
  } peer = {0};
  socklen_t length = sizeof peer;
  long result = linux_result(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length));
  return result < 0 ? (int)result : peer.pid;
}

// connect(2) to the socket in the file system; `*pid` is the process that listens, 0 if this pid
// namespace does not have it. See unix(7), SO_PEERCRED.
static inline int linux_connect_to(const char *_Nonnull path, int *_Nonnull pid) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int fd = (int)linux_result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd < 0) return fd;
  long result = linux_result(connect(fd, (struct sockaddr *)&address, sizeof address));
  if (result == 0) *pid = linux_peer_process(fd);
  if (result == 0 && *pid < 0) result = *pid;
  if (result < 0) {
    close(fd);
    return (int)result;
  }
  return fd;
}

// A socket of packets in the file system: one that is bound there, or one that is connected to it. No call waits
// longer than ten seconds.
static inline int linux_packet_socket(const char *_Nonnull path, int is_bound) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int type = SOCK_SEQPACKET | SOCK_CLOEXEC | (is_bound ? SOCK_NONBLOCK : 0);
  int fd = (int)linux_result(socket(AF_UNIX, type, 0));
  if (fd < 0) return fd;
  struct timeval patience = {.tv_sec = 10};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const struct sockaddr *any = (const struct sockaddr *)&address;
  long result = linux_result(
      is_bound ? bind(fd, any, sizeof address) : connect(fd, any, sizeof address));
  if (result < 0) {
    close(fd);
    return (int)result;
  }
  return fd;
}

static inline int linux_set_interface_flags(int socket, const char *_Nonnull name, short flags) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = flags;
  return (int)linux_result(ioctl(socket, SIOCSIFFLAGS, &request));
}

static inline int linux_route_socket(void) {
  return (int)linux_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

static inline int linux_filter_socket(void) {
  return (int)linux_result(
      socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
}

// An address and a port, both as numbers; IPv4 addresses as ::ffff:0:0/96.
struct linux_endpoint {
  uint64_t high;
  uint64_t low;
  uint16_t port;
};

union linux_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static inline socklen_t linux_address(
    int family, struct linux_endpoint endpoint, union linux_address *_Nonnull address) {
  memset(address, 0, sizeof *address);
  if (family == AF_INET) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(endpoint.port);
    address->v4.sin_addr.s_addr = htonl((uint32_t)endpoint.low);
    return sizeof address->v4;
  }
  uint64_t words[2] = {htobe64(endpoint.high), htobe64(endpoint.low)};
  address->v6.sin6_family = AF_INET6;
  address->v6.sin6_port = htons(endpoint.port);
  memcpy(&address->v6.sin6_addr, words, sizeof words);
  return sizeof address->v6;
}

static inline struct linux_endpoint linux_endpoint(const union linux_address *_Nonnull address) {
  if (address->any.sa_family == AF_INET) {
    return (struct linux_endpoint){
        0, 0xffff00000000ULL | ntohl(address->v4.sin_addr.s_addr), ntohs(address->v4.sin_port)};
  }
  uint64_t words[2];
  memcpy(words, &address->v6.sin6_addr, sizeof words);
  return (struct linux_endpoint){be64toh(words[0]), be64toh(words[1]), ntohs(address->v6.sin6_port)};
}

static inline int linux_internet_socket(int family, int type) {
  return (int)linux_result(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// A socket that gets a copy of every packet of TCP that arrives at this namespace (raw(7)).
static inline int linux_raw_socket(int family) {
  return (int)linux_result(socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
}

// Has a socket get only packets that the classic BPF program lets pass (socket(7), SO_ATTACH_FILTER).
static inline int linux_attach_filter(
    int socket, const uint64_t *_Nonnull instructions, unsigned short count) {
  struct sock_fprog program = {count, (struct sock_filter *)(uintptr_t)instructions};
  return (int)linux_result(
      setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

// A socket that gets a copy of each message that a destination cannot be reached, and of nothing else
// (icmp(7), ICMP_FILTER; RFC 3542, ICMP6_FILTER: a set bit keeps its type away).
static inline int linux_unreachable_socket(int family) {
  int is_v6 = family == AF_INET6;
  int fd = (int)linux_result(socket(
      family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP));
  if (fd < 0) return fd;
  uint32_t filter[8];
  memset(filter, 0xff, sizeof filter);
  filter[0] = is_v6 ? ~(1U << 1) : ~(1U << 3);
  long result = linux_result(
      is_v6 ? setsockopt(fd, IPPROTO_ICMPV6, 1 /* ICMP6_FILTER */, filter, sizeof filter)
            : setsockopt(fd, 255 /* SOL_RAW */, 1 /* ICMP_FILTER */, filter, sizeof filter[0]));
  if (result < 0) {
    close(fd);
    return (int)result;
  }
  return fd;
}

static inline int linux_set_option(int socket, int level, int name, int value) {
  return (int)linux_result(setsockopt(socket, level, name, &value, sizeof value));
}

static inline int linux_bind(int socket, int family, struct linux_endpoint endpoint) {
  union linux_address address;
  socklen_t length = linux_address(family, endpoint, &address);
  return (int)linux_result(bind(socket, &address.any, length));
}

static inline int linux_connect(int socket, int family, struct linux_endpoint endpoint) {
  union linux_address address;
  socklen_t length = linux_address(family, endpoint, &address);
  return (int)linux_result(connect(socket, &address.any, length));
}

// Ends the connection of a socket, which can then connect again (connect(2), AF_UNSPEC).
static inline int linux_disconnect(int socket) {
  struct sockaddr address = {.sa_family = AF_UNSPEC};
  return (int)linux_result(connect(socket, &address, sizeof address));
}

// Whether a socket of TCP has no connection, not even one of which something is still to be sent.
static inline int linux_is_closed(int socket) {
  struct tcp_info information;
  socklen_t length = sizeof information;
  int result = (int)linux_result(getsockopt(socket, IPPROTO_TCP, TCP_INFO, &information, &length));
  return result < 0 ? result : information.tcpi_state == TCP_CLOSE;
}

static inline int linux_local_endpoint(int socket, struct linux_endpoint *_Nonnull endpoint) {
  union linux_address address;
  socklen_t length = sizeof address;
  int result = (int)linux_result(getsockname(socket, &address.any, &length));
  if (result == 0) *endpoint = linux_endpoint(&address);
  return result;
}

static inline int linux_accept(int socket) {
  return (int)linux_result(
      syscall(SYS_accept4, socket, (void *)0, (void *)0, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

// Also tells who has connected.
static inline int linux_accept_from(int socket, struct linux_endpoint *_Nonnull peer) {
  union linux_address address;
  socklen_t length = sizeof address;
  int result = (int)linux_result(
      syscall(SYS_accept4, socket, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (result >= 0) *peer = linux_endpoint(&address);
  return result;
}

static inline int linux_socket_error(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  int result = (int)linux_result(getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length));
  return result < 0 ? result : -error;
}

// Makes close(2) send a reset.
static inline int linux_set_reset_on_close(int socket, int on) {
  struct linger linger = {.l_onoff = on, .l_linger = 0};
  return (int)linux_result(
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

static inline long linux_receive_bytes(int socket, void *_Nullable buffer, size_t count, int flags) {
  return linux_result(recv(socket, buffer, count, flags));
}

static inline long linux_send_bytes(int socket, const void *_Nonnull buffer, size_t count) {
  return linux_result(send(socket, buffer, count, MSG_NOSIGNAL));
}

static inline long linux_receive_from(
    int socket, void *_Nonnull buffer, size_t count, struct linux_endpoint *_Nonnull sender) {
  union linux_address address;
  socklen_t length = sizeof address;
  long result = linux_result(recvfrom(socket, buffer, count, 0, &address.any, &length));
  if (result >= 0) *sender = linux_endpoint(&address);
  return result;
}

static inline long linux_send_to(
    int socket, int family, const void *_Nonnull buffer, size_t count,
    struct linux_endpoint receiver) {
  union linux_address address;
  socklen_t length = linux_address(family, receiver, &address);
  return linux_result(sendto(socket, buffer, count, MSG_NOSIGNAL, &address.any, length));
}

// The address that a datagram was sent to, and the one that it is sent from: what ip(7) and ipv6(7)
// call PKTINFO. The C library declares the structure of IPv6 for GNU sources only.
struct linux_packet_info_v6 {
  struct in6_addr address;
  unsigned index;
};

struct linux_packet_info_v4 {
  int index;
  struct in_addr source;
  struct in_addr destination;
};

union linux_packet_control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(struct linux_packet_info_v6)) * 2];
};

static inline int linux_ask_for_destinations(int socket, int family) {
  return family == AF_INET6 ? linux_set_option(socket, IPPROTO_IPV6, 49 /* IPV6_RECVPKTINFO */, 1)
                            : linux_set_option(socket, IPPROTO_IP, 8 /* IP_PKTINFO */, 1);
}

// A datagram that has no room is an error.
static inline long linux_receive_packet(
    int socket, void *_Nonnull buffer, size_t count, struct linux_endpoint *_Nonnull sender,
    struct linux_endpoint *_Nonnull receiver) {
  union linux_address address;
  union linux_packet_control control;
  struct iovec part = {.iov_base = buffer, .iov_len = count};
  struct msghdr message = {
      .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1,
      .msg_control = &control, .msg_controllen = sizeof control};
  long result = linux_result(recvmsg(socket, &message, 0));
  if (result < 0) return result;
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return -EMSGSIZE;
  *sender = linux_endpoint(&address);
  for (struct cmsghdr *entry = CMSG_FIRSTHDR(&message); entry; entry = CMSG_NXTHDR(&message, entry)) {
    if (entry->cmsg_level == IPPROTO_IPV6 && entry->cmsg_type == 50 /* IPV6_PKTINFO */) {
      union linux_address found = {.v6 = {.sin6_family = AF_INET6}};
      memcpy(&found.v6.sin6_addr, CMSG_DATA(entry), sizeof found.v6.sin6_addr);
      *receiver = linux_endpoint(&found);
      return result;
    }
    if (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == 8 /* IP_PKTINFO */) {
      struct linux_packet_info_v4 information;
      memcpy(&information, CMSG_DATA(entry), sizeof information);
      union linux_address found = {
          .v4 = {.sin_family = AF_INET, .sin_addr = information.destination}};
      *receiver = linux_endpoint(&found);
      return result;
    }
  }
  return -ENODATA;
}

static inline long linux_send_packet(
    int socket, int family, const void *_Nonnull buffer, size_t count,
    struct linux_endpoint sender, struct linux_endpoint receiver) {
  union linux_address address, source;
  socklen_t length = linux_address(family, receiver, &address);
  linux_address(family, sender, &source);
  union linux_packet_control control;
  memset(&control, 0, sizeof control);
  struct iovec part = {.iov_base = (void *)(uintptr_t)buffer, .iov_len = count};
  struct msghdr message = {
      .msg_name = &address, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1,
      .msg_control = &control};
  if (family == AF_INET6) {
    struct linux_packet_info_v6 information = {.address = source.v6.sin6_addr};
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof information), .cmsg_level = IPPROTO_IPV6,
        .cmsg_type = 50 /* IPV6_PKTINFO */};
    memcpy(CMSG_DATA(&control.header), &information, sizeof information);
    message.msg_controllen = CMSG_SPACE(sizeof information);
  } else {
    struct linux_packet_info_v4 information = {.source = source.v4.sin_addr};
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof information), .cmsg_level = IPPROTO_IP,
        .cmsg_type = 8 /* IP_PKTINFO */};
    memcpy(CMSG_DATA(&control.header), &information, sizeof information);
    message.msg_controllen = CMSG_SPACE(sizeof information);
  }
  return linux_result(sendmsg(socket, &message, MSG_NOSIGNAL));
}

// splice(2) between a pipe and a socket, which does not wait for either.
static inline long linux_splice(int from, int to, size_t count) {
  const unsigned flags = 1 | 2;  // SPLICE_F_MOVE, SPLICE_F_NONBLOCK
  return linux_result(syscall(SYS_splice, from, (void *)0, to, (void *)0, count, flags));
}

static inline int linux_epoll_create(void) {
  return (int)linux_result(epoll_create1(EPOLL_CLOEXEC));
}

static inline int linux_epoll_add(int queue, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(unsigned)fd};
  return (int)linux_result(epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event));
}

static inline int linux_epoll_remove(int queue, int fd) {
  return (int)linux_result(epoll_ctl(queue, EPOLL_CTL_DEL, fd, (struct epoll_event *)0));
}

// Waits and writes the numbers of ready descriptors to `ready`, and what has happened to `events`.
static inline int linux_epoll_wait(
    int queue, int32_t *_Nonnull ready, uint32_t *_Nonnull events, int count, int milliseconds) {
  struct epoll_event found[64];
  int result = (int)linux_result(epoll_wait(queue, found, count < 64 ? count : 64, milliseconds));
  for (int i = 0; i < result; i++) {
    ready[i] = (int32_t)found[i].data.u64;
    events[i] = found[i].events;
  }
  return result;
}
