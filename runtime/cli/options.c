#include "runtime/cli/options.h"

#include "generator/config/config_options.h"
#include "runtime/base/nearest.h"
#include "runtime/cli/self.h"
#include "runtime/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options whose output is pytest's own terminal or prompt: plain pytest runs them. */
static const char *const plain_options[] = {
    "--collect-only", "--co", "--fixtures", "--funcargs", "--fixtures-per-test", "--markers",
    "--setup-plan", "--setup-only", "--setup-show", "--pdb", "--trace", "-s", "--capture=no",
    "--cache-show", "--debug", "--stepwise", "--sw", "--lf", "--last-failed", "--ff",
    "--failed-first", "--nf", "--new-first"};

static bool is_verbosity(const char *arg, int *delta)
{
    static const struct {
        const char *name;
        int delta;
    } names[] = {{"-v", 1}, {"--verbose", 1}, {"-q", -1}, {"--quiet", -1}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(arg, names[i].name) == 0) {
            *delta = names[i].delta;
            return true;
        }
    return false;
}

/* Of -vx or --tb=short the option as pytest's table has it, else NULL. */
static const struct config_option *pytest_option(const char *arg, bool *letters)
{
    size_t n = arg[1] == '-' ? strcspn(arg, "=") : 2;
    *letters = arg[1] != '-' && arg[2] != '\0';
    return config_option_find((struct str){arg, n}, true);
}

static void give(struct cli *c, const char *arg, size_t n)
{
    c->pytest_args[c->n_pytest_args++] = arena_dup(&c->arena, arg, n);
}

static void give_option(struct cli *c, const char *arg, size_t n)
{
    int delta = 0;
    give(c, arg, n);
    const char *copy = c->pytest_args[c->n_pytest_args - 1];
    if (is_verbosity(copy, &delta))
        c->verbosity += delta;
    for (size_t i = 0; i < sizeof plain_options / sizeof *plain_options; i++)
        if (strcmp(copy, plain_options[i]) == 0)
            c->plain = plain_options[i];
}

static bool refuse_option(const struct cli *c, const char *arg, struct err *err)
{
    struct nearest near = {.word = {arg, strcspn(arg, "=")}};
    struct buf name = {0};
    for (const struct opt *o = cli_options; o->name; o++) {
        buf_clear(&name);
        buf_printf(&name, "--%s", o->name);
        if (o->scope & command_scope(c->command))
            nearest_try(&near, (struct str){arena_dup((struct arena *)(uintptr_t)&c->arena, name.p, name.n), name.n});
    }
    buf_release(&name);
    if (near.best.p)
        return err_set(err, "%s: %s: not an option of it; did you mean %.*s?", c->command->name, arg, (int)near.best.n,
                       near.best.p);
    return err_set(err, "%s: %s: not an option of it; usage: fastest %s %s", c->command->name, arg, c->command->name,
                   c->command->args);
}

static int take_item(struct cli *c, char *arg, struct err *err)
{
    if (c->command->takes == TAKES_NOTHING) {
        err_set(err, "%s: %s: it takes no argument; see `fastest %s --help`", c->command->name, arg, c->command->name);
        return OPT_REFUSED;
    }
    if (c->command->takes == TAKES_TESTS)
        give(c, arg, strlen(arg));
    else
        c->items[c->n_items++] = arg;
    return 1;
}

static int take_unknown(void *ctx, int argc, char **argv, struct err *err)
{
    struct cli *c = ctx;
    bool letters = false;
    if (strcmp(argv[0], "--") == 0) {
        c->ended = true;
        if (c->command->takes == TAKES_TESTS)
            give(c, argv[0], 2);
        return 1;
    }
    if (c->ended || argv[0][0] != '-' || !argv[0][1])
        return take_item(c, argv[0], err);
    if (!c->command->pytest)
        return refuse_option(c, argv[0], err);
    const struct config_option *o = pytest_option(argv[0], &letters);
    if (o && letters && o->value == VALUE_NO) {
        give_option(c, argv[0], 2);
        return OPT_LETTER;
    }
    give_option(c, argv[0], strlen(argv[0]));
    if (!o || letters || o->value != VALUE_YES || strchr(argv[0], '=') || argc < 2)
        return 1;
    give(c, argv[1], strlen(argv[1]));
    return 2;
}

/* Splits FASTEST_ADDOPTS at white space, with sh's quotes and backslashes. */
static int split_words(struct arena *a, const char *text, char **out, int max)
{
    int n = 0;
    for (const char *p = text; *p;) {
        while (*p == ' ' || *p == '\t' || *p == '\n')
            p++;
        if (!*p || n == max)
            break;
        char *word = arena_alloc(a, strlen(p) + 1), *w = word;
        char quote = 0;
        for (; *p && (quote || !strchr(" \t\n", *p)); p++) {
            if (*p == quote)
                quote = 0;
            else if (!quote && (*p == '\'' || *p == '"'))
                quote = *p;
            else if (*p == '\\' && quote != '\'' && p[1])
                *w++ = *++p;
            else
                *w++ = *p;
        }
        out[n++] = word;
    }
    return n;
}

static bool absolute(struct cli *c, const char **path)
{
    if (!*path || **path == '/')
        return true;
    struct buf b = {0};
    path_join(&b, str_z(c->cwd), str_z(*path));
    *path = arena_dup(&c->arena, b.p, b.n);
    buf_release(&b);
    return true;
}

/* What is traded for speed with --optimizer=aggressive, each with its own switch. */
static void trade(struct cli *c)
{
    static char capture[] = "--capture=sys";
    c->persistent = c->ignore_lines = c->ignore_docstrings = true;
    memmove(c->pytest_args + 1, c->pytest_args, (size_t)c->n_pytest_args * sizeof *c->pytest_args);
    c->pytest_args[0] = capture; /* one that is given comes later, and counts */
    c->n_pytest_args++;
}

