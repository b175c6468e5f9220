#include "generator/source/blocks.h"
#include "runtime/base/io.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct buf packed_of(const char *text)
{
    struct buf b = {0};
    blocks_pack(&b, str_z(text), true, true);
    return b;
}

/* "first-last name" of each block. */
static void print_blocks(struct str packed, FILE *out)
{
    struct blocks b;
    assert_true(blocks_open(&b, packed));
    for (uint32_t i = 0; i < b.n; i++) {
        struct block at = blocks_get(&b, i);
        fprintf(out, "%u-%u %.*s\n", at.first, at.last, (int)at.qualified.n, at.qualified.p);
    }
}

static const char sample[] = "import os\n"
                             "@deco\n"
                             "def f(a, b=lambda: 1):\n"
                             "    'doc'\n"
                             "    def g():\n"
                             "        return 1\n"
                             "    return [x for x in g()]\n"
                             "class C:\n"
                             "    x = 1\n"
                             "    async def m(self): return 2\n"
                             "    def n(self):\n"
                             "        return 3\n"
                             "y = 2\n";

/* What a change of the text does: to the definition, and to each block by its name. */
static void changes(const char *before, const char *after, const char *expected)
{
    struct buf a = packed_of(before), b = packed_of(after), said = {0};
    struct blocks x, y;
    assert_true(blocks_open(&x, buf_view(&a)) && blocks_open(&y, buf_view(&b)));
    if (!hash128_eq(x.definition, y.definition))
        buf_z(&said, "definition ");
    for (uint32_t i = 0; i < x.n; i++) {
        struct block at = blocks_get(&x, i);
        struct hash128 p, q;
        struct blocks same = x;
        struct buf name = {0};
        struct str changed = STR("");
        same.definition = y.definition;
        blocks_choose(&x, at.name, &name);
        bool there = blocks_hash(&y, buf_view(&name), &q);
        assert_true(blocks_hash(&same, buf_view(&name), &p));
        assert_int_equal(blocks_changed(&y, buf_view(&name), &changed), !there || !hash128_eq(p, q));
        assert_true(!changed.n || str_eq(changed, at.qualified));
        buf_release(&name);
        if (!there || !hash128_eq(p, q)) {
            buf_str(&said, at.qualified);
            buf_char(&said, ' ');
        }
    }
    assert_string_equal(said.p ? said.p : "", expected);
    buf_release(&a);
    buf_release(&b);
    buf_release(&said);
}

static void replaced(const char *from, const char *to, const char *expected)
{
    struct buf b = {0};
    const char *at = strstr(sample, from);
    assert_non_null(at);
    buf_add(&b, sample, (size_t)(at - sample));
    buf_z(&b, to);
    buf_z(&b, at + strlen(from));
    changes(sample, b.p, expected);
    buf_release(&b);
}

static void test_an_edit_changes_its_own_block(void **state)
{
    (void)state;
    replaced("return 1", "return 4", "f.<locals>.g ");
    replaced("in g()]", "in h()]", "f ");
    replaced("return 2", "return 5", "C.m ");
    replaced("return 3", "return 5", "C.n ");
    replaced("x = 1", "x = 2", "definition ");
    replaced("y = 2", "y = 3", "definition ");
    replaced("b=lambda: 1", "b=lambda: 2", "definition ");
    replaced("@deco", "@other", "definition ");
    replaced("'doc'", "'text'", "definition ");
    replaced("def g():", "def g(z):", "f ");
    replaced("def n(self)", "def o(self)", "definition C.n ");
    replaced("return 3\n", "return 3  # why\n", "");
}

static void test_what_moves_is_the_same(void **state)
{
    (void)state;
    replaced("        return 1\n", "        x = 0\n        return 1\n", "f.<locals>.g ");
    replaced("        return 3\n", "        x = 0\n        return 3\n", "C.n ");
    replaced("import os\n", "import os\n\n", "definition ");
    changes("def f():\n    '''a'''\n    return 1\n", "def f():\n    '''b'''\n    return 1\n", "definition ");
    changes("def f():\n    ('a'\n     'c')\n    return 1\n", "def f():\n    ('b'\n     'c')\n    return 1\n", "definition f ");
    changes("def f(): 'a'\n", "def f(): 'b'\n", "definition f ");
}

static void test_two_of_a_name_count_together(void **state)
{
    (void)state;
    changes("if a:\n    def f():\n        return 1\nelse:\n    def f():\n        return 2\n",
            "if a:\n    def f():\n        return 1\nelse:\n    def f():\n        return 3\n", "f f ");
}

static void test_code_is_found_by_its_line(void **state)
{
    (void)state;
    static const struct { uint32_t line; const char *name; } at[] = {
        {1, NULL}, {2, "f"}, {5, "f.<locals>.g"}, {6, "f.<locals>.g"}, {7, "f"}, {8, NULL}, {9, NULL},
        {10, "C.m"}, {11, "C.n"}, {13, NULL}, {99, NULL},
    };
    struct buf b = packed_of(sample);
    struct blocks x;
    assert_true(blocks_open(&x, buf_view(&b)));
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        uint32_t found = blocks_at(&x, at[i].line);
        assert_int_equal(found == x.n, at[i].name == NULL);
        if (at[i].name)
            assert_true(str_eq(blocks_get(&x, found).qualified, str_z(at[i].name)));
    }
    buf_release(&b);
}

static void test_what_is_odd_has_no_blocks(void **state)
{
    (void)state;
    static const char *const texts[] = {"x = '\n", "def f()\n    pass\n", "def f(:\n    pass\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf b = packed_of(texts[i]);
        struct blocks x;
        assert_false(blocks_open(&x, buf_view(&b)));
        buf_release(&b);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--print") == 0) {
        struct buf text = {0}, packed = {0};
        assert_true(io_read(argv[2], 0, &text, NULL));
        blocks_pack(&packed, buf_view(&text), true, true);
        if (packed.n)
            print_blocks(buf_view(&packed), stdout);
        return packed.n ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_edit_changes_its_own_block),
        cmocka_unit_test(test_what_moves_is_the_same),
        cmocka_unit_test(test_two_of_a_name_count_together),
        cmocka_unit_test(test_code_is_found_by_its_line),
        cmocka_unit_test(test_what_is_odd_has_no_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
