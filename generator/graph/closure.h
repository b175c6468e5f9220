/* What each component of the graph reaches, as bit sets over nodes. */
#ifndef FASTEST_GENERATOR_CLOSURE_H
#define FASTEST_GENERATOR_CLOSURE_H

#include "generator/graph/graph.h"

/* Fills reach of every component; after graph_condense. */
void closure_compute(struct graph *g);
/* The closure of one node as *n ascending node numbers, allocated in a. */
uint32_t *closure_of(const struct graph *g, uint32_t node, struct arena *a, uint32_t *n);

#endif
