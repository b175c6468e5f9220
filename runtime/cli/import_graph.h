/* The import graph of the project's own files, as the reports take it. */
#ifndef FASTEST_CLI_IMPORT_GRAPH_H
#define FASTEST_CLI_IMPORT_GRAPH_H

#include "generator/generate.h"
#include "runtime/base/arena.h"
#include "runtime/report/view.h"

/* Files below rootdir; everything lives in a. */
void import_graph_make(struct view_graph *g, const struct look *l, struct arena *a);
/* The index of a path relative to rootdir, or of a dotted module name; UINT32_MAX when there is none. */
uint32_t import_graph_find(const struct view_graph *g, struct str name);
/* Sets in keep (n flags) what can be reached from start in so many steps (0 = any number), along
 * imports or against them. */
void import_graph_reach(const struct view_graph *g, uint32_t start, uint32_t steps, bool against, bool *keep);

#endif