static void choose_optimizer(struct cli *c)
{
    while (c->optimizer_name && strcmp(optimizer_name(c->optimizer), c->optimizer_name) != 0)
        c->optimizer++;
    if (c->optimizer == OPTIMIZER_AGGRESSIVE)
        trade(c);
}

static bool check_values(const struct cli *c, struct err *err)
{
    if (c->workers < 0)
        return err_set(err, "-n: %d: a number of workers is wanted (0 = automatic)", c->workers);
    if (c->maxfail < 0)
        return err_set(err, "--maxfail: %d: a number of failures is wanted", c->maxfail);
    return true;
}

static bool check_word(const struct cli *c, struct err *err)
{
    const struct command *k = c->command;
    if (k->takes != TAKES_WORD || !k->words || !c->n_items)
        return true;
    if (c->n_items > 1)
        return err_set(err, "%s: %s: one word is taken; usage: fastest %s %s", k->name, c->items[1], k->name, k->args);
    struct opt o = {.kind = OPT_STRING, .words = k->words};
    const char *ignored;
    return opt_set(&o, &ignored, k->name, c->items[0], err);
}

/* FASTEST_ADDOPTS, and the arguments: the strings are ours. */
static char **all_arguments(struct cli *c, int argc, char **argv, int *n, size_t *max)
{
    const char *extra = c->command->pytest ? getenv("FASTEST_ADDOPTS") : NULL;
    *max = 1; /* what trade() adds */
    for (int i = 0; i < argc; i++)
        *max += strlen(argv[i]) + 1; /* letters that stand together count one by one */
    *max += extra ? strlen(extra) : 0;
    char **all = arena_array(&c->arena, *max, sizeof *all);
    *n = extra ? split_words(&c->arena, extra, all, (int)(*max) - argc - 1) : 0;
    for (int i = 0; i < argc; i++)
        all[(*n)++] = arena_dup(&c->arena, argv[i], strlen(argv[i]));
    return all;
}

static bool parse_all(struct cli *c, int n, char **all, struct err *err)
{
    bool raw = c->command->takes == TAKES_RAW && !(n == 1 && strcmp(all[0], "--help") == 0);
    for (int i = 0; raw && i < n; i++)
        c->items[c->n_items++] = all[i];
    return raw || opt_parse(cli_options, command_scope(c->command), c, n, all, take_unknown, c, err);
}

bool cli_parse(struct cli *c, const struct command *command, int argc, char **argv, struct err *err)
{
    char cwd[4096];
    int n;
    size_t max;
    *c = (struct cli){.command = command, .own_args = argv, .n_own_args = argc, .seed = -1};
    char **all = all_arguments(c, argc, argv, &n, &max);
    c->pytest_args = arena_array(&c->arena, max, sizeof *c->pytest_args);
    c->items = arena_array(&c->arena, (size_t)n + 1, sizeof *c->items);
    if (!getcwd(cwd, sizeof cwd))
        return err_errno(err, "the current directory cannot be named");
    c->cwd = arena_dup(&c->arena, cwd, strlen(cwd));
    if (!self_path(&c->arena, &c->self, err) || !parse_all(c, n, all, err))
        return false;
    if (c->fail_fast)
        c->maxfail = 1;
    choose_optimizer(c);
    return absolute(c, &c->state_dir) && absolute(c, &c->junit) && absolute(c, &c->json) && check_values(c, err) &&
           (c->help || check_word(c, err));
}

void cli_release(struct cli *c)
{
    arena_release(&c->arena);
}

struct generate_options cli_generate_options(const struct cli *c)
{
    struct generate_options o = {
        .python = c->python,
        .state_dir = c->state_dir,
        .cwd = c->cwd,
        .args = c->pytest_args,
        .n_args = c->n_pytest_args,
        .no_cache = c->no_cache,
        .restore_mtimes = c->restore_mtimes,
        .ignore_lines = c->ignore_lines,
        .ignore_docstrings = c->ignore_docstrings,
        .fastest = c->self,
        .own_args = c->own_args,
        .n_own_args = c->n_own_args,
        .options = {.junit = str_z(c->junit),
                    .json = str_z(c->json),
                    .workers = (uint32_t)c->workers,
                    .maxfail = (uint32_t)c->maxfail,
                    .verbosity = (uint32_t)c->verbosity,
                    .optimizer = c->optimizer,
                    .persistent = c->persistent,
                    .color = cli_color(c, STDOUT_FILENO)}};
    return o;
}

bool cli_color(const struct cli *c, int fd)
{
    if (c->color && strcmp(c->color, "auto") != 0)
        return strcmp(c->color, "yes") == 0;
    const char *py = getenv("PY_COLORS"), *term = getenv("TERM");
    if (py && (strcmp(py, "0") == 0 || strcmp(py, "1") == 0))
        return *py == '1';
    if (getenv("NO_COLOR") && *getenv("NO_COLOR"))
        return false;
    if (getenv("FORCE_COLOR") && *getenv("FORCE_COLOR"))
        return true;
    return isatty(fd) && !(term && strcmp(term, "dumb") == 0);
}

struct str cli_item_path(struct cli *c, const char *item)
{
    struct buf b = {0};
    const char *end = strstr(item, "::");
    path_join(&b, str_z(c->cwd), (struct str){item, end ? (size_t)(end - item) : strlen(item)});
    struct str out = {arena_dup(&c->arena, b.p, b.n), b.n};
    buf_release(&b);
    return out;
}
