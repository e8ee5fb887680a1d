// SPDX-License-Identifier: Apache-2.0
// The reference for nestbox's measurements: builds the same sandbox with only the necessary system
// calls, and understands only the options that the benchmark uses.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_FAILED = 125, STATUS_NOT_RUN = 126, STATUS_NOT_FOUND = 127 };

enum kind {
  BIND,
  DEV_BIND,
  RO_BIND,
  PROC,
  DEV,
  TMPFS,
  DIRECTORY,
  SYMLINK,
  SETENV,
  CHDIR,
  UNSHARE_ALL,
  NEW_SESSION,
  DIE_WITH_PARENT,
  EXEC,
};

struct option {
  const char *name;
  enum kind kind;
  int operands;
};

static const struct option options[] = {
  {"--bind", BIND, 2},
  {"--dev-bind", DEV_BIND, 2},
  {"--ro-bind", RO_BIND, 2},
  {"--proc", PROC, 1},
  {"--dev", DEV, 1},
  {"--tmpfs", TMPFS, 1},
  {"--dir", DIRECTORY, 1},
  {"--symlink", SYMLINK, 2},
  {"--setenv", SETENV, 2},
  {"--chdir", CHDIR, 1},
  {"--unshare-all", UNSHARE_ALL, 0},
  {"--new-session", NEW_SESSION, 0},
  {"--die-with-parent", DIE_WITH_PARENT, 0},
  {"--exec", EXEC, 0},
};

// What a minimal /dev shows of the host's.
static const char *const devices[] = {
  "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

enum { DEVICES = sizeof devices / sizeof *devices };

struct operation {
  enum kind kind;
  char **operands;
  // The detached copy of a bind's source, or those of the devices.
  int trees[DEVICES];
};

struct request {
  struct operation *operations;
  size_t count;
  const char *directory;
  bool unshare_all, new_session, die_with_parent, in_place;
  rlim_t soft_limit;
  char **command;
};

// The future "/": always the topmost mount there, so that destinations resolve in the last mount.
static int new_root;

// The directory that was looked up last, and its path: most destinations lie beside the one before.
static struct {
  int fd;
  char path[PATH_MAX];
} last = {.fd = -1};

static _Noreturn void fail(const char *what, const char *subject) {
  fprintf(stderr, "minimal: %s %s: %s\n", what, subject, strerror(errno));
  _exit(STATUS_FAILED);
}

static int must(int result, const char *what, const char *subject) {
  if (result < 0) fail(what, subject);
  return result;
}

static _Noreturn void usage(void) {
  fputs("usage: minimal [OPTION...] COMMAND [ARGUMENT...]\noptions:", stderr);
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    fprintf(stderr, " %s", options[i].name);
  fputs("\na reference for the benchmark, without the checks that a launcher needs\n", stderr);
  exit(STATUS_FAILED);
}

// The command line

static const struct option *find_option(const char *word) {
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    if (strcmp(word, options[i].name) == 0) return &options[i];
  usage();
}

static void note(struct request *request, enum kind kind, char **operands) {
  switch (kind) {
    case SETENV: setenv(operands[0], operands[1], 1); break;
    case CHDIR: request->directory = operands[0]; break;
    case UNSHARE_ALL: request->unshare_all = true; break;
    case NEW_SESSION: request->new_session = true; break;
    case DIE_WITH_PARENT: request->die_with_parent = true; break;
    case EXEC: request->in_place = true; break;
    default:
      request->operations[request->count].kind = kind;
      request->operations[request->count++].operands = operands;
  }
}

static struct request parse(int argc, char **argv) {
  struct request request = {.operations = calloc((size_t)argc, sizeof(struct operation))};
  if (request.operations == NULL) fail("cannot allocate", "operations");
  int at = 1;
  while (at < argc && strncmp(argv[at], "--", 2) == 0) {
    const struct option *option = find_option(argv[at]);
    if (argc - at <= option->operands) usage();
    note(&request, option->kind, argv + at + 1);
    at += 1 + option->operands;
  }
  if (at == argc) usage();
  request.command = argv + at;
  return request;
}

// Namespaces

static void write_file(const char *path, const char *text) {
  int fd = must(open(path, O_WRONLY | O_CLOEXEC), "cannot open", path);
  if (write(fd, text, strlen(text)) < 0) fail("cannot write", path);
  close(fd);
}

static void write_maps(unsigned uid, unsigned gid) {
  char map[32];
  // The kernel accepts a group map from an ordinary user only after setgroups() is denied.
  write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1", uid, uid);
  write_file("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1", gid, gid);
  write_file("/proc/self/gid_map", map);
}

static void loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "cannot open", "a socket");
  must(ioctl(fd, SIOCSIFFLAGS, &request), "cannot bring up", "lo");
  close(fd);
}

