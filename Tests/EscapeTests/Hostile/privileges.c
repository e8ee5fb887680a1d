// SPDX-License-Identifier: Apache-2.0
// Ways to capabilities and to what only they allow.
#include "hostile.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/io.h>

// Prints who it is, for `set_user_id` and `file_capabilities`.
static void identity(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  syscall(SYS_capget, &header, data);
  const char *own = getenv("OWN_USER");
  if (own && geteuid() != (unsigned)atoi(own)) escaped("the user is %u", geteuid());
  if (data[0].effective | data[0].permitted | data[1].effective | data[1].permitted)
    escaped("there are capabilities %x", data[0].permitted);
}

// The same without capabilities, which the first user of a namespace gets back.
static void user(void) {
  const char *own = getenv("OWN_USER");
  if (own && geteuid() != (unsigned)atoi(own)) escaped("the user is %u", geteuid());
}

static void execute(const char *file, const char *attack) {
  char *arguments[] = {(char *)file, (char *)attack, "quietly", 0};
  execv(file, arguments);
}
static void execute_set_user_id(void) { execute(getenv("SETUID_FILE"), "identity"); }
static void execute_set_user_id_inside(void) {
  char number[16];
  snprintf(number, sizeof number, "%u", geteuid());
  if (getenv("OWN_USER")) setenv("OWN_USER", number, 1);
  execute(getenv("SETUID_FILE"), "user");
}
static void execute_with_capabilities(void) { execute(getenv("CAPABLE_FILE"), "identity"); }

// A program that makes everybody root.
static void set_user_id(void) {
  in_child(execute_set_user_id);
  in_namespaces(0, execute_set_user_id_inside);
}

// A program that gives capabilities to everybody.
static void file_capabilities(void) { in_child(execute_with_capabilities); }

static void open_controls(void) {
  static const char *const controls[] = {
      "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches",
      "/proc/sys/fs/binfmt_misc/register", "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity",
      "/sys/kernel/uevent_helper", "/sys/power/state", "/sys/kernel/mm/ksm/run",
      "/sys/fs/cgroup/cgroup.procs"};
  for (unsigned i = 0; i < sizeof controls / sizeof *controls; i++)
    if (open(controls[i], O_WRONLY) >= 0) escaped("%s can be written", controls[i]);
}

static void mount_and_open(void) {
  mount("proc", "/proc", "proc", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  open_controls();
}
// In a child, which is the first process of the new pid namespace.
static void open_new_controls(void) { in_child(mount_and_open); }

// What controls the whole machine through files.
static void machine_controls(void) {
  in_child(open_controls);
  in_namespaces(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET, open_new_controls);
}

// Whether a failed call was forbidden, or is missing in the kernel.
static int refused(void) { return errno == EPERM || errno == ENOSYS; }

// Each of these fails with EPERM without the privilege, and does something harmless with it.
static void try_machine_calls(void) {
  if (iopl(3) == 0) escaped("iopl");
  if (syscall(SYS_swapoff, "/nosuch") < 0 && !refused()) escaped("swapoff: %m");
  if (syscall(SYS_init_module, 0, 0, "") < 0 && !refused()) escaped("init_module: %m");
  if (syscall(SYS_delete_module, "nosuch", 0) < 0 && !refused())
    escaped("delete_module: %m");
  if (syscall(SYS_acct, "/nosuch") < 0 && !refused()) escaped("acct: %m");
  if (open("/dev/mem", O_RDONLY) >= 0) escaped("/dev/mem");
  if (setuid(0) == 0 && getenv("OWN_USER") && strcmp(getenv("OWN_USER"), "0")) {
    // Inside a new namespace that proves nothing.
    int fd = open("/tmp/as-root", O_CREAT | O_RDWR, 0600);
    struct stat status;
    if (fstat(fd, &status) == 0 && status.st_uid != geteuid()) escaped("setuid");
  }
}

// Calls that need a capability over the whole machine.
static void machine_calls(void) {
  in_child(try_machine_calls);
  in_namespaces(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, try_machine_calls);
}

static void drop_groups(void) {
  if (setgroups(0, 0) == 0) escaped("groups were dropped");
}

// In a namespace that allows setgroups(2), if the kernel lets a process map a group there.
static void drop_groups_inside(void) {
  char map[64];
  snprintf(map, sizeof map, "0 %u 1", getegid());
  if (unshare(CLONE_NEWUSER) < 0) return;
  put("/proc/self/gid_map", map);
  drop_groups();
}

// Permissions that deny something to a group are undone by leaving it.
static void groups(void) {
  in_child(drop_groups);
  in_child(drop_groups_inside);
}

static void use_release_agent(void) {
  static const char *const controllers[] = {"rdma", "memory", "cpu", "pids", "none,name=x"};
  mount("x", "/tmp", "tmpfs", 0, 0);
  mkdir("/tmp/group", 0755);
  for (unsigned i = 0; i < 5; i++) {
    if (mount("cgroup", "/tmp/group", "cgroup", 0, controllers[i]) < 0) continue;
    if (open("/tmp/group/release_agent", O_WRONLY) >= 0) escaped("release_agent can be written");
    umount("/tmp/group");
  }
}

// A program that the kernel runs outside when a cgroup of version 1 gets empty.
static void release_agent(void) {
  in_child(use_release_agent);
  in_namespaces(CLONE_NEWNS | CLONE_NEWCGROUP, use_release_agent);
}

static int own_namespaces[8];
static const char *const kinds[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};

static void join_namespaces_of(int pid) {
  for (unsigned i = 0; i < 8; i++) {
    char path[64];
    struct stat theirs, ours;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kinds[i]);
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &theirs) < 0) continue;
    fstat(own_namespaces[i], &ours);
    if (theirs.st_ino != ours.st_ino && setns(fd, 0) == 0) escaped("joined %s", path);
    close(fd);
  }
  int process = syscall(SYS_pidfd_open, pid, 0);
  if (process >= 0) {
    setns(process, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET);
    look_from(open("/", O_PATH), "the root of a namespace that was joined");
  }
  close(process);
}

