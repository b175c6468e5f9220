/* Where this program is, and which ninja there is. */
#ifndef FASTEST_CLI_SELF_H
#define FASTEST_CLI_SELF_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/* Absolute path of the running binary. self_linux.c, self_darwin.c. */
bool self_path(struct arena *a, char **path, struct err *err);
/* $NINJA, else ninja, ninja-build or samu on PATH; NULL with err (and the remedy) when none is. */
const char *find_ninja(struct arena *a, struct err *err);

#endif
