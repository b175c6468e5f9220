#include "generator/graph/closure.h"

static void join(uint64_t *into, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        into[i] |= from[i];
}

/* Components come with targets first, so that what they reach is ready. */
void closure_compute(struct graph *g)
{
    g->words = g->n / 64 + 1;
    for (uint32_t i = 0; i < g->n_components; i++) {
        struct component *c = &g->components[i];
        c->reach = arena_array(&g->arena, g->words, sizeof *c->reach);
        for (uint32_t k = 0; k < c->n_members; k++)
            c->reach[c->members[k] / 64] |= UINT64_C(1) << (c->members[k] % 64);
        for (uint32_t k = 0; k < c->n_next; k++)
            join(c->reach, g->components[c->next[k]].reach, g->words);
    }
}

uint32_t *closure_of(const struct graph *g, uint32_t node, struct arena *a, uint32_t *n)
{
    const uint64_t *set = g->components[g->nodes[node].component].reach;
    size_t count = 0;
    for (size_t w = 0; w < g->words; w++)
        count += (size_t)__builtin_popcountll(set[w]);
    uint32_t *out = arena_array(a, count, sizeof *out);
    *n = 0;
    for (size_t w = 0; w < g->words; w++)
        for (uint64_t bits = set[w]; bits; bits &= bits - 1)
            out[(*n)++] = (uint32_t)(w * 64 + (size_t)__builtin_ctzll(bits));
    return out;
}
