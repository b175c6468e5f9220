#include "tests/unit/unit.h"

#include "runtime/base/io.h"
#include "runtime/report/pytest_cache.h"

static void put(void **state, const char *name, const char *text)
{
    struct buf path = {0};
    buf_printf(&path, "%s/v/cache", (const char *)*state);
    assert_true(io_mkdirs(path.p, NULL));
    buf_printf(&path, "/%s", name);
    assert_true(io_replace(path.p, str_z(text), NULL));
    buf_release(&path);
}

static void expect(void **state, const char *name, const char *text)
{
    struct buf path = {0}, found = {0};
    buf_printf(&path, "%s/v/cache/%s", (const char *)*state, name);
    assert_true(io_read(path.p, 0, &found, NULL));
    assert_string_equal(found.p, text);
    buf_release(&path);
    buf_release(&found);
}

static void a_set_keeps_its_order(void **state)
{
    (void)state;
    struct id_set s = {0};
    id_set_add(&s, STR("b"));
    id_set_add(&s, STR("a"));
    id_set_add(&s, STR("b"));
    assert_int_equal(id_set_count(&s), 2);
    assert_true(id_set_remove(&s, STR("b")));
    assert_false(id_set_remove(&s, STR("b")));
    assert_false(id_set_has(&s, STR("b")));
    id_set_add(&s, STR("b"));
    assert_int_equal(id_set_count(&s), 2);
    assert_int_equal(s.list.n, 3); /* the place of the removed one stays */
    id_set_release(&s);
}

static void both_forms_are_read(void **state)
{
    struct id_set failed = {0}, ids = {0}, none = {0};
    put(state, "lastfailed", "{\n  \"t.py::a\": true,\n  \"t.py::b[\\u00e9 \\\"]\": true\n}");
    put(state, "nodeids", "[\n  \"t.py::a\",\n  \"t.py::c\"\n]");
    assert_true(pytest_cache_ids(str_z(*state), "lastfailed", &failed));
    assert_true(id_set_has(&failed, STR("t.py::a")) && id_set_has(&failed, STR("t.py::b[\xc3\xa9 \"]")));
    assert_true(pytest_cache_ids(str_z(*state), "nodeids", &ids));
    assert_int_equal(id_set_count(&ids), 2);
    assert_false(pytest_cache_ids(str_z(*state), "stepwise", &none));
    id_set_release(&failed);
    id_set_release(&ids);
}

static void what_is_damaged_is_empty(void **state)
{
    static const char *const texts[] = {"", "{", "[\"a\"", "{\"a\": true", "[1]", "nonsense", "{\"a\" true}", "[\"a\"] x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct id_set s = {0};
        put(state, "lastfailed", texts[i]);
        assert_false(pytest_cache_ids(str_z(*state), "lastfailed", &s));
        assert_int_equal(id_set_count(&s), 0);
        id_set_release(&s);
    }
}

static void stepwise_in_the_form_of_each_pytest(void **state)
{
    struct arena a = {0};
    struct pytest_stepwise s, t = {.last_failed = STR("t.py::a"), .last_count = 7};
    pytest_cache_stepwise(str_z(*state), &a, &s);
    assert_int_equal(s.last_failed.n, 0);
    assert_int_equal(s.last_count, -1);
    assert_true(pytest_cache_save_stepwise(str_z(*state), &t, 803, NULL));
    expect(state, "stepwise", "\"t.py::a\"");
    pytest_cache_stepwise(str_z(*state), &a, &s);
    assert_str(s.last_failed, "t.py::a");
    assert_true(pytest_cache_save_stepwise(str_z(*state), NULL, 803, NULL)); /* a run that was not stepwise */
    expect(state, "stepwise", "[]");
    assert_true(pytest_cache_save_stepwise(str_z(*state), &t, 902, NULL));
    pytest_cache_stepwise(str_z(*state), &a, &s);
    assert_str(s.last_failed, "t.py::a");
    assert_int_equal(s.last_count, 7);
    assert_true(s.saved_s > 1700000000);
    assert_true(pytest_cache_save_stepwise(str_z(*state), NULL, 902, NULL)); /* newer ones leave it */
    pytest_cache_stepwise(str_z(*state), &a, &s);
    assert_str(s.last_failed, "t.py::a");
    t.last_failed = STR("");
    assert_true(pytest_cache_save_stepwise(str_z(*state), &t, 902, NULL));
    pytest_cache_stepwise(str_z(*state), &a, &s);
    assert_int_equal(s.last_failed.n, 0);
    arena_release(&a);
}

static void clearing_leaves_the_rest(void **state)
{
    char *readme = temp_path(state, "README.md"), *values = temp_path(state, "v"), *dirs = temp_path(state, "d/x");
    put(state, "lastfailed", "{}");
    assert_true(io_mkdirs(dirs, NULL));
    assert_true(io_replace(readme, STR("x"), NULL));
    pytest_cache_clear(str_z(*state));
    assert_int_equal(io_stat_path(values).kind, IO_ABSENT);
    assert_int_equal(io_stat_path(readme).kind, IO_FILE);
    free(readme);
    free(values);
    free(dirs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_keeps_its_order),
        cmocka_unit_test_setup_teardown(both_forms_are_read, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(what_is_damaged_is_empty, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(stepwise_in_the_form_of_each_pytest, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(clearing_leaves_the_rest, temp_dir_new, temp_dir_remove),
    };
    return cmocka_run_group_tests_name("pytest_cache", tests, NULL, NULL);
}
