/* Ids of parametrized tests: what pytest 7.0 to 9.2 said when each of these was collected. */
#include "generator/collect/ids.h"
#include "generator/eval/expr.h"
#include "tests/unit/unit.h"

static int a_definition;

static enum expr_name find_name(void *ctx, struct str name, struct value *out)
{
    (void)ctx;
    if (str_eq(name, STR("f")) || str_eq(name, STR("K")))
        *out = (struct value){.kind = VALUE_NAMED, .text = name, .ref = &a_definition};
    else if (str_eq(name, STR("E")))
        *out = (struct value){.kind = VALUE_ENUM, .text = STR("E.A")};
    else if (str_eq(name, STR("unknown")))
        *out = (struct value){.kind = VALUE_UNKNOWN};
    else if (str_eq(name, STR("pytest")) || str_eq(name, STR("re")) || str_eq(name, STR("math")))
        *out = (struct value){.kind = VALUE_EXTERNAL, .text = name, .called = true};
    else
        return EXPR_ABSENT;
    return EXPR_BOUND;
}

static void make_object(void *ctx, const struct value *f, const struct value *call, struct value *out)
{
    (void)ctx;
    (void)call;
    if (f->kind == VALUE_NAMED)
        *out = (struct value){.kind = VALUE_PLAIN};
}

static bool collect(struct arena *a, struct ids_config c, const char *text, struct ids_list *l)
{
    struct expr_env env = {.arena = a, .name = find_name, .call = make_object};
    struct value call = expr_arguments(&env, str_z(text));
    assert_int_not_equal(call.kind, VALUE_UNKNOWN);
    return ids_parametrize(&c, &call, a, l);
}

/* The ids with "|" between them, "~" for a hidden one, or "?". */
static void are_by(struct ids_config c, const char *text, const char *expected)
{
    struct arena a = {0};
    struct buf b = {0};
    struct ids_list l;
    bool known = collect(&a, c, text, &l);
    for (uint32_t i = 0; known && i < l.n_sets; i++) {
        buf_z(&b, i ? "|" : "");
        buf_str(&b, l.sets[i].hidden ? STR("~") : l.sets[i].id);
    }
    if (!known)
        buf_char(&b, '?');
    if (strcmp(b.p ? b.p : "", expected) != 0)
        fail_msg("pytest %u: %s: %s, not %s", c.pytest, text, b.p, expected);
    buf_release(&b);
    arena_release(&a);
}

static void are(const char *text, const char *expected)
{
    are_by((struct ids_config){.pytest = 902}, text, expected);
}

static void are_in(uint32_t pytest, const char *text, const char *expected)
{
    are_by((struct ids_config){.pytest = pytest}, text, expected);
}

static void scalars(void **state) /* P01 */
{
    (void)state;
    are("'v', [1, -2, 1.5, 1e100, float('nan'), True, None, 'a b', '', 'a/b::c', '\xc3\xa9', 'x\\ny\\t', b'\\x00a\\n', 3+4j, '[z]']",
        "1|-2|1.5|1e+100|nan|True|None|a b||a/b::c|\\xe9|x\\ny\\t|\\x00a\\n|(3+4j)|[z]");
    are("'v', ['\\\\', b'\\\\', '\\u20ac', '\\U0001f600', b'\\xe9', '\\x7f']",
        "\\\\|\\|\\u20ac|\\U0001f600|\\xe9|\\x7f");
    are("'v', [-2j, 1e16, 1e-5, -0.0, 2**62, 0x10]", "(-0-2j)|1e+16|1e-05|-0.0|4611686018427387904|16");
}

static void objects(void **state) /* P02, P13 */
{
    (void)state;
    are("'v', [E, f, K, K(), re.compile('a+'), (1, 2), [1], {'k': 1}, int, len, lambda: 0, ...]",
        "E.A|f|K|v3|a+|v5|v6|v7|int|len|<lambda>|v11");
    are("'v', [str.upper, ValueError('x'), IOError, {1, 2}, (i for i in 'a'), range(2), pytest, math.sqrt, object()]",
        "upper|v1|OSError|v3|<genexpr>|v5|pytest|sqrt|v8");
    are("'v', [pytest.raises(ValueError), pytest.mark.skip, pytest.approx(1)]", "v0|v1|v2");
    are("'v', [unknown]", "?");
    are("'v', [pytest.anything]", "?");
}

static void duplicates_are_numbered(void **state) /* P03 */
{
    (void)state;
    const char *text = "'v', ['a', 'a', 'b', 1, 1, '1', 'a0']";
    are(text, "a1|a2|b|1_0|1_1|1_2|a0");
    are_in(800, text, "a1|a2|b|1_0|1_1|1_2|a0");
    are_in(704, text, "a0|a1|b|10|11|12|a0");
    are_in(700, text, "a0|a1|b|10|11|12|a0");
    are("'v', ['', '', '0']", "1|2|0");
    are("'v', ['a', 'a', 'a0', 'a1', 'a']", "a2|a3|a0|a1|a4");
    are("'v', [pytest.param(1, id='x'), pytest.param(2, id='x')]", "x0|x1");
}