static void enter_namespaces(bool all) {
  // Nested in the user namespace and made after its maps, so they belong to it. Shared mounts come
  // out as slaves, as the mount namespace has a new owner (mount_namespaces(7)): nothing to set.
  int flags = CLONE_NEWNS;
  if (all) flags |= CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWCGROUP;
  must(unshare(flags), "cannot unshare", "namespaces");
  if (all) loopback_up();
}

// Mounts

struct setting {
  const char *key, *value;
};

static int new_filesystem(const char *type, const struct setting *settings, unsigned attributes) {
  int context = must(fsopen(type, FSOPEN_CLOEXEC), "cannot open file system", type);
  for (; settings->key != NULL; settings++)
    must(fsconfig(context, FSCONFIG_SET_STRING, settings->key, settings->value, 0), "cannot set",
         settings->key);
  must(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "cannot create", type);
  int fd = must(fsmount(context, FSMOUNT_CLOEXEC, attributes), "cannot mount", type);
  close(context);
  return fd;
}

static int new_tmpfs(void) {
  static const struct setting settings[] = {{"mode", "0755"}, {NULL, NULL}};
  return new_filesystem("tmpfs", settings, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static void move_mount_to(int mount, int directory, const char *name) {
  unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*name == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0);
  must(move_mount(mount, "", directory, name, flags), "cannot mount at", name);
}

// A link on the way resolves as it will inside, and cannot lead out.
static int open_inside(const char *path) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
  return (int)syscall(SYS_openat2, new_root, path, &how, sizeof how);
}

static int open_parent(const char *path, const char **name);

static int make_directory(const char *path) {
  int fd = open_inside(path);
  if (fd >= 0 || errno != ENOENT) return must(fd, "cannot open", path);
  const char *name;
  int parent = open_parent(path, &name);
  must(mkdirat(parent, name, 0755), "cannot create", path);
  fd = must(openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), "cannot open", path);
  if (parent != new_root) close(parent);
  return fd;
}

// A descriptor of the directory that holds a destination, created if missing; for an entry of the
// new root, the root's descriptor. It stays open until the next one is looked up.
static int open_parent(const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  *name = slash == NULL ? path : slash + 1;
  if (slash == NULL || slash == path) return new_root;
  char parent[PATH_MAX];
  if ((size_t)(slash - path) >= sizeof parent) errno = ENAMETOOLONG, fail("cannot open", path);
  memcpy(parent, path, (size_t)(slash - path));
  parent[slash - path] = '\0';
  if (last.fd >= 0 && strcmp(parent, last.path) == 0) return last.fd;
  int fd = make_directory(parent);
  if (last.fd >= 0) close(last.fd);
  last.fd = fd;
  strcpy(last.path, parent);
  return fd;
}

// After this mount the last directory may be covered.
static void attach_on(int mount, int target) {
  move_mount_to(mount, target, "");
  if (last.fd >= 0) close(last.fd);
  last.fd = -1;
}

// Creates a destination without looking for it first: in a new root most are missing, and an entry
// just created in an open directory needs no second lookup. Only an existing one is resolved.
static void attach(int mount, const char *path, bool directory) {
  if (strcmp(path, "/") == 0) {
    attach_on(mount, new_root);
    close(new_root);
    new_root = mount;
    return;
  }
  const char *name;
  int parent = open_parent(path, &name);
  int made = directory ? mkdirat(parent, name, 0755) : mknodat(parent, name, S_IFREG | 0444, 0);
  if (made == 0) {
    move_mount_to(mount, parent, name);
    return;
  }
  if (errno != EEXIST) fail("cannot create", path);
  int target = must(open_inside(path), "cannot open", path);
  attach_on(mount, target);
  close(target);
}

static int clone_tree(const char *source, enum kind kind) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  int tree = must(open_tree(AT_FDCWD, source, flags), "cannot open", source);
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID};
  if (kind != DEV_BIND) attributes.attr_set |= MOUNT_ATTR_NODEV;
  if (kind == RO_BIND) {
    // In a slave, a later mount of the host would appear, writable.
    attributes.attr_set |= MOUNT_ATTR_RDONLY;
    attributes.propagation = MS_PRIVATE;
  }
  flags = AT_EMPTY_PATH | AT_RECURSIVE;
  must(mount_setattr(tree, "", flags, &attributes, sizeof attributes), "cannot protect", source);
  return tree;
}

