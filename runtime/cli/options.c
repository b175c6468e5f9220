#include "runtime/cli/options.h"

#include "generator/config/config_options.h"
#include "generator/config/ini.h"
#include "runtime/base/io.h"
#include "runtime/base/nearest.h"
#include "runtime/base/units.h"
#include "runtime/cli/self.h"
#include "runtime/cli/table.h"
#include "runtime/report/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options whose output is pytest's own terminal or prompt: plain pytest runs them. */
static const char *const plain_options[] = {
    "--fixtures", "--funcargs", "--fixtures-per-test", "--markers", "--setup-plan", "--setupplan", "--setup-only",
    "--setuponly", "--setup-show", "--setupshow", "--pdb", "--trace", "--cache-show", "--debug"};

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

static void append(char ***list, int *n, size_t *cap, char *text)
{
    *list = xgrow(*list, cap, (size_t)*n + 1, sizeof **list);
    (*list)[(*n)++] = text;
}

static char *give(struct cli *c, const char *arg, size_t n)
{
    char *text = arena_dup(&c->arena, arg, n);
    if (!c->addopts)
        append(&c->pytest_args, &c->n_pytest_args, &c->cap_pytest_args, text);
    return text;
}

static void give_option(struct cli *c, const char *arg, size_t n)
{
    int delta = 0;
    const char *copy = give(c, arg, n);
    if (is_verbosity(copy, &delta))
        c->verbosity += delta;
    for (size_t i = 0; i < sizeof plain_options / sizeof *plain_options; i++)
        if (strncmp(copy, plain_options[i], strlen(plain_options[i])) == 0 && strchr("=", copy[strlen(plain_options[i])]))
            c->plain = plain_options[i];
}

/* Output that is not captured belongs on the terminal; the last word about it counts. */
static void take_capture(struct cli *c, const char *option, const char *value)
{
    bool no = strcmp(option, "-s") == 0 || (value && strcmp(value, "no") == 0);
    c->uncaptured = !no ? NULL : value ? "--capture=no" : "-s";
}

/* An argument that is the first of `fastest`, and neither a command nor a file, may have been meant as a command. */
bool cli_check_first(const struct cli *c, const char *first, struct err *err)
{
    struct nearest near = {.word = str_z(first)};
    if (first[strspn(first, "abcdefghijklmnopqrstuvwxyz-")] || *first == '-' || access(first, F_OK) == 0)
        return true;
    for (int i = 0; i < c->n_pytest_args; i++)
        if (strcmp(c->pytest_args[i], "--pyargs") == 0)
            return true;
    for (const struct command *k = cli_commands; k->name; k++)
        if (!k->hidden)
            nearest_try(&near, str_z(k->name));
    return !near.best.p || err_set(err, "%s: no such command, file or directory; did you mean `fastest %.*s`?", first,
                                   (int)near.best.n, near.best.p);
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
    if (c->addopts) {
        give(c, arg, strlen(arg));
        return 1;
    }
    if (c->command->takes == TAKES_NOTHING) {
        err_set(err, "%s: %s: it takes no argument; see `fastest %s --help`", c->command->name, arg, c->command->name);
        return OPT_REFUSED;
    }
    if (c->command->takes == TAKES_TESTS)
        give(c, arg, strlen(arg));
    else
        append(&c->items, &c->n_items, &c->cap_items, arg);
    return 1;
}

