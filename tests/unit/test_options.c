#include "tests/unit/unit.h"

#include "runtime/base/io.h"
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
        assert_true(o->scope && !(o->scope & ~(known | FOR_CONFIG | FOR_PYTEST) && o->scope != FOR_ALL));
        assert_true((o->kind == OPT_FLAG) == (o->metavar == NULL));
        assert_true(o->offset < sizeof(struct cli));
        assert_true(o->help != NULL || (o > cli_options && o[-1].offset == o->offset && o[-1].kind == o->kind));
        assert_true(!o->help || strchr(o->help, '\n') == NULL);
        for (const struct opt *other = cli_options; other != o; other++) {
            bool both = other->letter && other->letter == o->letter && other->scope & o->scope & ~(unsigned)(FOR_CONFIG | FOR_PYTEST);
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
    setenv("FASTEST_ADDOPTS", "--json out.json", 1); /* a run's --json, whatever the command has of that name */
    assert_true(PARSE("why", "a.py"));
    assert_false(c.as_json);
    assert_int_equal(c.n_items, 1);
    unsetenv("FASTEST_ADDOPTS");
}

/* ---- the layers, in a project of their own ---- */

static void write_text(void **state, const char *name, const char *text)
{
    char *path = temp_path(state, name);
    assert_true(io_replace(path, str_z(text), NULL));
    free(path);
}

static const char *origin_of(const char *name)
{
    const struct opt *o = opt_find(cli_options, FOR_RUN, str_z(name));
    return c.origins[o - cli_options];
}

static void what_comes_later_counts(void **state)
{
    write_text(state, "pyproject.toml", "[project]\nname = 'x'\n\n[tool.fastest]\nworkers = 2\noptimizer = \"parallel\"\n"
                                        "persistent_workers = true\nstate-dir = \"out\"\nenv = [\"HOME\"]\n");
    write_text(state, "pytest.ini", "[pytest]\naddopts = -v --maxfail=3 -n 4 -k 'not slow' --color=yes tests\n");
    assert_int_equal(chdir(*state), 0);
    assert_true(PARSE("run", "-q", "--tb=no"));
    assert_int_equal(c.workers, 4);
    assert_string_equal(origin_of("workers"), "pytest.ini");
    assert_int_equal(c.maxfail, 3);
    assert_int_equal(c.verbosity, 0); /* -v of addopts, -q */
    assert_true(c.persistent);
    assert_string_equal(origin_of("persistent-workers"), "pyproject.toml:7");
    assert_true(str_ends(str_z(c.state_dir), STR("/out")) && c.state_dir[0] == '/');
    assert_int_equal(c.optimizer, OPTIMIZER_PARALLEL);
    assert_null(origin_of("junitxml"));
    expect_args("-q --tb=no"); /* pytest adds its addopts itself */
    setenv("FASTEST_WORKERS", "5", 1);
    setenv("FASTEST_PERSISTENT_WORKERS", "no", 1);
    assert_true(PARSE("run", "--color", "no"));
    assert_int_equal(c.workers, 5);
    assert_string_equal(origin_of("workers"), "FASTEST_WORKERS");
    assert_false(c.persistent);
    assert_string_equal(c.color, "no");
    assert_string_equal(origin_of("color"), "the command line");
    setenv("PYTEST_ADDOPTS", "--maxfail 7 -s", 1);
    assert_true(PARSE("run", "-j6"));
    assert_int_equal(c.workers, 6);
    assert_int_equal(c.maxfail, 7);
    assert_string_equal(origin_of("maxfail"), "PYTEST_ADDOPTS");
    unsetenv("FASTEST_WORKERS");
    unsetenv("FASTEST_PERSISTENT_WORKERS");
    unsetenv("PYTEST_ADDOPTS");
    assert_int_equal(chdir("/"), 0);
}

static void refuse(void **state, const char *table, const char *message)
{
    struct buf text = {0};
    buf_printf(&text, "[tool.fastest]\n%s\n", table);
    write_text(state, "pyproject.toml", text.p);
    assert_int_equal(chdir(*state), 0);
    assert_false(parse("run", (const char *const[]){NULL}));
    assert_string_equal(err.msg, message);
    assert_int_equal(chdir("/"), 0);
    buf_release(&text);
}

