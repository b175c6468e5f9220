/* The scheduler in a world of its own: workers that run what they are sent, one item a step, with
 * a virtual clock, and crash or fail where the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/pool/running.h"
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

static void op_run(void *ctx, struct worker *w, const uint32_t *numbers, uint32_t n)
{
    struct world *o = ctx;
    (void)o;
    assert_true(n >= 1);
    for (uint32_t i = 1; i < n; i++)
        assert_int_equal(numbers[i], numbers[i - 1] + 1);
    assert_int_equal(w->state, WORKER_READY);
    assert_true(w->queued <= 512);
}

static void op_hold(void *ctx, struct worker *w)
{
    struct world *o = ctx;
    assert_true(w->queued <= 1);
    o->holds++;
}

static void op_end(void *ctx, struct worker *w)
{
    struct world *o = ctx;
    assert_null(w->own.task);
    o->ends++;
}

static bool op_fork(void *ctx, struct worker *w)
{
    struct world *o = ctx;
    (void)w;
    o->forks += !o->no_fork;
    return !o->no_fork;
}

static void op_result(void *ctx, struct task *t, uint32_t item, uint8_t outcome, struct str json)
{
    struct world *o = ctx;
    (void)json;
    assert_true(item < t->n);
    o->outcome[t->module][item] = outcome;
    o->results[t->module][item]++;
}

static void op_attempt(void *ctx, struct task *t, uint32_t item, struct str json)
{
    struct world *o = ctx;
    (void)t;
    (void)item;
    (void)json;
    o->attempts++;
}

static void op_done(void *ctx, struct task *t)
{
    struct world *o = ctx;
    o->done[t->module]++;
    o->partial[t->module] = t->partial;
}

static const struct sched_ops ops = {op_run, op_hold, op_end, op_fork, op_result, op_attempt, op_done};

static struct world *new_world(uint32_t limit)
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

static void free_world(struct world *o)
{
    sched_release(&o->s);
    free(o);
}

/* One step of one worker: what the Python side does. False when it has nothing to do. */
static bool step_worker(struct world *o, struct worker *w)
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

static void run_world(struct world *o)
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

static struct task *add(struct world *o, uint32_t module, uint32_t first, uint32_t n, uint8_t *cuts)
{
    uint32_t *groups = calloc(n, sizeof *groups);
    for (uint32_t i = 0; i < n; i++)
        groups[i] = i;
    sched_cuts(groups, n, cuts);
    free(groups);
    return sched_add(&o->s, o, module, first, n, cuts, NULL);
}

static void check_all(struct world *o, uint32_t module, uint32_t n, int outcome)
{
    assert_int_equal(o->done[module], 1);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(o->outcome[module][i], outcome);
}

static void test_cuts(void **state)
{
    static const uint32_t groups[] = {5, 5, 7, 8, 7, 9};
    uint8_t cuts[6];
    (void)state;
    sched_cuts(groups, 6, cuts);
    static const uint8_t want[] = {1, 0, 1, 0, 0, 1}; /* 7 spans 8 */
    assert_memory_equal(cuts, want, 6);
    sched_cuts(NULL, 0, NULL);
}

static void test_all_run_once(void **state)
{
    struct world *o = new_world(3);
    static uint8_t cuts[10][100];
    (void)state;
    o->s.all_asked = true;
    for (uint32_t i = 0; i < 10; i++)
        add(o, i, i * 100, 100, cuts[i]);
    run_world(o);
    for (uint32_t i = 0; i < 10; i++) {
        check_all(o, i, 100, 0);
        for (int k = 0; k < 100; k++)
            assert_int_equal(o->results[i][k], 1);
    }
    assert_int_equal(o->forks, 3);
    assert_int_equal(o->ends, 3);
    assert_null(o->s.workers);
    free_world(o);
}

static void test_one_module_is_split(void **state)
{
    struct world *o = new_world(2);
    static uint8_t cuts[1000];
    (void)state;
    o->s.all_asked = true;
    add(o, 0, 0, 1000, cuts);
    run_world(o);
    check_all(o, 0, 1000, 0);
    assert_int_equal(o->forks, 2);
    uint32_t second = 0;
    for (int i = 0; i < 1000; i++)
        second += o->ran_on[0][i] == 2;
    assert_true(second > 300 && second < 700);
    free_world(o);
}

