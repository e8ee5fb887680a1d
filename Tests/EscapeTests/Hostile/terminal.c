// SPDX-License-Identifier: Apache-2.0
// Input pushed into the caller's terminal, for the caller's shell to read.
#include "hostile.h"

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

// TIOCSTI and TIOCLINUX on every terminal that can be had.
static void injection(void) {
  for (int fd = 0; fd < 3; fd++) push(fd);
  for (int i = 0; i < 3; i++) push(open(names[i], O_RDWR | O_NOCTTY));
  // As the leader of a session that takes the terminal over.
  in_child(take_terminal);
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

const struct attack terminal_attacks[] = {{"injection", injection}, {0}};
