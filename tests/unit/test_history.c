#include "tests/unit/unit.h"

#include "runtime/base/io.h"
#include "runtime/report/history.h"

static struct history_run run(uint8_t outcome, uint32_t us, uint32_t key, uint32_t when_s)
{
    return (struct history_run){outcome, us, key, when_s};
}

static void what_is_added_is_read_again(void **state)
{
    struct history h = {0};
    struct err err = {{0}};
    assert_false(history_load(&h, str_z(*state))); /* none yet */
    history_add(&h, STR("b.py::x"), run(OUT_PASSED, 1000, 7, 100));
    history_add(&h, STR("a.py::y[\xc3\xa9]"), run(OUT_FAILED, 2000, 8, 101));
    history_add(&h, STR("b.py::x"), run(OUT_SKIPPED, 3000, 7, 102));
    assert_true(history_save(&h, str_z(*state), 200, 0, &err));
    history_release(&h);
    assert_true(history_load(&h, str_z(*state)));
    assert_int_equal(h.n, 2);
    const struct history_test *t = history_find(&h, STR("b.py::x"));
    assert_int_equal(t->n, 2);
    assert_int_equal(t->runs[1].outcome, OUT_SKIPPED);
    assert_int_equal(t->runs[1].duration_us, 3000);
    assert_int_equal(t->runs[0].when_s, 100);
    assert_null(history_find(&h, STR("b.py")));
    assert_str(h.tests[0].id, "a.py::y[\xc3\xa9]");
    history_release(&h);
}

static void the_last_runs_are_kept(void **state)
{
    (void)state;
    struct history h = {0};
    struct history_test *t = NULL;
    for (uint32_t i = 0; i < HISTORY_RUNS + 5; i++)
        t = history_add(&h, STR("a"), run(OUT_PASSED, i, 1, i));
    assert_int_equal(t->n, HISTORY_RUNS);
    assert_int_equal(t->runs[0].when_s, 5);
    assert_int_equal(t->runs[HISTORY_RUNS - 1].when_s, HISTORY_RUNS + 4);
    history_release(&h);
}

static void old_tests_are_forgotten(void **state)
{
    struct history h = {0};
    history_add(&h, STR("old"), run(OUT_PASSED, 1, 1, 100));
    history_add(&h, STR("new"), run(OUT_PASSED, 1, 1, 190));
    assert_true(history_save(&h, str_z(*state), 200, 50, NULL));
    assert_null(history_find(&h, STR("old")));
    assert_non_null(history_find(&h, STR("new")));
    history_release(&h);
}

static void means_are_of_passes_and_recent_ones_count_more(void **state)
{
    (void)state;
    struct history h = {0};
    assert_true(history_mean_s(NULL) < 0);
    struct history_test *t = history_add(&h, STR("a"), run(OUT_FAILED, 9000000, 1, 1));
    assert_float_equal(history_mean_s(t), 9.0, 1e-9); /* it never passed */
    history_add(&h, STR("a"), run(OUT_PASSED, 1000000, 1, 2));
    assert_float_equal(history_mean_s(t), 1.0, 1e-9);
    history_add(&h, STR("a"), run(OUT_PASSED, 2000000, 1, 3));
    assert_true(history_mean_s(t) > 1.5 && history_mean_s(t) < 2.0);
    history_release(&h);
}

static void flips_are_changes_without_a_cause(void **state)
{
    (void)state;
    struct history h = {0};
    history_add(&h, STR("a"), run(OUT_PASSED, 1, 1, 1));
    history_add(&h, STR("a"), run(OUT_FAILED, 1, 2, 2)); /* another key */
    struct history_test *t = history_add(&h, STR("a"), run(OUT_PASSED, 1, 3, 3));
    assert_int_equal(history_flips(t), 0);
    history_add(&h, STR("a"), run(OUT_ERROR, 1, 3, 4));
    history_add(&h, STR("a"), run(OUT_FAILED, 1, 3, 5)); /* as bad as before */
    assert_int_equal(history_flips(t), 1);
    history_add(&h, STR("a"), run(OUT_XFAILED, 1, 3, 6));
    assert_int_equal(history_flips(t), 2);
    assert_int_equal(history_flips(NULL), 0);
    history_release(&h);
}

static void a_damaged_file_is_empty(void **state)
{
    struct history h = {0};
    struct buf file = {0};
    char *path = temp_path(state, "history.bin");
    history_add(&h, STR("a"), run(OUT_PASSED, 1, 1, 1));
    assert_true(history_save(&h, str_z(*state), 2, 0, NULL));
    history_release(&h);
    assert_true(io_read(path, 0, &file, NULL));
    for (size_t i = 0; i < file.n; i++) {
        file.p[i] ^= 0x55;
        assert_true(io_replace(path, buf_view(&file), NULL));
        assert_false(history_load(&h, str_z(*state)));
        assert_int_equal(h.n, 0);
        assert_true(io_replace(path, str_slice(buf_view(&file), 0, i), NULL));
        assert_false(history_load(&h, str_z(*state)));
        file.p[i] ^= 0x55;
    }
    buf_release(&file);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_added_is_read_again, temp_dir_new, temp_dir_remove),
        cmocka_unit_test(the_last_runs_are_kept),
        cmocka_unit_test_setup_teardown(old_tests_are_forgotten, temp_dir_new, temp_dir_remove),
        cmocka_unit_test(means_are_of_passes_and_recent_ones_count_more),
        cmocka_unit_test(flips_are_changes_without_a_cause),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_empty, temp_dir_new, temp_dir_remove),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