static void test_small_module_needs_one_worker(void **state)
{
    struct world *o = new_world(4);
    static uint8_t cuts[5];
    (void)state;
    o->s.all_asked = true;
    add(o, 0, 0, 5, cuts);
    run_world(o);
    assert_int_equal(o->forks, 1);
    free_world(o);
}

/* Laned items, of whatever module, go to one worker, in order; others run beside it. */
static void test_a_lane_has_one_worker(void **state)
{
    struct world *o = new_world(3);
    static uint8_t cuts[4][30];
    static const uint32_t in_lane[30] = {[10] = 2, 2, 2, 2, 2};
    (void)state;
    o->s.all_asked = true;
    for (uint32_t m = 0; m < 4; m++) {
        memset(cuts[m], 1, 30);
        sched_add(&o->s, o, m, m * 30, 30, cuts[m], m < 3 ? in_lane : NULL);
    }
    run_world(o);
    uint32_t at = 0, on = o->ran_on[0][10];
    for (uint32_t m = 0; m < 4; m++) {
        check_all(o, m, 30, 0);
        for (int i = 10; m < 3 && i < 15; i++) {
            assert_int_equal(o->ran_on[m][i], on);
            assert_true(o->order[m][i] > at);
            at = o->order[m][i];
        }
    }
    assert_true(o->forks > 1);
    free_world(o);
}

/* When its worker is lost, another goes on. */
static void test_a_lane_outlives_its_worker(void **state)
{
    struct world *o = new_world(2);
    static uint8_t cuts[2][8];
    static const uint32_t lanes[8] = {2, 2, 2, 2, 2, 2, 2, 2};
    (void)state;
    o->s.all_asked = true;
    o->crash_item = 3;
    for (uint32_t m = 0; m < 2; m++) {
        memset(cuts[m], 1, 8);
        sched_add(&o->s, o, m, m * 8, 8, cuts[m], lanes);
    }
    run_world(o);
    assert_int_equal(o->done[0] + o->done[1], 2);
    assert_int_equal(o->forks, 2);
    for (int i = 0; i < 8; i++)
        assert_int_equal(o->outcome[0][i] + o->outcome[1][i], i == 3);
    free_world(o);
}

