/* New tasks: what of a module is to run, and on which lanes. */
#include "runtime/pool/range.h"

#include "runtime/base/arena.h"

#include <string.h>

static struct task *new_task(struct sched *s, void *owner, uint32_t module, uint32_t first, uint32_t n,
                             const uint8_t *cuts)
{
    struct task *t = xmalloc(sizeof *t), **at = &s->tasks;
    memset(t, 0, sizeof *t);
    t->owner = owner;
    t->module = module;
    t->first = first;
    t->n = n;
    t->cuts = cuts;
    t->outcomes = xmalloc(n ? n : 1);
    memset(t->outcomes, LEFT_OUT, n);
    while (*at)
        at = &(*at)->next;
    *at = t;
    return t;
}

/* To be run: items [from, to). */
static void want(struct sched *s, struct task *t, uint32_t from, uint32_t to)
{
    memset(t->outcomes + from, NO_OUTCOME, to - from);
    t->left += to - from;
    range_add(&s->pending, t, from, to);
}

/* Items that are not cut from each other get one lane. */
static uint32_t *closed_lanes(const uint32_t *lanes, const uint8_t *cuts, uint32_t n)
{
    uint32_t *out = xmalloc(((size_t)n + 1) * sizeof *out);
    for (uint32_t i = 0, end; i < n; i = end) {
        uint32_t lane = LANE_ANY;
        for (end = i; end < n && (end == i || !cuts[end]); end++)
            if (lane == LANE_ANY || lanes[end] == LANE_ALONE)
                lane = lanes[end];
        for (uint32_t k = i; k < end; k++)
            out[k] = lane;
    }
    return out;
}

struct task *sched_add(struct sched *s, void *owner, uint32_t module, uint32_t first, uint32_t n,
                       const uint8_t *cuts, const uint32_t *lanes, uint32_t cost_ms)
{
    struct task *t = new_task(s, owner, module, first, n, cuts);
    t->cost_ms = cost_ms;
    if (lanes)
        t->lanes = closed_lanes(lanes, cuts, n);
    for (uint32_t i = 0, end; i < n; i = end) {
        end = lanes ? i + 1 : n;
        while (end < n && t->lanes[end] == t->lanes[i])
            end++;
        if (lanes && t->lanes[i] == LANE_ALONE)
            t->deferred = true;
        else
            want(s, t, i, end);
        t->split = t->split || end < n;
    }
    return t;
}

struct task *sched_add_some(struct sched *s, void *owner, uint32_t module, uint32_t first, uint32_t n,
                            const uint8_t *cuts, const uint32_t *items, uint32_t n_items)
{
    struct task *t = new_task(s, owner, module, first, n, cuts);
    for (uint32_t i = 0, end; i < n_items; i = end) {
        for (end = i + 1; end < n_items && items[end] == items[end - 1] + 1;)
            end++;
        want(s, t, items[i], items[i] + (end - i));
    }
    return t;
}
