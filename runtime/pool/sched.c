#include "runtime/pool/sched.h"

#include "runtime/base/arena.h"
#include "runtime/pool/range.h"
#include "runtime/pool/running.h"
#include "runtime/pool/steal.h"
#include "runtime/pool/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_DEPTH = 2,
    MAX_DEPTH = 512,
    CHUNK_NS = 100 * 1000 * 1000,  /* how much work to keep queued in a worker */
    PREFETCH_NS = 3 * 1000 * 1000, /* less than this is left: the next module, before it asks */
    QUICK_NS = 500 * 1000,
    QUICK_DEPTH = 16,
    SLOW_NS = 50 * 1000 * 1000,    /* a test this long may be the last that all wait for */
    FAILED = 1                     /* enum record_outcome */
};

/* ---- workers ---- */

/* Running.h: workers have slots of their own. */
static bool slot_is_taken(const struct sched *s, uint32_t id)
{
    for (const struct worker *w = s->workers; w; w = w->next)
        if (w->id % RUNNING_SLOTS == id % RUNNING_SLOTS)
            return true;
    return false;
}

struct worker *sched_new_worker(struct sched *s)
{
    struct worker *w = xmalloc(sizeof *w), **at = &s->workers;
    memset(w, 0, sizeof *w);
    do
        w->id = ++s->last_id;
    while (w->id == 0 || slot_is_taken(s, w->id));
    w->depth = FIRST_DEPTH;
    while (*at)
        at = &(*at)->next;
    *at = w;
    return w;
}

void worker_free(struct sched *s, struct worker *w)
{
    struct worker **at = &s->workers;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    for (size_t i = 0; i < s->n_holders; i++)
        if (s->holders[i] == w->id)
            s->holders[i] = 0;
    free(w->queue);
    free(w);
}

struct worker *sched_find(const struct sched *s, uint32_t id)
{
    for (struct worker *w = s->workers; w; w = w->next)
        if (w->id == id)
            return w;
    return NULL;
}

bool worker_is_live(const struct worker *w)
{
    return !w->old && (w->state == WORKER_STARTING || w->state == WORKER_READY);
}

uint32_t sched_live(const struct sched *s)
{
    uint32_t n = 0;
    for (const struct worker *w = s->workers; w; w = w->next)
        n += worker_is_live(w);
    return n;
}

bool worker_is_idle(const struct worker *w)
{
    return w->state == WORKER_READY && w->queued == 0 && !w->own.task;
}

bool sched_all_busy(const struct sched *s)
{
    bool any = false;
    for (const struct worker *w = s->workers; w; w = w->next) {
        if (!worker_is_live(w))
            continue;
        if (w->state == WORKER_STARTING || w->queued == 0)
            return false;
        any = true;
    }
    return any;
}

struct queued *sched_running(struct worker *w)
{
    return w->queued ? &w->queue[0] : NULL;
}

void sched_runs(struct worker *w, uint32_t number)
{
    for (size_t i = 1; i < w->queued; i++)
        if (w->queue[i].number == number) {
            struct queued q = w->queue[i];
            memmove(w->queue + 1, w->queue, i * sizeof q);
            w->queue[0] = q;
            return;
        }
}

static int64_t mean_ns(const struct worker *w)
{
    return w->timed ? w->busy_ns / w->timed : 0;
}

static bool has_others(const struct sched *s)
{
    return sched_live(s) > 1;
}

/* How long the tests of another module take says little about these. */
static void begin_range(const struct sched *s, struct worker *w)
{
    uint32_t quick = w->timed && mean_ns(w) < QUICK_NS ? QUICK_DEPTH : FIRST_DEPTH;
    w->depth = !s->pending && has_others(s) ? 1 : quick;
    w->busy_ns = 0;
    w->timed = 0;
    w->last = w->own.task;
}

/* Its time slice is over, and what is left is worth another process: at the end of a run the forks would be what all
 * wait for. */
static bool is_late(const struct sched *s, const struct worker *w)
{
    return s->slice_ns && s->now_ns - w->ready_ns >= s->slice_ns && (s->pending || steal_possible(s, s->slice_ns));
}

/* It gets no other module. */
static bool is_over(const struct sched *s, const struct worker *w)
{
    bool late = is_late(s, w);
    bool goes_on = s->pending && s->pending->task == w->last;
    if (s->per_test || s->per_module)
        return w->old || w->done || w->queued;
    return w->old || w->full || (!s->serves_on && !w->kept && !w->laned && !goes_on && w->done && (w->spent || late));
}

