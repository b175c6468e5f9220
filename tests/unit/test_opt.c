#include "tests/unit/unit.h"

#include "runtime/base/opt.h"

struct settings {
    const char *json, *python;
    int workers;
    bool fast, help;
};

static const struct opt table[] = {
    {"json", 0, OPT_STRING, offsetof(struct settings, json), "FILE", "a file"},
    {"python", 'p', OPT_STRING, offsetof(struct settings, python), "PATH", "a path"},
    {"workers", 'n', OPT_INT, offsetof(struct settings, workers), "N", "how many"},
    {"fast", 'x', OPT_FLAG, offsetof(struct settings, fast), NULL, "stop soon"},
    {"help", 'h', OPT_FLAG, offsetof(struct settings, help), NULL, "this"},
    {0},
};

/* Takes what it is given, one at a time; "-k" takes a word with it, "--bad" is refused. */
struct others {
    const char *seen[16];
    int n;
};

static int unknown(void *ctx, int argc, char **argv, struct err *err)
{
    struct others *o = ctx;
    int take = strcmp(argv[0], "-k") == 0 && argc > 1 ? 2 : 1;
    if (strcmp(argv[0], "--bad") == 0) {
        err_set(err, "--bad: refused");
        return 0;
    }
    for (int i = 0; i < take; i++)
        o->seen[o->n++] = argv[i];
    return take;
}

static bool parse(struct settings *s, struct others *o, struct err *err, const char *const *words)
{
    char *argv[16];
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    *s = (struct settings){0};
    *o = (struct others){0};
    err->msg[0] = '\0';
    return opt_parse(table, s, argc, argv, unknown, o, err);
}
#define PARSE(...) parse(&s, &o, &err, (const char *const[]){__VA_ARGS__, NULL})

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
}

static void the_unknown_keep_their_order(void **state)
{
    (void)state;
    struct settings s;
    struct others o;
    struct err err;
    assert_true(PARSE("tests/", "-k", "-x", "--json-report", "-xv", "-x", "-", "--jso", "a::b[-n]"));
    static const char *const want[] = {"tests/", "-k", "-x", "--json-report", "-xv", "-", "--jso",
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
    assert_false(PARSE("a", "--bad", "-x"));
    assert_string_equal(err.msg, "--bad: refused");
    assert_int_equal(o.n, 1);
    assert_false(s.fast);
}

static void help_has_a_line_for_each(void **state)
{
    (void)state;
    char path[] = "/tmp/fastest-unit-XXXXXX", text[2000] = "";
    int out = dup(STDOUT_FILENO), file = mkstemp(path);
    assert_true(out >= 0 && file >= 0);
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    opt_help(table);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    assert_true(pread(file, text, sizeof text - 1, 0) > 0);
    close(file);
    unlink(path);
    for (const struct opt *o = table; o->name; o++) {
        assert_non_null(strstr(text, o->name));
        assert_non_null(strstr(text, o->help));
    }
    assert_non_null(strstr(text, "-n, --workers N"));
    assert_non_null(strstr(text, "    --json FILE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_a_value),
        cmocka_unit_test(the_unknown_keep_their_order),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(mistakes_have_messages),
        cmocka_unit_test(help_has_a_line_for_each),
    };
    return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
