/* What a module read while it was collected and run: from the `deps` of its JSON documents
 * (PROTOCOL.md) to the dependencies of its record.
 *
 * struct deps d; deps_init(&d, plan, module); deps_scan(&d, json) for each document;
 * deps_fill(&d, since_ns, record); deps_release(&d). Strings live in d until release. */
#ifndef FASTEST_BATCH_DEPS_H
#define FASTEST_BATCH_DEPS_H

#include "generator/graph/plan.h"
#include "generator/graph/record.h"
#include "runtime/base/map.h"

struct deps {
    struct arena arena;
    struct map seen;     /* kind and path */
    struct map closure;  /* paths that the module's key covers */
    struct record_dep *items;
    size_t n, cap;
    bool spawned;
    bool failed;         /* a document had an "error" that is not null */
};

/* module may be NULL ("@other"): nothing is covered by a key. */
void deps_init(struct deps *d, const struct plan *plan, const struct plan_module *module);
/* False when the document is malformed. */
bool deps_scan(struct deps *d, struct str json);
/* Hashes all and hands them to the record (its arena; sorted). True when one of them changed
 * after since_ns. */
bool deps_fill(struct deps *d, int64_t since_ns, struct record *r);
void deps_release(struct deps *d);

#endif