static int take_unknown(void *ctx, int argc, char **argv, struct err *err)
{
    struct cli *c = ctx;
    bool letters = false;
    if (strncmp(argv[0], "--trace=", 8) == 0 && !c->ended) { /* without a value it is pytest's */
        c->trace = argv[0] + 8;
        return 1;
    }
    if (strcmp(argv[0], "--") == 0) {
        c->ended = true;
        if (c->command->takes == TAKES_TESTS || c->addopts)
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
        if (argv[0][1] == 's')
            take_capture(c, "-s", NULL);
        return OPT_LETTER;
    }
    const char *eq = strchr(argv[0], '=');
    if (o && (strcmp(o->name, "-s") == 0 || strcmp(o->name, "--capture") == 0))
        take_capture(c, o->name, eq ? eq + 1 : argc > 1 && argv[0][1] == '-' ? argv[1] : NULL);
    give_option(c, argv[0], strlen(argv[0]));
    if (!o || letters || o->value != VALUE_YES || strchr(argv[0], '=') || argc < 2)
        return 1;
    give(c, argv[1], strlen(argv[1]));
    return 2;
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
    append(&c->pytest_args, &c->n_pytest_args, &c->cap_pytest_args, capture);
    memmove(c->pytest_args + 1, c->pytest_args, (size_t)(c->n_pytest_args - 1) * sizeof *c->pytest_args);
    c->pytest_args[0] = capture; /* one that is given comes later, and counts */
}

static void choose_optimizer(struct cli *c)
{
    while (c->optimizer_name && strcmp(optimizer_name(c->optimizer), c->optimizer_name) != 0)
        c->optimizer++;
    if (c->optimizer == OPTIMIZER_AGGRESSIVE)
        trade(c);
}

/* The table has checked the name. */
static void choose_output(struct cli *c)
{
    static const struct {
        const char *name;
        unsigned output;
        size_t flag; /* of the view that is printed in its place */
    } outputs[] = {{"pretty", OUTPUT_PRETTY, 0}, {"json", OUTPUT_JSON, 0}, {"count", OUTPUT_COUNT, 0},
                   {"tap", OUTPUT_PRETTY, offsetof(struct cli, tap)},
                   {"tap14", OUTPUT_PRETTY, offsetof(struct cli, tap14)}};
    for (size_t i = 0; c->output_name && i < sizeof outputs / sizeof *outputs; i++) {
        if (strcmp(c->output_name, outputs[i].name) != 0)
            continue;
        c->output = outputs[i].output;
        if (outputs[i].flag)
            *(bool *)((char *)c + outputs[i].flag) = true;
    }
}

static bool duration(const char *name, const char *text, uint32_t *ms, struct err *err)
{
    return !text || units_duration_ms(str_z(text), ms) ||
           err_set(err, "--%s: '%s' is no time (10, 1.5s, 200ms, 2m)", name, text);
}

static bool take_settings(struct cli *c, struct err *err)
{
    static const char *const isolations[N_ISOLATIONS] = {
        [ISOLATION_BATCH] = "batch", [ISOLATION_SESSION] = "session", [ISOLATION_TEST] = "test", [ISOLATION_PROCESS] = "process"};
    c->slow_ms = 60 * 1000;
    c->idle_ms = 10 * 60 * 1000;
    for (int i = 0; c->isolation_name && i < N_ISOLATIONS; i++)
        if (strcmp(isolations[i], c->isolation_name) == 0)
            c->isolation = (enum isolation)i;
    return duration("batch-timeout", c->batch_timeout, &c->batch_timeout_ms, err) &&
           duration("slow-after", c->slow_after, &c->slow_ms, err) && duration("pool-idle", c->pool_idle, &c->idle_ms, err) &&
           (!c->worker_memory || units_size_bytes(str_z(c->worker_memory), &c->memory_bytes) ||
            err_set(err, "--worker-memory: '%s' is no size (500M, 2G)", c->worker_memory));
}

