// SPDX-License-Identifier: Apache-2.0
// The first function of the static executable, in place of the C library's.
//
// The C library's asks the processor some sixty times what it can do, by CPUID, to choose between
// versions of memcpy(3) and the like. A virtual machine traps each of these: 0.2 ms of a launch that
// takes 1.4 ms (measured on an AMD EPYC under KVM), where bare metal needs some microseconds. Nothing
// here copies enough to gain from the choice. Without the answers the C library takes the versions
// that every x86_64 processor can run.
//
// These are the steps of glibc 2.36 without that one, in its order, and it relies on what is inside
// glibc: so for another release, or where `make build` does not ask for it, this file is empty. All
// definitions are weak: if an update of 2.36 needs a variable that is missing here, the linker takes
// the C library's own file, all of it.
#include <features.h>

#if defined(NESTBOX_QUICK_START) && defined(__x86_64__) && __GLIBC__ == 2 && __GLIBC_MINOR__ == 36

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define INTERNAL __attribute__((visibility("hidden")))
#define REPLACED __attribute__((weak, visibility("hidden")))

// What memcpy(3) and memset(3) go by: the C library's values for a processor that it does not know.
REPLACED long __x86_data_cache_size_half = 32 * 1024 / 2;
REPLACED long __x86_data_cache_size = 32 * 1024;
REPLACED long __x86_shared_cache_size_half = 1024 * 1024 / 2;
REPLACED long __x86_shared_cache_size = 1024 * 1024;
REPLACED long __x86_shared_non_temporal_threshold = 1024 * 1024 * 3 / 4;
REPLACED long __x86_rep_movsb_threshold = 2048;
REPLACED long __x86_rep_movsb_stop_threshold = 1024 * 1024 * 3 / 4;
REPLACED long __x86_rep_stosb_threshold = 2048;
REPLACED int __x86_string_control = 0;

extern char **environ;
extern int __libc_enable_secure;
INTERNAL extern void *__libc_stack_end;
INTERNAL extern void *_dl_random;
INTERNAL extern const Elf64_Rela __rela_iplt_start[], __rela_iplt_end[];
typedef void (*Constructor)(int, char **, char **);
INTERNAL extern const Constructor __preinit_array_start[], __preinit_array_end[];
INTERNAL extern const Constructor __init_array_start[], __init_array_end[];

INTERNAL void _dl_aux_init(Elf64_auxv_t *);
INTERNAL void __tunables_init(char **);
INTERNAL void _dl_relocate_static_pie(void);
INTERNAL void __libc_setup_tls(void);
INTERNAL void __libc_early_init(bool);
INTERNAL void __libc_init_first(int, char **, char **);
INTERNAL void __libc_check_standard_fds(void);
INTERNAL void _init(void);

// The arguments are those of the C library's function, for `_start`. Their rest is for dynamic
// executables. It sets the canary of stacks itself, so it cannot have one.
__attribute__((weak, noreturn, no_stack_protector)) void __libc_start_main(
    int (*entry)(int, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
    void (*loader)(void), void *stack_end) {
  (void)init;
  (void)fini;
  (void)loader;
  environ = argv + argc + 1;
  __libc_stack_end = stack_end;
  char **after_environment = environ;
  while (*after_environment++) {
  }
  _dl_aux_init((Elf64_auxv_t *)after_environment);
  __tunables_init(environ);
  _dl_relocate_static_pie();
  for (const Elf64_Rela *each = __rela_iplt_start; each < __rela_iplt_end; each++)
    *(uint64_t *)each->r_offset = ((uint64_t(*)(void))each->r_addend)();
  __libc_setup_tls();

  // The canary of stacks, whose first byte ends strings, and the guard of saved addresses.
  const uint64_t *random = _dl_random;
  uint64_t canary = random[0] & ~(uint64_t)0xff, guard = random[1];
  __asm__ volatile("mov %0, %%fs:0x28\n\tmov %1, %%fs:0x30" : : "r"(canary), "r"(guard));

  __libc_early_init(true);
  __libc_init_first(argc, argv, environ);
  // No set-uid bit belongs on this executable, but where one is set, this holds all the same.
  if (__libc_enable_secure) __libc_check_standard_fds();
  for (const Constructor *each = __preinit_array_start; each < __preinit_array_end; each++)
    (*each)(argc, argv, environ);
  _init();
  for (const Constructor *each = __init_array_start; each < __init_array_end; each++)
    (*each)(argc, argv, environ);
  // `main` does not return, and nothing is registered for the end of the process.
  exit(entry(argc, argv));
}

#endif
