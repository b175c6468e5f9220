/* Why a module would run, in words: from its `why` (plan.h) to the chain of imports behind it. */
#ifndef FASTEST_GENERATOR_WHY_H
#define FASTEST_GENERATOR_WHY_H

#include "generator/graph/graph.h"
#include "generator/graph/record.h"

/* The file that a `why` of stale.c names: as seen from rootdir, "" when it names none. */
struct str why_file(struct str why);
/* The shortest chain of edges between two nodes, both included, in a; *n is 0 when there is none. */
uint32_t *why_chain(const struct graph *g, uint32_t from, uint32_t to, struct arena *a, uint32_t *n);
/* "imports", or what a file has to do with one that it depends on without a word in it. */
const char *why_verb(struct str path);
/* The names of the functions that a record has of a source as it is now, ", " between them; "" when it counts whole. */
void why_executed(struct buf *out, const struct record_executed *e, const struct index_file *now);

#endif