static void names_and_sets(void **state) /* P04 */
{
    (void)state;
    are("'a, b', [(1, 2), pytest.param(3, 4, id='x-y'), pytest.param(5, 6, marks=pytest.mark.skip), (7, pytest)]",
        "1-2|x-y|5-6|7-pytest");
    are("('a',), [(1,), (2,)]", "1|2");
    are("['a', 'b'], [[1, 2]]", "1-2");
    are("'a,', [(1,)]", "1");
    are_in(900, "'a,', [(1,)]", "a0");
    are("'a', [(1,)]", "a0");
    are("'a,b', ['xy', {1: 0, 2: 0}, b'AB', range(2)]", "x-y|1-2|65-66|0-1");
    are("argvalues=[1], argnames='a'", "1");
}

static void errors_of_collection_are_not_known(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "'a,b', [(1, 2, 3)]", "'a,b', [1]", "'a,b', [pytest.param(1)]", "'a,b', [unknown]", "'a', 1", "'a', unknown",
        "'a'", "'', [1]", "1, [1]", "'a,a', [(1, 2)]", "'request', [1]", "'a', [1], ids=['x', 'y']",
        "'a', [1], nonsense=1", "'a', [1], argnames='b'", "'a', [1], False", "'a', [1], indirect=['b']",
        "'a', [1], indirect=unknown", "'a', [pytest.param(1, id=1)]", "'a', [pytest.param(1, marks=None)]",
        "'a', [pytest.param(1, marks=pytest.mark.usefixtures('x'))]", "'a', {1, 2}", "'a', [1], ids='x'",
        "'a', [pytest.param(1, id=pytest.HIDDEN_PARAM), pytest.param(2, id=pytest.HIDDEN_PARAM)]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        are(bad[i], "?");
    are_in(901, "'a', [1], False, ['x']", "x");
}

static void ids_given(void **state) /* P09 */
{
    (void)state;
    are("'v', [1, 2, 3], ids=['one', None, '\xc3\xa9']", "one|2|\\xe9");
    are("'v', [(1, 2)], ids=str", "(1, 2)");
    are("'v', ['q'], ids=repr", "'q'");
    are("'v', [1, 2], ids=[10, True]", "10|True");
    are("'v', ['a', 'bb'], ids=len", "1|2");
    are("'v', [1, 'a', None], ids=type", "int|str|NoneType");
    are("'a,b', [(1, 'x')], ids=repr", "1-'x'");
    are("'v', [1, 2], ids=[]", "1|2");
    are("'v', [1, 2], ids=None", "1|2");
    are("'v', [1, 2], ids=lambda v: v", "?");
    are("'v', [1, 2], ids=f", "?");
    are("'v', [1.5], ids=float.hex", "?");
    are("'v', [math.sqrt], ids=repr", "?");
    are("'v', [1, 2], ids=('x' for i in range(9))", "x0|x1");
    are("'v', [unknown, K()], ids=['x', 'y']", "x|y");
    are("'v', [pytest.param(unknown, id='own'), 2], ids=['x', 'y']", "own|y");
    are("'v', [1, 2, 3], ids=[b'x', int, 2j]", "x|int|2j");
    are_in(700, "'v', [1], ids=[b'x']", "?");
    are("'v', [pytest.param(1, id=pytest.HIDDEN_PARAM), 2]", "~|2");
    are("'v', [1, 2], ids=[pytest.HIDDEN_PARAM, 'x']", "~|x");
    are_in(803, "'v', [1, 2], ids=[pytest.HIDDEN_PARAM, 'x']", "?");
}

static void the_empty_set(void **state) /* P10 */
{
    (void)state;
    struct ids_config c = {.pytest = 902};
    struct arena a = {0};
    struct ids_list l;
    are("'a,b', []", "NOTSET");
    are_in(804, "'a,b', []", "NOTSET");
    are_in(803, "'a,b', []", "a0-b0");
    are_in(700, "'a', []", "a0");
    are("'a', [], ids=['x', 'y']", "?");
    assert_true(collect(&a, c, "'a,b', []", &l));
    assert_int_equal(l.sets[0].n_marks, 1);
    assert_str(l.sets[0].marks[0].text, "skip");
    assert_str(value_keyword(&l.sets[0].marks[0], STR("reason"))->text, "got empty parameter set for (a, b)");
    c.empty_mark = STR("xfail");
    assert_true(collect(&a, c, "'a,b', []", &l));
    assert_str(l.sets[0].marks[0].text, "xfail");
    c.empty_mark = STR("fail_at_collect");
    assert_false(collect(&a, c, "'a,b', []", &l));
    arena_release(&a);
}

