/* Asks a program: runs it and reads what it prints. */
#ifndef FASTEST_GENERATOR_ASK_H
#define FASTEST_GENERATOR_ASK_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* argv[0]: an absolute path. cwd: where it runs. quiet: its stdin and stderr are /dev/null, else ours.
 * Appends its output, at most 64 MiB. False with err when it cannot be started or read; *status is its wait
 * status, exit 127 also when it could not be executed. */
bool ask_program(char *const *argv, const char *cwd, bool quiet, struct buf *out, int *status, struct err *err);

#endif
