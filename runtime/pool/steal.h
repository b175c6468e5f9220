/* Stealing: the second half of what the longest range has not sent, and the cuts that allow it. */
#ifndef FASTEST_POOL_STEAL_H
#define FASTEST_POOL_STEAL_H

#include "runtime/pool/sched.h"

enum {
    STEAL_MIN_NS = 20 * 1000 * 1000,  /* less than this is not worth a split */
    STEAL_FORK_NS = 100 * 1000 * 1000 /* nor this one more worker */
};

/* Moves work into w->own; false when no range is worth it. */
bool steal_range(struct sched *s, struct worker *w, int64_t min_ns);
bool steal_possible(const struct sched *s, int64_t min_ns);
/* A range has begun of which it is not known yet what it is worth. */
bool steal_unknown(const struct sched *s);

#endif
