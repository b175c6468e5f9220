/* What must not run beside something else, and what is tried again. */
#include "tests/unit/sched_world.h"

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
        sched_add(&o->s, o, m, m * 30, 30, cuts[m], m < 3 ? in_lane : NULL, 0);
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
        sched_add(&o->s, o, m, m * 8, 8, cuts[m], lanes, 0);
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
    struct task *t = sched_add(&o->s, o, 0, 0, 10, cuts, lanes, 0);
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
    sched_begin(&o->s, sched_add(&o->s, o, 2, 0, 10, cuts, all, 0));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lane_has_one_worker),
        cmocka_unit_test(test_a_lane_outlives_its_worker),
        cmocka_unit_test(test_items_for_the_end_are_left_out),
        cmocka_unit_test(test_alone_waits_for_the_others_to_go),
        cmocka_unit_test(test_a_lost_item_is_tried_again),
        cmocka_unit_test(test_nothing_waits_behind_an_unknown_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
