// SPDX-License-Identifier: Apache-2.0
// Things that a command leaves on the host, or takes from all its users, without leaving the sandbox.
#include "hostile.h"

#include <netinet/in.h>
#include <sys/socket.h>

static const mode_t modes[] = {04755, 02755};
static char name[] = "left";

// Whether a file got one of the bits; removes it.
static void look(const char *how) {
  struct stat status;
  if (lstat(name, &status) == 0 && (status.st_mode & 06000)) escaped("%s, %o", how, status.st_mode);
  if (S_ISDIR(status.st_mode)) rmdir(name);
  unlink(name);
}

static int make(void) { return open(name, O_CREAT | O_RDWR, 0755); }

// A call by the number that 32-bit programs have for it; this program lies below 4 GB.
static long old_call(long number, long a, long b, long c, long d) {
  long result = -ENOSYS;
#ifdef __x86_64__
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
                   : "memory", "r8", "r9", "r10", "r11");
#endif
  return result;
}

static void change_modes(void) {
  for (unsigned i = 0; i < 2; i++) {
    mode_t mode = modes[i];
    int fd = make();
    chmod(name, mode), look("chmod");
    fd = make();
    fchmod(fd, mode), look("fchmod");
    fd = make();
    fchmodat(AT_FDCWD, name, mode, 0), look("fchmodat");
    fd = make();
    syscall(452, AT_FDCWD, name, mode, 0), look("fchmodat2");
    fd = make();
    syscall(452, fd, "", mode, AT_EMPTY_PATH), look("fchmodat2 by descriptor");
  }
}

static void create_files(void) {
  umask(0);
  for (unsigned i = 0; i < 2; i++) {
    mode_t mode = modes[i];
    creat(name, mode), look("creat");
    syscall(SYS_open, name, O_CREAT | O_WRONLY, mode), look("open");
    openat(AT_FDCWD, name, O_CREAT | O_WRONLY, mode), look("openat");
    mknod(name, S_IFREG | mode, 0), look("mknod");
    mknodat(AT_FDCWD, name, S_IFREG | mode, 0), look("mknodat");
    mkdir(name, mode), look("mkdir");
    int fd = open(".", O_TMPFILE | O_RDWR, mode);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW), look("open without a name");
    uint64_t how[3] = {O_CREAT | O_WRONLY, mode, 0};
    syscall(437, AT_FDCWD, name, how, sizeof how), look("openat2");
  }
}

// Its entries are not seen by a filter, and openat is among them.
static void use_uring(void) {
  unsigned parameters[30] = {0};
  if (syscall(425, 1, parameters) >= 0) escaped("io_uring");
}

static void use_old_numbers(void) {
  umask(0);
  for (unsigned i = 0; i < 2; i++) {
    make(), old_call(15, (long)name, modes[i], 0, 0), look("chmod of 32-bit programs");
    make(), old_call(306, AT_FDCWD, (long)name, modes[i], 0), look("fchmodat of 32-bit programs");
    old_call(8, (long)name, modes[i], 0, 0), look("creat of 32-bit programs");
    old_call(5, (long)name, O_CREAT, modes[i], 0), look("open of 32-bit programs");
    old_call(295, AT_FDCWD, (long)name, O_CREAT, modes[i]), look("openat of 32-bit programs");
    old_call(14, (long)name, S_IFREG | modes[i], 0, 0), look("mknod of 32-bit programs");
  }
}

// A file in a writable directory that others run as its owner, once the sandbox is gone.
static void left_behind(void) {
  in_child(change_modes);
  in_child(create_files);
  in_child(use_old_numbers);
  in_child(use_uring);
}

static void make_sockets(void) {
  static const struct { const char *name; int family, type, protocol; } sockets[] = {
      {"AF_VSOCK", 40, SOCK_STREAM, 0},
      {"AF_QIPCRTR", 42, SOCK_DGRAM, 0},
      {"AF_SMC", 43, SOCK_STREAM, 0},
      {"MPTCP", AF_INET, SOCK_STREAM, 262},
      {"UDP-Lite", AF_INET6, SOCK_DGRAM, 136},
      {"L2TP", AF_INET, SOCK_DGRAM, 115},
      {"SMC over AF_INET", AF_INET, SOCK_STREAM, 256},
      {"SCTP by its type", AF_INET, SOCK_SEQPACKET, 0},
      {"AF_ALG", 38, SOCK_SEQPACKET, 0}};
  for (unsigned i = 0; i < sizeof sockets / sizeof *sockets; i++)
    if (socket(sockets[i].family, sockets[i].type, sockets[i].protocol) >= 0)
      escaped("%s", sockets[i].name);
}

// The family lies in memory here, where no filter looks.
static void make_old_sockets(void) {
  static int words[][3] = {{40, SOCK_STREAM, 0}, {AF_UNIX, SOCK_STREAM, 0}};
  for (unsigned i = 0; i < 2; i++)
    if (old_call(102, 1, (long)words[i], 0, 0) >= 0) escaped("socketcall, family %d", words[i][0]);
}

// Families and protocols that know no network namespace, or that hardly any program uses.
static void rare_sockets(void) {
  in_child(make_sockets);
  in_child(make_old_sockets);
}

static void take_lease(void) {
  int fd = open(getenv("TARGET"), O_RDONLY);
  if (fd < 0) return;
  if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) escaped("a lease on a file of the host's");
}

static void take_requests(void) {
  unsigned long context = 0;
  if (syscall(SYS_io_setup, 1, &context) == 0) escaped("io_setup");
}

// What makes other processes of the host wait, or fail.
static void stalling(void) {
  in_child(take_lease);
  in_child(take_requests);
}

const struct attack lasting_attacks[] = {
    {"left-behind", left_behind}, {"rare-sockets", rare_sockets}, {"stalling", stalling}, {0}};
