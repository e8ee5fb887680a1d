// SPDX-License-Identifier: Apache-2.0
// Ways back to the old root.
#include "hostile.h"

#include <sys/sysmacros.h>

// Up from where the command starts, and from its root.
static void parents(void) {
  int here = open(".", O_PATH | O_DIRECTORY);
  look_from(here, "the working directory");
  char path[4096];
  if (!getcwd(path, sizeof path) || path[0] != '/') escaped("the working directory is outside");
  look_from(open("/", O_PATH | O_DIRECTORY), "the root");
  look_from(open("/proc/self/root", O_PATH | O_DIRECTORY), "/proc/self/root");
  look_from(open("/proc/self/cwd", O_PATH | O_DIRECTORY), "/proc/self/cwd");
}

static void follow_links(int pid) {
  static const char *const links[] = {"root", "cwd", "task/%d/root", "task/%d/cwd"};
  for (unsigned i = 0; i < 4; i++) {
    char name[64], path[128];
    snprintf(name, sizeof name, links[i], pid);
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_PATH | O_DIRECTORY);
    if (fd >= 0) look_from(fd, path);
    close(fd);
  }
  for (int number = 0; number < 64; number++) {
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, number);
    struct stat status;
    if (stat(path, &status) < 0) continue;
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (S_ISDIR(status.st_mode)) look_from(fd, path);
    else if (S_ISREG(status.st_mode) && is_secret(dup(fd))) escaped("%s", path);
    close(fd);
  }
}

// /proc/PID/root, cwd and fd of all other processes.
static void links_of_processes(void) { for_each_process(follow_links); }

// All descriptors left open.
static void descriptors(void) {
  for (int fd = 0; fd < 4096; fd++) {
    struct stat status;
    if (fstat(fd, &status) < 0) continue;
    if (S_ISDIR(status.st_mode)) look_from(fd, "an open directory");
    if (fd > 2) escaped("descriptor %d is open", fd);
  }
}

static void take_root_away(void) {
  for (int i = 0; i < 8; i++) {
    umount2("/", MNT_DETACH);
    look_from(open("/", O_PATH), "below the root");
    chdir("/");
    look_from(AT_FDCWD, "below the root");
  }
}

// Everything that covers something, from the last one on.
static void take_covers_away(void) {
  FILE *table = fopen("/proc/self/mountinfo", "r");
  char places[512][256], line[4096];
  int count = 0;
  while (table && count < 512 && fgets(line, sizeof line, table))
    if (sscanf(line, "%*s %*s %*s %*s %255s", places[count]) == 1) count++;
  while (count-- > 0) {
    // Not what shows the mounts themselves.
    if (strcmp(places[count], "/proc") == 0) continue;
    umount2(places[count], MNT_DETACH);
    if (is_secret(open(secret, O_RDONLY))) escaped("%s was taken away", places[count]);
  }
}

static void move_mounts(void) {
  // A cover cannot hide a file that is also shown elsewhere, unless the mount comes along.
  mkdir("/tmp/x", 0777);
  for (int recursive = 0; recursive < 2; recursive++) {
    unsigned long flags = MS_BIND | (recursive ? MS_REC : 0);
    if (mount("/", "/tmp/x", 0, flags, 0) < 0 && mount("/", "/mnt", 0, flags, 0) < 0) continue;
    look_from(open("/tmp/x", O_PATH), "a bind of the root");
    look_from(open("/mnt", O_PATH), "a bind of the root");
  }
  int tree = syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */);
  if (tree >= 0) look_from(tree, "open_tree of the root");
  char directory[4096];
  snprintf(directory, sizeof directory, "%s", secret);
  *strrchr(directory, '/') = 0;
  tree = syscall(SYS_open_tree, AT_FDCWD, directory, 1);
  if (tree >= 0 && is_secret(openat(tree, strrchr(secret, '/') + 1, O_RDONLY)))
    escaped("open_tree of the directory");
}

static void pivot(void) {
  if (mount("x", "/tmp", "tmpfs", 0, 0) < 0 && mount("x", "/mnt", "tmpfs", 0, 0) < 0) return;
  const char *places[] = {"/tmp", "/mnt"};
  for (int i = 0; i < 2; i++) {
    if (chdir(places[i]) < 0) continue;
    mkdir("old", 0700);
    if (syscall(SYS_pivot_root, ".", "old") < 0) continue;
    look_from(open("/old", O_PATH), "the root that was pivoted from");
    for (int j = 0; j < 4; j++) {
      umount2("/old", MNT_DETACH);
      look_from(open("/old", O_PATH), "below the old root");
      look_from(open("/", O_PATH), "below the new root");
    }
    return;
  }
}

