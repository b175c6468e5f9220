/* A worker in which a test called breakpoint() has the terminal (runtime/worker/terminal.py): Ctrl-C is its. */
#ifndef FASTEST_CLI_DEBUGGER_H
#define FASTEST_CLI_DEBUGGER_H

#include "runtime/base/str.h"

#include <stdbool.h>

/* Of this run. */
void debugger_watch(struct str state_dir);
/* Sends SIGINT to the process that has the terminal; false when none has. For signal handlers, too. */
bool debugger_interrupt(void);

#endif