static bool check_values(const struct cli *c, struct err *err)
{
    if (c->workers < 0)
        return err_set(err, "-n: %d: a number of workers is wanted (0 = automatic)", c->workers);
    if (c->maxfail < 0)
        return err_set(err, "--maxfail: %d: a number of failures is wanted", c->maxfail);
    if (c->retries < 0)
        return err_set(err, "--retries: %d: a number of attempts is wanted", c->retries);
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

/* ---- the layers ---- */

void cli_note(struct cli *c, const struct opt *o, const char *where)
{
    while (!o->help) /* another name of the row before */
        o--;
    c->origins[o - cli_options] = arena_dup(&c->arena, where, strlen(where));
}

static void note_seen(void *ctx, const struct opt *o)
{
    struct cli *c = ctx;
    cli_note(c, o, c->origin);
}

/* scope FOR_PYTEST: pytest's addopts, of which only what we know counts. */
static bool parse_words(struct cli *c, const struct strs *words, const char *origin, unsigned scope, struct err *err)
{
    struct opt_reader r = {.table = cli_options, .scope = scope, .target = c, .unknown = take_unknown, .seen = note_seen,
                           .ctx = c};
    char **argv = arena_array(&c->arena, words->n + 1, sizeof *argv);
    for (size_t i = 0; i < words->n; i++)
        argv[i] = arena_dup(&c->arena, words->items[i].p ? words->items[i].p : "", words->items[i].n);
    c->origin = origin;
    c->addopts = scope == FOR_PYTEST;
    c->ended = false;
    bool ok = opt_parse(&r, (int)words->n, argv, err);
    c->addopts = c->ended = false;
    return ok;
}

static bool parse_variable(struct cli *c, const char *name, unsigned scope, struct err *err)
{
    struct strs words = {0};
    struct err why;
    bool ok = !c->command->pytest || ini_shlex(str_z(getenv(name)), &c->arena, &words, &why) ||
              err_set(err, "%s: %s", name, why.msg);
    ok = ok && parse_words(c, &words, name, scope, err);
    strs_release(&words);
    return ok;
}

static bool parse_arguments(struct cli *c, struct err *err)
{
    struct strs words = {0};
    for (int i = 0; i < c->n_own_args; i++)
        strs_add(&words, str_z(c->own_args[i]));
    bool ok = parse_variable(c, "FASTEST_ADDOPTS", FOR_RUN, err) &&
              parse_words(c, &words, "the command line", command_scope(c->command), err);
    strs_release(&words);
    return ok;
}

/* As it was before anything was parsed. */
static void start(struct cli *c, const struct command *command, int argc, char **argv)
{
    struct cli fresh = {.command = command, .own_args = argv, .n_own_args = argc, .seed = -1, .cwd = c->cwd, .tty = c->tty,
                        .self = c->self, .arena = c->arena, .settings = c->settings};
    for (const struct opt *o = cli_options; o->name; o++)
        fresh.n_options++;
    fresh.origins = arena_array(&fresh.arena, fresh.n_options, sizeof *fresh.origins);
    free(c->pytest_args);
    free(c->items);
    *c = fresh;
}

static bool parse_layers(struct cli *c, struct err *err)
{
    struct buf ini = {0};
    if (c->settings.own.ini.n)
        path_relative(&ini, c->settings.own.ini, str_z(c->cwd));
    const char *origin = arena_dup(&c->arena, ini.p ? ini.p : "", ini.n);
    buf_release(&ini);
    return settings_apply_file(&c->settings, c, err) &&
           (!c->command->pytest || parse_words(c, &c->settings.own.addopts, origin, FOR_PYTEST, err)) &&
           settings_apply_variables(c, err) && parse_variable(c, "PYTEST_ADDOPTS", FOR_PYTEST, err) &&
           parse_arguments(c, err);
}

static bool finish(struct cli *c, struct err *err)
{
    if (c->fail_fast)
        c->maxfail = 1;
    if (!c->plain)
        c->plain = c->uncaptured;
    choose_optimizer(c);
    choose_output(c);
    return absolute(c, &c->report_log) && absolute(c, &c->trace) && absolute(c, &c->html) && absolute(c, &c->state_dir) &&
           absolute(c, &c->junit) && absolute(c, &c->json) && check_values(c, err) && take_settings(c, err) && check_word(c, err);
}

bool cli_parse(struct cli *c, const struct command *command, int argc, char **argv, struct err *err)
{
    char cwd[4096], tty[256];
    *c = (struct cli){0};
    start(c, command, argc, argv);
    if (!getcwd(cwd, sizeof cwd))
        return err_errno(err, "the current directory cannot be named");
    c->cwd = arena_dup(&c->arena, cwd, strlen(cwd));
    c->tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && ttyname_r(STDIN_FILENO, tty, sizeof tty) == 0
                 ? arena_dup(&c->arena, tty, strlen(tty))
                 : NULL;
    if (!self_path(&c->arena, &c->self, err))
        return false;
    bool raw = command->takes == TAKES_RAW && !(argc == 1 && strcmp(argv[0], "--help") == 0);
    for (int i = 0; raw && i < argc; i++)
        append(&c->items, &c->n_items, &c->cap_items, argv[i]);
    if (raw)
        return true;
    if (!parse_arguments(c, err)) /* for pytest's arguments, which say where its configuration is */
        return false;
    if (c->help || c->version)
        return true;
    settings_find(&c->settings, c, &c->arena);
    start(c, command, argc, argv);
    return parse_layers(c, err) && finish(c, err);
}

void cli_release(struct cli *c)
{
    free(c->pytest_args);
    free(c->items);
    settings_release(&c->settings);
    arena_release(&c->arena);
}

static void near_option(struct nearest *n)
{
    for (const struct opt *o = cli_options; o->name; o++)
        if (o->scope & FOR_RUN)
            nearest_try(n, str_z(o->name));
}

struct generate_options cli_generate_options(const struct cli *c)
{
    struct generate_options o = {
        .serial = c->settings.serial.items,
        .n_serial = (uint32_t)c->settings.serial.n,
        .groups = c->settings.groups,
        .n_groups = c->settings.n_groups,
        .python = c->python,
        .state_dir = c->state_dir,
        .cwd = c->cwd,
        .args = c->pytest_args,
        .n_args = c->n_pytest_args,
        .restore_mtimes = c->restore_mtimes,
        .ignore_lines = c->ignore_lines,
        .ignore_docstrings = c->ignore_docstrings,
        .near_option = near_option,
        .fastest = c->self,
        .own_args = c->own_args,
        .n_own_args = c->n_own_args,
        .no_cache = c->command->scope == FOR_DISCOVER ? false : c->no_cache,
        .options = {.tty = str_z(c->tty),
                    .pytest_cache = c->settings.own.cache_dir,
                    .junit = str_z(c->junit),
                    .json = str_z(c->json),
                    .report_log = str_z(c->report_log),
                    .trace = str_z(c->trace),
                    .output = c->output,
                    .tap = c->tap,
                    .tap14 = c->tap14,
                    .github = c->github,
                    .teamcity = c->teamcity,
                    .workers = (uint32_t)c->workers,
                    .maxfail = (uint32_t)c->maxfail,
                    .verbosity = (uint32_t)c->verbosity,
                    .optimizer = c->optimizer,
                    .isolation = c->isolation,
                    .batch_timeout_ms = c->batch_timeout_ms,
                    .slow_ms = c->slow_ms,
                    .idle_ms = c->idle_ms,
                    .retries = (uint32_t)c->retries,
                    .worker_memory = c->memory_bytes,
                    .confirms = !c->no_confirm && c->optimizer != OPTIMIZER_VERIFY,
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

bool cli_state_dir(const struct cli *c, struct buf *out, struct err *err)
{
    if (c->state_dir) {
        buf_z(out, c->state_dir);
        return true;
    }
    for (struct str dir = str_z(c->cwd);; dir = path_dir(dir)) {
        buf_clear(out);
        buf_str(out, dir);
        buf_z(out, "/.fastest");
        if (io_stat_path(out->p).kind == IO_DIR)
            return true;
        if (dir.n == 0)
            return err_set(err, "no .fastest here or above; run fastest first, or name it with --state-dir");
    }
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
