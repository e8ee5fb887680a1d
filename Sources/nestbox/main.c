// SPDX-License-Identifier: Apache-2.0
// The process starts in C: Swift would read /proc/self/maps to find its arguments, which fails
// without /proc, and would replace bytes in them that are not UTF-8.
// The kernel places the environment right after the arguments and their null pointer; `environ` may
// hold something else (start.c).
#include <unistd.h>

int launcher_main(int argc, char **argv, char **envp);

// _exit(2), since nothing is buffered that functions at exit would have to write.
int main(int argc, char **argv) { _exit(launcher_main(argc, argv, argv + argc + 1)); }