static void join_all(void) { for_each_process(join_namespaces_of); }

// Namespaces of any visible process.
static void namespaces(void) {
  for (unsigned i = 0; i < 8; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
    own_namespaces[i] = open(path, O_RDONLY);
  }
  in_child(join_all);
  in_namespaces(CLONE_NEWNS, join_all);
}

// --disable-userns: no namespace, and no way to raise the limit again.
static void user_namespace(void) {
  put("/proc/sys/user/max_user_namespaces", "1000");
  if (unshare(CLONE_NEWUSER) == 0) escaped("unshare");
  struct clone_args { uint64_t flags, rest[10]; } arguments = {CLONE_NEWUSER, {0}};
  pid_t pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) _exit(0);
  if (pid > 0) escaped("clone3");
}

// The same calls by the numbers of other architectures that the processor runs: unshare(2), which a
// policy refuses, as a 32-bit program would make it and as x32 has it.
static void use_old_number(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(310), "b"(CLONE_NEWUSER) : "memory", "r8", "r9",
                   "r10", "r11");
  if (result == 0) escaped("unshare by the number of a 32-bit program");
#endif
}
static void use_x32_number(void) {
#ifdef __x86_64__
  if (syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER) == 0) escaped("unshare by the number of x32");
#endif
}
static void use_own_number(void) {
  if (syscall(SYS_unshare, CLONE_NEWUSER) == 0) escaped("unshare");
}
// In children, which a policy may kill for it.
static void other_numbers(void) {
  in_child(use_old_number);
  in_child(use_x32_number);
  in_child(use_own_number);
}

// Calls that exploits of the kernel begin with. If a call is allowed, it fails for another reason than
// EPERM or ENOSYS.
static void dangerous_calls(void) {
  static const struct { const char *name; int number; } calls[] = {
      {"io_uring_setup", 425}, {"bpf", SYS_bpf}, {"userfaultfd", SYS_userfaultfd},
      {"perf_event_open", SYS_perf_event_open}, {"add_key", SYS_add_key},
      {"keyctl", SYS_keyctl}, {"fsopen", 430}, {"open_by_handle_at", SYS_open_by_handle_at},
      {"mount", SYS_mount}, {"pivot_root", SYS_pivot_root}, {"setns", SYS_setns}};
  for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++)
    if (syscall(calls[i].number, -1, 0, -1, 0, 0) >= 0 || (errno != EPERM && errno != ENOSYS))
      escaped("%s: %m", calls[i].name);
  if (unshare(CLONE_NEWUSER) == 0) escaped("unshare");
}

const struct attack privilege_attacks[] = {
    {"identity", identity}, {"user", user}, {"set-user-id", set_user_id},
    {"file-capabilities", file_capabilities}, {"machine-controls", machine_controls},
    {"machine-calls", machine_calls}, {"groups", groups}, {"release-agent", release_agent},
    {"namespaces", namespaces}, {"user-namespace", user_namespace},
    {"other-numbers", other_numbers}, {"dangerous-calls", dangerous_calls}, {0}};
