// SPDX-License-Identifier: Apache-2.0
// Settles what the Swift runtime's constructors would otherwise ask the machine for.
//
// A static executable needs all of this to start without /proc. In a dynamic one, which a plain
// `swift build` makes, the C library sets `environ` later, and the runtime starts as usual.

#include <stdint.h>
#include <stdlib.h>

// At every start the runtime looks for its crash reporter: it reads /proc/self/exe, ends the process
// where /proc is not mounted, and would follow the caller's SWIFT_* variables. So it sees an
// environment of one variable, which answers all of its questions. `main` finds the caller's
// environment after the arguments, so none of this reaches a command.
// In a static executable a preinit function runs before every constructor.
extern char **environ;
static char answer[] =
    "SWIFT_BACKTRACE=enable=no,color=no,interactive=no,cache=no,swift-backtrace=/";
static char *answers[] = {answer, 0};
static void show_no_environment(void) { environ = answers; }
__attribute__((section(".preinit_array"), used)) static void (*const before_constructors)(void) =
    show_no_environment;

// These two replace the runtime's functions, whose constructor reads /proc/self/maps to find argv.
// Only `CommandLine` calls them, which this program does not use: `main` passes the arguments on.
char **_swift_stdlib_getUnsafeArgvArgc(int *count);
char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  static char *none[] = {0};
  *count = 0;
  return none;
}
void _swift_stdlib_overrideUnsafeArgvArgc(char **values, int count);
void _swift_stdlib_overrideUnsafeArgvArgc(char **values, int count) {
  (void)values;
  (void)count;
}

// The C library asks /proc/self/exe where a static program lies, in case it loads libraries later.
// This one loads none. (char *)-1 is what the C library itself answers without /proc.
const char *_dl_get_origin(void);
const char *_dl_get_origin(void) { return (const char *)-1; }

// At every start libstdc++ reserves 72 kB for exceptions that are thrown when memory is short. Nothing
// here catches any: an exception would end the process. With these functions it ends at once, and the
// linker leaves out the reserve.
#define ENDS_PROCESS(function) \
  __attribute__((visibility("hidden"), noreturn)) void function(void); \
  void function(void) { abort(); }
ENDS_PROCESS(__cxa_allocate_exception)
ENDS_PROCESS(__cxa_free_exception)
ENDS_PROCESS(__cxa_allocate_dependent_exception)
ENDS_PROCESS(__cxa_free_dependent_exception)

// The names of Unicode characters, half a megabyte of tables that only this function reads. `make
// build` has the linker call this one instead, under which no character has a name.
int64_t __wrap__swift_stdlib_getScalarName(uint32_t scalar, uint8_t *buffer, int64_t capacity);
int64_t __wrap__swift_stdlib_getScalarName(uint32_t scalar, uint8_t *buffer, int64_t capacity) {
  (void)scalar;
  (void)buffer;
  (void)capacity;
  return 0;
}

#ifdef NESTBOX_PROFILE
// The file in which `make coverage` counts lines. The environment, which is the caller's, does not
// name it; and since most processes end by _exit(2) or execve(2), they write no counts at exit but
// share a mapping of the file with their children.
const char __llvm_profile_filename[] = NESTBOX_PROFILE;
#endif
