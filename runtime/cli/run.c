/* `fastest run`: scan, then ninja over the stale batches, then the summary, in one process. */
#include "runtime/cli/commands.h"
#include "runtime/cli/debugger.h"
#include "runtime/cli/jobs.h"
#include "runtime/cli/narrow.h"
#include "runtime/cli/options.h"
#include "runtime/cli/self.h"
#include "runtime/cli/table.h"

#include "runtime/base/clock.h"
#include "runtime/batch/confirm.h"
#include "runtime/cli/follow.h"
#include "runtime/pool/pool.h"
#include "runtime/proc/signals.h"
#include "runtime/report/summary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ROUNDS = 3, MIN_EDGES = 24, MAX_EDGES = 1000 };

/* In the child: Ninja over the plan's batches, its output in `output`. */
static void become_ninja(const char *ninja, const char *jobs, const char *top, const char *root, int output)
{
    self_end_with_parent();
    signals_reset();
    setpgid(0, 0); /* the terminal's Ctrl-C comes through us, once */
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    unsetenv("MAKEFLAGS"); /* the pool takes make's tokens, the edges only wait */
    if (chdir(root) == 0)
        execlp(ninja, ninja, "--quiet", "-j", jobs, "-f", top, (char *)NULL);
    _exit(127);
}

/* An edge only waits: with many of them the pool does not. */
static uint32_t edges_at_once(const struct plan *plan)
{
    uint32_t wanted = plan->options.workers + 2;
    return wanted < MIN_EDGES ? MIN_EDGES : wanted < MAX_EDGES ? wanted : MAX_EDGES;
}

/* Runs the plan's batches under ninja; true also when ninja itself failed, *status tells. */
static bool run_ninja(const struct plan *plan, const char *ninja, struct follow *follow, int *status, struct err *err)
{
    struct buf top = {0}, root = {0};
    char jobs[16];
    int output[2];
    buf_str(&top, plan->state_dir);
    buf_z(&top, "/build.ninja");
    buf_str(&root, plan->root);
    snprintf(jobs, sizeof jobs, "%u", edges_at_once(plan));
    fflush(NULL);
    if (pipe(output) != 0)
        return err_errno(err, "cannot make a pipe");
    for (int i = 0; i < 2; i++)
        fcntl(output[i], F_SETFD, FD_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0)
        become_ninja(ninja, jobs, top.p, root.p, output[1]);
    close(output[1]);
    if (pid > 0)
        follow_run(follow, pid, output[0], status);
    else
        err_errno(err, "ninja cannot be started");
    close(output[0]);
    buf_release(&top);
    buf_release(&root);
    return pid > 0;
}

static uint32_t count_stale(const struct plan *plan)
{
    uint32_t n = plan->other ? 1 : 0;
    for (uint32_t i = 0; i < plan->n_modules; i++)
        n += plan->modules[i].stale;
    return n;
}

/* Ours that pytest has, too, but for the number of workers: plain pytest may have no xdist. */
static int repeat_options(const struct cli *c, struct arena *a, char **argv)
{
    struct buf b = {0};
    int n = 0;
    for (const struct opt *o = cli_options; o->name; o++) {
        const void *field = (const char *)c + o->offset;
        if (!(o->scope & FOR_PYTEST) || !o->help || !c->origins[o - cli_options] || field == &c->workers)
            continue;
        buf_clear(&b);
        if (o->kind == OPT_INT)
            buf_printf(&b, "--%s=%d", o->name, *(const int *)field);
        else if (o->kind == OPT_STRING)
            buf_printf(&b, "--%s=%s", o->name, *(const char *const *)field);
        else if (*(const bool *)field)
            buf_printf(&b, "--%s", strcmp(o->name, "fail-fast") ? o->name : "exitfirst");
        if (b.n)
            argv[n++] = arena_dup(a, b.p, b.n);
    }
    buf_release(&b);
    return n;
}

