/* The scheduler in a world of its own: who runs what. */
#include "runtime/pool/running.h"
#include "tests/unit/sched_world.h"

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
    sched_add(&o->s, o, 0, 0, 400, cuts, NULL, 0);
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
        o->s.whole = item % 2;
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
    sched_add(&o->s, o, 0, 0, 8, cuts, NULL, 0);
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
    sched_add(&o->s, o, 0, 0, 64, cuts, NULL, 0);
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

static uint64_t *op_until(void *ctx, const struct task *t)
{
    uint64_t *until = calloc(t->n + 1, sizeof *until);
    (void)ctx;
    for (uint32_t i = 0; i < t->n; i++) /* the first 10 took as long as the rest */
        until[i + 1] = until[i] + (i < 10 ? 90000 : 10000);
    return until;
}

static void test_a_split_halves_the_time(void **state)
{
    (void)state;
    struct world *o = new_world(2);
    struct sched_ops with = ops;
    uint8_t cuts[100];
    memset(cuts, 1, sizeof cuts);
    with.until = op_until;
    o->s.ops = &with;
    struct worker *a = sched_new_worker(&o->s), *b = sched_new_worker(&o->s);
    sched_add(&o->s, o, 0, 0, 100, cuts, NULL, 1800);
    sched_ready(&o->s, a);
    sched_ready(&o->s, b); /* without waiting for the first result */
    assert_true(b->queued > 0);
    assert_in_range(b->queue[0].item, 10, 16);
    free_world(o);
}

/* How many processes serve two modules of 10 ms a test beside each other, of which one is split when the other is over. */
static uint32_t forks_for(uint32_t longer)
{
    struct world *o = new_world(2);
    static uint8_t cuts[2][100];
    o->s.all_asked = true;
    o->s.slice_ns = 300 * MS;
    add(o, 0, 0, 20, cuts[0]);
    add(o, 1, 20, longer, cuts[1]);
    run_world(o);
    check_all(o, 0, 20, 0);
    check_all(o, 1, longer, 0);
    uint32_t forks = o->forks;
    free_world(o);
    return forks;
}

static void test_another_process_when_the_time_slice_is_over_and_enough_is_left(void **state)
{
    (void)state;
    struct world *o = new_world(1);
    static uint8_t cuts[6][10];
    o->s.all_asked = true;
    o->s.slice_ns = 150 * MS;
    for (uint32_t i = 0; i < 6; i++)
        add(o, i, 10 * i, 10, cuts[i]); /* 100 ms each */
    run_world(o);
    assert_int_equal(o->forks, 3);
    free_world(o);
    assert_int_equal(forks_for(100), 3);
    assert_int_equal(forks_for(30), 2); /* a fork would take longer than it saves */
}

static void test_the_longest_module_goes_first(void **state)
{
    (void)state;
    struct world *o = new_world(1);
    static const uint32_t cost[] = {0, 300, 20, 5000, 300, 30};
    static const uint32_t want[] = {3, 1, 4, 0, 2, 5};
    static uint8_t cuts[6][2];
    for (uint32_t i = 0; i < 6; i++)
        sched_add(&o->s, o, i, 2 * i, 2, cuts[i], NULL, cost[i]);
    const struct range *r = o->s.pending;
    for (uint32_t i = 0; i < 6; i++, r = r->next)
        assert_int_equal(r->task->module, want[i]);
    free_world(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_all_run_once),
        cmocka_unit_test(test_one_module_is_split),
        cmocka_unit_test(test_small_module_needs_one_worker),
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
        cmocka_unit_test(test_a_split_halves_the_time),
        cmocka_unit_test(test_another_process_when_the_time_slice_is_over_and_enough_is_left),
        cmocka_unit_test(test_the_longest_module_goes_first),
        cmocka_unit_test(test_the_rest_of_a_task_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
