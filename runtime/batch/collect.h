/* From a module's frames to its record.
 *
 * collect_begin at MODULE, collect_result at each RESULT (an earlier one of the item becomes an
 * attempt), collect_finish at MODULE_END, with its flags: saves the record and adds a line for each failure
 * to `lines`. False with err: a malformed frame, or a record that cannot be written. */
#ifndef FASTEST_BATCH_COLLECT_H
#define FASTEST_BATCH_COLLECT_H

#include "generator/graph/plan.h"
#include "generator/graph/record.h"
#include "runtime/batch/deps.h"

struct collect {
    const struct plan *plan;
    const struct plan_module *module; /* NULL for "@other" */
    struct record rec;                /* its arena owns what the frames brought */
    bool *have;                       /* n_items */
    struct record old;                /* after collect_resume */
    struct str reason;                /* why a test passes that has failed before; empty: it is flaky */
    bool begun, finished, flaky;
};

/* Before collect_begin: the results of this run's record stay, and what comes is put beside them. False when there is
 * no such record. */
bool collect_resume(struct collect *c, const struct plan *plan, uint32_t module);

bool collect_begin(struct collect *c, const struct plan *plan, uint32_t module, struct str payload,
                   struct err *err);
bool collect_result(struct collect *c, struct str payload, struct err *err);
bool collect_finish(struct collect *c, unsigned flags, struct deps_common *common, struct buf *lines, struct err *err);
void collect_release(struct collect *c);

/* Appends the path of a module's record; module == plan->n_modules is "@other",
 * whose key is plan->environment and which depends on all sources (REC_ALL_SOURCES). */
void collect_record_path(struct buf *out, const struct plan *plan, uint32_t module);

/* lines.c: "FAILED id - message" for each failure. */
void collect_lines(const struct record *r, struct buf *out);

#endif