static void a_wrong_key_has_its_place_and_the_nearest_name(void **state)
{
    refuse(state, "\nworker = 3", "pyproject.toml:3: [tool.fastest] worker: no such key; did you mean workers?");
    refuse(state, "frobnicate = 3", "pyproject.toml:2: [tool.fastest] frobnicate: no such key; `fastest config` lists them");
    refuse(state, "inputz = []", "pyproject.toml:2: [tool.fastest] inputz: no such key; did you mean inputs?");
    refuse(state, "maxfail = 3", "pyproject.toml:2: [tool.fastest] maxfail: no such key; `fastest config` lists them");
    refuse(state, "workers = 'many'", "pyproject.toml:2: [tool.fastest] workers: 'many' is not a number");
    refuse(state, "workers = true", "pyproject.toml:2: [tool.fastest] workers: a number is wanted");
    refuse(state, "persistent-workers = 1", "pyproject.toml:2: [tool.fastest] persistent-workers: true or false is wanted");
    refuse(state, "optimizer = 3", "pyproject.toml:2: [tool.fastest] optimizer: a string is wanted");
    refuse(state, "env = 'HOME'", "pyproject.toml:2: [tool.fastest] env: a list of strings is wanted");
    refuse(state, "color = 'always'", "pyproject.toml:2: [tool.fastest] color: 'always' is none of yes, no, auto");
}

static void a_variable_is_ours_or_not(void **state)
{
    (void)state;
    setenv("FASTEST_WORKRES", "1", 1);
    assert_false(parse("run", (const char *const[]){NULL}));
    assert_string_equal(err.msg, "FASTEST_WORKRES: no such variable; did you mean FASTEST_WORKERS?");
    unsetenv("FASTEST_WORKRES");
    setenv("FASTEST_HOME_OF_ANOTHER", "1", 1);
    setenv("FASTEST_CACHE_DIR", "/x", 1);
    assert_true(parse("run", (const char *const[]){NULL}));
    unsetenv("FASTEST_HOME_OF_ANOTHER");
    unsetenv("FASTEST_CACHE_DIR");
    setenv("FASTEST_ADDOPTS", "-k 'a", 1);
    assert_false(parse("run", (const char *const[]){NULL}));
    assert_string_equal(err.msg, "FASTEST_ADDOPTS: No closing quotation");
    unsetenv("FASTEST_ADDOPTS");
}

static void a_mistyped_command(void **state)
{
    (void)state;
    assert_true(PARSE("run", "discver"));
    assert_false(cli_check_first(&c, "discver", &err));
    assert_string_equal(err.msg, "discver: no such command, file or directory; did you mean `fastest discover`?");
    assert_true(cli_check_first(&c, "tests", &err));
    assert_true(cli_check_first(&c, "-n", &err));
    assert_true(cli_check_first(&c, "test_why.py", &err));
    assert_true(PARSE("run", "--pyargs", "confg"));
    assert_true(cli_check_first(&c, "confg", &err));
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
    unsetenv("PYTEST_ADDOPTS");
    assert_int_equal(chdir("/"), 0); /* away from any configuration */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_whole),
        cmocka_unit_test(every_command_is_whole),
        cmocka_unit_test(pytests_options_keep_their_values),
        cmocka_unit_test(letters_that_stand_together_are_told_apart),
        cmocka_unit_test(the_arguments_are_not_written_to),
        cmocka_unit_test(what_a_command_is_about),
        cmocka_unit_test(mistakes_name_what_is_near),
        cmocka_unit_test(addopts_come_first),
        cmocka_unit_test_setup_teardown(what_comes_later_counts, temp_dir_new, temp_dir_remove),
        cmocka_unit_test_setup_teardown(a_wrong_key_has_its_place_and_the_nearest_name, temp_dir_new, temp_dir_remove),
        cmocka_unit_test(a_variable_is_ours_or_not),
        cmocka_unit_test(a_mistyped_command),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, release);
}