/* One that ends may still run its last item. */
static uint32_t count_busy(const struct sched *s)
{
    uint32_t busy = 0;
    for (const struct worker *w = s->workers; w; w = w->next)
        busy += worker_is_live(w) ? !worker_is_idle(w) : w->state == WORKER_ENDED && w->queued;
    return busy;
}

/* Finds the worker something to run; false when there is nothing, or when too many are at work. */
static bool take(struct sched *s, struct worker *w)
{
    if (w->own.task)
        return true;
    if (is_over(s, w) || (worker_is_idle(w) && count_busy(s) >= s->limit))
        return false;
    if (!range_take(s, w, &w->own) && !steal_range(s, w, STEAL_MIN_NS))
        return false;
    if (s->per_test && w->own.to - w->own.from > 1) {
        range_push(&s->pending, true, w->own.task, w->own.from + 1, w->own.to);
        w->own.to = w->own.from + 1;
    }
    begin_range(s, w);
    return true;
}

/* Its tests are long: what was sent behind one of them may be what all wait for in the end. */
static bool is_slow(const struct sched *s, const struct worker *w)
{
    return has_others(s) && mean_ns(w) >= SLOW_NS;
}

/* The worker runs the only item that it has without knowing the next, which others can have. */
static bool should_hold(const struct sched *s, const struct worker *w)
{
    const struct range *r = &w->own;
    return is_slow(s, w) && r->task->cuts[r->from] && !w->laned;
}

/* Another worker could begin with what is pending, now. */
static bool has_room(const struct sched *s)
{
    return !s->alone && count_busy(s) < s->limit;
}

/* It has one item left, and how long that takes is not known, or long: what is pending does not wait behind it. */
static bool leaves_pending(const struct sched *s, const struct worker *w)
{
    if (w->own.task || w->laned || s->alone || !s->pending)
        return false;
    const struct task *t = w->queued ? w->queue[w->queued - 1].task : NULL;
    bool known = t && t->cost_ms;
    int64_t mean = w->timed || !known ? mean_ns(w) : (int64_t)t->cost_ms * 1000000 / t->n;
    return has_room(s) || (s->limit > 1 && ((!w->timed && !known) || mean >= PREFETCH_NS));
}

/* ---- sending ---- */

static uint32_t wanted_depth(const struct worker *w)
{
    int64_t mean = mean_ns(w);
    int64_t n = mean > 0 ? CHUNK_NS / mean : w->timed ? MAX_DEPTH : FIRST_DEPTH;
    return n < FIRST_DEPTH ? FIRST_DEPTH : n > MAX_DEPTH ? MAX_DEPTH : (uint32_t)n;
}

/* Sends the next chunk of the worker's range. Near the end of the work, never more than half of
 * what is left, so that others can steal the rest. */
static void feed(struct sched *s, struct worker *w)
{
    uint32_t numbers[MAX_DEPTH];
    struct range *r = &w->own;
    uint32_t unsent = r->to - r->from;
    uint32_t n = w->depth > w->queued ? w->depth - (uint32_t)w->queued : 1;
    if (is_slow(s, w))
        n = 1;
    else if (!s->pending && !s->whole && n > (unsent + 1) / 2)
        n = (unsent + 1) / 2;
    if (n > unsent)
        n = unsent;
    assert(n >= 1 && n <= MAX_DEPTH);
    w->queue = xgrow(w->queue, &w->queue_cap, w->queued + n, sizeof *w->queue);
    if (w->queued == 0)
        w->last_ns = s->now_ns;
    for (uint32_t i = 0; i < n; i++) {
        numbers[i] = r->task->first + r->from;
        w->queue[w->queued++] = (struct queued){r->task, r->from, numbers[i]};
        r->from++;
    }
    if (r->from == r->to)
        r->task = NULL;
    w->held = false;
    uint32_t most = wanted_depth(w);
    w->depth = w->depth * 2 < most ? w->depth * 2 : most;
    s->ops->run(s->ctx, w, numbers, n);
}

static bool nothing_more(const struct sched *s, const struct worker *w)
{
    return s->all_asked && !range_for(s, w) && !steal_possible(s, STEAL_MIN_NS) && !steal_unknown(s);
}

static void end_worker(struct sched *s, struct worker *w)
{
    w->state = WORKER_ENDED;
    s->ops->end(s->ctx, w);
}

