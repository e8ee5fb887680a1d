// SPDX-License-Identifier: Apache-2.0
// Attacks on init, on the monitor and on other processes in reach, and on kernel resources that all
// processes of a user share.
#include "hostile.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static const char *role;

static void take_over(int pid) {
  char path[64];
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
    ptrace(PTRACE_DETACH, pid, 0, 0);
    escaped("%s (%d) was traced", role, pid);
  }
  static const char *const files[] = {"mem", "environ", "auxv", "maps", "syscall", "stack"};
  for (unsigned i = 0; i < 6; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
    char byte;
    int fd = open(path, O_RDONLY);
    if (fd >= 0 && (i == 0 || read(fd, &byte, 1) == 1)) escaped("%s of %s can be read", path, role);
    close(fd);
  }
  char local[8];
  struct iovec ours = {local, 8}, theirs = {(void *)0x200000, 8};
  if (process_vm_readv(pid, &ours, 1, &theirs, 1, 0) >= 0 || errno == EFAULT)
    escaped("memory of %s can be read", role);
  int process = syscall(SYS_pidfd_open, pid, 0);
  for (int number = 0; process >= 0 && number < 16; number++)
    if (syscall(SYS_pidfd_getfd, process, number, 0) >= 0)
      escaped("descriptor %d of %s was taken", number, role);
  close(process);
}

static void take_over_others(int pid) {
  // Its own children and its senders do not count.
  if (pid == getppid()) return;
  role = "another process";
  take_over(pid);
}

// In the beginning init may hide from everybody: half a second, or as many hundredths as are asked
// for.
static void repeatedly(void (*attack)(int pid), int pid) {
  const char *patience = getenv("PATIENCE");
  for (int i = 0; i < (patience ? atoi(patience) : 50); i++) {
    attack(pid);
    usleep(10000);
  }
}

// Init: its memory and its descriptors.
static void init_process(void) {
  role = "init";
  if (getpid() == 1) return;
  repeatedly(take_over, 1);
}

// Every visible process.
static void all_processes(void) { for_each_process(take_over_others); }

// The file that init or another process executes: the launcher on the host, which a process could
// overwrite once it no longer runs.
static void hold_launcher(int pid) {
  unsigned long device, file;
  char path[64];
  struct stat status;
  const char *launcher = getenv("LAUNCHER");
  if (!launcher || sscanf(launcher, "%lu:%lu", &device, &file) != 2) return;
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  int fd = open(path, O_RDONLY);
  if (fd >= 0 && fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == file)
    escaped("%s is the launcher", path);
  close(fd);
}
static void launcher_file(void) {
  for_each_process(hold_launcher);
  hold_launcher(getpid());
  repeatedly(hold_launcher, 1);
}

// Signals to its process group and to all processes; the caller counts them.
static void signals(void) {
  signal(SIGURG, SIG_IGN);
  kill(0, SIGURG);
  kill(-1, SIGURG);
  const char *caller = getenv("CALLER");
  if (caller) kill(atoi(caller), SIGURG);
}

static volatile sig_atomic_t heard;
static void hear(int signal) {
  (void)signal;
  heard = 1;
}

// The caller of `signals`: leader of its process group, and counting.
static int listener(char **argv) {
  char number[16];
  setpgid(0, 0);
  signal(SIGURG, hear);
  snprintf(number, sizeof number, "%d", getpid());
  setenv("CALLER", number, 1);
  int status = start(argv);
  if (heard) printf("escaped: the caller got the signal\n");
  return status;
}

// The attack aims at init's reports, not at the user's limits and priorities. Not RLIMIT_CPU, by
// which the kernel kills a process that is running when the clock next ticks: a command may end its
// own sandbox, and nestbox then reports that it was killed.
static void limits(void) {
  struct { uint64_t soft, hard; } none = {0, 0};
  for (int kind = RLIMIT_CPU + 1; kind < RLIM_NLIMITS; kind++)
    syscall(SYS_prlimit64, 1, kind, &none, 0);
}

enum { JOIN = 1, SEARCH = 10, READ = 11, UNLINK = 9, SESSION = -3, USER = -4, USER_SESSION = -5 };

