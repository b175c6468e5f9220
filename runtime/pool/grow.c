/* More workers when there is work for them. */
#include "runtime/pool/range.h"
#include "runtime/pool/steal.h"
#include "runtime/pool/worker.h"

bool sched_has_work(const struct sched *s)
{
    return range_count(s) || steal_possible(s, STEAL_FORK_NS);
}

static bool fork_one(struct sched *s)
{
    struct worker *w = sched_new_worker(s);
    bool has_range = s->per_module && range_take(s, w, &w->own);
    if (s->ops->fork(s->ctx, w))
        return true;
    if (has_range)
        range_push(&s->pending, true, w->own.task, w->own.from, w->own.to);
    worker_free(s, w);
    return false;
}

void sched_prefork(struct sched *s)
{
    if (sched_live(s) == 0 && !s->per_module)
        fork_one(s);
}

static void fork_more(struct sched *s)
{
    uint32_t free = 0, live = 0; /* free: for what is pending, now or when one that ends has ended */
    for (struct worker *w = s->workers; w; w = w->next) {
        live += worker_is_live(w);
        free += worker_is_live(w) && (w->state == WORKER_STARTING ? !s->per_module : worker_is_idle(w));
    }
    uint32_t wanted = range_count(s);
    if (!wanted && !free && steal_possible(s, STEAL_FORK_NS))
        wanted = 1;
    for (; live < s->limit && free < wanted; free++, live++)
        if (!fork_one(s))
            return;
}

void sched_balance(struct sched *s)
{
    for (struct worker *w = s->workers; w; w = w->next)
        if (worker_is_idle(w))
            sched_idle(s, w);
    if (!s->alone)
        fork_more(s);
    else if (s->pending && !s->workers)
        fork_one(s);
}
