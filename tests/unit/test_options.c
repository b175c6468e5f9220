#include "tests/unit/unit.h"

#include "runtime/cli/options.h"
#include "runtime/cli/table.h"

#include <stdlib.h>

/* ---- the tables themselves ---- */

static void every_option_is_whole(void **state)
{
    (void)state;
    unsigned known = 0;
    for (const struct command *c = cli_commands; c->name; c++)
        known |= (unsigned)c->scope;
    for (const struct opt *o = cli_options; o->name; o++) {
        assert_true(o->name[0] != '-' && strlen(o->name) > 1);
        assert_true(o->scope && !(o->scope & ~(known | FOR_CONFIG) && o->scope != FOR_ALL));
        assert_true((o->kind == OPT_FLAG) == (o->metavar == NULL));
        assert_true(o->offset < sizeof(struct cli));
        assert_true(o->help != NULL || (o > cli_options && o[-1].offset == o->offset && o[-1].kind == o->kind));
        assert_true(!o->help || strchr(o->help, '\n') == NULL);
        for (const struct opt *other = cli_options; other != o; other++) {
            bool both = other->letter && other->letter == o->letter && other->scope & o->scope & ~(unsigned)FOR_CONFIG;
            assert_false(both);
        }
    }
}

static void every_command_is_whole(void **state)
{
    (void)state;
    assert_string_equal(cli_commands[0].name, "run");
    for (const struct command *c = cli_commands; c->name; c++) {
        assert_true(c->run && c->summary && c->text && c->args);
        assert_ptr_equal(command_find(c->name), c);
        for (const struct command *other = cli_commands; other != c; other++)
            assert_false(other->scope & c->scope);
    }
    assert_null(command_find("runn"));
}

/* ---- parsing ---- */

static struct cli c;
static struct err err;

static bool parse(const char *command, const char *const *words)
{
    char *argv[16];
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    cli_release(&c);
    err.msg[0] = '\0';
    return cli_parse(&c, command_find(command), argc, argv, &err);
}
#define PARSE(command, ...) parse(command, (const char *const[]){__VA_ARGS__, NULL})

static void expect_args(const char *text)
{
    struct buf b = {0};
    for (int i = 0; i < c.n_pytest_args; i++)
        buf_printf(&b, "%s%s", i ? " " : "", c.pytest_args[i]);
    assert_string_equal(b.p ? b.p : "", text);
    buf_release(&b);
}

static void pytests_options_keep_their_values(void **state)
{
    (void)state;
    assert_true(PARSE("run", "tests", "-k", "--json", "-m", "-x", "-p", "no:x", "--unknown", "a", "-x"));
    expect_args("tests -k --json -m -x -p no:x --unknown a");
    assert_int_equal(c.maxfail, 1);
    assert_null(c.json);
    assert_true(PARSE("run", "--tb=short", "-rA", "-kfoo", "--deselect", "a::b"));
    expect_args("--tb=short -rA -kfoo --deselect a::b");
}

static void letters_that_stand_together_are_told_apart(void **state)
{
    (void)state;
    assert_true(PARSE("run", "-xvvk", "a or b", "-qn2"));
    expect_args("-v -v -k a or b -q");
    assert_int_equal(c.verbosity, 1);
    assert_int_equal(c.maxfail, 1);
    assert_int_equal(c.workers, 2);
    assert_true(PARSE("run", "-k", "-v", "--verbose"));
    assert_int_equal(c.verbosity, 1);
}

static void the_arguments_are_not_written_to(void **state)
{
    (void)state;
    char text[] = "-xvs", *argv[] = {text};
    cli_release(&c);
    assert_true(cli_parse(&c, command_find("run"), 1, argv, &err));
    assert_string_equal(text, "-xvs");
    assert_string_equal(c.own_args[0], "-xvs");
}

static void what_a_command_is_about(void **state)
{
    (void)state;
    assert_true(PARSE("why", "a.py", "-k", "x", "--json", "--", "-b.py"));
    assert_int_equal(c.n_items, 2);
    assert_string_equal(c.items[1], "-b.py");
    assert_true(c.as_json);
    expect_args("-k x");
    assert_true(PARSE("batch", "dir", "-h"));
    assert_int_equal(c.n_items, 2);
    assert_false(c.help);
    assert_true(PARSE("batch", "--help"));
    assert_true(c.help);
    assert_true(PARSE("discover", "--format", "json", "a", "--", "-b"));
    expect_args("a -- -b");
}

static void mistakes_name_what_is_near(void **state)
{
    (void)state;
    assert_false(PARSE("cache", "stat"));
    assert_string_equal(err.msg, "cache: 'stat' is none of stats, clear, dump; did you mean stats?");
    assert_false(PARSE("cache", "stats", "clear"));
    assert_string_equal(err.msg, "cache: clear: one word is taken; usage: fastest cache stats|clear|dump");
    assert_false(PARSE("pool", "--statedir=x", "stop"));
    assert_string_equal(err.msg, "pool: --statedir=x: not an option of it; did you mean --state-dir?");
    assert_false(PARSE("cache", "--xml"));
    assert_string_equal(err.msg, "cache: --xml: not an option of it; usage: fastest cache stats|clear|dump");
    assert_false(PARSE("audit", "tests"));
    assert_string_equal(err.msg, "audit: tests: it takes no argument; see `fastest audit --help`");
    assert_false(PARSE("run", "--optimizer", "parallell"));
    assert_non_null(strstr(err.msg, "did you mean parallel?"));
    assert_false(PARSE("run", "-n", "-3"));
    assert_false(PARSE("run", "--maxfail=-1"));
}

static void addopts_come_first(void **state)
{
    (void)state;
    setenv("FASTEST_ADDOPTS", "-n 3 -k 'a b' --color=no", 1);
    assert_true(PARSE("run", "-n", "auto"));
    assert_int_equal(c.workers, 0);
    assert_string_equal(c.color, "no");
    expect_args("-k a b");
    assert_true(PARSE("cache", "stats")); /* which takes none of them */
    unsetenv("FASTEST_ADDOPTS");
}

static int release(void **state)
{
    (void)state;
    cli_release(&c);
    return 0;
}

int main(void)
{
    unsetenv("FASTEST_ADDOPTS");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_whole),
        cmocka_unit_test(every_command_is_whole),
        cmocka_unit_test(pytests_options_keep_their_values),
        cmocka_unit_test(letters_that_stand_together_are_told_apart),
        cmocka_unit_test(the_arguments_are_not_written_to),
        cmocka_unit_test(what_a_command_is_about),
        cmocka_unit_test(mistakes_name_what_is_near),
        cmocka_unit_test(addopts_come_first),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, release);
}