/* What the command `pytest` does; a reader that has gone is no internal error. */
static const char plain_main[] = "import os, sys\n"
                                 "sys.path[:1], sys.argv[0] = [], 'pytest'\n"
                                 "import pytest\n"
                                 "try:\n"
                                 "    code = pytest.main()\n"
                                 "    sys.stdout.flush()\n"
                                 "except BrokenPipeError:\n"
                                 "    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n"
                                 "    code = 1\n"
                                 "sys.exit(code)\n";

static bool run_plain_pytest(struct cli *c, enum exit_code *code, struct err *err)
{
    const char *python = c->python ? c->python : "python3";
    struct buf venv = {0};
    if (!c->python && getenv("VIRTUAL_ENV")) {
        buf_printf(&venv, "%s/bin/python", getenv("VIRTUAL_ENV"));
        python = venv.p;
    }
    char **argv = xmalloc(((size_t)c->n_pytest_args + c->n_options + 4) * sizeof *argv);
    int n = 0;
    argv[n++] = (char *)(uintptr_t)python;
    argv[n++] = (char *)(uintptr_t)"-c";
    argv[n++] = (char *)(uintptr_t)plain_main;
    n += repeat_options(c, &c->arena, argv + n);
    for (int i = 0; i < c->n_pytest_args; i++)
        argv[n++] = c->pytest_args[i];
    argv[n] = NULL;
    fprintf(stderr, "fastest: %s is plain pytest's: running it without fastest\n", c->plain);
    fflush(NULL);
    execvp(python, argv);
    *code = EXIT_USAGE;
    err_errno(err, "%s: cannot be started; name an interpreter with --python", python);
    free(argv);
    buf_release(&venv);
    return false;
}

/* Ninja's log and deps hold nothing that the scan does not know; a damaged one can crash Ninja. */
static void forget_ninja(const struct plan *plan)
{
    static const char *const names[] = {"/.ninja_log", "/.ninja_deps"};
    struct buf path = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        buf_clear(&path);
        buf_str(&path, plan->state_dir);
        buf_z(&path, names[i]);
        unlink(path.p);
    }
    buf_release(&path);
}

/* What is told of confirmed failures goes where the live display puts lines. */
static bool confirm(const struct plan *plan, struct follow *follow, uint32_t *failed, struct err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *lines = follow->aside ? follow->aside : open_memstream(&text, &size);
    if (!lines)
        return err_errno(err, "no memory");
    bool ok = confirm_run(plan, lines, follow_is_over, follow, failed, err);
    if (lines != follow->aside) {
        fclose(lines);
        live_text(follow->live, (struct str){text, size});
        free(text);
    }
    return ok;
}

/* Ninja, then what follows the batches; *again: what has ended it early passes after all, and the rest is to run. */
static bool run_round(const struct plan *plan, const char *ninja, struct follow *follow, int *status, bool *again,
                      struct err *err)
{
    uint32_t failed = 0;
    bool ok = run_ninja(plan, ninja, follow, status, err);
    if (ok && !follow->interrupted && *status != 0) {
        forget_ninja(plan);
        ok = run_ninja(plan, ninja, follow, status, err);
    }
    if (ok && !follow->interrupted)
        ok = confirm(plan, follow, &failed, err);
    *again = ok && !follow->interrupted && plan->options.confirms && plan_marked(plan, "stop", NULL) &&
             failed < plan->options.maxfail;
    if (*again)
        plan_unmark(plan, "stop");
    return ok;
}

/* Collection begins while the rest of the scan is written. */
struct early {
    struct pool_early pool;
    bool served;
};

static void serve_early(void *ctx, const struct plan *plan)
{
    struct early *early = ctx;
    struct err err = {0};
    early->served = pool_ensure(plan, early->pool.fastest_path, &early->pool, &err);
}

