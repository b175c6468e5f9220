/* What Ninja sees of a batch: b/<batch>.ok (a pass) and b/<batch>.d (what it read). */
#ifndef FASTEST_BATCH_STAMP_H
#define FASTEST_BATCH_STAMP_H

#include "generator/graph/plan.h"
#include "generator/graph/record.h"
#include "runtime/base/err.h"

/* A record is a pass of this module, now: same key, all dependencies hold. */
bool stamp_valid(const struct plan *plan, const struct plan_module *module, const struct record *r);
/* Is b/<batch>.ok there: in the plan's run all its modules were valid passes? */
bool stamp_is_ok(const struct plan *plan, const struct plan_batch *b);
/* Writes b/<batch>.ok with this mtime. */
bool stamp_ok(const struct plan *plan, const struct plan_batch *b, int64_t mtime_ns, struct err *err);
void stamp_remove(const struct plan *plan, const struct plan_batch *b);
/* Collects a record's files; then writes b/<batch>.d. */
void stamp_add_deps(struct strs *paths, struct arena *a, const struct record *r);
bool stamp_depfile(const struct plan *plan, const struct plan_batch *b, struct strs *paths,
                   struct err *err);

#endif
