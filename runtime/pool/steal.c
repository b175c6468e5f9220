#include "runtime/pool/steal.h"

#include "runtime/base/arena.h"

#include <stdlib.h>

enum { KNOW_MS = 50 };

struct group_end {
    uint32_t group, last;
};

static int by_group(const void *a, const void *b)
{
    const struct group_end *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->last < y->last ? -1 : x->last > y->last;
}

/* last[i]: the last item with the group of item i. */
static void last_of_group(const uint32_t *groups, uint32_t n, uint32_t *last)
{
    struct group_end *ends = xmalloc(((size_t)n + 1) * sizeof *ends);
    for (uint32_t i = 0; i < n; i++)
        ends[i] = (struct group_end){groups[i], i};
    qsort(ends, n, sizeof *ends, by_group);
    for (uint32_t i = n, end = 0; i-- > 0;) {
        if (i + 1 == n || ends[i].group != ends[i + 1].group)
            end = ends[i].last;
        last[ends[i].last] = end;
    }
    free(ends);
}

void sched_cuts(const uint32_t *groups, uint32_t n, uint8_t *out)
{
    uint32_t *last = xmalloc(((size_t)n + 1) * sizeof *last);
    last_of_group(groups, n, last);
    uint32_t reach = 0;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = i == 0 || reach < i;
        if (last[i] > reach)
            reach = last[i];
    }
    free(last);
}

/* What the items before each took last time, of a task for which it is worth knowing. */
static const uint64_t *until_of(const struct sched *s, struct task *t)
{
    if (!t->until_asked && t->cost_ms >= KNOW_MS && s->ops->until)
        t->until_us = s->ops->until(s->ctx, t);
    t->until_asked = true;
    return t->until_us;
}

/* Where about half of the time of the unsent items [from, to) is over, or of their number. */
static uint32_t middle_of(const struct sched *s, const struct range *r)
{
    const uint64_t *until = until_of(s, r->task);
    uint32_t i = r->from;
    if (!until || until[r->to] == until[r->from])
        return r->from + (r->to - r->from) / 2;
    while (i + 1 < r->to && 2 * (until[i] - until[r->from]) < until[r->to] - until[r->from])
        i++;
    return i;
}

/* Where to cut the unsent items: near the middle; `to` when it cannot be done. */
static uint32_t cut_of(const struct sched *s, const struct range *r)
{
    const uint8_t *cuts = r->task->cuts;
    uint32_t middle = middle_of(s, r);
    for (uint32_t i = middle; i < r->to; i++)
        if (cuts[i])
            return i;
    for (uint32_t i = middle; i-- > r->from;)
        if (cuts[i])
            return i;
    return r->to;
}

/* How long the unsent items take, as far as it is known. */
static int64_t worth_ns(const struct sched *s, const struct worker *v)
{
    const uint64_t *until = until_of(s, v->own.task);
    int64_t mean = v->timed ? v->busy_ns / v->timed : 0, running = s->now_ns - v->last_ns;
    if (until)
        return (int64_t)(until[v->own.to] - until[v->own.from]) * 1000;
    if (running > mean)
        mean = running;
    return mean * (int64_t)(v->own.to - v->own.from);
}

static bool in_lane(const struct range *r)
{
    return r->task->lanes && r->task->lanes[r->from] != LANE_ANY;
}

static bool stealing(const struct sched *s)
{
    return !s->whole && !s->alone && !s->per_test && !s->per_module;
}

static bool can_lose(const struct worker *v)
{
    return !v->old && v->own.task && v->state == WORKER_READY && !in_lane(&v->own);
}

bool steal_unknown(const struct sched *s)
{
    for (const struct worker *v = s->workers; v && stealing(s); v = v->next)
        if (can_lose(v) && !v->timed && !v->own.task->until_us && cut_of(s, &v->own) != v->own.to)
            return true;
    return false;
}

static struct worker *victim(const struct sched *s, const struct worker *thief, int64_t min_ns,
                             uint32_t *cut)
{
    struct worker *best = NULL;
    int64_t best_ns = min_ns;
    if (!stealing(s))
        return NULL;
    for (struct worker *v = s->workers; v; v = v->next) {
        if (v == thief || !can_lose(v))
            continue;
        int64_t ns = worth_ns(s, v);
        uint32_t at = ns >= best_ns ? cut_of(s, &v->own) : v->own.to;
        if (at == v->own.to)
            continue;
        best = v;
        best_ns = ns;
        *cut = at;
    }
    return best;
}

bool steal_possible(const struct sched *s, int64_t min_ns)
{
    uint32_t cut;
    return victim(s, NULL, min_ns, &cut) != NULL;
}

bool steal_range(struct sched *s, struct worker *w, int64_t min_ns)
{
    uint32_t cut = 0;
    struct worker *v = victim(s, w, min_ns, &cut);
    if (!v)
        return false;
    w->own = (struct range){.task = v->own.task, .from = cut, .to = v->own.to};
    v->own.to = cut;
    if (cut > 0)
        w->own.task->split = true;
    if (v->own.from == v->own.to)
        v->own.task = NULL;
    return true;
}
