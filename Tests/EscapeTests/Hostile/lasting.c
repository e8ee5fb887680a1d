// SPDX-License-Identifier: Apache-2.0
// Things that a command leaves on the host, or takes from all its users, without leaving the sandbox.
#include "hostile.h"

#include <mntent.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

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

// A filter does not see its entries, and openat is among them.
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

// A file in a writable directory that others run as its owner after the sandbox has ended.
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

// Families and protocols that ignore network namespaces, or that hardly any program uses.
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

// More memory than half of the machine's, in files: no process that the kernel could kill owns them.
static void memory(void) {
  FILE *table = setmntent("/proc/self/mounts", "r");
  struct sysinfo machine;
  struct stat here, status;
  struct statvfs use;
  dev_t seen[64];
  unsigned count = 0;
  uint64_t sum = 0;
  // The working directory is the host's.
  if (!table || sysinfo(&machine) < 0 || stat(".", &here) < 0) return;
  for (struct mntent *mount; count < 64 && (mount = getmntent(table));) {
    if (strcmp(mount->mnt_type, "tmpfs") != 0 || stat(mount->mnt_dir, &status) < 0 ||
        statvfs(mount->mnt_dir, &use) < 0 || (use.f_flag & ST_RDONLY) ||
        status.st_dev == here.st_dev || access(mount->mnt_dir, W_OK) < 0)
      continue;
    unsigned i = 0;
    while (i < count && seen[i] != status.st_dev) i++;
    if (i < count) continue;
    seen[count++] = status.st_dev;
    sum += (uint64_t)use.f_blocks * use.f_frsize;
  }
  endmntent(table);
  uint64_t all = (uint64_t)machine.totalram * machine.mem_unit;
  if (sum > all / 2 + (1 << 20))
    escaped("%u file systems in memory hold %lu %% of it", count, (unsigned long)(sum * 100 / all));
}

// Limits and priorities of process 1, which a command could kill or starve by them, and of the
// caller's process group.
static void priorities(void) {
  struct { uint64_t soft, hard; } limit;
  for (int kind = 0; kind < RLIM_NLIMITS; kind++)
    if (syscall(SYS_prlimit64, 1, kind, 0, &limit) == 0 &&
        syscall(SYS_prlimit64, 1, kind, &limit, 0) == 0)
      escaped("prlimit of process 1");
  static const int none = 0;
  static const uint32_t idle[12] = {48, 5 /* SCHED_IDLE */};
  static const unsigned long first = 1;
  if (syscall(SYS_sched_setscheduler, 1, 5, &none) == 0) escaped("sched_setscheduler");
  if (syscall(SYS_sched_setparam, 1, &none) == 0) escaped("sched_setparam");
  if (syscall(SYS_sched_setattr, 1, idle, 0) == 0) escaped("sched_setattr");
  if (syscall(SYS_sched_setaffinity, 1, sizeof first, &first) == 0) escaped("sched_setaffinity");
  static const int kinds[][2] = {
      {PRIO_PROCESS, 1}, {PRIO_PGRP, 0}, {PRIO_PGRP, 1}, {PRIO_USER, 0}};
  for (unsigned i = 0; i < 4; i++) {
    if (syscall(SYS_setpriority, kinds[i][0], kinds[i][1], 1) == 0)
      escaped("setpriority, %d", kinds[i][0]);
    // Its kinds have other numbers; 3 << 13 is idleness.
    if (syscall(SYS_ioprio_set, kinds[i][0] + 1, kinds[i][1], 3 << 13) == 0)
      escaped("ioprio_set, %d", kinds[i][0] + 1);
  }
}

const struct attack lasting_attacks[] = {
    {"left-behind", left_behind}, {"rare-sockets", rare_sockets}, {"stalling", stalling},
    {"memory", memory}, {"priorities", priorities}, {0}};
