#include "tests/unit/unit.h"

#include "runtime/base/opt.h"

struct settings {
    const char *json, *python, *color;
    int workers;
    bool fast, help;
};

enum { HERE = 1, THERE = 2 };
static const struct opt table[] = {
    {"json", 0, OPT_FLAG, offsetof(struct settings, fast), NULL, THERE, NULL, "as JSON"},
    {"json", 0, OPT_STRING, offsetof(struct settings, json), "FILE", HERE | THERE, NULL, "a file"},
    {"python", 'p', OPT_STRING, offsetof(struct settings, python), "PATH", HERE, NULL, "a path"},
    {"workers", 'n', OPT_INT, offsetof(struct settings, workers), "N", HERE, "auto|logical", "how many"},
    {"color", 0, OPT_STRING, offsetof(struct settings, color), "WHEN", HERE, "yes|no|auto", "when"},
    {"fast", 'x', OPT_FLAG, offsetof(struct settings, fast), NULL, HERE, NULL, "stop soon"},
    {"help", 'h', OPT_FLAG, offsetof(struct settings, help), NULL, HERE, NULL, "this"},
    {0},
};

/* Takes what it is given, one at a time; "-k" takes a word with it, -v stands with others, "--bad" is refused. */
struct others {
    char seen[16][40];
    int n;
    const struct opt *last; /* row that was set */
};

static void seen(void *ctx, const struct opt *o)
{
    ((struct others *)ctx)->last = o;
}

static int unknown(void *ctx, int argc, char **argv, struct err *err)
{
    struct others *o = ctx;
    int take = strcmp(argv[0], "-k") == 0 && argc > 1 ? 2 : 1;
    if (strcmp(argv[0], "--bad") == 0) {
        err_set(err, "--bad: refused");
        return 0;
    }
    bool letter = argv[0][0] == '-' && argv[0][1] == 'v' && argv[0][2];
    for (int i = 0; i < take; i++)
        snprintf(o->seen[o->n++], sizeof o->seen[0], "%.*s", letter ? 2 : 39, argv[i]);
    return letter ? OPT_LETTER : take;
}

static char texts[16][40]; /* the strings are written to */

static bool parse(struct settings *s, unsigned scope, struct others *o, struct err *err, const char *const *words)
{
    char *argv[16];
    int argc = 0;
    for (; words[argc]; argc++) {
        snprintf(texts[argc], sizeof texts[argc], "%s", words[argc]);
        argv[argc] = texts[argc];
    }
    *s = (struct settings){0};
    *o = (struct others){0};
    err->msg[0] = '\0';
    return opt_parse(&(struct opt_reader){table, scope, s, unknown, seen, o}, argc, argv, err);
}
#define PARSE(...) parse(&s, HERE, &o, &err, (const char *const[]){__VA_ARGS__, NULL})

static void every_spelling_of_a_value(void **state)
{
    (void)state;
    struct settings s;
    struct others o;
    struct err err;
    assert_true(PARSE("--json", "a", "--python=b", "-n", "3", "-x"));
    assert_string_equal(s.json, "a");
    assert_string_equal(s.python, "b");
    assert_int_equal(s.workers, 3);
    assert_true(s.fast);
    assert_false(s.help);
    assert_int_equal(o.n, 0);
    assert_true(PARSE("-n8", "-pb", "--json="));
    assert_int_equal(s.workers, 8);
    assert_string_equal(s.python, "b");
    assert_string_equal(s.json, "");
    assert_true(PARSE("--workers=-1", "-n", "5")); /* the last one counts */
    assert_int_equal(s.workers, 5);
    assert_true(PARSE("--json", "--fast")); /* a value may look like an option */
    assert_string_equal(s.json, "--fast");
    assert_false(s.fast);
    assert_true(PARSE("-n", "7", "-n", "auto"));
    assert_int_equal(s.workers, 0);
    assert_true(PARSE("--color=no"));
    assert_string_equal(s.color, "no");
}

