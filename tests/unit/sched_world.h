/* A world for the scheduler: workers that run what they are sent, one item a step, with a virtual clock, and crash
 * where the test says. */
#ifndef FASTEST_TESTS_SCHED_WORLD_H
#define FASTEST_TESTS_SCHED_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/pool/sched.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
enum { MAX_ITEMS = 4096, MAX_TASKS = 64 };

struct world {
    struct sched s;
    int outcome[MAX_TASKS][MAX_ITEMS]; /* last result of an item, -1 none */
    int results[MAX_TASKS][MAX_ITEMS];
    int done[MAX_TASKS];
    bool partial[MAX_TASKS];
    uint32_t ran_on[MAX_TASKS][MAX_ITEMS];
    uint32_t forks, ends, holds;
    bool no_fork;
    uint32_t order[MAX_TASKS][MAX_ITEMS], clock;
    uint32_t attempts;
    int crash_item;
};

static inline void op_run(void *ctx, struct worker *w, const uint32_t *numbers, uint32_t n)
{
    struct world *o = ctx;
    (void)o;
    assert_true(n >= 1);
    for (uint32_t i = 1; i < n; i++)
        assert_int_equal(numbers[i], numbers[i - 1] + 1);
    assert_int_equal(w->state, WORKER_READY);
    assert_true(w->queued <= 512);
}

static inline void op_hold(void *ctx, struct worker *w)
{
    struct world *o = ctx;
    assert_true(w->queued <= 1);
    o->holds++;
}

static inline void op_end(void *ctx, struct worker *w)
{
    struct world *o = ctx;
    assert_null(w->own.task);
    o->ends++;
}

static inline bool op_fork(void *ctx, struct worker *w)
{
    struct world *o = ctx;
    (void)w;
    o->forks += !o->no_fork;
    return !o->no_fork;
}

static inline void op_result(void *ctx, struct task *t, uint32_t item, uint8_t outcome, struct str json)
{
    struct world *o = ctx;
    (void)json;
    assert_true(item < t->n);
    o->outcome[t->module][item] = outcome;
    o->results[t->module][item]++;
}

static inline void op_attempt(void *ctx, struct task *t, uint32_t item, struct str json)
{
    struct world *o = ctx;
    (void)t;
    (void)item;
    (void)json;
    o->attempts++;
}

static inline void op_done(void *ctx, struct task *t)
{
    struct world *o = ctx;
    o->done[t->module]++;
    o->partial[t->module] = t->partial;
}

static const struct sched_ops ops = {
    .run = op_run,
    .hold = op_hold,
    .end = op_end,
    .fork = op_fork,
    .result = op_result,
    .attempt = op_attempt,
    .task_done = op_done,
};

static inline struct world *new_world(uint32_t limit)
{
    struct world *o = calloc(1, sizeof *o);
    memset(o->outcome, -1, sizeof o->outcome);
    o->s.ops = &ops;
    o->s.ctx = o;
    o->s.limit = limit;
    o->s.now_ns = 1000 * MS;
    o->crash_item = -1;
    return o;
}

static inline void free_world(struct world *o)
{
    sched_release(&o->s);
    free(o);
}

/* One step of one worker: what the Python side does. False when it has nothing to do. */
static inline bool step_worker(struct world *o, struct worker *w)
{
    struct sched *s = &o->s;
    if (w->state == WORKER_STARTING) {
        sched_ready(s, w);
        return true;
    }
    if (w->state == WORKER_ENDED && w->queued == 0) {
        sched_remove(s, w, (struct str){0});
        return true;
    }
    if (w->queued == 0)
        return false;
    if (w->queued == 1 && !w->held)
        sched_need(s, w);
    struct queued q = w->queue[0];
    uint32_t module = q.task ? q.task->module : 0;
    if (q.task && (int)q.item == o->crash_item) {
        o->crash_item = -1;
        sched_remove(s, w, STR("{}"));
        return true;
    }
    if (q.task) {
        o->ran_on[module][q.item] = w->id;
        o->order[module][q.item] = ++o->clock;
    }
    s->now_ns += 10 * MS;
    assert_true(sched_result(s, w, q.number, 0, STR("{}")));
    return true;
}

static inline void run_world(struct world *o)
{
    for (int round = 0; round < 100000; round++) {
        bool any = false;
        sched_balance(&o->s);
        for (struct worker *w = o->s.workers, *next; w; w = next) {
            next = w->next;
            any = step_worker(o, w) || any;
        }
        if (!any && !o->s.tasks)
            return;
    }
    fail_msg("the world does not come to rest");
}

static inline struct task *add(struct world *o, uint32_t module, uint32_t first, uint32_t n, uint8_t *cuts)
{
    uint32_t *groups = calloc(n, sizeof *groups);
    for (uint32_t i = 0; i < n; i++)
        groups[i] = i;
    sched_cuts(groups, n, cuts);
    free(groups);
    return sched_add(&o->s, o, module, first, n, cuts, NULL, 0);
}

static inline void check_all(struct world *o, uint32_t module, uint32_t n, int outcome)
{
    assert_int_equal(o->done[module], 1);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(o->outcome[module][i], outcome);
}

#endif
