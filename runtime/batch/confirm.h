/* The end of a run: what must run alone does, and what has failed runs once more, alone, with what the other batches
 * had imported (DESIGN section 5).
 *
 * After the batches, before the pool ends. A test that passes then is reported passed, with the reason, unless what
 * plain pytest would have run before it in the same process makes it fail there, too. Records and stamps are brought up
 * to date; <state>/needs remembers the reasons; a line for each such test goes to `out`. */
#ifndef FASTEST_BATCH_CONFIRM_H
#define FASTEST_BATCH_CONFIRM_H

#include "generator/graph/plan.h"
#include "runtime/base/err.h"

#include <stdio.h>

/* is_over (may be NULL): whether to end as soon as possible, asked several times a second. *failed: tests that have failed, and still do. False with err when a
 * record cannot be written. */
bool confirm_run(const struct plan *plan, FILE *out, bool (*is_over)(void *ctx), void *over_ctx, uint32_t *failed,
                 struct err *err);

#endif