static void long_text(void **state) /* P11 */
{
    (void)state;
    struct ids_config legacy = {.pytest = 902, .long_str = STR("legacy")};
    are("'s', ['x' * 101, b'z' * 101, '\xc3\xa9' * 101]", "s0|s1|s2");
    are("'s', ['ab' * 51, 'b'], ids=['x' * 101, None]",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|b");
    are_in(901, "'s', ['x' * 101]",
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    are_by(legacy, "'s', ['x' * 101]",
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    are_by((struct ids_config){.pytest = 902, .long_str = STR("sha256")}, "'s', ['x' * 101]", "?");
    are_by((struct ids_config){.pytest = 902, .long_str = STR("sha256")}, "'s', ['x']", "x");
}

static void computed_values(void **state) /* P12 */
{
    (void)state;
    are("'v', range(2)", "0|1");
    are("'v', [i * i for i in range(3)]", "0|1|4");
    are("'v', {'k1': 1, 'k2': 2}", "k1|k2");
    are("'v', 'xyz'", "x|y|z");
    are("'k,v', {'a': 1}.items()", "a-1");
    are("'k,v', zip('ab', [1, 2])", "a-1|b-2");
    are("'v', [pytest.param(i, id=f'n{i:02d}') for i in range(2)]", "n00|n01");
}

static void escaping_can_be_off(void **state)
{
    (void)state;
    struct ids_config c = {.pytest = 902, .no_escape = true};
    are_by(c, "'v', ['\xc3\xa9', 'a\\\\', 're']", "\xc3\xa9|a\\|re");
    are_by(c, "'v', [re.compile('\xc3\xa9')]", "\\xe9");
    are_by(c, "'v', [b'x']", "?");
    are_by(c, "'v', ['a\\x00']", "?");
    are_by(c, "'v', [pytest.param(1, id='\xc3\xa9')]", "\xc3\xa9");
    c.pytest = 803;
    are_by(c, "'v', [pytest.param(1, id='\xc3\xa9')]", "\\xe9");
}

static void values_marks_and_indirect(void **state)
{
    (void)state;
    struct ids_config c = {.pytest = 902};
    struct arena a = {0};
    struct ids_list l;
    assert_true(collect(&a, c, "'a,b', [(1, 'x'), pytest.param(2, 'y', marks=[pytest.mark.slow, pytest.mark.skipif(1, reason='r')])]", &l));
    assert_int_equal(l.n_names, 2);
    assert_str(l.names[1], "b");
    assert_int_equal(l.sets[0].n_marks, 0);
    assert_int_equal(l.sets[0].values[0].i, 1);
    assert_str(l.sets[1].values[1].text, "y");
    assert_int_equal(l.sets[1].n_marks, 2);
    assert_str(l.sets[1].marks[1].text, "skipif");
    assert_false(l.indirect_all);
    assert_true(collect(&a, c, "'a,b', [(1, 2)], indirect=['b']", &l));
    assert_int_equal(l.n_indirect, 1);
    assert_str(l.indirect[0], "b");
    assert_true(collect(&a, c, "'a', [1], indirect=True, scope='module'", &l));
    assert_true(l.indirect_all);
    arena_release(&a);
}

static void fixtures(void **state)
{
    (void)state;
    struct arena a = {0};
    struct ids_config c = {.pytest = 902};
    struct ids_list l;
    struct expr_env env = {.arena = &a, .name = find_name};
    struct value params = expr_eval(&env, STR("[1, (2,), pytest.param('x', id='p')]")), ids = expr_eval(&env, STR("['a', None, 'b']"));
    assert_true(ids_fixture(&c, STR("fx"), &params, NULL, &a, &l));
    assert_true(l.indirect_all);
    assert_int_equal(l.n_sets, 3);
    assert_str(l.sets[1].id, "fx1");
    assert_true(ids_fixture(&c, STR("fx"), &params, &ids, &a, &l));
    assert_str(l.sets[0].id, "a");
    assert_str(l.sets[2].id, "p");
    arena_release(&a);
}

static void many_equal_ids_take_no_long(void **state)
{
    (void)state;
    struct arena a = {0};
    struct ids_list l;
    assert_true(collect(&a, (struct ids_config){.pytest = 902}, "'v', [1] * 50000", &l));
    assert_str(l.sets[49999].id, "1_49999");
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(objects),
        cmocka_unit_test(duplicates_are_numbered),
        cmocka_unit_test(names_and_sets),
        cmocka_unit_test(errors_of_collection_are_not_known),
        cmocka_unit_test(ids_given),
        cmocka_unit_test(the_empty_set),
        cmocka_unit_test(long_text),
        cmocka_unit_test(computed_values),
        cmocka_unit_test(escaping_can_be_off),
        cmocka_unit_test(values_marks_and_indirect),
        cmocka_unit_test(fixtures),
        cmocka_unit_test(many_equal_ids_take_no_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
