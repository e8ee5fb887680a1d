// A 32-bit program that makes sockets as an older C library does, through socketcall(2), and as a
// newer one.
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  int pair[2];
  long words[] = {1, 1, 0, (long)pair};
  long old = syscall(SYS_socketcall, 8, words), new = syscall(SYS_socketpair, 1, 1, 0, pair);
  // AF_VSOCK, by each.
  long machine[] = {40, 1, 0};
  long other = syscall(SYS_socketcall, 1, machine) >= 0 || syscall(SYS_socket, 40, 1, 0) >= 0;
  printf("works, old %s, new %s, vsock %s\n", old < 0 ? "no" : "yes", new < 0 ? "no" : "yes",
         other ? "yes" : "no");
  return 0;
}