void sched_need(struct sched *s, struct worker *w)
{
    if (w->state != WORKER_READY || w->queued > 1)
        return; /* a RUN or END has crossed it: that is the answer */
    if (leaves_pending(s, w) && !is_over(s, w)) {
        w->held = true;
        s->ops->hold(s->ctx, w);
        return;
    }
    bool more = take(s, w);
    if (more && !should_hold(s, w)) {
        feed(s, w);
    } else if (!more && (is_over(s, w) || nothing_more(s, w))) {
        end_worker(s, w);
    } else {
        if (more && w->own.from > 0)
            w->own.task->split = true; /* hooks see another next item than pytest's */
        w->held = true;
        s->ops->hold(s->ctx, w);
    }
}

void sched_idle(struct sched *s, struct worker *w)
{
    if (w->state != WORKER_READY || w->queued > 0)
        return;
    if (take(s, w))
        feed(s, w);
    else if (is_over(s, w) || nothing_more(s, w))
        end_worker(s, w);
    else
        w->last_ns = s->now_ns;
}

void sched_ready(struct sched *s, struct worker *w)
{
    w->state = WORKER_READY;
    w->ready_ns = w->last_ns = s->now_ns;
    w->held = true;
    sched_idle(s, w);
}

/* ---- tasks ---- */

/* Takes the task out of everything; results that still come for it are ignored. */
static void forget_task(struct sched *s, struct task *t)
{
    struct task **at = &s->tasks;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    range_drop(&s->pending, t);
    for (struct worker *w = s->workers; w; w = w->next) {
        if (w->own.task == t)
            w->own.task = NULL;
        for (size_t i = 0; i < w->queued; i++)
            if (w->queue[i].task == t)
                w->queue[i].task = NULL;
    }
}

static void free_task(struct task *t)
{
    free(t->outcomes);
    free(t->lanes);
    free(t->tries);
    free(t->until_us);
    free(t);
}

static void end_task(struct sched *s, struct task *t)
{
    forget_task(s, t);
    s->ops->task_done(s->ctx, t);
    free_task(t);
}

void sched_begin(struct sched *s, struct task *t)
{
    if (t->left == 0)
        end_task(s, t);
}

static void task_result(struct sched *s, struct task *t, uint32_t item, uint8_t outcome,
                        struct str json)
{
    if (t->outcomes[item] != NO_OUTCOME)
        return;
    t->outcomes[item] = outcome;
    t->left--;
    s->ops->result(s->ctx, t, item, outcome, json);
}

static void measure(struct sched *s, struct worker *w)
{
    w->busy_ns += s->now_ns - w->last_ns;
    w->last_ns = s->now_ns;
    w->limit_ns = 0;
    if (++w->timed >= 32) { /* what was long ago counts less */
        w->busy_ns /= 2;
        w->timed /= 2;
    }
}

bool sched_result(struct sched *s, struct worker *w, uint32_t number, uint8_t outcome,
                  struct str json)
{
    size_t i = 0;
    while (i < w->queued && w->queue[i].number != number)
        i++;
    if (i == w->queued)
        return false;
    struct queued q = w->queue[i];
    memmove(w->queue + i, w->queue + i + 1, (w->queued - i - 1) * sizeof q);
    w->queued--;
    w->done++;
    measure(s, w);
    if (q.task) {
        q.task->lost = 0;
        task_result(s, q.task, q.item, outcome, json);
        sched_begin(s, q.task);
    }
    if (w->state != WORKER_READY)
        return true;
    if (w->own.task && w->queued <= w->depth / 2 && !(w->queued && is_slow(s, w))) {
        feed(s, w);
    } else if (!w->own.task && !is_over(s, w) && w->queued && s->pending && !has_room(s) &&
               (int64_t)w->queued * mean_ns(w) < PREFETCH_NS && range_take(s, w, &w->own)) {
        begin_range(s, w);
        feed(s, w);
    }
    return true;
}

bool sched_attempt(struct sched *s, struct worker *w, uint32_t number, struct str json)
{
    sched_runs(w, number);
    if (!w->queued || w->queue[0].number != number)
        return false;
    w->last_ns = w->seen_ns = s->now_ns;
    w->limit_ns = 0;
    if (w->queue[0].task)
        s->ops->attempt(s->ctx, w->queue[0].task, w->queue[0].item, json);
    return true;
}

/* ---- losing ---- */