// Before the new root is mounted somewhere: until then every path means what it means to the
// caller, and no copy has the new root in it.
static void clone_sources(struct request *request) {
  struct rlimit limit;
  // Each copy is a descriptor. The command gets the soft limit back.
  must(getrlimit(RLIMIT_NOFILE, &limit), "cannot read", "the limit of descriptors");
  request->soft_limit = limit.rlim_cur;
  bool raises = request->count + 32 > limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (raises) must(setrlimit(RLIMIT_NOFILE, &limit), "cannot raise", "the limit of descriptors");
  for (size_t i = 0; i < request->count; i++) {
    struct operation *operation = &request->operations[i];
    if (operation->kind <= RO_BIND)
      operation->trees[0] = clone_tree(operation->operands[0], operation->kind);
    for (int j = 0; operation->kind == DEV && j < DEVICES; j++)
      operation->trees[j] = clone_tree(devices[j], DEV_BIND);
  }
}

static void restore_limit(const struct request *request) {
  if (request->count + 32 <= request->soft_limit) return;
  struct rlimit limit;
  must(getrlimit(RLIMIT_NOFILE, &limit), "cannot read", "the limit of descriptors");
  limit.rlim_cur = request->soft_limit;
  must(setrlimit(RLIMIT_NOFILE, &limit), "cannot restore", "the limit of descriptors");
}

static void bind_tree(int tree, const char *source, const char *path) {
  struct stat status;
  must(fstat(tree, &status), "cannot stat", source);
  attach(tree, path, S_ISDIR(status.st_mode));
  if (tree != new_root) close(tree);
}

static void mount_new(int mount, const char *path) {
  attach(mount, path, true);
  if (mount != new_root) close(mount);
}

static void mount_proc(const char *path) {
  static const struct setting none = {NULL, NULL};
  unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  mount_new(new_filesystem("proc", &none, attributes), path);
}

static void mount_pts(int dev) {
  static const struct setting settings[] = {{"ptmxmode", "0666"}, {"mode", "620"}, {NULL, NULL}};
  int pts = new_filesystem("devpts", settings, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  must(mkdirat(dev, "pts", 0755), "cannot create", "pts");
  move_mount_to(pts, dev, "pts");
  close(pts);
}

static void mount_dev(const struct operation *operation) {
  static const char *const links[][2] = {
    {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
    {"/proc/self/fd", "fd"},      {"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"},
  };
  int dev = new_tmpfs();
  attach(dev, operation->operands[0], true);
  for (int i = 0; i < DEVICES; i++) {
    const char *name = devices[i] + strlen("/dev/");
    must(mknodat(dev, name, S_IFREG | 0444, 0), "cannot create", name);
    move_mount_to(operation->trees[i], dev, name);
    close(operation->trees[i]);
  }
  for (size_t i = 0; i < sizeof links / sizeof *links; i++)
    must(symlinkat(links[i][0], dev, links[i][1]), "cannot link", links[i][1]);
  must(mkdirat(dev, "shm", 0755), "cannot create", "shm");
  mount_pts(dev);
  if (dev != new_root) close(dev);
}

static void make_entry(const struct operation *operation) {
  bool link = operation->kind == SYMLINK;
  const char *path = operation->operands[link], *name;
  int parent = open_parent(path, &name);
  int result = link ? symlinkat(operation->operands[0], parent, name) : mkdirat(parent, name, 0755);
  if (result < 0 && (link || errno != EEXIST)) fail("cannot create", path);
}

static void carry_out(const struct operation *operation) {
  char **operands = operation->operands;
  switch (operation->kind) {
    case PROC: mount_proc(operands[0]); break;
    case DEV: mount_dev(operation); break;
    case TMPFS: mount_new(new_tmpfs(), operands[0]); break;
    case DIRECTORY:
    case SYMLINK: make_entry(operation); break;
    default: bind_tree(operation->trees[0], operands[0], operands[1]);
  }
}

// The root directory

// Any place will do: only its descriptor leads there, and every root has a /proc. Not "/", which
// would need a separate detach in the end.
static void begin_root(void) {
  new_root = new_tmpfs();
  must(move_mount(new_root, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH), "cannot mount",
       "the new root");
}

// pivot_root(2) looks at every task of the machine, so once is enough. The old root lands on top of
// the new one, where a single umount removes it; each umount waits for all processors. No
// descriptor may stay open: init would keep it, and the command can inspect init.
static void finish_root(void) {
  must(fchdir(new_root), "cannot change to", "the new root");
  must((int)syscall(SYS_pivot_root, ".", "."), "cannot pivot to", "the new root");
  must(umount2(".", MNT_DETACH), "cannot unmount", "the old root");
  close(new_root);
  if (last.fd >= 0) close(last.fd);
}

// Processes

static void drop_privileges(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "cannot set", "no_new_privs");
  // The kernel reports the end of the list. The ambient set is empty in a new user namespace.
  for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) continue;
  if (errno != EINVAL) fail("cannot drop", "the bounding set");
  must((int)syscall(SYS_capset, &header, none), "cannot drop", "capabilities");
}

