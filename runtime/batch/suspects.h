/* Which tests of a run have failed, and which wait for its end: from the records. */
#ifndef FASTEST_BATCH_SUSPECTS_H
#define FASTEST_BATCH_SUSPECTS_H

#include "generator/graph/plan.h"
#include "generator/graph/record.h"
#include "runtime/batch/alone.h"

struct suspect {
    uint32_t item;
    bool alone;         /* it has failed although nothing ran beside it */
    uint64_t kind;      /* attempts.h: how it has failed */
    struct str after;   /* JSON list of the modules that its process had run before, or "" */
};

/* Of one module. */
struct suspects {
    uint32_t module;
    struct suspect *items;
    uint32_t n;
    uint32_t *waiting;  /* items */
    uint32_t n_waiting;
    double *seconds;    /* of each item that has a result */
    bool split;
    struct record rec;  /* what the views are of */
};

/* False when nothing of the module has failed or waits; it needs a release in either case. */
bool suspects_load(struct suspects *s, const struct plan *plan, uint32_t module);
void suspects_release(struct suspects *s);
/* What the items before `to` took. */
double suspects_seconds(const struct suspects *s, uint32_t to);

#endif
