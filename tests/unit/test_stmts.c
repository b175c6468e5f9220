/* The statements of a file: the outline, the whole tree and the line scanner say the same.
 * With arguments: compares the three over these files, and prints what differs. */
#include "generator/source/parse_regex.h"
#include "generator/source/parse_stmts.h"
#include "runtime/base/clock.h"
#include "runtime/base/io.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void print_stmts(struct str all, struct buf *out)
{
    struct stmt s;
    while (stmts_next(&all, &s))
        buf_printf(out, "%*s%s %u %u: %.*s\n", s.depth * 2, "", stmts_kind_name((enum stmt_kind)s.kind), s.line,
                   s.words, (int)s.text.n, s.text.p);
}

static void parse(struct str text, bool whole, struct buf *out)
{
    struct stmt_parser *p = stmt_parser_new();
    stmt_parser_whole(p, whole);
    stmt_parser_run(p, text, out);
    stmt_parser_free(p);
}

static bool dump(const char *name, struct str a)
{
    struct buf b = {0};
    print_stmts(a, &b);
    FILE *f = fopen(name, "w");
    bool ok = f && fwrite(b.p ? b.p : "", 1, b.n, f) == b.n;
    if (f)
        fclose(f);
    buf_release(&b);
    return ok;
}

static int compare_files(int n, char **names)
{
    int differ = 0, odd = 0, errors = 0;
    int64_t t[3] = {0}, bytes = 0;
    struct stmt_parser *p = stmt_parser_new();
    for (int i = 0; i < n; i++) {
        struct buf text = {0}, o[3] = {{0}};
        if (io_read(names[i], 0, &text, NULL)) {
            struct str view = text.p ? buf_view(&text) : STR("");
            int64_t t0 = clock_mono_ns();
            stmt_parser_whole(p, true);
            stmt_parser_run(p, view, &o[0]);
            int64_t t1 = clock_mono_ns();
            stmt_parser_whole(p, false);
            stmt_parser_run(p, view, &o[1]);
            int64_t t2 = clock_mono_ns();
            bool decided = parse_regex(view, &o[2]);
            int64_t t3 = clock_mono_ns();
            t[0] += t1 - t0, t[1] += t2 - t1, t[2] += t3 - t2, bytes += (int64_t)view.n;
            struct stmt s;
            bool error = false;
            for (struct str all = o[0].p ? buf_view(&o[0]) : STR(""); stmts_next(&all, &s);)
                error = error || s.kind == STMT_ERROR;
            bool same = str_eq(buf_view(&o[0]), buf_view(&o[1])) &&
                        (!decided || str_eq(buf_view(&o[0]), buf_view(&o[2])));
            odd += !decided;
            errors += error;
            if (!same && !error) {
                if (differ++ == 0) {
                    dump("/tmp/stmts.whole", buf_view(&o[0]));
                    dump("/tmp/stmts.outline", buf_view(&o[1]));
                    dump("/tmp/stmts.lines", buf_view(&o[2]));
                }
                printf("differ: %s\n", names[i]);
            }
        }
        buf_release(&text);
        for (int k = 0; k < 3; k++)
            buf_release(&o[k]);
    }
    stmt_parser_free(p);
    printf("%d files, %.1f MB: %d differ, %d handed over by the scanner, %d with errors; whole %.1f outline "
           "%.1f lines %.1f MB/s\n", n, (double)bytes / 1e6, differ, odd, errors, (double)bytes * 1e3 / (double)(t[0] + 1),
           (double)bytes * 1e3 / (double)(t[1] + 1), (double)bytes * 1e3 / (double)(t[2] + 1));
    return differ != 0;
}

static void same(const char *text, const char *expected)
{
    struct buf o[3] = {{0}}, shown = {0};
    parse(str_z(text), true, &o[0]);
    parse(str_z(text), false, &o[1]);
    print_stmts(buf_view(&o[0]), &shown);
    assert_string_equal(shown.p ? shown.p : "", expected);
    assert_true(str_eq(buf_view(&o[0]), buf_view(&o[1])));
    if (parse_regex(str_z(text), &o[2]))
        assert_true(str_eq(buf_view(&o[0]), buf_view(&o[2])));
    for (int i = 0; i < 3; i++)
        buf_release(&o[i]);
    buf_release(&shown);
}

static void test_bodies_are_left_out(void **state)
{
    (void)state;
    same("import os\n\n@a.b(1,\n   2)  # why\nasync def test_x(a, b=(1, 2)) -> int:\n    '''doc'''\n    x = 1\n\n"
         "    def inner():\n        yield\nclass T(B):\n    y: int = 3\n    def m(self): yield 2\n",
         "simple 1 0: import os\ndecorator 3 0: a.b(1,\n   2)\ndef 5 0: async def test_x(a, b=(1, 2)) -> int\n"
         "class 11 0: class T(B)\n  simple 12 0: y: int = 3\n  def 13 1: def m(self)\n");
}

static void test_blocks_nest(void **state)
{
    (void)state;
    same("if a:\n    x = 1; y = 2\nelif b: z = 3\nelse:\n    try:\n        import m\n    except (A, B) as e:\n"
         "        pass\n    finally:\n        q()\nfor i in j:\n  def test_i(): pass\nwith a as b, c:\n\tr()\n",
         "if 1 0: if a\n  simple 2 0: x = 1\n  simple 2 0: y = 2\nelif 3 0: elif b\n  simple 3 0: z = 3\nelse 4 0: else\n"
         "  try 5 0: try\n    simple 6 0: import m\n  except 7 0: except (A, B) as e\n  finally 9 0: finally\n"
         "    simple 10 0: q()\nfor 11 0: for i in j\n  def 12 0: def test_i()\nwith 13 0: with a as b, c\n  simple 14 0: r()\n");
}

static void test_what_bodies_change_is_told(void **state)
{
    (void)state;
    same("A = []\ndef f():\n    A.append(1)\n    B[0] = 2\n    global C\n    self.D.pop()\n    globals()\n",
         "simple 1 0: A = []\ndef 2 2: def f()\nmutated 1 0: A\nmutated 1 0: B\nmutated 1 0: C\n");
}

static void test_hooks_keep_their_body(void **state)
{
    (void)state;
    same("def pytest_collection_modifyitems(items):\n    # c\n    items.pop()\n    x()\n",
         "def 1 0: def pytest_collection_modifyitems(items)\n  body 1 0:     items.pop()\n    x()\nmutated 1 0: items\n");
}

static void test_the_scanner_hands_over_what_is_no_statement(void **state)
{
    (void)state;
    static const char *const texts[] = {"if x; y: z\n", "if x; y:\n    z\n", "def f(a); b: pass\n",
                                        "if x\n", "def f():\n", "x = (\n", "  x\n y\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf out = {0};
        assert_false(parse_regex(str_z(texts[i]), &out));
        assert_int_equal(out.n, 0);
        buf_release(&out);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return compare_files(argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_are_left_out),
        cmocka_unit_test(test_blocks_nest),
        cmocka_unit_test(test_what_bodies_change_is_told),
        cmocka_unit_test(test_hooks_keep_their_body),
        cmocka_unit_test(test_the_scanner_hands_over_what_is_no_statement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
