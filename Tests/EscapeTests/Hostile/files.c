// SPDX-License-Identifier: Apache-2.0
// Ways to change read-only files, and to see covered ones.
#include "hostile.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static const char *target(void) { return getenv("TARGET"); }

static void write_once(const char *path, const char *how) {
  int fd = open(path, O_WRONLY);
  if (fd >= 0 && write(fd, "changed", 7) == 7) escaped("%s: written", how);
  close(fd);
}

static void write_through(const char *how) {
  char path[4096];
  struct timespec times[2] = {{1, 0}, {1, 0}};
  write_once(target(), how);
  int fd = open(target(), O_RDONLY);
  if (fd < 0) return;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  write_once(path, "opened again through its descriptor");
  snprintf(path, sizeof path, "/proc/self/root%s", target());
  write_once(path, "through /proc/self/root");
  if (ftruncate(fd, 0) == 0 || truncate(target(), 0) == 0) escaped("%s: truncated", how);
  if (fchmod(fd, 0777) == 0) escaped("%s: mode", how);
  if (fchown(fd, getuid(), getgid()) == 0) escaped("%s: owner", how);
  if (futimens(fd, times) == 0) escaped("%s: times", how);
  if (fsetxattr(fd, "user.x", "x", 1, 0) == 0) escaped("%s: attribute", how);
  int flags = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0)
    escaped("%s: flags", how);
  if (fallocate(fd, 0, 0, 4096) == 0) escaped("%s: allocated", how);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (linkat(AT_FDCWD, path, AT_FDCWD, "link", AT_SYMLINK_FOLLOW) == 0)
    escaped("%s: linked to a place that can be written", how);
  snprintf(path, sizeof path, "%s-new", target());
  if (rename(target(), path) == 0) escaped("%s: renamed", how);
  if (symlink("/", path) == 0 || mkdir(path, 0777) == 0) escaped("%s: made", how);
  if (unlink(target()) == 0) escaped("%s: removed", how);
  close(fd);
}

static void directory_of_target(char *directory) {
  strcpy(directory, target());
  *strrchr(directory, '/') = 0;
}

static void remount(void) {
  char directory[4096], path[8192];
  directory_of_target(directory);
  write_through("as it is");
  const char *places[] = {directory, target(), "/"};
  for (int i = 0; i < 3; i++) {
    mount(0, places[i], 0, MS_REMOUNT | MS_BIND, 0);
    mount(0, places[i], 0, MS_REMOUNT, 0);
    struct { uint64_t set, clear, propagation, user; } attributes = {0, 1 /* RDONLY */, 0, 0};
    syscall(SYS_mount_setattr, AT_FDCWD, places[i], 0, &attributes, sizeof attributes);
    syscall(SYS_mount_setattr, AT_FDCWD, places[i], 0x8000, &attributes, sizeof attributes);
    write_through("remounted");
  }
  umount2(directory, MNT_DETACH);
  write_through("unmounted");
  if (mount(directory, "/tmp", 0, MS_BIND, 0) == 0 || mount(directory, "/mnt", 0, MS_BIND, 0) == 0) {
    mount(0, "/tmp", 0, MS_REMOUNT | MS_BIND, 0);
    mount(0, "/mnt", 0, MS_REMOUNT | MS_BIND, 0);
    snprintf(path, sizeof path, "/tmp%s", strrchr(target(), '/'));
    write_once(path, "bound elsewhere");
    snprintf(path, sizeof path, "/mnt%s", strrchr(target(), '/'));
    write_once(path, "bound elsewhere");
  }
  int tree = syscall(SYS_open_tree, AT_FDCWD, directory, 1);
  if (tree >= 0) {
    struct { uint64_t set, clear, propagation, user; } attributes = {0, 1, 0, 0};
    syscall(SYS_mount_setattr, tree, "", 0x1000, &attributes, sizeof attributes);
    snprintf(path, sizeof path, "/proc/self/fd/%d%s", tree, strrchr(target(), '/'));
    write_once(path, "in a cloned tree");
  }
}

// A file that is bound read-only: opened again, remounted, bound elsewhere, linked, renamed.
static void read_only(void) {
  in_child(remount);
  in_namespaces(CLONE_NEWNS, remount);
}

static const char *mask(void) { return getenv("MASK"); }

static void take_mask(void) {
  char directory[4096], path[8192];
  if (is_secret(open(mask(), O_RDONLY))) escaped("it is not covered");
  unlink(mask());
  if (is_secret(open(mask(), O_RDONLY))) escaped("unlinked");
  rename(mask(), "elsewhere");
  if (is_secret(open("elsewhere", O_RDONLY))) escaped("renamed");
  link(mask(), "elsewhere");
  if (is_secret(open("elsewhere", O_RDONLY))) escaped("linked");
  strcpy(directory, mask());
  *strrchr(directory, '/') = 0;
  snprintf(path, sizeof path, "%s-moved", directory);
  if (rename(directory, path) == 0) {
    snprintf(path, sizeof path, "%s-moved%s", directory, strrchr(mask(), '/'));
    if (is_secret(open(path, O_RDONLY))) escaped("its directory was renamed");
    snprintf(path, sizeof path, "%s-moved", directory);
    rename(path, directory);
  }
  umount2(mask(), MNT_DETACH);
  if (is_secret(open(mask(), O_RDONLY))) escaped("unmounted");
  for (int recursive = 0; recursive < 2; recursive++) {
    mkdir("/tmp/y", 0777);
    if (mount(directory, "/tmp/y", 0, MS_BIND | (recursive ? MS_REC : 0), 0) < 0) continue;
    snprintf(path, sizeof path, "/tmp/y%s", strrchr(mask(), '/'));
    if (is_secret(open(path, O_RDONLY))) escaped("bound elsewhere");
    umount2(path, MNT_DETACH);
    if (is_secret(open(path, O_RDONLY))) escaped("bound elsewhere and uncovered");
  }
  int tree = syscall(SYS_open_tree, AT_FDCWD, directory, 1);
  if (tree >= 0 && is_secret(openat(tree, strrchr(mask(), '/') + 1, O_RDONLY)))
    escaped("in a cloned tree");
}

// A file in a writable tree that another is bound over.
static void masked(void) {
  in_child(take_mask);
  in_namespaces(CLONE_NEWNS, take_mask);
}

const struct attack file_attacks[] = {{"read-only", read_only}, {"masked", masked}, {0}};
