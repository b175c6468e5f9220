/* Expressions: what is known is what CPython says (each repr was asked of it), the rest is unknown. */
#include "generator/eval/expr.h"
#include "tests/unit/unit.h"

static enum expr_name find_name(void *ctx, struct str name, struct value *out)
{
    (void)ctx;
    if (str_eq(name, STR("N")))
        *out = (struct value){.kind = VALUE_INT, .i = 7};
    else if (str_eq(name, STR("unknown")))
        *out = (struct value){.kind = VALUE_UNKNOWN};
    else if (str_eq(name, STR("pytest")) || str_eq(name, STR("itertools")) || str_eq(name, STR("re")))
        *out = (struct value){.kind = VALUE_EXTERNAL, .text = name, .called = true};
    else
        return EXPR_ABSENT;
    return EXPR_BOUND;
}

static struct value eval(struct arena *a, struct str text)
{
    struct expr_env env = {.arena = a, .name = find_name};
    return expr_eval(&env, text);
}

/* Its repr, or "?" when that is not known. */
static void is(const char *text, const char *expected)
{
    struct arena a = {0};
    struct buf b = {0};
    struct value v = eval(&a, str_z(text));
    const char *shown = value_repr(&v, &b) ? b.p : "?";
    if (strcmp(shown, expected) != 0)
        fail_msg("%s is %s, not %s", text, shown, expected);
    buf_release(&b);
    arena_release(&a);
}

static void is_not_known(const char *text)
{
    struct arena a = {0};
    struct value v = eval(&a, str_z(text));
    if (v.kind != VALUE_UNKNOWN)
        fail_msg("%s is of kind %d", text, (int)v.kind);
    arena_release(&a);
}

struct pair { const char *text, *repr; };
#define check(pairs)                                                                               \
    for (size_t i_ = 0; i_ < sizeof(pairs) / sizeof *(pairs); i_++)                                \
        is((pairs)[i_].text, (pairs)[i_].repr)

static void numbers(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"1", "1"}, {"-2", "-2"}, {"0x1F", "31"}, {"0b101", "5"}, {"0o17", "15"}, {"1_000", "1000"},
        {"1.5", "1.5"}, {"0.1", "0.1"}, {"1e100", "1e+100"}, {"1e16", "1e+16"}, {"1e15", "1000000000000000.0"},
        {"123456789.125", "123456789.125"}, {"1e-5", "1e-05"}, {"0.0001", "0.0001"}, {"-0.0", "-0.0"}, {"5e-324", "5e-324"},
        {"1e400", "inf"}, {".5", "0.5"}, {"1.", "1.0"}, {"float('nan')", "nan"}, {"float('-inf')", "-inf"},
        {"3+4j", "(3+4j)"}, {"3-4j", "(3-4j)"}, {"3j", "3j"}, {"-3j", "(-0-3j)"}, {"1.5j", "1.5j"},
        {"True", "True"}, {"None", "None"}, {"N", "7"}, {"not 1", "False"}, {"~5", "-6"}, {"- - 3", "3"},
    };
    check(pairs);
}

static void strings(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"'a'", "'a'"}, {"\"it's\"", "\"it's\""}, {"'\"' \"'\"", "'\"\\''"}, {"'x\\ny\\t'", "'x\\ny\\t'"},
        {"r'\\d'", "'\\\\d'"}, {"b'\\x00a\\n\\xff'", "b'\\x00a\\n\\xff'"}, {"'a' 'b' \"c\"", "'abc'"}, {"'''a\n'b'''", "\"a\\n'b\""},
        {"('a'\n 'b')", "'ab'"}, {"'\\101\\x41\\u0041'", "'AAA'"}, {"'a\\\nb'", "'ab'"}, {"f'{N}-{N!r}'", "'7-7'"}, {"f'{{}}'", "'{}'"},
        {"u'x'", "'x'"}, {"'a b'.split()", "['a', 'b']"}, {"'a,b'.split(',')", "['a', 'b']"},
        {"'Ab'.upper()", "'AB'"}, {"' a '.strip()", "'a'"}, {"'-'.join(['a', 'b'])", "'a-b'"}, {"'ab' * 2", "'abab'"},
        {"'abc'[1]", "'b'"}, {"'abc'[-1]", "'c'"}, {"'a' in 'abc'", "True"}, {"'abc'.startswith('ab')", "True"}, {"b'a' b'b'", "b'ab'"},
    };
    check(pairs);
    is_not_known("'a' b'b'");
    is_not_known("'open");
    is_not_known("'a\n'");
}

