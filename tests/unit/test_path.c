#include "tests/unit/unit.h"

#include "runtime/base/io.h"

static void normalizes(void **state)
{
    (void)state;
    static const struct {
        const char *path, *want;
    } cases[] = {
        {"", "."},        {".", "."},           {"/", "/"},          {"//", "/"},
        {"a", "a"},       {"a/", "a"},          {"a//b", "a/b"},     {"./a/./b/.", "a/b"},
        {"a/..", "."},    {"a/../..", ".."},    {"../a/..", ".."},   {"../../a", "../../a"},
        {"/..", "/"},     {"/../a", "/a"},      {"/a/b/../../c", "/c"},
        {"/a/..", "/"},   {"a/b/../c", "a/c"},  {"..a/...", "..a/..."},
        {"a/../../b", "../b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        path_normalize(&b, str_z(cases[i].path));
        assert_string_equal(b.p, cases[i].want);
        buf_clear(&b);
        buf_z(&b, "x/y"); /* what is there already stays */
        path_normalize(&b, str_z(cases[i].path));
        assert_memory_equal(b.p, "x/y", 3);
        assert_string_equal(b.p + 3, cases[i].want);
        buf_release(&b);
    }
}

static void joins(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *want;
    } cases[] = {
        {"/a", "b", "/a/b"}, {"/a", "/b", "/b"},   {"/a/", "./b/", "/a/b"}, {"/", "b", "/b"},
        {"/a", "", "/a"},    {"/a", "../b", "/b"}, {"", "b", "b"},          {"a", "../../b", "../b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        path_join(&b, str_z(cases[i].a), str_z(cases[i].b));
        assert_string_equal(b.p, cases[i].want);
        buf_release(&b);
    }
}

static void makes_relative(void **state)
{
    (void)state;
    static const struct {
        const char *path, *base, *want;
    } cases[] = {
        {"/a/b", "/a", "b"},       {"/a", "/a", "."},      {"/a", "/a/b", ".."},
        {"/a/bc", "/a/b", "../bc"}, {"/a/b", "/a/bc", "../b"}, {"/x/y", "/a/b", "../../x/y"},
        {"/a", "/", "a"},          {"/", "/a", ".."},      {"/", "/", "."},
        {"/a/b/c", "/a/d/e", "../../b/c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        path_relative(&b, str_z(cases[i].path), str_z(cases[i].base));
        assert_string_equal(b.p, cases[i].want);
        buf_clear(&b);
        path_join(&b, str_z(cases[i].base), str_z(cases[i].want)); /* and back */
        assert_string_equal(b.p, cases[i].path);
        buf_release(&b);
    }
}

static void under(void **state)
{
    (void)state;
    assert_true(path_under(STR("/a/b"), STR("/a")));
    assert_true(path_under(STR("/a"), STR("/a")));
    assert_true(path_under(STR("/a"), STR("/")));
    assert_false(path_under(STR("/ab"), STR("/a")));
    assert_false(path_under(STR("/"), STR("/a")));
    assert_false(path_under(STR("a"), STR("/")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalizes),
        cmocka_unit_test(joins),
        cmocka_unit_test(makes_relative),
        cmocka_unit_test(under),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
