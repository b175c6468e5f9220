#include "generator/graph/why.h"

#include "generator/source/blocks.h"

#include <stdlib.h>

struct str why_file(struct str why)
{
    static const char *const verbs[] = {"changed ", "input "};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        struct str verb = str_z(verbs[i]);
        if (!str_starts(why, verb))
            continue;
        struct str path = str_slice(why, verb.n, why.n);
        for (size_t k = 0; k + 1 < path.n; k++)
            if (path.p[k] == ' ' && path.p[k + 1] == '(')
                path.n = k;
        return str_ends(path, STR(" changed")) ? str_slice(path, 0, path.n - 8) : path;
    }
    return STR("");
}

uint32_t *why_chain(const struct graph *g, uint32_t from, uint32_t to, struct arena *a, uint32_t *n)
{
    uint32_t *before = xmalloc((g->n + 1) * sizeof *before), *queue = xmalloc((g->n + 1) * sizeof *queue);
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < g->n; i++)
        before[i] = UINT32_MAX;
    before[from] = from;
    queue[tail++] = from;
    while (head < tail && before[to] == UINT32_MAX) {
        const struct node *at = &g->nodes[queue[head]];
        for (size_t i = 0; i < at->n_edges; i++)
            if (before[at->edges[i]] == UINT32_MAX) {
                before[at->edges[i]] = queue[head];
                queue[tail++] = at->edges[i];
            }
        head++;
    }
    *n = 0;
    for (uint32_t i = to; before[to] != UINT32_MAX; i = before[i]) {
        ++*n;
        if (i == from)
            break;
    }
    uint32_t *chain = arena_array(a, *n, sizeof *chain);
    for (uint32_t i = to, k = *n; k > 0; i = before[i])
        chain[--k] = i;
    free(before);
    free(queue);
    return chain;
}

const char *why_verb(struct str path)
{
    struct str base = path_base(path);
    return str_eq(base, STR("conftest.py")) ? "is below" : str_eq(base, STR("__init__.py")) ? "loads" : "imports";
}

void why_executed(struct buf *out, const struct record_executed *e, const struct index_file *now)
{
    struct blocks b;
    struct str choice = e->choice;
    uint64_t name;
    size_t n = 0;
    if (hash128_is_zero(e->hash) || !blocks_open(&b, now->blocks))
        return;
    while (blocks_chosen(&choice, &name)) {
        struct str qualified = blocks_name(&b, name);
        if (!qualified.n)
            continue;
        if (n++)
            buf_z(out, ", ");
        buf_str(out, qualified);
    }
}