static bool run_batches(const struct plan *plan, struct cli *c, bool served, struct live *live, bool *interrupted,
                        struct err *err)
{
    const char *ninja = find_ninja(&c->arena, err);
    struct follow follow;
    int status = 0;
    FILE *aside = plan->options.output == OUTPUT_PRETTY && !c->tap && !c->tap14 ? NULL : stderr;
    if (!ninja || !generate_top(plan, err) || (!served && !pool_ensure(plan, c->self, NULL, err)) ||
        !follow_open(&follow, plan, live, aside, err)) {
        if (served)
            pool_finish(plan);
        return false;
    }
    bool ok = true, again = true;
    for (int i = 0; ok && again && i < MAX_ROUNDS; i++)
        ok = run_round(plan, ninja, &follow, &status, &again, err);
    follow_close(&follow);
    *interrupted = follow.interrupted;
    pool_finish(plan);
    if (ok && !*interrupted && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return err_set(err, "ninja failed (status %d); see its message above", status);
    return ok;
}

static bool run_tests(struct cli *c, struct narrowing *n, int64_t start_ns, enum exit_code *code, struct err *err)
{
    struct plan plan = {0};
    struct generate_options o = cli_generate_options(c);
    struct early early = {.pool = {c->self, -1}};
    bool stepped = false, interrupted = false;
    jobs_find(&o.options, false, &c->arena);
    o.yields = !c->wanted;
    o.asking = pool_early_begin;
    o.asking_ctx = &early.pool;
    o.planned = serve_early;
    o.planned_ctx = &early;
    o.options.live = true;
    o.narrow = n->any ? &n->narrow : NULL;
    bool ok = generate(&o, &plan, code, err);
    pool_early_drop(&early.pool);
    if (ok && plan.plain.n) {
        c->plain = arena_dup(&c->arena, plan.plain.p, plan.plain.n);
        ok = run_plain_pytest(c, code, err);
    }
    if (ok && c->wanted && !c->wanted(c->wanted_ctx, &plan)) {
        *code = EXIT_PASSED;
        if (early.served)
            pool_finish(&plan);
        plan_release(&plan);
        return true;
    }
    struct summary_options s = summary_options_from(&plan, &c->arena);
    struct live_options l = live_options_from(&plan, s.color, stdout);
    l.silent = l.silent || s.output != OUTPUT_PRETTY;
    struct live *live = ok ? live_new(&plan, &l, stdout, clock_mono_ns()) : NULL;
    if (ok) {
        live_head(live);
        if (n->status.n && c->verbosity >= 0)
            live_notice(live, buf_view(&n->status));
        *code = EXIT_INTERNAL;
        ok = count_stale(&plan) == 0 || run_batches(&plan, c, early.served, live, &interrupted, err);
        live_finish(live);
    }
    s.wall_ns = clock_mono_ns() - start_ns;
    s.notes_history = true;
    s.live = live;
    ok = ok && narrowing_done(n, c, &plan, &stepped, err);
    s.stopped = stepped ? "Interrupted: Test failed, continuing from this test next run." : NULL;
    ok = ok && summary_run(&plan, &s, stdout, code, err) && pytest_cache_update(&plan, err);
    if (ok && (interrupted || stepped))
        *code = EXIT_INTERRUPTED;
    live_free(live);
    plan_release(&plan);
    return ok;
}

bool command_run(struct cli *c, enum exit_code *code, struct err *err)
{
    int64_t start_ns = clock_mono_ns();
    struct narrowing n = {0};
    bool listed = false;
    struct err ignored;
    if (c->collect_only && !c->plain) {
        bool all = !c->last_failed && !c->stepwise && !c->new_first && !c->failed_first;
        if (all && discover_serve(c, &listed, code, &ignored) && listed)
            return true;
        c->plain = "--collect-only";
    }
    if (c->cache_clear)
        pytest_cache_clear(c->settings.own.cache_dir);
    bool ok = c->plain || narrowing_find(&n, c, code, err);
    c->plain = c->plain ? c->plain : n.plain;
    if (ok && c->plain)
        ok = run_plain_pytest(c, code, err);
    else if (ok)
        ok = run_tests(c, &n, start_ns, code, err);
    narrowing_release(&n);
    return ok;
}
