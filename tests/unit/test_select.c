/* -k and -m expressions. What is expected here was asked of pytest 9.2. */
#include "generator/collect/select.h"
#include "tests/unit/unit.h"

static int match_names(const char *text, const char *names)
{
    struct err err = {0};
    struct select *s = select_new(str_z(text), false, &err);
    struct strs list = {0};
    struct str rest = str_z(names), part;
    assert_non_null(s);
    while (str_next(&rest, ' ', &part))
        strs_add(&list, part);
    struct select_item item = {.names = list.items, .n_names = (uint32_t)list.n};
    int m = select_match(s, &item);
    strs_release(&list);
    select_free(s);
    return m;
}

static void keywords_are_parts_of_names(void **state)
{
    (void)state;
    static const struct { const char *text, *names; int expected; } cases[] = {
        {"", "test_a", 1},
        {" \t\n", "test_a", 1},
        {"a", "test_A", 1},
        {"TEST", "test_a", 1},
        {"b", "test_a", 0},
        {"test_a", "x test_ab y", 1},
        {"not b", "test_a", 1},
        {"not not a", "test_a", 1},
        {"a and b", "test_a", 0},
        {"a and b", "test_a test_b", 1},
        {"a or b", "test_b", 1},
        {"test_x[1-2]", "test_x[1-2]", 1},
        {"a/b.py", "tests/a/b.py", 1},
        {"a::b", "x::a::b", 1},
        {"a-b+c\\d", "a-b+c\\d", 1},
        {"nothing", "test_not", 0},
        {"android", "test_android", 1},
        {"\xc3\xa9", "test_\xc3\xa9", 1},
        {"  a\t", "a", 1},
        {"None", "x", 0},
        {"True", "test_true", 1},
        {"1", "test_1", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (match_names(cases[i].text, cases[i].names) != cases[i].expected)
            fail_msg("-k '%s' of '%s' is not %d", cases[i].text, cases[i].names, cases[i].expected);
}

/* All expressions of three letters, against C's own operators. */
static void not_binds_before_and_before_or(void **state)
{
    (void)state;
    for (int bits = 0; bits < 8; bits++) {
        int x = bits & 1, y = bits >> 1 & 1, z = bits >> 2 & 1;
        char names[16];
        snprintf(names, sizeof names, "%s %s %s", x ? "x" : "_", y ? "y" : "_", z ? "z" : "_");
        assert_int_equal(match_names("x or y and z", names), x || (y && z));
        assert_int_equal(match_names("x and y or z", names), (x && y) || z);
        assert_int_equal(match_names("(x or y) and z", names), (x || y) && z);
        assert_int_equal(match_names("x and (y or z)", names), x && (y || z));
        assert_int_equal(match_names("not x and y or z", names), (!x && y) || z);
        assert_int_equal(match_names("not (x and y or z)", names), !((x && y) || z));
        assert_int_equal(match_names("x and not y and z", names), x && !y && z);
        assert_int_equal(match_names("x or not y or z", names), x || !y || z);
        assert_int_equal(match_names("not x or not(y)and not not z", names), !x || (!y && z));
        assert_int_equal(match_names("((x)or((y)and(z)))", names), x || (y && z));
    }
}

static void depth_does_not_matter(void **state)
{
    (void)state;
    enum { DEPTH = 200000 };
    struct buf b = {0};
    for (int i = 0; i < DEPTH; i++)
        buf_z(&b, "not (");
    buf_z(&b, "a");
    for (int i = 0; i < DEPTH; i++)
        buf_char(&b, ')');
    assert_int_equal(match_names(b.p, "a"), 1);
    assert_int_equal(match_names(b.p, "b"), 0);
    buf_clear(&b);
    for (int i = 0; i < DEPTH; i++)
        buf_z(&b, "b or (");
    buf_z(&b, "a");
    for (int i = 0; i < DEPTH; i++)
        buf_char(&b, ')');
    assert_int_equal(match_names(b.p, "a"), 1);
    buf_release(&b);
}

static void errors_are_pytests(void **state)
{
    (void)state;
    static const struct { const char *text, *why; } cases[] = {
        {"1 ( None $ a", "at column 10: unexpected character \"$\""}, /* the scanner is a token ahead */
        {"a(n=x$)", "at column 6: unexpected character \"$\""},
        {"a and", "at column 6: expected not OR left parenthesis OR identifier; got end of input"},
        {"(a", "at column 3: expected right parenthesis; got end of input"},
        {"a)", "at column 2: expected end of input; got right parenthesis"},
        {"a b", "at column 3: expected end of input; got identifier"},
        {"(a b)", "at column 4: expected right parenthesis; got identifier"},
        {"not or", "at column 5: expected not OR left parenthesis OR identifier; got or"},
        {"a and and", "at column 7: expected not OR left parenthesis OR identifier; got and"},
        {"()", "at column 2: expected not OR left parenthesis OR identifier; got right parenthesis"},
        {"'x'", "at column 1: expected not OR left parenthesis OR identifier; got string literal"},
        {"a = 1", "at column 3: expected end of input; got ="},
        {"a, b", "at column 2: expected end of input; got ,"},
        {"a & b", "at column 3: unexpected character \"&\""},
        {"a 'b", "at column 3: closing quote \"'\" is missing"},
        {"a(n)", "at column 4: expected =; got right parenthesis"},
        {"a()", "at column 3: expected identifier; got right parenthesis"},
        {"a(1=2)", "at column 3: not a valid python identifier 1"},
        {"a(b.c=2)", "at column 3: not a valid python identifier b.c"},
        {"a(class=2)", "at column 3: unexpected reserved python keyword `class`"},
        {"a(n=2", "at column 6: expected right parenthesis; got end of input"},
        {"a(n=2,)", "at column 7: expected identifier; got right parenthesis"},
        {"a(n=x)", "at column 5: unexpected character/s \"x\""},
        {"a(n=1.5)", "at column 5: unexpected character/s \"1.5\""},
        {"a(n='\\')", "at column 6: escaping with \"\\\" not supported in marker expression"},
        {"\xc3\xa9 and", "at column 6: expected not OR left parenthesis OR identifier; got end of input"},
        {"a\nb", "at column 2: unexpected character \"\n\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int mark = 0; mark < 2; mark++) {
            struct err err = {0};
            char expected[256];
            assert_null(select_new(str_z(cases[i].text), mark, &err));
            snprintf(expected, sizeof expected, "Wrong expression passed to '-%c': %s: %s", mark ? 'm' : 'k',
                     cases[i].text, cases[i].why);
            assert_string_equal(err.msg, expected);
        }
    struct err err = {0};
    assert_null(select_new(STR(" \n\ta and"), false, &err)); /* -k: columns count from the first word */
    assert_string_equal(err.msg, "Wrong expression passed to '-k': a and: at column 6: "
                                 "expected not OR left parenthesis OR identifier; got end of input");
    err = (struct err){0};
    assert_null(select_new(STR("a(n=1)"), false, &err));
    assert_string_equal(err.msg, "Keyword expressions do not support call parameters.");
}

static int match_marks(const char *text, const struct value *marks, uint32_t n)
{
    struct err err = {0};
    struct select *s = select_new(str_z(text), true, &err);
    assert_non_null(s);
    struct select_item item = {.marks = marks, .n_marks = n};
    int m = select_match(s, &item);
    select_free(s);
    return m;
}

static void marks_are_matched_whole_and_by_arguments(void **state)
{
    (void)state;
    struct value_keyword k[] = {
        {STR("n"), {.kind = VALUE_INT, .i = 3}},        {STR("s"), {.kind = VALUE_STR, .text = STR("x y")}},
        {STR("t"), {.kind = VALUE_BOOL, .i = 1}},       {STR("none"), {.kind = VALUE_NONE}},
        {STR("neg"), {.kind = VALUE_INT, .i = -4}},
    };
    struct value_keyword other = {STR("n"), {.kind = VALUE_INT, .i = 5}};
    struct value marks[] = {
        {.kind = VALUE_MARK, .text = STR("slow")},
        {.kind = VALUE_MARK, .text = STR("db"), .called = true, .keywords = k, .n_keywords = 5},
        {.kind = VALUE_MARK, .text = STR("db"), .called = true, .keywords = &other, .n_keywords = 1},
    };
    static const struct { const char *text; int expected; } cases[] = {
        {"slow", 1}, {"slo", 0}, {"SLOW", 0}, {"not slow", 0}, {"slow and db", 1}, {"db", 1},
        {"db(n=3)", 1}, {"db(n=5)", 1}, {"db(n=4)", 0}, {"db(n='3')", 0}, {"db(s='x y')", 1}, {"db(s=\"x y\")", 1},
        {"db(t=True)", 1}, {"db(t=False)", 0}, {"db(t=1)", 1}, {"db(none=None)", 1}, {"db(none=False)", 0},
        {"db(neg=-4)", 1}, {"db(missing=None)", 0}, {"db(n=3, t=True)", 1}, {"db(n=5, t=True)", 0},
        {"", 1}, {" ", 0}, {"db(n=0000000000000000000000003)", 1}, {"db(n=-922337203685477579)", 0},
        {"db(x=99999999999999999999999999)", 0}, {"db(n=99999999999999999999999999)", -1},
        {"db(n=3,t=True,n=3,t=True,n=3,t=True,n=3,t=True,n=3,t=True,n=3,t=True,n=3,t=True,n=3,t=True,n=3)", 1},
        {"slow(n=1)", 0}, {"not db(n=4) and db( n = 3 )", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (match_marks(cases[i].text, marks, 3) != cases[i].expected)
            fail_msg("-m '%s' is not %d", cases[i].text, cases[i].expected);
}

static void what_is_not_known_decides_only_where_it_must(void **state)
{
    (void)state;
    struct value_keyword k[] = {{STR("u"), {.kind = VALUE_UNKNOWN}}, {STR("n"), {.kind = VALUE_INT, .i = 1}}};
    struct value marks[] = {{.kind = VALUE_MARK, .text = STR("m"), .called = true, .keywords = k, .n_keywords = 2},
                            {.kind = VALUE_MARK, .text = STR("yes")}};
    static const struct { const char *text; int expected; } cases[] = {
        {"m(u=1)", -1}, {"not m(u=1)", -1}, {"m(u=1) or yes", 1}, {"yes or m(u=1)", 1}, {"m(u=1) and no", 0},
        {"no and m(u=1)", 0}, {"m(u=1) and yes", -1}, {"m(u=1) or no", -1}, {"m(u=1, n=2)", 0},
        {"m(u=1, n=1)", -1}, {"not (m(u=1) and no)", 1}, {"m", 1}, {"m(u=1) or not m(u=1)", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (match_marks(cases[i].text, marks, 2) != cases[i].expected)
            fail_msg("-m '%s' is not %d", cases[i].text, cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_are_parts_of_names),
        cmocka_unit_test(not_binds_before_and_before_or),
        cmocka_unit_test(depth_does_not_matter),
        cmocka_unit_test(errors_are_pytests),
        cmocka_unit_test(marks_are_matched_whole_and_by_arguments),
        cmocka_unit_test(what_is_not_known_decides_only_where_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
