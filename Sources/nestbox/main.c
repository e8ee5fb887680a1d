// SPDX-License-Identifier: Apache-2.0
// The process starts in C: Swift would find its arguments by reading /proc/self/maps, which fails
// without /proc, and would replace the bytes in them that are not UTF-8.
// The kernel lays the environment out right after the arguments and their null pointer; `environ`
// has been hidden from the Swift runtime (start.c).
#include <unistd.h>

int launcher_main(int argc, char **argv, char **envp);

// Nothing is left for the functions that run at exit: all that is written is written at once.
int main(int argc, char **argv) { _exit(launcher_main(argc, argv, argv + argc + 1)); }
