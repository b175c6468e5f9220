/* Lists of ranges of items that nobody runs yet. Nodes are malloc'ed. */
#ifndef FASTEST_POOL_RANGE_H
#define FASTEST_POOL_RANGE_H

#include "runtime/pool/sched.h"

void range_push(struct range **list, bool front, struct task *t, uint32_t from, uint32_t to);
bool range_pop(struct range **list, struct range *out); /* the first; false when empty */
void range_drop(struct range **list, const struct task *t);
uint32_t range_count(const struct range *r);

#endif
