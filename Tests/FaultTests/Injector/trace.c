// SPDX-License-Identifier: Apache-2.0
// One run under ptrace(2).
#include "injector.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <termios.h>

struct tracee {
  pid_t pid;
  // `same`: how many of its calls were the one that fails; `is_early`: it stopped before its
  // parent's stop reported it.
  int index, calls, same, is_faulty, is_early;
};
static struct tracee tracees[64];
static int count;
static volatile sig_atomic_t is_late;

static void be_late(int signal) {
  (void)signal;
  is_late = 1;
}

static struct tracee *find(pid_t pid) {
  for (int i = 0; i < count; i++)
    if (tracees[i].pid == pid) return &tracees[i];
  if (count == 64) abort();
  tracees[count] = (struct tracee){.pid = pid, .index = -1};
  return &tracees[count++];
}

// Has the kernel do nothing instead of the call that is about to be made.
//
// The kernel shows the other number to the filters, which permit this one: a filter of --explain
// would hand the number of no call to the watcher, which may not have its listener yet.
static void skip_call(pid_t pid) {
  const int harmless = SYS_getpid;
#if defined(__x86_64__)
  struct user_regs_struct registers;
  ptrace(PTRACE_GETREGS, pid, 0, &registers);
  registers.orig_rax = (unsigned long long)harmless;
  ptrace(PTRACE_SETREGS, pid, 0, &registers);
#elif defined(__aarch64__)
  struct iovec part = {(void *)&harmless, sizeof harmless};
  ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part);
#else
#error "unknown processor"
#endif
}

static void set_result(pid_t pid, long result) {
#if defined(__x86_64__)
  struct user_regs_struct registers;
  ptrace(PTRACE_GETREGS, pid, 0, &registers);
  registers.rax = (unsigned long long)result;
  ptrace(PTRACE_SETREGS, pid, 0, &registers);
#else
  struct user_regs_struct registers;
  struct iovec part = {&registers, sizeof registers};
  ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part);
  registers.regs[0] = (unsigned long long)result;
  ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part);
#endif
}

static void at_call(struct tracee *tracee, struct fault fault, struct outcome *outcome) {
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof info, &info) <= 0) return;
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    if (tracee->is_faulty) set_result(tracee->pid, -fault.error);
    tracee->is_faulty = 0;
    if (outcome->executing == tracee->index) outcome->executing = 0;
    return;
  }
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY || tracee->index < 0) return;
  if (info.entry.nr == SYS_execve) outcome->executing = tracee->index;
  int call = tracee->calls++;
  if (!fault.error && tracee->index < MOST_PROCESSES && call < MOST_CALLS) {
    outcome->numbers[tracee->index][call] = (int)info.entry.nr;
    outcome->calls[tracee->index] = call + 1;
  }
  // Counted among its like: where memory is asked for may differ from run to run.
  if (!fault.error || tracee->index != fault.process || (int)info.entry.nr != fault.number ||
      tracee->same++ != fault.occurrence)
    return;
  outcome->hit = 1;
  if (fault.error == KILL) {
    kill(tracee->pid, SIGKILL);
  } else {
    skip_call(tracee->pid);
    tracee->is_faulty = 1;
  }
}

// A terminal for a line with --pty, or -1: standard input of the launcher, which leads its session.
static int make_terminal(char **line, int *inner) {
  int has_option = 0;
  for (; *line; line++) has_option |= strcmp(*line, "--pty") == 0;
  if (!has_option) return -1;
  int outer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), locked = 0;
  if (outer < 0 || ioctl(outer, TIOCSPTLCK, &locked)) abort();
  *inner = ioctl(outer, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*inner < 0) abort();
  struct stat file;
  char name[64];
  if (fstat(*inner, &file)) abort();
  snprintf(name, sizeof name, "%lx:%lx", (long)file.st_dev, (long)file.st_ino);
  setenv("HOST_terminal", name, 1);
  return outer;
}

// The descriptors of every run: 1 for what the command observes, 2 for messages, 3 and 4 a file, 5
// a filter, 6 a directory, 7 always empty, 8 for --json-status-fd.
static void open_descriptors(int messages, int status, int observed, int terminal) {
  // Out of the way first.
  messages = fcntl(messages, F_DUPFD_CLOEXEC, 100);
  status = fcntl(status, F_DUPFD_CLOEXEC, 100);
  observed = fcntl(observed, F_DUPFD_CLOEXEC, 100);
  if (terminal >= 0) terminal = fcntl(terminal, F_DUPFD_CLOEXEC, 100);
  struct { int number; const char *path; int flags; } files[] = {
      {3, "data/file", O_RDONLY}, {4, "data/file", O_RDONLY}, {5, "data/filter", O_RDONLY},
      {6, "data", O_RDONLY}, {7, "/dev/null", O_RDWR}};
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    int fd = open(files[i].path, files[i].flags);
    dup2(fd, files[i].number);
    if (fd != files[i].number) close(fd);
  }
  dup2(status, 8);
  dup2(observed, 1);
  dup2(messages, 2);
  int nothing = open("/dev/null", O_RDWR);
  dup2(terminal < 0 ? nothing : terminal, 0);
  if (terminal >= 0) ioctl(0, TIOCSCTTY, 0);
  // Those of joined namespaces stay, which the caller opened from 20 on.
  for (int fd = 9; fd < 20; fd++) close(fd);
  for (int fd = 30; fd < 64; fd++) close(fd);
}

