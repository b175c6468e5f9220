/* Lists of ranges of items that nobody runs yet. Nodes are malloc'ed. */
#ifndef FASTEST_POOL_RANGE_H
#define FASTEST_POOL_RANGE_H

#include "runtime/pool/sched.h"

void range_push(struct range **list, bool front, struct task *t, uint32_t from, uint32_t to);
/* Behind those that took longer; short ones stay in the order in which they come. */
void range_add(struct range **list, struct task *t, uint32_t from, uint32_t to);
/* The first that the worker may have, those of its own lanes before others; NULL: none. */
const struct range *range_for(const struct sched *s, const struct worker *w);
/* Takes that; the lane is the worker's then. */
bool range_take(struct sched *s, struct worker *w, struct range *out);
void range_drop(struct range **list, const struct task *t);
uint32_t range_count(const struct sched *s); /* how many workers could begin with what is pending */

#endif