static void letters_stand_together(void **state)
{
    (void)state;
    struct settings s;
    struct others o;
    struct err err;
    assert_true(PARSE("-xvvn3", "-vhp=a", "-xk"));
    assert_true(s.fast && s.help);
    assert_int_equal(s.workers, 3);
    assert_string_equal(s.python, "a");
    static const char *const want[] = {"-v", "-v", "-v", "-k"};
    assert_int_equal(o.n, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(o.seen[i], want[i]);
}

static void a_scope_has_its_own_rows(void **state)
{
    (void)state;
    struct settings s;
    struct others o;
    struct err err;
    assert_true(parse(&s, THERE, &o, &err, (const char *const[]){"--json", "-x", NULL}));
    assert_true(s.fast); /* by --json, the first row of that name */
    assert_ptr_equal(o.last, &table[0]);
    assert_null(s.json);
    assert_int_equal(o.n, 1);
    assert_string_equal(o.seen[0], "-x");
    assert_ptr_equal(opt_find(table, HERE, STR("json")), &table[1]);
    assert_null(opt_find(table, HERE, STR("jso")));
}

static void values_are_set_by_name(void **state)
{
    (void)state;
    struct settings s = {0};
    struct err err;
    const struct opt *fast = opt_find(table, HERE, STR("fast"));
    assert_true(opt_set(fast, &s, "FASTEST_FAST", "yes", &err) && s.fast);
    assert_true(opt_set(fast, &s, "FASTEST_FAST", "0", &err) && !s.fast);
    assert_false(opt_set(fast, &s, "FASTEST_FAST", "perhaps", &err));
    assert_string_equal(err.msg, "FASTEST_FAST: 'perhaps' is neither true nor false");
    assert_true(opt_set(opt_find(table, HERE, STR("workers")), &s, "workers", "5", &err));
    assert_int_equal(s.workers, 5);
}

static void the_unknown_keep_their_order(void **state)
{
    (void)state;
    struct settings s;
    struct others o;
    struct err err;
    assert_true(PARSE("tests/", "-k", "-x", "--json-report", "-yv", "-x", "-", "--jso", "a::b[-n]"));
    static const char *const want[] = {"tests/", "-k", "-x", "--json-report", "-yv", "-", "--jso",
                                       "a::b[-n]"};
    assert_int_equal(o.n, 8);
    for (int i = 0; i < 8; i++)
        assert_string_equal(o.seen[i], want[i]);
    assert_true(s.fast); /* the -x that was not -k's */
    assert_null(s.json);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct settings s;
    struct others o;
    struct err err;
    assert_true(PARSE("-x", "--", "--json", "-n", "--"));
    assert_true(s.fast);
    assert_null(s.json);
    assert_int_equal(o.n, 4); /* "--" itself goes along: pytest must see it too */
    assert_string_equal(o.seen[0], "--");
    assert_string_equal(o.seen[1], "--json");
    assert_string_equal(o.seen[3], "--");
}

static void mistakes_have_messages(void **state)
{
    (void)state;
    struct settings s;
    struct others o;
    struct err err;
    assert_false(PARSE("-x", "--json"));
    assert_string_equal(err.msg, "--json needs a value (FILE)");
    assert_false(PARSE("-n"));
    assert_non_null(strstr(err.msg, "-n needs a value"));
    static const char *const bad[] = {"", "x", "1x", " ", "99999999999", "1.5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(PARSE("--workers", bad[i]));
        assert_non_null(strstr(err.msg, "is not a number"));
    }
    assert_false(PARSE("--fast=1"));
    assert_string_equal(err.msg, "--fast takes no value");
    assert_false(PARSE("--color", "yess"));
    assert_string_equal(err.msg, "--color: 'yess' is none of yes, no, auto; did you mean yes?");
    assert_false(PARSE("--color=blue"));
    assert_string_equal(err.msg, "--color: 'blue' is none of yes, no, auto");
    assert_false(PARSE("a", "--bad", "-x"));
    assert_string_equal(err.msg, "--bad: refused");
    assert_int_equal(o.n, 1);
    assert_false(s.fast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_a_value),
        cmocka_unit_test(letters_stand_together),
        cmocka_unit_test(a_scope_has_its_own_rows),
        cmocka_unit_test(values_are_set_by_name),
        cmocka_unit_test(the_unknown_keep_their_order),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(mistakes_have_messages),
    };
    return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
