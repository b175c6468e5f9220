/* Where this program is, what it does with its end, and which ninja there is. */
#ifndef FASTEST_CLI_SELF_H
#define FASTEST_CLI_SELF_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/* Absolute path of the running binary. self_linux.c, self_darwin.c. */
bool self_path(struct arena *a, char **path, struct err *err);
/* For a child between fork and exec: a SIGTERM comes when the parent ends, however it ends, as
 * prctl(2) PR_SET_PDEATHSIG does it on Linux. Elsewhere nothing: what is left ends by itself. */
void self_end_with_parent(void);
/* A program on PATH, in the arena; NULL when there is none. */
const char *find_program(struct arena *a, const char *name);
/* $NINJA, else ninja, ninja-build or samu on PATH; NULL with err (and the remedy) when none is. */
const char *find_ninja(struct arena *a, struct err *err);

#endif