/* Whether another lane begins with the item. */
static bool at_lane(const struct task *t, uint32_t item)
{
    return t->lanes && t->lanes[item] != t->lanes[item - 1];
}

/* An item that has taken its worker down is tried again. */
static bool put_back(struct sched *s, struct queued q, struct str json)
{
    struct task *t = q.task;
    if (!t || !s->retries || t->outcomes[q.item] != NO_OUTCOME)
        return false;
    if (!t->tries) {
        t->tries = xmalloc(t->n);
        memset(t->tries, 0, t->n);
    }
    if (t->tries[q.item] >= s->retries || t->tries[q.item] == UINT8_MAX)
        return false;
    t->tries[q.item]++;
    s->ops->attempt(s->ctx, t, q.item, json);
    return true;
}

/* Puts what the worker had not run back in front, in order, merged into ranges. */
static void requeue(struct sched *s, struct worker *w)
{
    if (w->own.task)
        range_push(&s->pending, true, w->own.task, w->own.from, w->own.to);
    for (size_t i = w->queued; i-- > 0;) {
        struct queued *q = &w->queue[i];
        struct range *head = s->pending;
        if (!q->task || q->task->outcomes[q->item] != NO_OUTCOME)
            continue;
        if (head && head->task == q->task && head->from == q->item + 1 && !at_lane(q->task, head->from))
            head->from = q->item;
        else
            range_push(&s->pending, true, q->task, q->item, q->item + 1);
    }
    w->own.task = NULL;
    w->queued = 0;
}

void sched_remove(struct sched *s, struct worker *w, struct str json)
{
    struct queued q = {0};
    if (json.n && w->queued && !put_back(s, w->queue[0], json)) {
        q = w->queue[0];
        memmove(w->queue, w->queue + 1, --w->queued * sizeof q);
    }
    requeue(s, w);
    worker_free(s, w);
    if (!q.task)
        return;
    task_result(s, q.task, q.item, FAILED, json);
    sched_begin(s, q.task);
}

void sched_drop(struct sched *s, const void *owner)
{
    for (struct task *t = s->tasks, *next; t; t = next) {
        next = t->next;
        if (t->owner != owner)
            continue;
        forget_task(s, t);
        free_task(t);
    }
}

void sched_stop(struct sched *s)
{
    while (s->tasks) {
        s->tasks->partial = true;
        end_task(s, s->tasks);
    }
    for (struct worker *w = s->workers; w; w = w->next)
        if (w->state == WORKER_READY)
            end_worker(s, w); /* one that has halted at the failure waits for it */
}

void sched_fail(struct sched *s, struct task *t, struct str json)
{
    for (uint32_t i = 0; i < t->n; i++)
        task_result(s, t, i, FAILED, json);
    end_task(s, t);
}

void sched_doom(struct sched *s, struct worker *w, uint32_t limit_ms)
{
    if (w->own.task)
        range_push(&s->pending, true, w->own.task, w->own.from, w->own.to);
    w->own.task = NULL;
    w->old = true;
    w->doom_ms = limit_ms;
}

void sched_recycle(struct sched *s, struct worker *w)
{
    struct range *r = &w->own;
    w->full = true;
    if (!r->task || !r->task->cuts[r->from])
        return;
    r->task->split = true;
    range_push(&s->pending, true, r->task, r->from, r->to);
    r->task = NULL;
}

void sched_fail_rest(struct sched *s, struct task *t, struct str json)
{
    range_drop(&s->pending, t);
    for (struct worker *w = s->workers; w; w = w->next)
        if (w->own.task == t)
            w->own.task = NULL;
    for (uint32_t i = 0; i < t->n; i++) {
        bool runs = false;
        for (struct worker *w = s->workers; w && !runs; w = w->next)
            runs = w->queued && w->queue[0].task == t && w->queue[0].item == i;
        if (!runs)
            task_result(s, t, i, FAILED, json);
    }
    if (t->left == 0)
        end_task(s, t);
}

void sched_retire(struct sched *s)
{
    for (struct worker *w = s->workers; w; w = w->next) {
        if (w->own.task)
            range_push(&s->pending, true, w->own.task, w->own.from, w->own.to);
        w->own.task = NULL;
        w->old = true;
    }
}

void sched_release(struct sched *s)
{
    while (s->tasks)
        sched_drop(s, s->tasks->owner);
    while (s->workers)
        worker_free(s, s->workers);
    free(s->holders);
    s->holders = NULL;
    s->n_holders = 0;
}
