/* Which modules must run: their records against their keys and dependencies. */
#ifndef FASTEST_GENERATOR_STALE_H
#define FASTEST_GENERATOR_STALE_H

#include "generator/graph/graph.h"
#include "generator/graph/plan.h"
#include "generator/graph/source.h"

struct stale {
    struct plan *plan;
    struct graph *graph;
    struct dirs *dirs;
    struct sources *sources;
    struct hash128 last_environment;
    const struct strs *always; /* see probe.h */
    bool all;                /* whatever the records say */
    bool dry;                /* records stay as they are */
    bool prepend;            /* import mode prepend or append: one module name, one file */
    struct map by_rel;       /* own: nodes as records name them */
    bool *namesake;          /* out, in the plan's arena: another module has its dotted name (with prepend) */
};

/* Does it run whatever its record says: is it, or is a directory above it, named by one of these globs? */
bool stale_always(const struct strs *always, struct str rel);
/* Fills namesake, stale and why of every module, and plan->sources when something needs it. */
void stale_check(struct stale *s);

#endif
