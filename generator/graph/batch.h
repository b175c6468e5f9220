/* Modules to batches: one each while they are few, else some 32 to 64 groups of neighbours.
 *
 * Depends on the modules and their numbers of tests alone, never on timings, so that the graph
 * stays as it is while the sources do. */
#ifndef FASTEST_GENERATOR_BATCH_H
#define FASTEST_GENERATOR_BATCH_H

#include "generator/graph/plan.h"

/* weights[i] is the number of tests of module i. single: all of them are one batch. Fills
 * plan->batches and each module's batch, and appends "@other" when plan->other is set. */
void batch_group(struct plan *plan, const uint32_t *weights, bool single);

#endif
