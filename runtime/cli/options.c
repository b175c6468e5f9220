#include "runtime/cli/options.h"

#include "runtime/base/opt.h"
#include "runtime/cli/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct opt table[] = {
    {"python", 0, OPT_STRING, offsetof(struct cli, python), "PATH",
     "interpreter (default: $VIRTUAL_ENV's, then python3)"},
    {"state-dir", 0, OPT_STRING, offsetof(struct cli, state_dir), "DIR",
     "state directory (default: .fastest in pytest's rootdir)"},
    {"workers", 'n', OPT_INT, offsetof(struct cli, workers), "N",
     "worker processes (default: one a processor, more while tests sleep)"},
    {"optimizer", 0, OPT_STRING, offsetof(struct cli, optimizer_name), "NAME",
     "standard, parallel, optimized (the default), aggressive, verify"},
    {"fail-fast", 'x', OPT_FLAG, offsetof(struct cli, fail_fast), NULL, "stop at the first failure"},
    {"maxfail", 0, OPT_INT, offsetof(struct cli, maxfail), "N", "stop after N failures"},
    {"junitxml", 0, OPT_STRING, offsetof(struct cli, junit), "FILE", "write JUnit XML (xunit2)"},
    {"junit-xml", 0, OPT_STRING, offsetof(struct cli, junit), "FILE", "the same"},
    {"json", 0, OPT_STRING, offsetof(struct cli, json), "FILE", "write pytest-json-report JSON"},
    {"color", 0, OPT_STRING, offsetof(struct cli, color), "WHEN", "yes, no or auto"},
    {"persistent-workers", 0, OPT_FLAG, offsetof(struct cli, persistent), NULL,
     "keep the pool for the next run"},
    {"no-cache", 0, OPT_FLAG, offsetof(struct cli, no_cache), NULL, "run every module, whatever the records say"},
    {"pool-idle", 0, OPT_STRING, offsetof(struct cli, idle), "TIME", "when nobody uses it so long, a kept pool ends (10m)"},
    {"batch-timeout", 0, OPT_STRING, offsetof(struct cli, batch_timeout), "TIME",
     "end a batch that takes longer (for each test: pytest-timeout's --timeout, with or without that plugin)"},
    {"slow-after", 0, OPT_STRING, offsetof(struct cli, slow), "TIME", "say so when a test runs longer (60s; 0 = never)"},
    {"retries", 0, OPT_STRING, offsetof(struct cli, retries), "N", "run a failing test again, up to N times"},
    {"no-confirm", 0, OPT_FLAG, offsetof(struct cli, no_confirm), NULL, "do not run what fails once more, alone"},
    {"isolation", 0, OPT_STRING, offsetof(struct cli, isolation), "NAME", "what shares a process: batch (the default), session, test, process"},
    {"worker-memory", 0, OPT_STRING, offsetof(struct cli, worker_memory), "SIZE", "replace a worker that has more memory"},
    {"restore-mtimes", 0, OPT_FLAG, offsetof(struct cli, restore_mtimes), NULL,
     "give unchanged sources their recorded mtimes back (CI)"},
    {"ignore-lines", 0, OPT_FLAG, offsetof(struct cli, ignore_lines), NULL,
     "line numbers do not count as a change"},
    {"ignore-docstrings", 0, OPT_FLAG, offsetof(struct cli, ignore_docstrings), NULL,
     "docstrings do not count as a change of the functions that a test executes"},
    {"help", 'h', OPT_FLAG, offsetof(struct cli, help), NULL, "this text"},
    {"version", 0, OPT_FLAG, offsetof(struct cli, version), NULL, "version"},
    {0}};

/* Options whose output is pytest's own terminal or prompt: plain pytest runs them. */
static const char *const plain_options[] = {
    "--collect-only", "--co", "--fixtures", "--funcargs", "--fixtures-per-test", "--markers",
    "--setup-plan", "--setup-only", "--setup-show", "--pdb", "--trace", "-s", "--capture=no",
    "--cache-show", "--debug", "--stepwise", "--sw", "--lf", "--last-failed", "--ff",
    "--failed-first", "--nf", "--new-first"};

static bool is_verbosity(const char *arg, int *delta)
{
    if (strcmp(arg, "--verbose") == 0) {
        *delta = 1;
        return true;
    }
    if (strcmp(arg, "--quiet") == 0) {
        *delta = -1;
        return true;
    }
    if (arg[0] != '-' || (arg[1] != 'v' && arg[1] != 'q') ||
        arg[strspn(arg + 1, arg[1] == 'v' ? "v" : "q") + 1] != '\0')
        return false;
    int n = (int)strlen(arg + 1);
    *delta = arg[1] == 'v' ? n : -n;
    return true;
}

