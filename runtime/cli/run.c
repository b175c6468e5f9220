/* `fastest run`: scan, then ninja over the stale batches, then the summary, in one process. */
#include "runtime/cli/commands.h"
#include "runtime/cli/jobs.h"
#include "runtime/cli/options.h"
#include "runtime/cli/self.h"

#include "runtime/base/clock.h"
#include "runtime/batch/client.h"
#include "runtime/batch/confirm.h"
#include "runtime/pool/pool.h"
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

/* Ours that pytest has, too. */
static int repeat_options(const struct cli *c, struct arena *a, char **argv)
{
    struct buf b = {0};
    int n = 0;
    if (c->junit)
        buf_printf(&b, "--junitxml=%s", c->junit);
    if (b.n)
        argv[n++] = arena_dup(a, b.p, b.n);
    buf_clear(&b);
    if (c->maxfail)
        buf_printf(&b, "--maxfail=%d", c->maxfail);
    if (b.n)
        argv[n++] = arena_dup(a, b.p, b.n);
    buf_clear(&b);
    if (c->color)
        buf_printf(&b, "--color=%s", c->color);
    if (b.n)
        argv[n++] = arena_dup(a, b.p, b.n);
    buf_release(&b);
    return n;
}

static bool run_plain_pytest(struct cli *c, enum exit_code *code, struct err *err)
{
    const char *python = c->python ? c->python : "python3";
    struct buf venv = {0};
    if (!c->python && getenv("VIRTUAL_ENV")) {
        buf_printf(&venv, "%s/bin/python", getenv("VIRTUAL_ENV"));
        python = venv.p;
    }
    char **argv = xmalloc(((size_t)c->n_pytest_args + 7) * sizeof *argv);
    int n = 0;
    argv[n++] = (char *)(uintptr_t)python;
    argv[n++] = (char *)(uintptr_t)"-c";
    argv[n++] = (char *)(uintptr_t)"import sys; sys.path[:1] = []; import pytest; "
                                   "sys.exit(pytest.main())";
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

static bool run_batches(const struct plan *plan, struct cli *c, struct err *err)
{
    const char *ninja = find_ninja(&c->arena, err);
    int status = 0;
    if (!ninja || !generate_top(plan, err) || !pool_ensure(plan, c->self, err))
        return false;
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

bool command_run(int argc, char **argv, enum exit_code *code, struct err *err)
{
    struct cli c;
    struct plan plan = {0};
    int64_t start_ns = clock_mono_ns();
    *code = EXIT_USAGE;
    bool ok = cli_parse(&c, argc, argv, err);
    if (ok && c.help) {
        cli_help();
        *code = EXIT_PASSED;
    } else if (ok && c.version) {
        puts("fastest " FASTEST_VERSION);
        *code = EXIT_PASSED;
    } else if (ok && c.plain) {
        ok = run_plain_pytest(&c, code, err);
    } else if (ok) {
        struct generate_options o = cli_generate_options(&c);
        o.yields = true;
        jobs_find(&o.options, false, &c.arena);
        ok = generate(&o, &plan, code, err);
        if (ok && plan.plain.n) {
            c.plain = arena_dup(&c.arena, plan.plain.p, plan.plain.n);
            ok = run_plain_pytest(&c, code, err);
        }
        if (ok) {
            *code = EXIT_INTERNAL;
            ok = count_stale(&plan) == 0 || run_batches(&plan, &c, err);
        }
        struct summary_options s = {.color = o.options.color,
                                    .verbosity = c.verbosity,
                                    .junit = c.junit,
                                    .json = c.json,
                                    .wall_ns = clock_mono_ns() - start_ns,
                                    .print_failures = true};
        ok = ok && summary_run(&plan, &s, stdout, code, err);
        if (ok && interrupted)
            *code = EXIT_INTERRUPTED;
        plan_release(&plan);
    }
    cli_release(&c);
    return ok;
}
