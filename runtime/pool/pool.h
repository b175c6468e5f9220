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
 * stdout and stderr to <state>/pool.log. Returns the exit code; err says why it could not start. state_dir "/dev/stdin": it
 * starts early, see below. */
int pool_main(const char *state_dir, struct err *err);

/* A daemon that is started before there is a plan: its interpreter (absolute path) imports pytest in the current
 * directory while the same is asked for pytest's configuration. On its stdin, a socket of ours, come the interpreter, NUL,
 * and then the state directory and the end of the stream; an end without one ends it. What cannot be started early is
 * started later. */
struct pool_early {
    const char *fastest_path;
    int fd; /* -1: there is none */
};
void pool_early_begin(void *early, const char *python); /* generate_options.asking */
void pool_early_drop(struct pool_early *e);

/* Makes sure that a pool with our environment serves this plan, and that it has begun to collect. early may be NULL;
 * it is used up. */
bool pool_ensure(const struct plan *plan, const char *fastest_path, struct pool_early *early, struct err *err);
/* Ends the pool of a run and waits until it is gone; leaves a persistent one alone. */
void pool_finish(const struct plan *plan);
/* Ends it in any case; false when there was none. */
bool pool_stop(const char *state_dir);
/* One line about it; false when none runs. */
bool pool_status(const char *state_dir, struct buf *out);
/* A blocking connection that has said HELLO, or -1 with errno. */
int pool_connect(struct str state_dir);

#endif
