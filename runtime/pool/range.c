#include "runtime/pool/range.h"

#include "runtime/base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_MS = 100 };

void range_push(struct range **list, bool front, struct task *t, uint32_t from, uint32_t to)
{
    struct range *r = xmalloc(sizeof *r);
    *r = (struct range){.task = t, .from = from, .to = to};
    while (!front && *list)
        list = &(*list)->next;
    r->next = *list;
    *list = r;
}

void range_add(struct range **list, struct task *t, uint32_t from, uint32_t to)
{
    while (t->cost_ms >= LONG_MS && *list && (*list)->task->cost_ms >= t->cost_ms)
        list = &(*list)->next;
    range_push(list, t->cost_ms >= LONG_MS, t, from, to);
}

static uint32_t lane_of(const struct range *r)
{
    return r->task->lanes ? r->task->lanes[r->from] : LANE_ANY;
}

static uint32_t holder_of(const struct sched *s, uint32_t lane)
{
    return lane >= LANE_FIRST && lane < s->n_holders ? s->holders[lane] : 0;
}

const struct range *range_for(const struct sched *s, const struct worker *w)
{
    const struct range *first = NULL;
    for (const struct range *r = s->pending; r; r = r->next) {
        uint32_t holder = holder_of(s, lane_of(r));
        if (holder == w->id)
            return r;
        if (!first && holder == 0)
            first = r;
        if (first && !w->laned)
            break;
    }
    return first;
}

static void hold_lane(struct sched *s, struct worker *w, uint32_t lane)
{
    if (lane < LANE_FIRST)
        return;
    if (lane >= s->n_holders) {
        size_t cap = s->n_holders, n = (size_t)lane + 1;
        s->holders = xgrow(s->holders, &cap, n, sizeof *s->holders);
        memset(s->holders + s->n_holders, 0, (n - s->n_holders) * sizeof *s->holders);
        s->n_holders = n;
    }
    s->holders[lane] = w->id;
    w->laned = true;
}

bool range_take(struct sched *s, struct worker *w, struct range *out)
{
    const struct range *chosen = range_for(s, w);
    struct range **at = &s->pending;
    if (!chosen)
        return false;
    while (*at != chosen)
        at = &(*at)->next;
    struct range *r = *at;
    hold_lane(s, w, lane_of(r));
    *out = *r;
    *at = r->next;
    free(r);
    return true;
}

void range_drop(struct range **list, const struct task *t)
{
    while (*list) {
        struct range *r = *list;
        if (r->task == t) {
            *list = r->next;
            free(r);
        } else {
            list = &r->next;
        }
    }
}

/* A lane counts once, and not when somebody is at it. */
uint32_t range_count(const struct sched *s)
{
    uint32_t n = 0;
    for (const struct range *r = s->pending; r; r = r->next) {
        uint32_t lane = lane_of(r);
        bool counts = holder_of(s, lane) == 0;
        for (const struct range *q = s->pending; counts && lane >= LANE_FIRST && q != r; q = q->next)
            counts = lane_of(q) != lane;
        n += counts;
    }
    return n;
}
