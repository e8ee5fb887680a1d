// SPDX-License-Identifier: Apache-2.0
// Prints which symbols of a static program a run uses.
//
//   order PROGRAM [ARGUMENT...]
//   order --accessed PROGRAM <TRACE
//
// The first form runs the program and follows its children. It prints the functions that only the
// first process enters, then those that others enter too, then those that only others enter, each
// group in the order of entry, and then the variables that are written. Every function starts with a
// breakpoint in each process until that process reaches it; variables are compared with their initial
// contents when a process executes another program or ends. The program's output goes to standard
// error.
//
// The second form reads what valgrind's lackey says of a run (--trace-mem=yes) and prints the
// variables and constants that it reads or writes, in the order of their first access.

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void die(const char *what) {
  perror(what);
  exit(2);
}

// The program's file

struct symbol {
  uint64_t address, size;
  const char *name;
  // In which processes: a set of FIRST and OTHERS.
  int seen;
  // The place among all entries and accesses.
  unsigned rank;
};

enum { FIRST = 1, OTHERS = 2 };

struct part {
  uint64_t address, size;
  unsigned char *contents;
};

static const unsigned char *image;
static struct symbol *functions, *variables;
static size_t function_count, variable_count;
static struct part text, writable[64];
static size_t writable_count;
static unsigned last_rank;

static void see(struct symbol *symbol, int process) {
  if (symbol->seen == 0) symbol->rank = ++last_rank;
  symbol->seen |= process;
}

static int by_address(const void *left, const void *right) {
  const struct symbol *a = left, *b = right;
  return (a->address > b->address) - (a->address < b->address);
}

static const Elf64_Shdr *section(size_t index) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
  return (const Elf64_Shdr *)(image + header->e_shoff) + index;
}

static void read_sections(void) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
  const char *names = (const char *)image + section(header->e_shstrndx)->sh_offset;
  for (size_t i = 0; i < header->e_shnum; i++) {
    const Elf64_Shdr *found = section(i);
    struct part part = {found->sh_addr, found->sh_size, NULL};
    if (strcmp(names + found->sh_name, ".text") == 0) {
      part.contents = (unsigned char *)image + found->sh_offset;
      text = part;
    }
    // Thread-local variables lie elsewhere when the program runs.
    if ((found->sh_flags & (SHF_WRITE | SHF_TLS)) != SHF_WRITE) continue;
    if (writable_count == sizeof writable / sizeof *writable) continue;
    writable[writable_count++] = part;
  }
}

// Symbols that were not seen have the rank 0.
static int by_rank(const void *left, const void *right) {
  const struct symbol *a = left, *b = right;
  return (a->rank > b->rank) - (a->rank < b->rank);
}

// Sorts the symbols.
static void print_seen(struct symbol *symbols, size_t count, const int *groups, size_t group_count) {
  qsort(symbols, count, sizeof *symbols, by_rank);
  for (size_t group = 0; group < group_count; group++)
    for (size_t i = 0; i < count; i++)
      if (symbols[i].seen == groups[group]) puts(symbols[i].name);
}

static bool lies_in(const struct part *part, uint64_t address) {
  return address >= part->address && address - part->address < part->size;
}

static void read_symbols(void) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
  for (size_t i = 0; i < header->e_shnum; i++) {
    if (section(i)->sh_type != SHT_SYMTAB) continue;
    const Elf64_Sym *all = (const Elf64_Sym *)(image + section(i)->sh_offset);
    const char *names = (const char *)image + section(section(i)->sh_link)->sh_offset;
    size_t count = section(i)->sh_size / sizeof *all;
    functions = calloc(count, sizeof *functions);
    variables = calloc(count, sizeof *variables);
    if (functions == NULL || variables == NULL) die("symbols");
    for (size_t j = 0; j < count; j++) {
      struct symbol symbol = {all[j].st_value, all[j].st_size, names + all[j].st_name, 0, 0};
      int type = ELF64_ST_TYPE(all[j].st_info);
      if ((type == STT_FUNC || type == STT_GNU_IFUNC) && lies_in(&text, symbol.address))
        functions[function_count++] = symbol;
      if (type == STT_OBJECT && symbol.size > 0) variables[variable_count++] = symbol;
    }
  }
  if (function_count == 0) {
    fputs("order: the program has no symbols\n", stderr);
    exit(2);
  }
  qsort(functions, function_count, sizeof *functions, by_address);
  qsort(variables, variable_count, sizeof *variables, by_address);
}

static void read_program(const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0) die(path);
  image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (image == MAP_FAILED) die(path);
  if (memcmp(image, ELFMAG, SELFMAG) != 0 || ((const Elf64_Ehdr *)image)->e_type != ET_EXEC) {
    fprintf(stderr, "order: %s is not loaded at a fixed address; order needs a static program\n", path);
    exit(2);
  }
  read_sections();
  read_symbols();
}

// The last symbol that begins at `address` or before.
static struct symbol *symbol_at(struct symbol *symbols, size_t count, uint64_t address) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (symbols[middle].address <= address) low = middle + 1;
    else high = middle;
  }
  return low == 0 ? NULL : &symbols[low - 1];
}

// Breakpoints

// int3 of x86_64.
enum { BREAKPOINT = 0xcc };

static void set_breakpoints(pid_t process) {
  unsigned char *code = malloc(text.size);
  if (code == NULL) die("code");
  memcpy(code, text.contents, text.size);
  for (size_t i = 0; i < function_count; i++)
    code[functions[i].address - text.address] = BREAKPOINT;
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/mem", (int)process);
  int memory = open(path, O_WRONLY | O_CLOEXEC);
  if (memory < 0 || pwrite(memory, code, text.size, (off_t)text.address) != (ssize_t)text.size)
    die(path);
  close(memory);
  free(code);
}