static void displays(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"()", "()"}, {"(1)", "1"}, {"(1,)", "(1,)"}, {"1, 2", "(1, 2)"}, {"[1, [2, 'a'],]", "[1, [2, 'a']]"},
        {"{}", "{}"}, {"{'a': 1, 2: None}", "{'a': 1, 2: None}"}, {"{1}", "{1}"}, {"{1, 2}", "?"}, {"[*[1, 2], 3]", "[1, 2, 3]"},
        {"{**{'a': 1}, 'b': 2}", "{'a': 1, 'b': 2}"},
        {"[ # one\n 1,\n # two\n 2 ]", "[1, 2]"}, {"[1, 2, 3][1:]", "[2, 3]"},
        {"{'a': 5}['a']", "5"}, {"[1] + [2]", "[1, 2]"}, {"(1,) * 3", "(1, 1, 1)"}, {"[unknown, 1][1]", "1"}, {"[unknown]", "?"},
    };
    check(pairs);
    is_not_known("[*unknown]");
    is_not_known("[1, 2][7]");
    is_not_known("{'a': 1}['b']");
}

static void operators(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"7 // 2", "3"}, {"-7 // 2", "-4"}, {"-7 % 3", "2"}, {"7 % -3", "-2"},
        {"2 ** 10", "1024"}, {"7 / 2", "3.5"}, {"1 << 4 | 3", "19"}, {"6 & 3 ^ 1", "3"}, {"1 < 2 < 3", "True"}, {"1 < 3 < 2", "False"},
        {"1 == 1.0", "True"}, {"1 == True", "True"}, {"'a' == 1", "False"}, {"'a' < 'b'", "True"}, {"(1, 2) < (1, 3)", "True"},
        {"1 in [1, 2]", "True"}, {"3 not in (1, 2)", "True"}, {"1 and 0 or 'x'", "'x'"}, {"0 or None", "None"}, {"[] and 1", "[]"},
        {"1 if N > 3 else 2", "1"}, {"1 if N < 3 else unknown", "?"}, {"0.1 + 0.2", "0.30000000000000004"}, {"None is None", "True"},
        {"not 1 < 2", "False"}, {"1 or unknown", "1"}, {"0 and unknown", "0"},
        {"-7.5 // 2", "-4.0"}, {"7.5 % -2", "-0.5"}, {"-0.5 // 1", "-1.0"}, {"-0.0 // 1", "-0.0"}, {"5.5 // 0.1", "54.0"}, {"-6.0 // 3", "-2.0"},
        {"1e300 // 7", "1.4285714285714286e+299"}, {"1e17 % 3.7", "2.6990355691885126"}, {"2 ** -1", "0.5"}, {"2.0 ** 0.5", "1.4142135623730951"},
        {"(-8.0) ** 3", "-512.0"}, {"0.1 ** 2", "0.010000000000000002"}, {"round(2.5)", "2"}, {"round(3.5)", "4"}, {"round(-0.5)", "0"},
    };
    check(pairs);
    is_not_known("1 / 0");
    is_not_known("(-8.0) ** 3.5");
    is_not_known("1 % 0");
    is_not_known("9223372036854775807 + 1");
    is_not_known("2 ** 64");
    is_not_known("1 << 64");
    is_not_known("-9223372036854775807 - 2");
    is_not_known("9223372036854775808");
    is_not_known("1 + 'a'");
    is_not_known("range(3) == (0, 1, 2)");
}

static void calls(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"list(range(3))", "[0, 1, 2]"}, {"list(range(5, 0, -2))", "[5, 3, 1]"}, {"list(range(-1))", "[]"}, {"tuple('ab')", "('a', 'b')"},
        {"list(zip([1, 2], 'ab'))", "[(1, 'a'), (2, 'b')]"}, {"list(enumerate('ab', 1))", "[(1, 'a'), (2, 'b')]"},
        {"sorted([3, 1, 2])", "[1, 2, 3]"}, {"list(reversed('ab'))", "['b', 'a']"}, {"list({'a': 1})", "['a']"},
        {"list({'a': 1}.items())", "[('a', 1)]"}, {"str(1.5)", "'1.5'"}, {"repr('a')", "\"'a'\""}, {"len([1, 2])", "2"}, {"abs(-3)", "3"},
        {"dict(a=1)", "{'a': 1}"}, {"list(itertools.product('ab', repeat=2))", "[('a', 'a'), ('a', 'b'), ('b', 'a'), ('b', 'b')]"},
        {"list(itertools.combinations('abc', 2))", "[('a', 'b'), ('a', 'c'), ('b', 'c')]"}, {"list(itertools.permutations('ab'))", "[('a', 'b'), ('b', 'a')]"},
        {"list(itertools.chain([1], (2,)))", "[1, 2]"}, {"range(3)", "?"}, {"{'a': 1}.items()", "?"}, {"zip('ab', 'cd')", "?"},
    };
    check(pairs);
    is_not_known("range(10**9)");
    is_not_known("list(itertools.product(range(1000), repeat=3))");
    is_not_known("open('x').read()");
    is_not_known("unknown()");
    is_not_known("__import__('os').getpid()");
}

