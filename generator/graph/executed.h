/* What has run of the sources in a module's closure: DESIGN section 3, tiers 1 and 2.
 *
 * The scan leaves the blocks of all files of the plan in <state>/blocks.bin; the batch client looks up there which
 * blocks the lines are that the worker has traced, and writes them into the record; later scans ask whether those
 * blocks are what they were. A file of the closure that has not been loaded does not count. A file counts whole when
 * it is FILE_WHOLE, when it was loaded but no code of it was seen, or when it has no blocks. */
#ifndef FASTEST_GENERATOR_EXECUTED_H
#define FASTEST_GENERATOR_EXECUTED_H

#include "generator/graph/graph.h"
#include "generator/graph/plan.h"
#include "generator/graph/record.h"
#include "generator/source/blocks.h"

/* Writes blocks.bin. False with err when it cannot be written. */
bool executed_save(const struct plan *p, const struct graph *g, struct err *err);

struct executed_blocks {
    struct hash128 *semantic; /* n_files of the plan */
    struct str *packed;
    struct buf file;
    struct arena arena;
};
/* False, with nothing to release, when there is none of this plan. */
bool executed_load(struct executed_blocks *x, const struct plan *p);
void executed_release(struct executed_blocks *x);

/* Is what ran of the file what it was? */
bool executed_holds(const struct record_executed *e, const struct index_file *now);
/* When it is not: appends what changed, in words. */
void executed_why(struct buf *out, const struct record_executed *e, const struct index_file *now);

#endif