static int take_unknown(void *ctx, int argc, char **argv, struct err *err)
{
    struct cli *c = ctx;
    (void)argc;
    (void)err;
    int delta = 0;
    if (is_verbosity(argv[0], &delta))
        c->verbosity += delta;
    for (size_t i = 0; i < sizeof plain_options / sizeof *plain_options; i++)
        if (strcmp(argv[0], plain_options[i]) == 0)
            c->plain = plain_options[i];
    c->pytest_args[c->n_pytest_args++] = argv[0];
    return 1;
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
    c->persistent = c->ignore_lines = c->ignore_docstrings = c->no_confirm = true;
    memmove(c->pytest_args + 1, c->pytest_args, (size_t)c->n_pytest_args * sizeof *c->pytest_args);
    c->pytest_args[0] = capture; /* one that is given comes later, and counts */
    c->n_pytest_args++;
}

static bool choose_optimizer(struct cli *c, struct err *err)
{
    if (!c->optimizer_name)
        return true;
    while (c->optimizer < N_OPTIMIZERS && strcmp(optimizer_name(c->optimizer), c->optimizer_name) != 0)
        c->optimizer++;
    if (c->optimizer == N_OPTIMIZERS)
        return err_set(err, "--optimizer: '%s' is none of standard, parallel, optimized, aggressive, verify",
                       c->optimizer_name);
    if (c->optimizer == OPTIMIZER_AGGRESSIVE)
        trade(c);
    return true;
}

static bool check_settings(struct cli *c, struct err *err)
{
    const struct setting_given given[N_CLI_SETTINGS] = {
        {"batch-timeout", c->batch_timeout}, {"slow-after", c->slow}, {"pool-idle", c->idle}, {"retries", c->retries},
        {"worker-memory", c->worker_memory}, {"isolation", c->isolation},
        {"confirm", c->no_confirm ? "false" : NULL}};
    struct plan_options o = {0};
    bool ok = true;
    memcpy(c->given, given, sizeof given);
    for (int i = 0; ok && i < N_CLI_SETTINGS; i++)
        ok = !given[i].value || settings_set(&o, given[i].name, str_z(given[i].value), err);
    return ok || err_set(err, "--%s", err->msg);
}

static bool check_values(const struct cli *c, struct err *err)
{
    if (c->color && strcmp(c->color, "yes") && strcmp(c->color, "no") && strcmp(c->color, "auto"))
        return err_set(err, "--color: '%s' is none of yes, no, auto", c->color);
    if (c->workers < 0)
        return err_set(err, "-n: %d: a number of workers is wanted (0 = automatic)", c->workers);
    if (c->maxfail < 0)
        return err_set(err, "--maxfail: %d: a number of failures is wanted", c->maxfail);
    return true;
}

bool cli_parse(struct cli *c, int argc, char **argv, struct err *err)
{
    memset(c, 0, sizeof *c);
    const char *extra = getenv("FASTEST_ADDOPTS");
    size_t max = (size_t)argc + (extra ? strlen(extra) / 2 + 1 : 0) + 2; /* and one that trade() adds */
    char **all = arena_array(&c->arena, max, sizeof *all);
    int n = extra ? split_words(&c->arena, extra, all, (int)max - argc - 2) : 0;
    memcpy(all + n, argv, (size_t)argc * sizeof *all);
    c->own_args = argv;
    c->n_own_args = argc;
    c->pytest_args = arena_array(&c->arena, max, sizeof *c->pytest_args);
    char cwd[4096];
    if (!getcwd(cwd, sizeof cwd))
        return err_errno(err, "the current directory cannot be named");
    c->cwd = arena_dup(&c->arena, cwd, strlen(cwd));
    if (!self_path(&c->arena, &c->self, err))
        return false;
    if (!opt_parse(table, c, n + argc, all, take_unknown, c, err))
        return false;
    if (c->fail_fast)
        c->maxfail = 1;
    return choose_optimizer(c, err) && absolute(c, &c->state_dir) && absolute(c, &c->junit) && absolute(c, &c->json) &&
           check_values(c, err) && check_settings(c, err);
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
        .given = c->given,
        .n_given = N_CLI_SETTINGS,
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

void cli_help(void)
{
    puts("usage: fastest [run] [options] [paths | node ids]\n"
         "       fastest init [options] [paths]     write build.ninja, for `ninja test`\n"
         "       fastest pool status|stop           the persistent workers of this directory\n\n"
         "Runs a pytest suite as an incremental build. Any other option goes to pytest.\n");
    opt_help(table);
    puts("\nFASTEST_ADDOPTS adds options; NINJA names another ninja.");
}
