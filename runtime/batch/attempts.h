/* Looks into *result* documents (PROTOCOL.md), and puts an earlier one beside a later one. */
#ifndef FASTEST_BATCH_ATTEMPTS_H
#define FASTEST_BATCH_ATTEMPTS_H

#include "generator/graph/record.h"
#include "runtime/base/arena.h"
#include "runtime/base/str.h"

/* The later document with the phases of the earlier in its "attempts". When it passed: with this "reason", or flaky
 * where that is empty. In a; a document that cannot be read stays as it is. */
struct str attempts_add(struct str earlier, struct str later, enum record_outcome outcome, struct str reason,
                        struct arena *a);
/* Where and how it failed, without values: the same for tests that fail for the same reason. */
uint64_t attempts_kind(struct str json);

#endif