// Keys of the caller.
static void keys(void) {
  static const int rings[] = {SESSION, USER, USER_SESSION};
  for (unsigned i = 0; i < 3; i++) {
    char text[64] = {0};
    long key = syscall(SYS_keyctl, SEARCH, rings[i], "user", "nestbox-test", 0);
    if (key < 0) continue;
    if (syscall(SYS_keyctl, READ, key, text, sizeof text - 1) > 0 && strcmp(text, CONTENT) == 0)
      escaped("a key in keyring %d", rings[i]);
  }
  long key = syscall(SYS_request_key, "user", "nestbox-test", 0, 0);
  char text[64] = {0};
  if (key > 0 && syscall(SYS_keyctl, READ, key, text, sizeof text - 1) > 0)
    escaped("a key that was requested");
}

// A caller with a session keyring, and a key in it and in the user's.
static int key_owner(char **argv) {
  syscall(SYS_keyctl, JOIN, 0);
  syscall(SYS_add_key, "user", "nestbox-test", CONTENT, strlen(CONTENT), SESSION);
  long key = syscall(SYS_add_key, "user", "nestbox-test", CONTENT, strlen(CONTENT), USER);
  int status = start(argv);
  syscall(SYS_keyctl, UNLINK, key, USER);
  return status;
}

static socklen_t abstract(struct sockaddr_un *address) {
  address->sun_family = AF_UNIX;
  const char *number = getenv("SOCKET");
  return offsetof(struct sockaddr_un, sun_path) +
         snprintf(address->sun_path + 1, 64, "nestbox-test-%s", number ? number : "") + 1;
}

// A service of the user's that listens on an abstract socket, as X11 does.
static void sockets(void) {
  struct sockaddr_un address = {0};
  socklen_t length = abstract(&address);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (void *)&address, length) == 0) escaped("an abstract socket was reached");
}

static int service(char **argv) {
  struct sockaddr_un address = {0};
  socklen_t length = abstract(&address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, (void *)&address, length) < 0 || listen(fd, 1) < 0) return 3;
  return start(argv);
}

static void read_strings(int pid) {
  static const char *const files[] = {"environ", "cmdline"};
  const char *marker = "hidden-" "marker";
  for (int i = 0; i < 2; i++) {
    char path[64], text[65536];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
    int fd = open(path, O_RDONLY);
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof text);
    close(fd);
    if (count > 0 && memmem(text, count, marker, strlen(marker))) escaped("%s", path);
  }
}

// Parts of the caller's environment and command line that the command did not get.
static void environment(void) {
  for_each_process(read_strings);
  read_strings(getpid());
}

// Waits for a launch into its own namespaces and takes its process over while that still has the
// host's files: as CVE-2016-9962 did.
static void look_into(int pid) {
  if (pid < getpid()) return;
  char path[8192];
  snprintf(path, sizeof path, "/proc/%d/root%s", pid, secret);
  if (is_secret(open(path, O_RDONLY))) escaped("/proc/%d/root", pid);
  for (int number = 3; number < 24; number++) {
    snprintf(path, sizeof path, "/proc/%d/fd/%d%s", pid, number, secret);
    if (is_secret(open(path, O_RDONLY))) escaped("/proc/%d/fd/%d", pid, number);
  }
}

static void newcomers(void) {
  printf("ready\n");
  fflush(stdout);
  // Until the file `stop` appears in the directory that it can write.
  while (access("stop", F_OK) < 0) for_each_process(look_into);
}

const struct attack process_attacks[] = {
    {"init", init_process}, {"processes", all_processes}, {"launcher-file", launcher_file},
    {"signals", signals}, {"limits", limits}, {"keys", keys}, {"sockets", sockets},
    {"environment", environment}, {"newcomers", newcomers}, {0}};

extern int terminal(char **argv), typist(char **argv), files(char **argv), nameless(char **argv);
const struct scene scenes[] = {
    {"listener", listener}, {"key-owner", key_owner}, {"service", service},
    {"terminal", terminal}, {"typist", typist}, {"files", files}, {"nameless", nameless}, {0}};
