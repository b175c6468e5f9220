/* Content keys (DESIGN section 3): the environment's, and each module's. */
#ifndef FASTEST_GENERATOR_KEY_H
#define FASTEST_GENERATOR_KEY_H

#include "generator/config/probe.h"
#include "generator/graph/graph.h"
#include "generator/graph/source.h"

/* Interpreter, distributions, configuration, declared variables and data; not what is selected. */
struct hash128 key_environment(const struct probe *p, struct sources *s,
                               bool keep_lines, bool keep_docs);
/* One hash a node, over its path (relative to root where it is below it) and semantic hash. */
struct hash128 *key_nodes(const struct graph *g, struct str root, struct arena *a);
/* The same without what Python sources say: that is told by what has run of them. */
struct hash128 *key_names(const struct graph *g, struct str root, struct arena *a);
struct hash128 key_module(struct hash128 environment, struct str selection, struct str rel,
                          const struct hash128 *nodes, const uint32_t *files, uint32_t n);

#endif
