/* The import graph: files and what each of them may load. Nodes are numbered in order of arrival.
 *
 * graph_add reads what it must (see source.c) through the index; graph_condense finds the cycles,
 * graph_closures what each component reaches. Everything lives in graph.arena. */
#ifndef FASTEST_GENERATOR_GRAPH_H
#define FASTEST_GENERATOR_GRAPH_H

#include "generator/files/dirs.h"
#include "generator/graph/cache.h"
#include "runtime/base/arena.h"
#include "runtime/base/map.h"

struct node {
    struct str path;         /* absolute */
    struct index_file *file; /* stat, hashes, facts */
    uint32_t *edges;         /* what it may load; unsorted, without duplicates */
    size_t n_edges, cap_edges;
    uint32_t component;
    bool python, resolved, planned;
};

struct component {
    uint32_t *members; /* nodes, ascending */
    uint32_t n_members;
    uint32_t *next;    /* components it points to, ascending; never itself */
    uint32_t n_next;
    uint64_t *reach;   /* bit set over nodes: its closure, itself included */
};

struct graph {
    struct node *nodes;
    size_t n, cap;
    struct map by_path;
    struct component *components; /* targets before sources */
    uint32_t n_components;
    size_t words;                 /* of one bit set */
    struct arena arena;
};

/* The node of path (a file), new when there is none. path must outlive the graph. */
uint32_t graph_node(struct graph *g, struct str path, bool *added);
void graph_edge(struct graph *g, uint32_t from, uint32_t to);
/* Tarjan's components, iteratively. */
void graph_condense(struct graph *g);
void graph_release(struct graph *g);

#endif
