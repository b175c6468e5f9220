#include "runtime/cli/import_graph.h"

#include "generator/graph/graph.h"

#include <stdlib.h>
#include <string.h>

struct place { /* a node of the graph */
    struct str path;
    uint32_t node;
};

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct place *)a)->path, ((const struct place *)b)->path);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Nodes below rootdir in order; at[node] is its place, UINT32_MAX for others. */
static struct place *list_places(const struct look *l, struct arena *a, uint32_t *n, uint32_t *at)
{
    const struct graph *g = l->graph;
    struct place *places = arena_array(a, g->n + 1, sizeof *places);
    struct buf rel = {0};
    *n = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        at[i] = UINT32_MAX;
        if (!path_under(g->nodes[i].path, l->plan->root))
            continue;
        buf_clear(&rel);
        path_relative(&rel, g->nodes[i].path, l->plan->root);
        places[(*n)++] = (struct place){{arena_dup(a, rel.p, rel.n), rel.n}, i};
    }
    qsort(places, *n, sizeof *places, by_path);
    for (uint32_t i = 0; i < *n; i++)
        at[places[i].node] = i;
    buf_release(&rel);
    return places;
}

void import_graph_make(struct view_graph *g, const struct look *l, struct arena *a)
{
    uint32_t *at = arena_array(a, l->graph->n + 1, sizeof *at);
    const struct place *places = list_places(l, a, &g->n, at);
    g->files = arena_array(a, (size_t)g->n + 1, sizeof *g->files);
    for (uint32_t i = 0; i < g->n; i++) {
        const struct node *node = &l->graph->nodes[places[i].node];
        struct view_graph_file *f = &g->files[i];
        f->path = places[i].path;
        f->imports = arena_array(a, node->n_edges + 1, sizeof *f->imports);
        for (size_t k = 0; k < node->n_edges; k++)
            if (at[node->edges[k]] != UINT32_MAX && at[node->edges[k]] != i)
                f->imports[f->n_imports++] = at[node->edges[k]];
        qsort(f->imports, f->n_imports, sizeof *f->imports, by_number);
    }
}

/* "pkg.mod" is pkg/mod.py or pkg/mod/__init__.py, below any folder. */
static bool is_module(struct str path, struct str name)
{
    static const char *const ends[] = {"/__init__.py", ".py"};
    for (size_t i = 0; i < 2; i++) {
        struct str end = str_z(ends[i]);
        if (!str_ends(path, end))
            continue;
        struct str stem = str_slice(path, 0, path.n - end.n);
        if (stem.n < name.n || (stem.n > name.n && stem.p[stem.n - name.n - 1] != '/'))
            continue;
        stem = str_slice(stem, stem.n - name.n, stem.n);
        bool same = true;
        for (size_t k = 0; same && k < name.n; k++)
            same = stem.p[k] == (name.p[k] == '.' ? '/' : name.p[k]);
        if (same)
            return true;
    }
    return false;
}

uint32_t import_graph_find(const struct view_graph *g, struct str name)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (str_eq(g->files[i].path, name))
            return i;
    for (uint32_t i = 0; i < g->n; i++)
        if (is_module(g->files[i].path, name))
            return i;
    return UINT32_MAX;
}

static bool imports(const struct view_graph *g, uint32_t from, uint32_t to)
{
    const struct view_graph_file *f = &g->files[from];
    return bsearch(&to, f->imports, f->n_imports, sizeof to, by_number) != NULL;
}

void import_graph_reach(const struct view_graph *g, uint32_t start, uint32_t steps, bool against, bool *keep)
{
    uint32_t *queue = xmalloc(((size_t)g->n + 1) * sizeof *queue);
    bool *seen = xmalloc((size_t)g->n + 1);
    uint32_t n = 1, done = 0;
    memset(seen, 0, (size_t)g->n + 1);
    queue[0] = start;
    seen[start] = keep[start] = true;
    for (uint32_t step = 0; done < n && (steps == 0 || step < steps); step++)
        for (uint32_t end = n; done < end; done++)
            for (uint32_t k = 0; k < g->n; k++) {
                if (seen[k] || !(against ? imports(g, k, queue[done]) : imports(g, queue[done], k)))
                    continue;
                seen[k] = keep[k] = true;
                queue[n++] = k;
            }
    free(queue);
    free(seen);
}