static _Noreturn void execute(char **command) {
  execvp(command[0], command);
  fprintf(stderr, "minimal: cannot run %s: %s\n", command[0], strerror(errno));
  _exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN);
}

static int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Pid 1 reports the command's end to the monitor immediately, and lives on for background
// processes.
static _Noreturn void run_init(char **command, int report) {
  // The child shares our memory until it executes: nothing is copied for it.
  pid_t child = vfork();
  if (child == 0) execute(command);
  must(child, "cannot start", command[0]);
  // The caller's open descriptors are for the command. In init they would only keep pipes open.
  must(dup2(report, STDERR_FILENO + 1), "cannot keep", "the report pipe");
  must(close_range(STDERR_FILENO + 2, UINT_MAX, 0), "cannot close", "descriptors");
  report = STDERR_FILENO + 1;
  int status;
  pid_t ended;
  while ((ended = wait(&status)) > 0 || errno == EINTR) {
    if (ended != child) continue;
    if (write(report, &status, sizeof status) < 0) fail("cannot report to", "the monitor");
  }
  _exit(0);
}

// Without --chdir: where the caller is, when that exists inside. Otherwise it stays at "/".
static void enter_directory(const char *asked, const char *callers) {
  if (asked != NULL) must(chdir(asked), "cannot change to", asked);
  else if (chdir(callers) < 0 && errno != ENOENT && errno != EACCES) fail("cannot enter", callers);
}

static _Noreturn void run_child(struct request *request, unsigned uid, unsigned gid, int report) {
  char here[PATH_MAX];
  if (request->die_with_parent)
    must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "cannot set", "the parent-death signal");
  if (request->directory == NULL && getcwd(here, sizeof here) == NULL) fail("cannot find", ".");
  mode_t mask = umask(0);
  write_maps(uid, gid);
  enter_namespaces(request->unshare_all);
  clone_sources(request);
  begin_root();
  for (size_t i = 0; i < request->count; i++) carry_out(&request->operations[i]);
  finish_root();
  restore_limit(request);
  umask(mask);
  enter_directory(request->directory, here);
  if (request->new_session) must(setsid(), "cannot start", "a session");
  drop_privileges();
  if (request->unshare_all) run_init(request->command, report);
  execute(request->command);
}

// The monitor, unless this process becomes the command itself. The pipe exists where init does;
// without one the command is our own child.
static int launch(struct request *request, unsigned uid, unsigned gid) {
  if (request->in_place) {
    must(unshare(CLONE_NEWUSER), "cannot make", "a user namespace");
    run_child(request, uid, gid, -1);
  }
  int report[2] = {-1, -1}, status;
  struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  if (request->unshare_all) {
    arguments.flags |= CLONE_NEWPID;
    must(pipe2(report, O_CLOEXEC), "cannot open", "a pipe");
  }
  pid_t child = must((int)syscall(SYS_clone3, &arguments, sizeof arguments), "cannot start",
                     "a child in a user namespace");
  if (child == 0) {
    if (request->unshare_all) close(report[0]);
    run_child(request, uid, gid, report[1]);
  }
  if (request->unshare_all) {
    close(report[1]);
    if (read(report[0], &status, sizeof status) == sizeof status) return exit_status(status);
  }
  must(waitpid(child, &status, 0), "cannot wait for", "the child");
  return exit_status(status);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    puts("minimal 1");
    return 0;
  }
  struct request request = parse(argc, argv);
  unsigned uid = getuid(), gid = getgid();
  // Root's map would make the kernel's settings below /proc writable, and nothing here covers them.
  if (uid == 0) {
    fputs("minimal: only for an ordinary user\n", stderr);
    return STATUS_FAILED;
  }
  return launch(&request, uid, gid);
}
