#include "generator/config/toml.h"
#include "tests/unit/unit.h"

static void assert_same(const struct toml_value *a, const struct toml_value *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->line, b->line);
    assert_true(str_eq(a->key, b->key));
    assert_true(str_eq(a->text, b->text));
    const struct toml_value *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next)
        assert_same(x, y);
    assert_true(!x && !y);
}

static const char *const simple[] = {
    "",
    "# a comment",
    "\n\n[tool.pytest.ini_options]\nminversion = \"6.0\"\nxfail_strict = true\n",
    "[tool.pytest.ini_options]\naddopts = [\n  \"-ra\",  # why\n\n  '--x' , # last\n]\n",
    "[tool.fastest]\nworkers = 4\nzero = 0\n[tool.pytest]\nx = [[1, 2], []]\n",
    "[tool.pytest.ini_options] # c\na = '' # d\nb=\"#]\"\n[ tool . pytest ]\nc = false",
    "[tool.fastest]\n\tinputs = [\n\"a\"]\n",
};

static void simple_documents_are_those_of_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        struct arena a = {0};
        struct toml_value plain, whole;
        struct err err;
        assert_true(toml_plain(&plain, str_z(simple[i]), &a));
        assert_true(toml_parse(&whole, STR("x.toml"), str_z(simple[i]), &a, &err));
        whole.line = plain.line = 0;
        assert_same(&plain, &whole);
        arena_release(&a);
    }
}

static const char *const others[] = {
    "[tool.pytest]\na = \"x\\n\"\n",        "[tool.pytest]\na = \"\"\"\nx\"\"\"\n", "[tool.pytest]\na.b = 1\n",
    "[tool.pytest]\n\"a\" = 1\n",           "[tool.pytest]\na = 1_000\n",           "[tool.pytest]\na = 007\n",
    "[tool.pytest]\na = 1.5\n",             "[tool.pytest]\na = {b = 1}\n",         "[[tool.pytest]]\na = 1\n",
    "[tool.pytest]\na = 1\na = 2\n",        "[tool.pytest]\n[tool.pytest]\n",       "[tool.pytest]\na = 1 b = 2\n",
    "[tool.pytest]\na = [1,, 2]\n",         "[tool.pytest]\na = [1\n",              "[tool.pytest]\na =\n",
    "[tool.pytest]\na = 'x\n'\n",           "[tool.pytest]\na = 'caf\xc3\xa9'\n",   "[tool.pytest]\r\na = 1\r\n",
    "[tool.pytest]\na = 1\n[tool.pytest.a]\n", "[tool.pytest\na = 1\n",             "[tool.pytest]\na = 'x\001'\n",
    "[tool.pytest] x\n",                    "[tool.pytest]\na = 'x' 'y'\n",
};

static void what_is_not_simple_is_left_to_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct arena a = {0};
        struct toml_value plain;
        assert_false(toml_plain(&plain, str_z(others[i]), &a));
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_documents_are_those_of_the_grammar),
        cmocka_unit_test(what_is_not_simple_is_left_to_the_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