static void comprehensions(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"[i * i for i in range(4)]", "[0, 1, 4, 9]"}, {"[i for i in range(6) if i % 2 if i > 1]", "[3, 5]"},
        {"[(i, j) for i in 'ab' for j in (1, 2)]", "[('a', 1), ('a', 2), ('b', 1), ('b', 2)]"},
        {"[a + b for a, b in [(1, 2), (3, 4)]]", "[3, 7]"}, {"{k: v for k, v in {'a': 1}.items()}", "{'a': 1}"},
        {"[[j for j in range(i)] for i in range(3)]", "[[], [0], [0, 1]]"}, {"list(i for i in 'ab')", "['a', 'b']"},
        {"[f'{i}-{N}' for i in range(2)]", "['0-7', '1-7']"}, {"[N for N in range(2)]", "[0, 1]"},
    };
    check(pairs);
    is_not_known("[i for i in unknown]");
    is_not_known("[0 for a in range(9999) for b in range(9999)]");
}

static void what_is_no_expression_is_not_known(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "", " ", "1 2", "(", ")", "[1", "1 +", "* 1", "a b", "{1: }", "{1: 2, 3}", "x = 1", "f(", "1..2", "'a", "lambda", "if",
        "[for i in x]", "yield 1", "await x", "@", "\\", "$", "\x80\xff", "1 if 2", "a.", ".a", "[1,,2]", "not", "f'{'", "f'{N'",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        is_not_known(odd[i]);
    is_not_known("undefined_name");
    struct arena a = {0};
    assert_int_equal(eval(&a, (struct str){"1\0" "2", 3}).kind, VALUE_UNKNOWN);
    arena_release(&a);
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    static const char *const nests[][2] = {{"(", ")"}, {"[", "]"}, {"{1: ", "}"}, {"-", ""}, {"not ", ""}, {"f(", ")"},
                                           {"x[", "]"}, {"{", "}"}, {"[i for i in ", "]"}, {"lambda: ", ""}, {"1 if 1 else ", ""}, {"2 ** ", ""}};
    for (size_t k = 0; k < sizeof nests / sizeof *nests; k++) {
        struct buf b = {0};
        struct arena a = {0};
        for (int i = 0; i < 2000; i++)
            buf_z(&b, nests[k][0]);
        buf_z(&b, "1");
        for (int i = 0; i < 2000; i++)
            buf_z(&b, nests[k][1]);
        struct value v = eval(&a, buf_view(&b));
        assert_int_equal(v.kind, VALUE_UNKNOWN);
        buf_release(&b);
        arena_release(&a);
    }
    is_not_known("[0] * 1000000");
    is_not_known("'x' * 10 ** 12");
    is_not_known("[1] * -9223372036854775807 * 9223372036854775807 + unknown");
}

static void arguments_are_items_and_keywords(void **state)
{
    (void)state;
    struct arena a = {0};
    struct expr_env env = {.arena = &a, .name = find_name};
    struct value v = expr_arguments(&env, STR("1, 'x', *[2, 3], key=(4,), **{'other': 5},"));
    assert_int_equal(v.kind, VALUE_TUPLE);
    assert_int_equal(v.n_items, 4);
    assert_int_equal(v.items[3].i, 3);
    assert_int_equal(value_keyword(&v, STR("key"))->kind, VALUE_TUPLE);
    assert_null(value_keyword(&v, STR("none")));
    v = expr_arguments(&env, STR(""));
    assert_int_equal(v.kind, VALUE_TUPLE);
    assert_int_equal(v.n_items + v.n_keywords, 0);
    assert_int_equal(expr_arguments(&env, STR("1, *unknown")).kind, VALUE_UNKNOWN);
    assert_int_equal(expr_arguments(&env, STR("1, (")).kind, VALUE_UNKNOWN);
    v = expr_arguments(&env, STR("unknown, 2"));
    assert_int_equal(v.items[0].kind, VALUE_UNKNOWN);
    assert_int_equal(v.items[1].i, 2);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),        cmocka_unit_test(strings),
        cmocka_unit_test(displays),       cmocka_unit_test(operators),
        cmocka_unit_test(calls),          cmocka_unit_test(comprehensions),
        cmocka_unit_test(what_is_no_expression_is_not_known), cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(arguments_are_items_and_keywords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
