/* Which item each worker runs now, in memory that the workers share with the pool: <state>/running, a u32 for each slot,
 * the item's number + 1, or 0 between two items. A worker writes at id % RUNNING_SLOTS; ids are given out so that live
 * workers have slots of their own. Workers send the results of quick tests together, so the first item without a
 * result need not be the one that runs. */
#ifndef FASTEST_POOL_RUNNING_H
#define FASTEST_POOL_RUNNING_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdint.h>

enum { RUNNING_SLOTS = 1024 };

struct running {
    volatile uint32_t *slots; /* NULL: not open */
};

/* A new file, so that workers of an earlier pool write elsewhere. */
bool running_open(struct running *r, struct str state_dir, struct err *err);
void running_release(struct running *r);
void running_clear(struct running *r, uint32_t worker);
/* The number of the item; false between two items. */
bool running_item(const struct running *r, uint32_t worker, uint32_t *number);

#endif
