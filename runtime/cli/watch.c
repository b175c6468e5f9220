/* `fastest watch`: runs what a save affects, and what a key asks for. */
#include "runtime/cli/commands.h"

#include "runtime/base/clock.h"
#include "runtime/base/io.h"
#include "runtime/cli/keys.h"
#include "runtime/cli/options.h"
#include "runtime/cli/table.h"
#include "runtime/cli/watch_changes.h"
#include "runtime/pool/pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum what { RUN_STALE, RUN_CHANGED, RUN_ALL, RUN_FAILED };

struct watch {
    struct cli *cli; /* as it was called */
    struct changes changes;
    struct keys keys;
    struct buf filter; /* -k, "" for none */
    struct buf state_dir;
    bool shown;        /* the last run had something to do */
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
    ended = sig;
}

/* While nothing runs; a run has its own. */
static void take_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
}

/* ---- a run ---- */

static void say_changed(const struct watch *w)
{
    struct buf b = {0}, name = {0};
    size_t n = w->changes.paths.n;
    for (size_t i = 0; i < n && i < 3; i++) {
        buf_clear(&name);
        path_relative(&name, w->changes.paths.items[i], str_z(w->cli->cwd));
        buf_printf(&b, "%s%s", i ? ", " : "", name.p);
    }
    if (n > 3)
        buf_printf(&b, " and %zu more", n - 3);
    printf("\n--- changed: %s\n", b.n ? b.p : "something");
    fflush(stdout);
    buf_release(&b);
    buf_release(&name);
}

/* Called by the run when it knows what it would do. */
static bool is_wanted(void *ctx, const struct plan *plan)
{
    struct watch *w = ctx;
    buf_clear(&w->state_dir);
    buf_str(&w->state_dir, plan->state_dir);
    w->shown = changes_concern(&w->changes, plan) || !w->changes.paths.n;
    if (w->shown && w->changes.paths.n)
        say_changed(w);
    return w->shown;
}

static bool parse(struct watch *w, struct cli *c, enum what what, struct err *err)
{
    int n = w->cli->n_own_args;
    char **args = arena_array(&w->cli->arena, (size_t)n + 2, sizeof *args);
    char option[] = "-k";
    memcpy(args, w->cli->own_args, (size_t)n * sizeof *args);
    if (w->filter.n) {
        args[n++] = arena_dup(&w->cli->arena, option, 2);
        args[n++] = arena_dup(&w->cli->arena, w->filter.p, w->filter.n);
    }
    bool ok = cli_parse(c, w->cli->command, n, args, err);
    c->persistent = true;
    c->no_cache = c->no_cache || what == RUN_ALL;
    c->last_failed = c->last_failed || what == RUN_FAILED;
    c->failed_soon = true;
    c->wanted = is_wanted;
    c->wanted_ctx = w;
    if (ok && c->plain)
        return err_set(err, "watch: %s is plain pytest's; leave it out here", c->plain);
    return ok;
}

static void run(struct watch *w, enum what what)
{
    struct cli c;
    struct err err = {{0}};
    enum exit_code code = EXIT_USAGE;
    keys_cooked(&w->keys);
    if (what != RUN_CHANGED) {
        changes_taken(&w->changes);
        puts("");
    }
    w->shown = true;
    if (!parse(w, &c, what, &err) || !command_run(&c, &code, &err))
        printf("fastest: %s\n", err.msg);
    generate_unlock();
    cli_release(&c);
    take_signals();
}

/* A run, and what follows from what was saved meanwhile. */
static void run_until_quiet(struct watch *w, enum what what)
{
    bool shown = false;
    do {
        run(w, what);
        shown = shown || w->shown;
        what = RUN_CHANGED;
    } while (changes_during_run(&w->changes) && !ended);
    changes_taken(&w->changes);
    if (shown)
        printf("\nwatching %zu directories%s%s%s: a all, f failed, k filter, Enter again, q quit\n", w->changes.n_dirs,
               w->filter.n ? " (-k " : "", w->filter.n ? w->filter.p : "", w->filter.n ? ")" : "");
    fflush(stdout);
    keys_raw(&w->keys);
}

/* ---- keys ---- */

static bool take_key(struct watch *w, int key)
{
    switch (key) {
    case 'q':
    case 4: /* Ctrl-D */
    case -1:
        return false;
    case 'a':
        run_until_quiet(w, RUN_ALL);
        return true;
    case 'f':
        run_until_quiet(w, RUN_FAILED);
        return true;
    case 'k':
        if (keys_line(&w->keys, "filter (-k), empty for none: ", &w->filter))
            run_until_quiet(w, RUN_STALE);
        keys_raw(&w->keys);
        return true;
    case '\n':
    case '\r':
        run_until_quiet(w, RUN_STALE);
        return true;
    }
    return true;
}

static void loop(struct watch *w)
{
    int fd = w->keys.terminal ? STDIN_FILENO : -1;
    run_until_quiet(w, RUN_STALE);
    while (!ended) {
        if (changes_wait(&w->changes, fd)) {
            run_until_quiet(w, RUN_CHANGED);
            continue;
        }
        int key = keys_next(&w->keys);
        if (key && !take_key(w, key))
            break;
    }
}

bool command_watch(struct cli *c, enum exit_code *code, struct err *err)
{
    struct watch w = {.cli = c};
    struct str root = c->settings.own.root.n ? c->settings.own.root : str_z(c->cwd);
    bool ok = changes_open(&w.changes, root, err);
    if (ok) {
        keys_open(&w.keys);
        take_signals();
        loop(&w);
        keys_cooked(&w.keys);
        if (!c->persistent && w.state_dir.n)
            pool_stop(w.state_dir.p);
        *code = EXIT_PASSED;
    }
    changes_close(&w.changes);
    buf_release(&w.filter);
    buf_release(&w.state_dir);
    return ok;
}