static void test_items_for_the_end_are_left_out(void **state)
{
    struct world *o = new_world(2);
    static uint8_t cuts[10] = {1, 1, 1, 1, 1, 0, 1, 1, 1, 1};
    static const uint32_t lanes[10] = {[2] = LANE_ALONE, [5] = LANE_ALONE};
    static const uint32_t some[] = {2, 4, 5};
    (void)state;
    o->s.all_asked = true;
    struct task *t = sched_add(&o->s, o, 0, 0, 10, cuts, lanes);
    assert_true(t->deferred && t->split);
    run_world(o);
    assert_int_equal(o->done[0], 1);
    assert_false(o->partial[0]);
    for (int i = 0; i < 10; i++)
        assert_int_equal(o->results[0][i], i == 2 || i == 4 || i == 5 ? 0 : 1); /* 4 and 5 are not cut */
    o->s.alone = true;
    sched_add_some(&o->s, o, 1, 0, 10, cuts, some, 3);
    run_world(o);
    for (int i = 0; i < 10; i++)
        assert_int_equal(o->results[1][i], i == 2 || i == 4 || i == 5 ? 1 : 0);
    assert_int_equal(o->ran_on[1][2], o->ran_on[1][5]);
    static const uint32_t all[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    sched_begin(&o->s, sched_add(&o->s, o, 2, 0, 10, cuts, all));
    assert_int_equal(o->done[2], 1);
    free_world(o);
}

static void test_alone_waits_for_the_others_to_go(void **state)
{
    struct world *o = new_world(4);
    static uint8_t cuts[2][4];
    static const uint32_t some[] = {1};
    (void)state;
    add(o, 0, 0, 4, cuts[0]);
    sched_balance(&o->s);
    struct worker *w = o->s.workers;
    sched_ready(&o->s, w);
    w->state = WORKER_ENDED;
    o->s.alone = true;
    memset(cuts[1], 1, 4);
    sched_add_some(&o->s, o, 1, 4, 4, cuts[1], some, 1);
    uint32_t forks = o->forks;
    sched_balance(&o->s);
    assert_int_equal(o->forks, forks);
    sched_remove(&o->s, w, (struct str){0});
    sched_balance(&o->s);
    assert_int_equal(o->forks, forks + 1);
    free_world(o);
}

static void test_a_lost_item_is_tried_again(void **state)
{
    struct world *o = new_world(1);
    static uint8_t cuts[5];
    (void)state;
    o->s.all_asked = true;
    o->s.retries = 1;
    o->crash_item = 2;
    add(o, 0, 0, 5, cuts);
    run_world(o);
    check_all(o, 0, 5, 0);
    assert_int_equal(o->attempts, 1);
    assert_int_equal(o->forks, 2);
    free_world(o);
}

/* What may take long is not in the way of another module while a worker could have that. */
static void test_nothing_waits_behind_an_unknown_test(void **state)
{
    struct world *o = new_world(2);
    static uint8_t cuts[2][1];
    (void)state;
    o->s.all_asked = true;
    struct worker *a = sched_new_worker(&o->s);
    add(o, 0, 0, 1, cuts[0]);
    sched_ready(&o->s, a);
    add(o, 1, 1, 1, cuts[1]);
    sched_need(&o->s, a);
    assert_int_equal(o->holds, 1);
    assert_int_equal(a->queued, 1);
    sched_balance(&o->s);
    assert_int_equal(o->forks, 1);
    free_world(o);
}

static void test_groups_stay_together(void **state)
{
    struct world *o = new_world(2);
    static uint8_t cuts[400];
    uint32_t groups[400];
    (void)state;
    o->s.all_asked = true;
    for (uint32_t i = 0; i < 400; i++)
        groups[i] = i < 150 ? 1 : i < 390 ? 2 : i;
    sched_cuts(groups, 400, cuts);
    sched_add(&o->s, o, 0, 0, 400, cuts, NULL);
    run_world(o);
    check_all(o, 0, 400, 0);
    for (uint32_t i = 1; i < 400; i++)
        if (groups[i] == groups[i - 1])
            assert_int_equal(o->ran_on[0][i], o->ran_on[0][i - 1]);
    assert_int_equal(o->forks, 2);
    free_world(o);
}

static void test_crash_fails_one_item(void **state)
{
    for (int item = 0; item < 60; item++) {
        struct world *o = new_world(2);
        static uint8_t cuts[2][60];
        o->s.all_asked = true;
        o->crash_item = item;
        o->s.single = item % 2;
        add(o, 0, 0, 60, cuts[0]);
        add(o, 1, 60, 60, cuts[1]);
        run_world(o);
        int failed = 0;
        for (int m = 0; m < 2; m++) {
            assert_int_equal(o->done[m], 1);
            for (int i = 0; i < 60; i++) {
                assert_true(o->outcome[m][i] >= 0);
                failed += o->outcome[m][i];
            }
        }
        assert_int_equal(failed, 1);
        free_world(o);
    }
    (void)state;
}

static void test_hold_until_all_asked(void **state)
{
    struct world *o = new_world(1);
    static uint8_t cuts[2][3];
    (void)state;
    add(o, 0, 0, 3, cuts[0]);
    run_world(o);
    assert_int_equal(o->holds, 1);
    assert_int_equal(o->ends, 0);
    add(o, 1, 3, 3, cuts[1]);
    o->s.all_asked = true;
    run_world(o);
    check_all(o, 1, 3, 0);
    assert_int_equal(o->forks, 1);
    assert_int_equal(o->ends, 1);
    free_world(o);
}

/* What the world does when a test of that length ends. */
static void finish_running(struct world *o, struct worker *w, int64_t ns)
{
    o->s.now_ns += ns;
    assert_true(sched_result(&o->s, w, w->queue[0].number, 0, STR("{}")));
    sched_balance(&o->s);
}

static void test_at_the_end_nothing_waits_behind_a_long_test(void **state)
{
    (void)state;
    struct world *o = new_world(2);
    uint8_t cuts[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct worker *a = sched_new_worker(&o->s), *b = sched_new_worker(&o->s);
    sched_add(&o->s, o, 0, 0, 8, cuts, NULL);
    sched_ready(&o->s, a);
    sched_ready(&o->s, b);
    assert_int_equal(a->queued, 1);
    assert_int_equal(b->queued, 0);
    finish_running(o, a, 500 * MS); /* and half of what is left goes to b */
    assert_int_equal(a->queued, 1);
    assert_int_equal(b->queue[0].item, 5);
    o->s.tasks->split = false;
    sched_need(&o->s, a);
    assert_int_equal(o->holds, 1);
    assert_true(o->s.tasks->split); /* its failures are to be confirmed */
    assert_int_equal(a->queued, 1);
    finish_running(o, b, 500 * MS);
    assert_int_equal(b->queue[b->queued - 1].item, 6); /* 7 can still be had */
    assert_int_equal(b->own.from, 7);
    free_world(o);
}

static void test_at_the_end_short_tests_are_sent_in_chunks(void **state)
{
    (void)state;
    struct world *o = new_world(2);
    uint8_t cuts[64];
    memset(cuts, 1, sizeof cuts);
    struct worker *a = sched_new_worker(&o->s), *b = sched_new_worker(&o->s);
    sched_add(&o->s, o, 0, 0, 64, cuts, NULL);
    sched_ready(&o->s, a);
    sched_ready(&o->s, b);
    for (int i = 0; i < 8; i++) {
        if (a->queued == 1)
            sched_need(&o->s, a);
        finish_running(o, a, MS / 10);
    }
    assert_true(a->queued > 4);
    assert_int_equal(o->holds, 0);
    free_world(o);
}

static void test_drop_and_stop(void **state)
{
    struct world *o = new_world(2);
    static uint8_t cuts[3][50];
    int other;
    (void)state;
    add(o, 0, 0, 50, cuts[0]);
    add(o, 1, 50, 50, cuts[1]);
    o->s.tasks->owner = &other;
    for (int i = 0; i < 5; i++) {
        sched_balance(&o->s);
        for (struct worker *w = o->s.workers; w; w = w->next)
            step_worker(o, w);
    }
    sched_drop(&o->s, &other);
    assert_int_equal(o->done[0], 0);
    run_world(o);
    check_all(o, 1, 50, 0);
    add(o, 2, 100, 50, cuts[2]);
    sched_balance(&o->s);
    sched_stop(&o->s);
    assert_int_equal(o->done[2], 1);
    assert_true(o->partial[2]);
    run_world(o);
    free_world(o);
}

static void test_foreign_result_is_refused(void **state)
{
    struct world *o = new_world(1);
    static uint8_t cuts[5];
    (void)state;
    add(o, 0, 0, 5, cuts);
    sched_balance(&o->s);
    struct worker *w = o->s.workers;
    sched_ready(&o->s, w);
    assert_false(sched_result(&o->s, w, 4, 0, STR("{}")));
    assert_false(sched_result(&o->s, w, 99, 0, STR("{}")));
    assert_true(sched_result(&o->s, w, 0, 0, STR("{}")));
    assert_false(sched_result(&o->s, w, 0, 0, STR("{}")));
    free_world(o);
}

static void test_retire(void **state)
{
    struct world *o = new_world(1);
    static uint8_t cuts[100];
    (void)state;
    o->s.all_asked = true;
    add(o, 0, 0, 100, cuts);
    for (int i = 0; i < 10; i++) {
        sched_balance(&o->s);
        step_worker(o, o->s.workers);
    }
    sched_retire(&o->s);
    run_world(o);
    check_all(o, 0, 100, 0);
    assert_int_equal(o->forks, 2);
    free_world(o);
}

static void test_a_crash_before_the_results_have_come(void **state)
{
    struct world *o = new_world(1);
    static uint8_t cuts[8];
    (void)state;
    o->s.all_asked = true;
    add(o, 0, 0, 8, cuts);
    sched_balance(&o->s);
    struct worker *w = o->s.workers;
    sched_ready(&o->s, w);
    uint32_t sent = (uint32_t)w->queued;
    assert_true(sent >= 2);
    sched_runs(w, sent - 1); /* the results of those before it are lost with the worker */
    assert_int_equal(sched_running(w)->item, sent - 1);
    sched_remove(&o->s, w, STR("{}"));
    run_world(o);
    assert_int_equal(o->done[0], 1);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(o->outcome[0][i], i == sent - 1);
    free_world(o);
}

static void test_live_workers_have_slots_of_their_own(void **state)
{
    struct sched s = {.last_id = RUNNING_SLOTS - 1};
    (void)state;
    struct worker *first = sched_new_worker(&s);
    s.last_id = 2 * RUNNING_SLOTS - 1;
    struct worker *second = sched_new_worker(&s);
    assert_int_equal(first->id, RUNNING_SLOTS);
    assert_int_equal(second->id, 2 * RUNNING_SLOTS + 1);
    s.last_id = UINT32_MAX;
    assert_int_equal(sched_new_worker(&s)->id, 2);
    sched_release(&s);
}

/* A worker over its limit: its running item fails, what it had besides runs elsewhere. */
static void test_doomed(void **state)
{
    (void)state;
    struct world *o = new_world(2);
    static uint8_t cuts[20];
    o->s.all_asked = true;
    add(o, 0, 0, 20, cuts);
    sched_balance(&o->s);
    struct worker *w = o->s.workers;
    sched_ready(&o->s, w);
    assert_true(sched_result(&o->s, w, 0, 0, STR("{}")));
    assert_true(w->queued > 1);
    sched_doom(&o->s, w, 1000);
    sched_balance(&o->s);
    assert_ptr_not_equal(o->s.workers->next, NULL); /* another one for the rest */
    sched_remove(&o->s, w, STR("{}"));
    run_world(o);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(o->outcome[0][i], i == 1);
        assert_int_equal(o->results[0][i], 1);
    }
    free_world(o);
}

static void test_the_rest_of_a_task_fails(void **state)
{
    (void)state;
    struct world *o = new_world(1);
    static uint8_t cuts[2][20];
    o->s.all_asked = true;
    struct task *t = add(o, 0, 0, 20, cuts[0]);
    add(o, 1, 20, 20, cuts[1]);
    sched_balance(&o->s);
    struct worker *w = o->s.workers;
    sched_ready(&o->s, w);
    sched_fail_rest(&o->s, t, STR("{}"));
    assert_int_equal(o->done[0], 0);
    assert_int_equal(o->results[0][0], 0);
    sched_remove(&o->s, w, STR("{}"));
    assert_int_equal(o->done[0], 1);
    run_world(o);
    check_all(o, 0, 20, 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(o->results[0][i], 1);
    check_all(o, 1, 20, 0);
    free_world(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_all_run_once),
        cmocka_unit_test(test_one_module_is_split),
        cmocka_unit_test(test_small_module_needs_one_worker),
        cmocka_unit_test(test_a_lane_has_one_worker),
        cmocka_unit_test(test_a_lane_outlives_its_worker),
        cmocka_unit_test(test_items_for_the_end_are_left_out),
        cmocka_unit_test(test_alone_waits_for_the_others_to_go),
        cmocka_unit_test(test_a_lost_item_is_tried_again),
        cmocka_unit_test(test_nothing_waits_behind_an_unknown_test),
        cmocka_unit_test(test_groups_stay_together),
        cmocka_unit_test(test_crash_fails_one_item),
        cmocka_unit_test(test_hold_until_all_asked),
        cmocka_unit_test(test_at_the_end_nothing_waits_behind_a_long_test),
        cmocka_unit_test(test_at_the_end_short_tests_are_sent_in_chunks),
        cmocka_unit_test(test_drop_and_stop),
        cmocka_unit_test(test_foreign_result_is_refused),
        cmocka_unit_test(test_retire),
        cmocka_unit_test(test_a_crash_before_the_results_have_come),
        cmocka_unit_test(test_live_workers_have_slots_of_their_own),
        cmocka_unit_test(test_doomed),
        cmocka_unit_test(test_the_rest_of_a_task_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
