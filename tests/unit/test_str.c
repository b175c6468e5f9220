#include "tests/unit/unit.h"

static void equality_and_order(void **state)
{
    (void)state;
    assert_true(str_eq(STR("a"), STR("a")));
    assert_false(str_eq(STR("a"), STR("b")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_eq((struct str){NULL, 0}, STR("")));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0); /* bytes, not chars */
    assert_int_equal(str_cmp(STR("x\0y"), STR("x\0y")), 0);
    assert_true(str_cmp(STR("x\0y"), STR("x\0z")) < 0);
    assert_int_equal(str_z(NULL).n, 0);
    assert_non_null(str_z(NULL).p);
}

static void prefixes_and_searches(void **state)
{
    (void)state;
    assert_true(str_starts(STR("test_a.py"), STR("test_")));
    assert_false(str_starts(STR("test"), STR("test_")));
    assert_true(str_starts(STR("x"), STR("")));
    assert_true(str_ends(STR("test_a.py"), STR(".py")));
    assert_false(str_ends(STR("py"), STR(".py")));
    assert_int_equal(str_chr(STR("a.b.c"), '.'), 1);
    assert_int_equal(str_rchr(STR("a.b.c"), '.'), 3);
    assert_int_equal(str_chr(STR("abc"), '.'), 3);
    assert_int_equal(str_rchr(STR("abc"), '.'), 3);
    assert_int_equal(str_rchr(STR(".abc"), '.'), 0);
    assert_true(str_contains(STR("a\0bc"), STR("\0b")));
    assert_false(str_contains(STR("abc"), STR("ac")));
    assert_true(str_contains(STR(""), STR("")));
    assert_false(str_contains(STR(""), STR("a")));
}

static void slices_are_clamped(void **state)
{
    (void)state;
    assert_str(str_slice(STR("abcdef"), 2, 4), "cd");
    assert_str(str_slice(STR("abc"), 1, 99), "bc");
    assert_int_equal(str_slice(STR("abc"), 99, 100).n, 0);
    assert_int_equal(str_slice(STR("abc"), 2, 1).n, 0);
    assert_int_equal(str_slice((struct str){NULL, 0}, 0, 1).n, 0);
    assert_str(str_trim(STR(" \t\r\n\f\va b \n")), "a b");
    assert_str(str_trim(STR("\0x ")), "\0x"); /* NUL is no white space */
    assert_int_equal(str_trim(STR(" \n ")).n, 0);
}

static void next_gives_every_part(void **state)
{
    (void)state;
    struct str rest = STR(",a,,bc,"), part;
    const char *want[] = {"", "a", "", "bc", ""};
    size_t n = 0;
    while (str_next(&rest, ',', &part)) {
        assert_true(n < 5);
        assert_true(str_eq(part, str_z(want[n++])));
    }
    assert_int_equal(n, 5);
    rest = STR("");
    assert_true(str_next(&rest, ',', &part)); /* one empty part, then the end */
    assert_false(str_next(&rest, ',', &part));
}

static void base_and_dir(void **state)
{
    (void)state;
    assert_str(path_base(STR("/a/b.py")), "b.py");
    assert_str(path_dir(STR("/a/b.py")), "/a");
    assert_str(path_base(STR("b.py")), "b.py");
    assert_int_equal(path_dir(STR("b.py")).n, 0);
    assert_int_equal(path_base(STR("a/")).n, 0);
    assert_int_equal(path_dir(STR("/a")).n, 0);
}

static void lists_sort_and_lose_doubles(void **state)
{
    (void)state;
    struct strs l = {0};
    strs_sort(&l);
    strs_unique(&l);
    assert_int_equal(l.n, 0);
    for (int i = 0; i < 100; i++)
        strs_add(&l, i % 3 == 0 ? STR("b") : i % 3 == 1 ? STR("ab") : STR("a"));
    assert_int_equal(l.n, 100);
    strs_sort(&l);
    strs_unique(&l);
    assert_int_equal(l.n, 3);
    assert_str(l.items[0], "a");
    assert_str(l.items[1], "ab");
    assert_str(l.items[2], "b");
    assert_true(strs_has(&l, STR("ab")));
    assert_false(strs_has(&l, STR("abc")));
    strs_release(&l);
    assert_null(l.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_and_order),    cmocka_unit_test(prefixes_and_searches),
        cmocka_unit_test(slices_are_clamped),    cmocka_unit_test(next_gives_every_part),
        cmocka_unit_test(base_and_dir),          cmocka_unit_test(lists_sort_and_lose_doubles),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
