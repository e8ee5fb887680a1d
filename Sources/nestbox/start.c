// SPDX-License-Identifier: Apache-2.0
// What has to be settled before the Swift runtime's own constructors run.

// The runtime looks for its crash reporter at every start: it reads /proc/self/exe and ends the
// process where /proc is not mounted, and it would follow SWIFT_* variables that the caller set.
// It is shown an environment of one variable instead, which answers all of its questions; `main`
// finds the caller's behind its arguments, so nothing of this reaches a command.
// A preinit function of a static executable runs before every constructor.
extern char **environ;
static char answer[] =
    "SWIFT_BACKTRACE=enable=no,color=no,interactive=no,cache=no,swift-backtrace=/";
static char *answers[] = {answer, 0};
static void show_no_environment(void) { environ = answers; }
__attribute__((section(".preinit_array"), used)) static void (*const before_constructors)(void) =
    show_no_environment;

// Both stand in for the runtime's own, whose constructor reads /proc/self/maps to find argv:
// arguments come through `main` here. Nothing calls these but `CommandLine`, which is not used.
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

// The C library asks /proc/self/exe where a static program lies, for libraries that it might load
// later on. This one loads none; (char *)-1 is its answer where /proc is missing.
const char *_dl_get_origin(void);
const char *_dl_get_origin(void) { return (const char *)-1; }

#ifdef NESTBOX_PROFILE
// Where the lines that are reached are counted. Not named by the environment, which is the
// caller's, and not at the end of a process, as most end by _exit(2) or execve(2): every process
// shares the mapping of this file with its children.
const char __llvm_profile_filename[] = NESTBOX_PROFILE;
#endif