static void drain(int fd, char *text, size_t size) {
  size_t length = 0;
  ssize_t part;
  while (length < size - 1 && (part = read(fd, text + length, size - 1 - length)) > 0)
    length += (size_t)part;
  text[length] = 0;
  close(fd);
}

static void end_all(void) {
  for (int i = 0; i < count; i++)
    if (tracees[i].pid > 0) kill(tracees[i].pid, SIGKILL);
}

// The kernel reports no process whose parent was killed right after the call that made it.
static void adopt(struct outcome *outcome) {
  for (int i = 0; i < count; i++)
    if (tracees[i].pid > 0 && tracees[i].index < 0 && tracees[i].is_early) {
      tracees[i].index = outcome->processes++;
      ptrace(PTRACE_SYSCALL, tracees[i].pid, 0, 0);
    }
}

static void follow(pid_t first, struct fault fault, struct outcome *outcome) {
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                       PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  int status, has_begun = 0;
  while (1) {
    pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == EINTR) {
      if (!is_late) continue;
      outcome->hung = 1;
      end_all();
      // A process that is no longer traced holds the pipes and ends with the pid namespace, or is
      // the tracer's.
      kill(-first, SIGKILL);
      is_late = 0;
      if (outcome->hung++ > 5) return;
      continue;
    }
    if (pid < 0) return;
    struct tracee *tracee = find(pid);
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (pid == first)
        outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      tracee->pid = -1;
      if (WIFSIGNALED(status)) adopt(outcome);
      continue;
    }
    if (!WIFSTOPPED(status)) continue;
    int event = status >> 16, signal = WSTOPSIG(status);
    if (pid == first && !has_begun) {
      ptrace(PTRACE_SETOPTIONS, pid, 0, options);
      has_begun = 1;
      ptrace(PTRACE_CONT, pid, 0, 0);
      continue;
    }
    if (event == PTRACE_EVENT_EXEC) {
      if (pid == first && tracee->index < 0) {
        // The launcher begins.
        tracee->index = outcome->processes++;
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
      } else {
        outcome->executed = 1;
        if (outcome->status >= 0) outcome->is_alone = 1;
        ptrace(PTRACE_DETACH, pid, 0, 0);
      }
      continue;
    }
    if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
      unsigned long child = 0;
      ptrace(PTRACE_GETEVENTMSG, pid, 0, &child);
      struct tracee *made = find((pid_t)child);
      if (made->index < 0) {
        made->index = outcome->processes++;
        if (made->is_early) ptrace(PTRACE_SYSCALL, made->pid, 0, 0);
      }
      ptrace(PTRACE_SYSCALL, pid, 0, 0);
      continue;
    }
    if (tracee->index < 0) {
      tracee->is_early = 1;
      continue;
    }
    if (signal == (SIGTRAP | 0x80)) {
      at_call(tracee, fault, outcome);
      ptrace(PTRACE_SYSCALL, pid, 0, 0);
      continue;
    }
    // A child's first stop, or a signal, which is passed on.
    int passed = event || signal == SIGSTOP || signal == SIGTRAP ? 0 : signal;
    ptrace(PTRACE_SYSCALL, pid, 0, passed);
  }
}

void run(char **line, struct fault fault, struct outcome *outcome) {
  int messages[2], status[2], observed[2], inner = -1;
  int terminal = make_terminal(line, &inner);
  struct termios before = {0}, after = {0};
  if (inner >= 0) tcgetattr(inner, &before);
  *outcome = (struct outcome){.status = -1};
  count = 0;
  is_late = 0;
  if (pipe2(messages, O_CLOEXEC) || pipe2(status, O_CLOEXEC) || pipe2(observed, O_CLOEXEC)) abort();
  // Room for all output: it is read only at the end.
  fcntl(messages[1], F_SETPIPE_SZ, TEXT);
  fcntl(observed[1], F_SETPIPE_SZ, TEXT);
  struct sigaction action = {.sa_handler = be_late};
  sigaction(SIGALRM, &action, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t first = fork();
  if (first == 0) {
    if (inner < 0) setpgid(0, 0);
    else setsid();
    open_descriptors(messages[1], status[1], observed[1], inner);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execvp(line[0], line);
    _exit(99);
  }
  close(messages[1]);
  close(status[1]);
  close(observed[1]);
  find(first);
  // Again and again, as a signal may come right before the wait that it should end.
  struct itimerval patience = {{1, 0}, {20, 0}}, none = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &patience, 0);
  follow(first, fault, outcome);
  setitimer(ITIMER_REAL, &none, 0);
  if (inner >= 0) {
    // The session's end has hung it up.
    int again = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    tcgetattr(again, &after);
    outcome->is_changed = memcmp(&before, &after, sizeof before) != 0;
    close(again);
    close(inner);
    close(terminal);
  }
  drain(messages[0], outcome->errors, TEXT);
  drain(status[0], outcome->status_lines, sizeof outcome->status_lines);
  drain(observed[0], outcome->observed, TEXT);
  list_work(outcome->tree, TEXT);
  empty_work();
}