// Children begin with what their parents left. They are few.
static pid_t prepared[64];
static size_t prepared_count;

static void prepare(pid_t process) {
  for (size_t i = 0; i < prepared_count; i++)
    if (prepared[i] == process) return;
  if (prepared_count == sizeof prepared / sizeof *prepared) return;
  prepared[prepared_count++] = process;
  set_breakpoints(process);
}

// Restores the instruction. If the process has not reached a breakpoint, changes nothing.
static void enter_function(pid_t process, struct user_regs_struct *registers) {
  uint64_t address = registers->rip - 1;
  struct symbol *function = symbol_at(functions, function_count, address);
  if (function == NULL || function->address != address) return;
  long word = ptrace(PTRACE_PEEKTEXT, process, address, NULL);
  word = (word & ~0xffL) | text.contents[address - text.address];
  if (ptrace(PTRACE_POKETEXT, process, address, word) < 0) die("PTRACE_POKETEXT");
  registers->rip = address;
  ptrace(PTRACE_SETREGS, process, NULL, registers);
  see(function, process == prepared[0] ? FIRST : OTHERS);
}

// Variables

static bool read_memory(pid_t process, const struct part *part, unsigned char *contents) {
  struct iovec to = {contents, part->size}, from = {(void *)part->address, part->size};
  return process_vm_readv(process, &to, 1, &from, 1, 0) == (ssize_t)part->size;
}

static void keep_contents(pid_t process) {
  for (size_t i = 0; i < writable_count; i++) {
    writable[i].contents = malloc(writable[i].size + 1);
    if (writable[i].contents == NULL) die("contents");
    if (!read_memory(process, &writable[i], writable[i].contents)) writable[i].size = 0;
  }
}

static void note_written(pid_t process, const struct part *part) {
  unsigned char *now = malloc(part->size + 1);
  if (now == NULL) die("contents");
  if (read_memory(process, part, now))
    for (size_t i = 0; i < part->size; i++) {
      if (now[i] == part->contents[i]) continue;
      struct symbol *variable = symbol_at(variables, variable_count, part->address + i);
      if (variable != NULL && part->address + i - variable->address < variable->size)
        see(variable, FIRST);
    }
  free(now);
}

static void end_image(pid_t process) {
  for (size_t i = 0; i < writable_count; i++) note_written(process, &writable[i]);
}

// The run

// A process that hides its memory would keep its breakpoints.
static void enter_call(pid_t process, struct user_regs_struct *registers) {
  if (registers->orig_rax == SYS_execve || registers->orig_rax == SYS_exit_group)
    end_image(process);
  if (registers->orig_rax == SYS_prctl && registers->rdi == PR_SET_DUMPABLE) {
    registers->rsi = 1;
    ptrace(PTRACE_SETREGS, process, NULL, registers);
  }
}

// Handles a process that has stopped.
static void handle(pid_t process, int status) {
  int event = status >> 16, number = WSTOPSIG(status), passed = 0;
  struct user_regs_struct registers;
  if (event == PTRACE_EVENT_EXEC) {
    ptrace(PTRACE_DETACH, process, NULL, NULL);
    return;
  }
  prepare(process);
  if (ptrace(PTRACE_GETREGS, process, NULL, &registers) < 0) return;
  if (number == (SIGTRAP | 0x80)) {
    // The kernel sets this at the entry alone.
    if ((long)registers.rax == -ENOSYS) enter_call(process, &registers);
  } else if (number == SIGTRAP && event == 0) {
    enter_function(process, &registers);
  } else if (event == 0 && number != SIGSTOP) {
    passed = number;
  }
  ptrace(PTRACE_SYSCALL, process, NULL, passed);
}

static pid_t begin(char **argv) {
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(argv[0], argv);
    die(argv[0]);
  }
  int status;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) exit(2);
  long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE
      | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SETOPTIONS, child, NULL, options) < 0) die("PTRACE_SETOPTIONS");
  return child;
}

// The lines of lackey: instructions begin with I, accesses with a blank and L, S or M.
static void read_trace(void) {
  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (line[0] != ' ' || strchr("LSM", line[1]) == NULL) continue;
    uint64_t address = strtoull(line + 2, NULL, 16);
    struct symbol *variable = symbol_at(variables, variable_count, address);
    if (variable != NULL && address - variable->address < variable->size) see(variable, FIRST);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--accessed") == 0) {
    read_program(argv[2]);
    read_trace();
    print_seen(variables, variable_count, (const int[]){FIRST}, 1);
    return 0;
  }
  if (argc < 2) {
    fputs("usage: order PROGRAM [ARGUMENT...]\n       order --accessed PROGRAM <TRACE\n", stderr);
    return 2;
  }
  read_program(argv[1]);
  pid_t first = begin(argv + 1), process;
  keep_contents(first);
  prepare(first);
  ptrace(PTRACE_SYSCALL, first, NULL, NULL);
  int status, result = 1;
  while ((process = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
    if (process <= 0) continue;
    if (WIFSTOPPED(status)) handle(process, status);
    else if (process == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  }
  print_seen(functions, function_count, (const int[]){FIRST, FIRST | OTHERS, OTHERS}, 3);
  print_seen(variables, variable_count, (const int[]){FIRST}, 1);
  return result;
}
