/* `fastest run`: scan, then ninja over the stale batches, then the summary, in one process. */
#include "runtime/cli/commands.h"
#include "runtime/cli/jobs.h"
#include "runtime/cli/debugger.h"
#include "runtime/cli/narrow.h"
#include "runtime/cli/options.h"
#include "runtime/cli/self.h"
#include "runtime/cli/table.h"

#include "runtime/base/clock.h"
#include "runtime/batch/client.h"
#include "runtime/batch/confirm.h"
#include "runtime/pool/pool.h"
#include "runtime/report/history.h"
#include "runtime/report/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ROUNDS = 3, MIN_EDGES = 24, MAX_EDGES = 1000 };
static volatile sig_atomic_t ninja_pid;
static volatile sig_atomic_t interrupted;

static void forward_signal(int sig)
{
    if (sig == SIGINT && debugger_interrupt())
        return;
    interrupted = sig;
    if (ninja_pid > 0)
        kill((pid_t)ninja_pid, sig == SIGHUP ? SIGTERM : sig);
}

static void forward_signals(void)
{
    struct sigaction sa = {.sa_handler = forward_signal};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
}

/* A process that prints what the pool says of slow tests; -1 when there is none. */
static pid_t start_watcher(const struct plan *plan)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        self_end_with_parent();
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_IGN);
        pool_watch(plan->state_dir, STDERR_FILENO);
        _exit(0);
    }
    return pid;
}

static void end_watcher(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* An edge only waits: with many of them the pool does not. */
static uint32_t edges_at_once(const struct plan *plan)
{
    uint32_t wanted = plan->options.workers + 2;
    return wanted < MIN_EDGES ? MIN_EDGES : wanted < MAX_EDGES ? wanted : MAX_EDGES;
}

/* Runs the plan's batches under ninja; true also when ninja itself failed, *status tells. */
static bool run_ninja(const struct plan *plan, const char *ninja, int *status, struct err *err)
{
    struct buf top = {0}, root = {0};
    char jobs[16];
    buf_str(&top, plan->state_dir);
    buf_z(&top, "/build.ninja");
    buf_str(&root, plan->root);
    snprintf(jobs, sizeof jobs, "%u", edges_at_once(plan));
    debugger_watch(plan->state_dir);
    forward_signals();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        self_end_with_parent();
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        setpgid(0, 0); /* the terminal's Ctrl-C comes through us, once */
        int null = open("/dev/null", O_RDONLY);
        if (null >= 0)
            dup2(null, STDIN_FILENO);
        unsetenv("MAKEFLAGS"); /* the pool takes make's tokens, the edges only wait */
        if (chdir(root.p) == 0)
            execlp(ninja, ninja, "--quiet", "-j", jobs, "-f", top.p, (char *)NULL);
        _exit(127);
    }
    bool ok = pid > 0;
    if (ok) {
        ninja_pid = pid;
        if (interrupted)
            kill(pid, SIGINT);
        while (waitpid(pid, status, 0) < 0 && errno == EINTR)
            ;
        ninja_pid = 0;
    } else {
        err_errno(err, "ninja cannot be started");
    }
    buf_release(&top);
    buf_release(&root);
    return ok;
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

/* Ninja, then what follows the batches; *again: what has ended it early passes after all, and the rest is to run. */
static bool run_round(const struct plan *plan, const char *ninja, int *status, bool *again, struct err *err)
{
    uint32_t failed = 0;
    bool ok = run_ninja(plan, ninja, status, err);
    if (ok && !interrupted && *status != 0) {
        forget_ninja(plan);
        ok = run_ninja(plan, ninja, status, err);
    }
    if (ok && !interrupted)
        ok = confirm_run(plan, stdout, &interrupted, &failed, err);
    *again = ok && !interrupted && plan->options.confirms && plan_marked(plan, "stop", NULL) &&
             failed < plan->options.maxfail;
    if (*again)
        plan_unmark(plan, "stop");
    return ok;
}

/* Collection begins while the rest of the scan is written. */
struct early {
    const char *self;
    bool served;
};

static void serve_early(void *ctx, const struct plan *plan)
{
    struct early *early = ctx;
    struct err err = {0};
    early->served = pool_ensure(plan, early->self, &err);
}

static bool run_batches(const struct plan *plan, struct cli *c, bool served, struct err *err)
{
    const char *ninja = find_ninja(&c->arena, err);
    int status = 0;
    if (!ninja || !generate_top(plan, err) || (!served && !pool_ensure(plan, c->self, err))) {
        if (served)
            pool_finish(plan);
        return false;
    }
    pid_t watcher = plan->options.slow_ms ? start_watcher(plan) : -1;
    bool ok = true, again = true;
    for (int i = 0; ok && again && i < MAX_ROUNDS; i++)
        ok = run_round(plan, ninja, &status, &again, err);
    end_watcher(watcher);
    pool_finish(plan);
    if (ok && !interrupted && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return err_set(err, "ninja failed (status %d); see its message above", status);
    return ok;
}

static bool run_tests(struct cli *c, struct narrowing *n, int64_t start_ns, enum exit_code *code, struct err *err)
{
    struct plan plan = {0};
    struct generate_options o = cli_generate_options(c);
    struct early early = {.self = c->self};
    bool stepped = false;
    interrupted = 0;
    jobs_find(&o.options, false, &c->arena);
    o.yields = !c->wanted;
    o.planned = serve_early;
    o.planned_ctx = &early;
    o.narrow = n->any ? &n->narrow : NULL;
    bool ok = generate(&o, &plan, code, err);
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
    if (ok && n->status.n && c->verbosity >= 0)
        puts(n->status.p);
    if (ok) {
        *code = EXIT_INTERNAL;
        ok = count_stale(&plan) == 0 || run_batches(&plan, c, early.served, err);
    }
    struct summary_options s = {.color = o.options.color,
                                .verbosity = c->verbosity,
                                .junit = c->junit,
                                .json = c->json,
                                .wall_ns = clock_mono_ns() - start_ns,
                                .print_failures = true};
    ok = ok && narrowing_done(n, c, &plan, &stepped, err);
    s.stopped = stepped ? "Interrupted: Test failed, continuing from this test next run." : NULL;
    ok = ok && summary_run(&plan, &s, stdout, code, err) && pytest_cache_update(&plan, err) && history_update(&plan, err);
    if (ok && (interrupted || stepped))
        *code = EXIT_INTERRUPTED;
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
