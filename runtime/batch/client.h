/* One Ninja edge: runs the modules of a batch that are not valid yet, on the pool. */
#ifndef FASTEST_BATCH_CLIENT_H
#define FASTEST_BATCH_CLIENT_H

#include "generator/graph/plan.h"
#include "runtime/base/err.h"

/* The exit code: 0 (also when tests failed: then b/<batch>.ok is missing), 3 with err for an
 * internal error, 128 + the number of a signal that ended it. Prints one line for each failed test
 * on stdout, for Ninja to show. With nothing to do it asks nobody and takes about a millisecond. */
int batch_run(const char *state_dir, const char *batch_name, const char *fastest_path,
              struct err *err);

/* Writes the batch's stamp anew, from its records: there, with this mtime, when all of them are passes. */
bool batch_settle(const struct plan *plan, const struct plan_batch *b, int64_t mtime_ns, struct err *err);

#endif
