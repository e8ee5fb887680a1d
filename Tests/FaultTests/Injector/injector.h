// SPDX-License-Identifier: Apache-2.0
// Runs a command line again and again, and in each run hinders one system call of one of the
// processes that it takes: by an error, or by death.
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

// The fault of one run: the process, counted in the order of creation, and the call, by its number
// and by how many of the same came before.
struct fault {
  int process, call;
  int number, occurrence;
  // An errno, `KILL`, or 0 for none.
  int error;
};
enum { KILL = 1000, MOST_PROCESSES = 8, MOST_CALLS = 4096, TEXT = 1 << 17 };

// What was seen of a run.
struct outcome {
  // The exit status, or 128 and the signal.
  int status;
  // Whether the command, or a helper, was executed; whether the launcher had ended before.
  int executed, is_alone;
  // The process that was in the middle of an exec at the end, or 0: the kernel may have closed its
  // descriptors already, which is how the monitor learns of an exec.
  int executing;
  // Whether it did not come to an end by itself.
  int hung;
  // Whether the fault's call was reached.
  int hit;
  // What the command observed, what was written to standard error, to --json-status-fd, and what
  // lies in the directory `work` afterwards.
  char observed[TEXT], errors[TEXT], status_lines[4096], tree[TEXT];
  // Whether the caller's terminal has other settings afterwards.
  int is_changed;
  // The numbers of the calls that each process made, where no fault was asked for.
  int processes, calls[MOST_PROCESSES], numbers[MOST_PROCESSES][MOST_CALLS];
};

// Runs `line` once (trace.c).
void run(char **line, struct fault fault, struct outcome *outcome);
// The name of a call, and whether `text` names it, also by a library's name for it.
const char *call_name(int number);
int names_call(const char *text, int number);
// The errors that a call can plausibly meet, ended by 0; none for calls that never fail.
const int *call_errors(int number);
// Whether the call asks for memory: without memory the runtime ends the process.
int is_memory_call(int number);
// Writes down what protects this process (observe.c).
int observe(int fd);
// Lists what lies in the directory `work`; empties it.
void list_work(char *text, size_t size);
void empty_work(void);
