/* The modules that a change of files may affect, without running them.
 *
 * Where a record tells what a module executed, and is of the tree before or after the change, the parts that ran are
 * compared; else the static closure decides (DESIGN section 3, tiers 2 and 0). What cannot be known affects. */
#ifndef FASTEST_GENERATOR_AFFECTED_H
#define FASTEST_GENERATOR_AFFECTED_H

#include "generator/generate.h"
#include "generator/graph/cache.h"

struct change {
    struct str path;         /* absolute */
    bool was, is;            /* there before, there now */
    bool known;              /* old is what it was before: semantic and blocks */
    struct index_file old;
};

/* Fills known and old from the bytes that the file had; a names the memory. */
void change_set_old(struct change *c, struct str text, const struct generate_options *o, struct arena *a);

struct affected {
    const struct look *look;
    struct change *changes;
    size_t n;
    struct map by_path;      /* to index + 1 */
    struct arena arena;
};

void affected_init(struct affected *a, const struct look *l, struct change *changes, size_t n);
/* Why the change may affect a module of the plan, in the arena; "" when it does not. */
struct str affected_why(struct affected *a, uint32_t module);
void affected_release(struct affected *a);

#endif
