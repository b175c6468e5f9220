/* The pool: one daemon per state directory that owns the interpreters (see runtime/PROTOCOL.md).
 *
 * Nothing here prints; errors come back in err. pool_main is the daemon itself; the rest is for its
 * clients and blocks until the daemon has answered. */
#ifndef FASTEST_POOL_POOL_H
#define FASTEST_POOL_POOL_H

#include "generator/graph/plan.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* The daemon's main (detached already). Writes one newline to stdout when it listens, then sends
 * stdout and stderr to <state>/pool.log. Returns the exit code; err says why it could not start. */
int pool_main(const char *state_dir, struct err *err);

/* Makes sure that a pool with our environment serves this plan, and that it has begun to collect. */
bool pool_ensure(const struct plan *plan, const char *fastest_path, struct err *err);
/* Ends the pool of a run and waits until it is gone; leaves a persistent one alone. */
void pool_finish(const struct plan *plan);
/* Ends it in any case; false when there was none. */
bool pool_stop(const char *state_dir);
/* What it has to tell of slow tests goes to descriptor out, a line each, until it ends. */
void pool_watch(struct str state_dir, int out);
/* One line about it; false when none runs. */
bool pool_status(const char *state_dir, struct buf *out);
/* A blocking connection that has said HELLO, or -1 with errno. */
int pool_connect(struct str state_dir);

#endif