// Covers and roots that might be taken away, moved or pivoted from.
static void mounts(void) {
  in_child(move_mounts);
  in_child(pivot);
  in_child(take_covers_away);
  in_child(take_root_away);
  in_namespaces(CLONE_NEWNS, move_mounts);
  in_namespaces(CLONE_NEWNS, pivot);
  in_namespaces(CLONE_NEWNS, take_covers_away);
  in_namespaces(CLONE_NEWNS, take_root_away);
}

static void leave_chroot(void) {
  int outside = open("/", O_PATH | O_DIRECTORY);
  const char *jails[] = {"/tmp", "/usr", "/proc", "/dev"};
  for (unsigned i = 0; i < 4; i++) {
    if (chroot(jails[i]) < 0) continue;
    fchdir(outside);
    for (int up = 0; up < 64; up++) {
      look_from(AT_FDCWD, "a chroot that was left");
      if (chdir("..") < 0) break;
    }
    chroot(".");
    look_from(open("/", O_PATH), "a chroot above the root");
  }
}

// The classic way out of chroot(2), which does not change the working directory.
static void chroot_twice(void) {
  in_child(leave_chroot);
  in_namespaces(CLONE_NEWNS, leave_chroot);
}

static int hex(const char *text, unsigned char *bytes) {
  int count = 0;
  while (text[2 * count] && sscanf(text + 2 * count, "%2hhx", bytes + count) == 1) count++;
  return count;
}

static void open_handles(void) {
  struct {
    struct file_handle header;
    unsigned char bytes[MAX_HANDLE_SZ];
  } handle;
  const char *text = getenv("HANDLE");
  if (!text || sscanf(text, "%d:", &handle.header.handle_type) != 1) return;
  handle.header.handle_bytes = hex(strchr(text, ':') + 1, handle.header.f_handle);
  const char *mounts[] = {"/", "/usr", "/tmp", "/proc", "/dev", ".", "/bin"};
  for (unsigned i = 0; i < sizeof mounts / sizeof *mounts; i++) {
    int mount = open(mounts[i], O_RDONLY | O_DIRECTORY);
    if (is_secret(open_by_handle_at(mount, &handle.header, O_RDONLY)))
      escaped("a handle was opened below %s", mounts[i]);
    close(mount);
  }
}

// A file handle, which names a file even if a mount covers it.
static void handles(void) {
  in_child(open_handles);
  in_namespaces(CLONE_NEWNS, open_handles);
}

static void make_devices(void) {
  struct stat status;
  const char *numbers = getenv("DEVICE");
  unsigned major = 0, minor = 0;
  if (numbers) sscanf(numbers, "%u:%u", &major, &minor);
  const char *places[] = {"/tmp/device", "device", "/dev/shm/device"};
  for (unsigned i = 0; i < 3; i++) {
    if (mknod(places[i], S_IFBLK | 0666, makedev(major, minor)) < 0) continue;
    if (open(places[i], O_RDONLY) >= 0) escaped("a device that was made can be read");
    unlink(places[i]);
  }
  mount("x", "/tmp", "tmpfs", 0, 0);
  if (mknod("/tmp/device", S_IFBLK | 0666, makedev(major, minor)) == 0 &&
      open("/tmp/device", O_RDONLY) >= 0)
    escaped("a device that was made can be read");
  // Those that are there.
  const char *directories[] = {"/dev", "/dev/mapper", "/dev/block"};
  for (unsigned i = 0; i < 3; i++) {
    DIR *directory = opendir(directories[i]);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
      char path[512];
      snprintf(path, sizeof path, "%s/%s", directories[i], entry->d_name);
      if (stat(path, &status) < 0) continue;
      int is_memory = S_ISCHR(status.st_mode) && major(status.st_rdev) == 1 &&
                      (minor(status.st_rdev) == 1 || minor(status.st_rdev) == 2 ||
                       minor(status.st_rdev) == 4 || minor(status.st_rdev) == 11);
      if ((S_ISBLK(status.st_mode) || is_memory) && open(path, O_RDONLY) >= 0)
        escaped("%s can be read", path);
    }
    if (directory) closedir(directory);
  }
}

// Disks and memory as device files.
static void devices(void) {
  in_child(make_devices);
  in_namespaces(CLONE_NEWNS, make_devices);
}

const struct attack root_attacks[] = {
    {"parents", parents}, {"process-links", links_of_processes}, {"descriptors", descriptors},
    {"mounts", mounts}, {"chroot", chroot_twice}, {"handles", handles}, {"devices", devices},
    {0}};
