#include "generator/graph/graph.h"

#include <stdlib.h>
#include <string.h>

uint32_t graph_node(struct graph *g, struct str path, bool *added)
{
    bool is_new;
    uintptr_t *slot = map_put(&g->by_path, path, &is_new);
    if (is_new) {
        g->nodes = xgrow(g->nodes, &g->cap, g->n + 1, sizeof *g->nodes);
        g->nodes[g->n] = (struct node){.path = path, .component = UINT32_MAX};
        g->nodes[g->n].python = str_ends(path, STR(".py"));
        *slot = g->n++;
    }
    if (added)
        *added = is_new;
    return (uint32_t)*slot;
}

void graph_edge(struct graph *g, uint32_t from, uint32_t to)
{
    struct node *n = &g->nodes[from];
    if (from == to)
        return;
    n->edges = xgrow(n->edges, &n->cap_edges, n->n_edges + 1, sizeof *n->edges);
    n->edges[n->n_edges++] = to;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static size_t sort_unique(uint32_t *items, size_t n)
{
    size_t kept = 0;
    if (n > 1)
        qsort(items, n, sizeof *items, compare_u32);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || items[kept - 1] != items[i])
            items[kept++] = items[i];
    return kept;
}

struct tarjan {
    struct graph *g;
    uint32_t *order, *low, *stack, *frames;
    size_t *next_edge;
    uint32_t counter, n_stack, n_frames;
    bool *on_stack;
};

static void tarjan_enter(struct tarjan *t, uint32_t v)
{
    t->order[v] = t->low[v] = ++t->counter;
    t->next_edge[v] = 0;
    t->stack[t->n_stack++] = v;
    t->on_stack[v] = true;
    t->frames[t->n_frames++] = v;
}

static void tarjan_pop(struct tarjan *t, uint32_t root)
{
    struct graph *g = t->g;
    struct component *c = &g->components[g->n_components];
    uint32_t first = t->n_stack;
    do {
        first--;
    } while (t->stack[first] != root);
    c->n_members = t->n_stack - first;
    c->members = arena_array(&g->arena, c->n_members, sizeof *c->members);
    memcpy(c->members, t->stack + first, c->n_members * sizeof *c->members);
    sort_unique(c->members, c->n_members);
    for (uint32_t i = 0; i < c->n_members; i++) {
        g->nodes[c->members[i]].component = g->n_components;
        t->on_stack[c->members[i]] = false;
    }
    t->n_stack = first;
    g->n_components++;
}

static void tarjan_step(struct tarjan *t)
{
    uint32_t v = t->frames[t->n_frames - 1];
    const struct node *n = &t->g->nodes[v];
    if (t->next_edge[v] < n->n_edges) {
        uint32_t w = n->edges[t->next_edge[v]++];
        if (!t->order[w])
            tarjan_enter(t, w);
        else if (t->on_stack[w] && t->order[w] < t->low[v])
            t->low[v] = t->order[w];
        return;
    }
    if (t->low[v] == t->order[v])
        tarjan_pop(t, v);
    t->n_frames--;
    if (t->n_frames) {
        uint32_t up = t->frames[t->n_frames - 1];
        if (t->low[v] < t->low[up])
            t->low[up] = t->low[v];
    }
}

static void link_components(struct graph *g)
{
    uint32_t *buf = NULL;
    size_t cap = 0;
    for (uint32_t i = 0; i < g->n_components; i++) {
        struct component *c = &g->components[i];
        size_t n = 0;
        for (uint32_t k = 0; k < c->n_members; k++) {
            const struct node *node = &g->nodes[c->members[k]];
            buf = xgrow(buf, &cap, n + node->n_edges + 1, sizeof *buf);
            for (size_t e = 0; e < node->n_edges; e++)
                if (g->nodes[node->edges[e]].component != i)
                    buf[n++] = g->nodes[node->edges[e]].component;
        }
        c->n_next = (uint32_t)(n ? sort_unique(buf, n) : 0);
        c->next = arena_array(&g->arena, c->n_next, sizeof *c->next);
        if (c->n_next)
            memcpy(c->next, buf, c->n_next * sizeof *c->next);
    }
    free(buf);
}

void graph_condense(struct graph *g)
{
    struct arena a = {0};
    struct tarjan t = {.g = g};
    for (size_t i = 0; i < g->n; i++)
        g->nodes[i].n_edges = sort_unique(g->nodes[i].edges, g->nodes[i].n_edges);
    t.order = arena_array(&a, g->n + 1, sizeof *t.order);
    t.low = arena_array(&a, g->n + 1, sizeof *t.low);
    t.stack = arena_array(&a, g->n + 1, sizeof *t.stack);
    t.frames = arena_array(&a, g->n + 1, sizeof *t.frames);
    t.next_edge = arena_array(&a, g->n + 1, sizeof *t.next_edge);
    t.on_stack = arena_array(&a, g->n + 1, sizeof *t.on_stack);
    g->components = arena_array(&g->arena, g->n + 1, sizeof *g->components);
    for (uint32_t v = 0; v < g->n; v++) {
        if (!t.order[v])
            tarjan_enter(&t, v);
        while (t.n_frames)
            tarjan_step(&t);
    }
    link_components(g);
    arena_release(&a);
}

void graph_release(struct graph *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->nodes[i].edges);
    free(g->nodes);
    map_release(&g->by_path);
    arena_release(&g->arena);
    memset(g, 0, sizeof *g);
}
