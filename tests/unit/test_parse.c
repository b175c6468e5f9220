/* Facts of a file: imports of every form, flags, counts; skeletons give the same as whole files. */
#include "generator/source/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* "kind level module name;" for each import, in order. */
static struct facts parse(const char *text, bool whole, struct buf *shown)
{
    struct parser *p = parser_new();
    struct facts f = {0};
    struct buf packed = {0};
    struct import im;
    parser_whole(p, whole);
    parser_run(p, str_z(text), &f, &packed);
    struct unpack u = {(const unsigned char *)packed.p, packed.n, false};
    buf_clear(shown);
    while (facts_next(&u, &im))
        buf_printf(shown, "%u %u %.*s %.*s;", im.kind, im.level, (int)im.module.n, im.module.p,
                   (int)im.name.n, im.name.p);
    buf_release(&packed);
    parser_free(p);
    return f;
}

static void expect(const char *text, const char *imports, uint32_t flags)
{
    struct buf whole = {0}, cut = {0};
    struct facts f = parse(text, true, &whole), g = parse(text, false, &cut);
    assert_string_equal(whole.p ? whole.p : "", imports);
    assert_string_equal(cut.p ? cut.p : "", imports);
    assert_int_equal(f.flags, flags);
    assert_int_equal(g.flags, flags);
    assert_int_equal(f.n_tests, g.n_tests);
    buf_release(&whole);
    buf_release(&cut);
}

static void plain_imports(void **state)
{
    (void)state;
    expect("import a, b.c as d\n", "1 0 a ;1 0 b.c ;", 0);
    expect("from a import (b,  # c\n  d as e,\n)\n", "2 0 a b;2 0 a d;", 0);
    expect("from . import x\nfrom ..y import z\n", "2 1  x;2 2 y z;", 0);
    expect("from a import *\n", "2 0 a *;", 0);
    expect("import \\\n  a . b\n", "1 0 a.b ;", 0);
}

static void nested_imports(void **state)
{
    (void)state;
    expect("def f():\n    x = 1\n    import a\n    y = 2\n", "1 0 a ;", 0);
    expect("try:\n    import a\nexcept ImportError:\n    import b\n", "1 0 a ;1 0 b ;", 0);
    expect("match x:\n    case 1:\n        import a\n", "1 0 a ;", 0);
    expect("x = 1; import a\n", "1 0 a ;", 0);
    expect("if TYPE_CHECKING:\n    import a\nelse:\n    import b\n", "1 0 b ;", 0);
    expect("if not t.TYPE_CHECKING:\n    import a\n", "1 0 a ;", 0);
}

static void calls(void **state)
{
    (void)state;
    expect("importlib.import_module('a.b')\n", "1 0 a.b ;3 0 a.b ;", 0);
    expect("import_module('.c', package='a.b')\n", "1 0 a.b.c ;3 0 a.b ;", 0);
    expect("import_module('.c', __name__)\n", "2 1 c ;", 0);
    expect("from importlib import import_module as im\nx\nim('m')\n",
           "2 0 importlib import_module;1 0 m ;", 0);
    expect("__import__(name)\n", "", FACT_DYNAMIC);
    expect("pytest.importorskip('m')\n", "1 0 m ;", 0);
    expect("exec(code)\n", "", FACT_DYNAMIC);
    expect("def __getattr__(name):\n    pass\n", "", FACT_DYNAMIC);
    expect("class A:\n    def __getattr__(self, name):\n        pass\n", "", 0);
}

static void strings_and_flags(void **state)
{
    (void)state;
    expect("mock.patch('a.b.c')\n", "3 0 a.b.c ;", 0);
    expect("x = 'a b.c'\ny = 'no'\n", "", 0);
    expect("pytest_plugins = ['p', 'q.r']\n", "1 0 p ;1 0 q.r ;3 0 q.r ;", 0);
    expect("__all__ = ['s']\n__all__ += ['t']\n", "5 0 s ;5 0 t ;", 0);
    expect("import subprocess\nsubprocess.run(['-m', 'app'])\n", "1 0 subprocess ;4 0 app ;",
           FACT_SPAWN);
    expect("sys.path.insert(0, x)\n", "", FACT_SYS_PATH);
    expect("def pytest_collect_file(path):\n    pass\n", "", FACT_COLLECTS | FACT_HOOKS);
    expect("def pytest_runtest_setup(item):\n    pass\n", "", 0);
}

static void tests_are_counted(void **state)
{
    (void)state;
    struct buf b = {0};
    struct facts f = parse("def test_a(): pass\nclass T:\n    async def test_b(self):\n        x\n",
                           false, &b);
    assert_int_equal(f.n_tests, 2);
    buf_release(&b);
}

static void broken_and_deep_sources(void **state)
{
    (void)state;
    struct buf b = {0}, shown = {0};
    expect("import a\ndef (:\n", "1 0 a ;", 0);
    parse("x = 'abc\nimport a\n", false, &shown);
    for (int i = 0; i < 3000; i++)
        buf_char(&b, '(');
    buf_z(&b, "import a");
    parse(b.p, false, &shown);
    buf_clear(&b);
    for (int i = 0; i < 3000; i++)
        buf_z(&b, "f(sys, ");
    parse(b.p, false, &shown);
    buf_release(&b);
    buf_release(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_imports),     cmocka_unit_test(nested_imports),
        cmocka_unit_test(calls),             cmocka_unit_test(strings_and_flags),
        cmocka_unit_test(tests_are_counted), cmocka_unit_test(broken_and_deep_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
