#include "tests/unit/unit.h"

#include "runtime/base/arena.h"
#include "runtime/base/map.h"

static void empty_map_has_nothing(void **state)
{
    (void)state;
    struct map m = {0};
    assert_null(map_get(&m, STR("a")));
    assert_null(map_get(&m, STR("")));
    map_release(&m);
}

static void many_keys_survive_growth(void **state)
{
    (void)state;
    enum { KEYS = 20000 };
    struct map m = {0};
    struct arena a = {0};
    struct str *keys = arena_array(&a, KEYS, sizeof *keys);
    for (size_t i = 0; i < KEYS; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "pkg/mod_%zu.py", i);
        keys[i] = (struct str){arena_dup(&a, text, (size_t)n), (size_t)n};
        bool added = false;
        *map_put(&m, keys[i], &added) = i * 3;
        assert_true(added);
        assert_true(m.cap > m.n); /* or a search for what is not there never ends */
        assert_null(map_get(&m, STR("pkg/none.py")));
    }
    assert_int_equal(m.n, KEYS);
    assert_int_equal(m.cap & (m.cap - 1), 0);
    for (size_t i = 0; i < KEYS; i++) {
        uintptr_t *value = map_get(&m, keys[i]);
        assert_non_null(value);
        assert_int_equal(*value, i * 3);
    }
    assert_null(map_get(&m, STR("pkg/mod_20000.py")));
    map_release(&m);
    assert_null(m.slots);
    arena_release(&a);
}

static void a_second_put_finds_the_first(void **state)
{
    (void)state;
    struct map m = {0};
    bool added = false;
    *map_put(&m, STR("key"), &added) = 7;
    assert_true(added);
    char other[] = "key"; /* the same bytes elsewhere */
    uintptr_t *again = map_put(&m, str_z(other), &added);
    assert_false(added);
    assert_int_equal(*again, 7);
    assert_int_equal(m.n, 1);
    assert_int_equal(*map_put(&m, STR("ke"), NULL), 0);
    assert_int_equal(m.n, 2);
    map_release(&m);
}

static void empty_and_binary_keys(void **state)
{
    (void)state;
    struct map m = {0};
    *map_put(&m, (struct str){NULL, 0}, NULL) = 1;
    *map_put(&m, STR("a\0b"), NULL) = 2;
    *map_put(&m, STR("a\0c"), NULL) = 3;
    assert_int_equal(m.n, 3);
    assert_non_null(map_get(&m, STR("")));
    assert_int_equal(*map_get(&m, STR("")), 1);
    assert_int_equal(*map_get(&m, STR("a\0b")), 2);
    assert_int_equal(*map_get(&m, STR("a\0c")), 3);
    assert_null(map_get(&m, STR("a")));
    map_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map_has_nothing),
        cmocka_unit_test(many_keys_survive_growth),
        cmocka_unit_test(a_second_put_finds_the_first),
        cmocka_unit_test(empty_and_binary_keys),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
