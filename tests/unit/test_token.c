/* The semantic hash: what changes it and what does not; what is odd is hashed by its bytes. */
#include "generator/source/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static bool same(const char *a, const char *b, bool lines)
{
    return hash128_eq(token_hash(str_z(a), lines), token_hash(str_z(b), lines));
}

static void comments_do_not_count(void **state)
{
    (void)state;
    assert_true(same("x = 1  # one\n", "x = 1 # two\n", true));
    assert_true(same("x = 1\n# a\ny = 2\n", "x = 1\n\ny = 2\n", true));
    assert_true(same("x = '#'  # a\n", "x = '#'\n", true));
    assert_true(same("f(1,  # a\n  2)\n", "f(1,  # b\n  2)\n", true));
}

static void lines_and_text_count(void **state)
{
    (void)state;
    assert_false(same("x = 1\n", "\nx = 1\n", true));
    assert_false(same("x = 1\n", "# c\nx = 1\n", true));
    assert_false(same("x = 1\n", "x = 2\n", true));
    assert_false(same("if x:\n  y\n  z\n", "if x:\n  y\nz\n", true));
    assert_false(same("x = '# a'\n", "x = '# b'\n", true));
    assert_false(same("'''a  \nb'''\n", "'''a\nb'''\n", true));
    assert_false(same("'''a # b\n'''\n", "'''a # c\n'''\n", true));
}

static void lines_can_be_ignored(void **state)
{
    (void)state;
    assert_true(same("x = 1\n", "# c\n\nx = 1\n", false));
    assert_false(same("x = '''a\n\nb'''\n", "x = '''a\nb'''\n", false));
    assert_false(same("x = 1\n", "x = 2\n", false));
    assert_false(same("x = 'a'\ny\n", "x = 'a'y\n", false));
    assert_false(same("x = 1\n", "x = 1\n", true) != same("x = 1\n", "x = 1\n", false));
}

static bool is_odd(const char *text)
{
    struct buf b = {0};
    bool odd = !token_strip(&b, str_z(text), true);
    buf_release(&b);
    return odd;
}

static void what_is_odd_is_hashed_by_bytes(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "x = 'abc\n",          "x = '''abc\n",        "x = 1\r\n",      "x = 1\f\n",
        "x = $y\n",            "x \\ y\n",            "x = \\\n# c\n",  "f'{x[\"}\"]}'\n",
        "f'{'a'}'\n", "f\"\"\"{'\"'}\"\"\"\n",          "f'{x!r:#x}'\n",       "f'{'}' + '#'}'\n", "f'}'\n",
        "# -*- coding: shift-jis -*-\n"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        if (!is_odd(odd[i]))
            print_error("not odd: %s\n", odd[i]);
        assert_true(is_odd(odd[i]));
        assert_true(same(odd[i], odd[i], true));
    }
    assert_false(same("x = 'abc\n# a\n", "x = 'abc\n# b\n", true));
}

static void ordinary_code_is_not_odd(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "",                     "x = f'{a}{{}}{b:>{w}}'\n", "x = f'{d[\"k\"]}'\n", "r'\\'  '\n",
        "x = 1 + \\\n  2\n",    "'''a'b''c'''\n",           "\"\\\"\"\n",         "b'\\x00'\n",
        "# -*- coding: utf-8 -*-\nx = 1\n", "f'''{a}\n{b}'''\n", "x = f\"\"\"{d[\"k\"]}{\"\"}\"\"\"\n", "x = 'a\\\nb'\n"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        if (is_odd(fine[i]))
            print_error("odd: %s\n", fine[i]);
        assert_false(is_odd(fine[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_do_not_count),      cmocka_unit_test(lines_and_text_count),
        cmocka_unit_test(lines_can_be_ignored),       cmocka_unit_test(what_is_odd_is_hashed_by_bytes),
        cmocka_unit_test(ordinary_code_is_not_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
