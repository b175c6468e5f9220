/* Workers as the scheduler keeps them; shared by its files only. */
#ifndef FASTEST_POOL_WORKER_H
#define FASTEST_POOL_WORKER_H

#include "runtime/pool/sched.h"

bool worker_is_live(const struct worker *w); /* may get work, now or soon */
bool worker_is_idle(const struct worker *w); /* connected, with nothing to run */
void worker_free(struct sched *s, struct worker *w);

#endif
