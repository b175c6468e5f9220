/* Asks the pool for single tests, with nothing beside them: a conversation that blocks. */
#ifndef FASTEST_BATCH_ALONE_H
#define FASTEST_BATCH_ALONE_H

#include "generator/graph/plan.h"
#include "runtime/base/err.h"
#include "runtime/wire/frame.h"

#include <signal.h>

struct alone_module {
    uint32_t module;
    uint32_t *items; /* ascending */
    uint32_t n_items;
};

/* MODULE, RESULT and MODULE_END frames of these modules; false with err ends it. */
typedef bool alone_fn(void *ctx, const struct frame *f, struct err *err);

struct alone {
    const struct plan *plan;
    bool (*is_over)(void *ctx); /* asked several times a second: end as soon as possible; may be NULL */
    void *over_ctx;
    alone_fn *fn;
    void *ctx;
};

/* imports: the JSON of FORK (PROTOCOL.md), or "". False when it did not come to its end: interrupted, the pool has ended
 * or has said ERROR; err only for what fn has said. */
bool alone_run(const struct alone *a, const struct alone_module *modules, size_t n, struct str imports, struct err *err);

#endif
