/* What a module read while it was collected and run: from the `deps` of its JSON documents
 * (PROTOCOL.md) to the dependencies of its record.
 *
 * struct deps d; deps_init(&d, plan, module, &common); deps_scan(&d, json) for each document; deps_settle(&d);
 * deps_fill(&d, since_ns, record), deps_executed(&d, last, record); deps_release(&d). Strings live in d until release.
 *
 * Other modules have run in the same process. What code has read it may have kept, so that what counts is whose code
 * asked: it is the module's when that is in its closure, or was loaded for it, or is not the project's. */
#ifndef FASTEST_BATCH_DEPS_H
#define FASTEST_BATCH_DEPS_H

#include "generator/graph/executed.h"
#include "generator/graph/plan.h"
#include "runtime/batch/reads.h"

/* What the modules of a batch have in common, read when the first of them needs it. Zeroed: nothing yet. */
struct deps_common {
    struct str path;     /* of the file of what the session ran and read before the tests; "" = none was read */
    struct reads before; /* ... and what is in it */
    bool traced;         /* it could be read */
    struct executed_blocks blocks;
    bool asked, loaded;  /* blocks.bin */
    struct map sources;  /* paths of the plan's files, and their code_base; empty until asked for */
};
void deps_common_release(struct deps_common *c);

struct deps {
    const struct plan *plan;
    const struct plan_module *module;
    struct deps_common *common;
    struct arena arena;
    struct map closure;  /* paths that the module's key covers */
    struct reads reads;  /* beside common->before */
    struct record_dep *items; /* of deps_settle */
    size_t n, cap;
    bool traced;         /* what has run is told of */
    bool unites;         /* of an earlier part of this run counts what it executed */
    bool always;         /* a test of it has the mark of that name */
    bool failed;         /* a document had an "error" that is not null */
};

/* module may be NULL ("@other"): nothing is covered by a key, and all counts. */
void deps_init(struct deps *d, const struct plan *plan, const struct plan_module *module, struct deps_common *common);
/* False when the document is malformed. */
bool deps_scan(struct deps *d, struct str json);
/* A quick look: false when the document has no member "deps". */
bool deps_there(struct str json);
/* The document with nothing in its deps, in a: what they say is in the record's own fields. */
struct str deps_without(struct str json, struct arena *a);
/* Finds out what is the module's. With a computed import in its closure all that was loaded beside it counts, too: it
 * may have been there before, which no event tells of; and always what is in no module's closure. (deps_settle.c) */
void deps_settle(struct deps *d);
/* Hashes it and hands it to the record (its arena; sorted). True when something changed after since_ns. */
bool deps_fill(struct deps *d, int64_t since_ns, struct record *r);
/* With `traced`: what has run of the module's closure, for the record (its arena); false when that cannot be told.
 * With random inputs also what the last record (or NULL) says. (deps_executed.c) */
bool deps_executed(const struct deps *d, const struct record *last, struct record *r);
void deps_release(struct deps *d);

#endif
