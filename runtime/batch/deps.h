/* What a module read while it was collected and run: from the `deps` of its JSON documents
 * (PROTOCOL.md) to the dependencies of its record.
 *
 * struct deps d; deps_init(&d, plan, module, &common); deps_scan(&d, json) for each document;
 * deps_fill(&d, since_ns, record); deps_release(&d). Strings live in d until release. */
#ifndef FASTEST_BATCH_DEPS_H
#define FASTEST_BATCH_DEPS_H

#include "generator/graph/plan.h"
#include "generator/graph/executed.h"
#include "generator/graph/record.h"
#include "runtime/base/map.h"
#include "runtime/batch/code.h"

/* What the modules of a batch have in common, read when the first of them needs it. Zeroed: nothing yet. */
struct deps_common {
    struct str path;    /* of the file of what the session ran before the tests; "" = none was read */
    struct code before; /* ... and what is in it */
    bool traced;        /* it could be read */
    struct executed_blocks blocks;
    bool asked, loaded; /* blocks.bin */
};
void deps_common_release(struct deps_common *c);

struct deps {
    struct deps_common *common;
    struct arena arena;
    struct map seen;     /* kind and path */
    struct map closure;  /* paths that the module's key covers */
    struct code code;    /* what has run, beside common->before */
    struct record_dep *items;
    size_t n, cap;
    bool traced;         /* `code` is all that has run */
    bool blind;          /* code may have run that `code` does not tell of: what was loaded counts whole */
    bool spawned;
    bool random;         /* its inputs are drawn at random: another run may execute something else */
    bool unites;         /* of an earlier part of this run counts what it executed */
    bool always;         /* a test of it has the mark of that name */
    bool failed;         /* a document had an "error" that is not null */
};

/* module may be NULL ("@other"): nothing is covered by a key. */
void deps_init(struct deps *d, const struct plan *plan, const struct plan_module *module, struct deps_common *common);
/* False when the document is malformed. */
bool deps_scan(struct deps *d, struct str json);
/* A quick look: false when the document has no member "deps". */
bool deps_there(struct str json);
/* The document with nothing in its deps, in a: what they say is in the record's own fields. */
struct str deps_without(struct str json, struct arena *a);
/* Before deps_fill: with a computed import in the module's closure, what has run beside it counts as read. It may have
 * been loaded before, which no event tells of. */
void deps_beside(struct deps *d, const struct plan *plan, const struct plan_module *module);
/* Hashes all and hands them to the record (its arena; sorted). True when one of them changed
 * after since_ns. */
bool deps_fill(struct deps *d, int64_t since_ns, struct record *r);
/* With `traced`: what has run of the module's closure, for the record (its arena); false when that cannot be told.
 * With random inputs also what the last record (or NULL) says. */
bool deps_executed(const struct deps *d, const struct plan *plan, const struct plan_module *module,
                   const struct record *last, struct record *r);
void deps_release(struct deps *d);

#endif
