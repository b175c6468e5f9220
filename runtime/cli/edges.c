/* The commands that Ninja's edges call, and init, which writes them. */
#include "runtime/cli/commands.h"
#include "runtime/cli/jobs.h"
#include "runtime/cli/narrow.h"
#include "runtime/cli/options.h"
#include "runtime/cli/self.h"

#include "runtime/base/clock.h"
#include "runtime/batch/client.h"
#include "runtime/batch/confirm.h"
#include "runtime/pool/pool.h"
#include "runtime/report/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool command_init(struct cli *c, enum exit_code *code, struct err *err)
{
    char *root = NULL;
    struct generate_options o = cli_generate_options(c);
    bool ok = generate_init(&o, &root, code, err);
    if (ok) {
        printf("%s/build.ninja is there: run the tests with `ninja test`\n", root);
        *code = EXIT_PASSED;
    }
    free(root);
    return ok;
}

static bool any_stale(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->n_modules; i++)
        if (plan->modules[i].stale)
            return true;
    return plan->other;
}

/* Starts the pool as soon as it is known that something must run: it collects while Ninja loads. */
bool command_scan(struct cli *c, enum exit_code *code, struct err *err)
{
    struct plan plan = {0};
    struct narrowing n = {0};
    bool ok = narrowing_find(&n, c, code, err);
    struct generate_options o = cli_generate_options(c);
    struct pool_early early = {c->self, -1};
    o.asking = pool_early_begin;
    o.asking_ctx = &early;
    o.narrow = n.any ? &n.narrow : NULL;
    if (ok && n.plain)
        ok = err_set(err, "%s: only pytest itself can tell here what that is: use `fastest` for it", n.plain);
    jobs_find(&o.options, true, &c->arena);
    ok = ok && generate(&o, &plan, code, err);
    narrowing_release(&n);
    if (ok) {
        *code = EXIT_INTERNAL;
        ok = !any_stale(&plan) || pool_ensure(&plan, c->self, &early, err);
    }
    pool_early_drop(&early);
    if (ok)
        *code = EXIT_PASSED;
    plan_release(&plan);
    return ok;
}

bool command_batch(struct cli *c, enum exit_code *code, struct err *err)
{
    if (c->n_items != 2)
        return err_set(err, "batch: usage: fastest batch STATE_DIR NAME (called by Ninja)");
    *code = (enum exit_code)batch_run(c->items[0], c->items[1], c->self, err);
    return err->msg[0] == '\0';
}

bool command_summary(struct cli *c, enum exit_code *code, struct err *err)
{
    struct plan plan = {0};
    if (c->n_items != 1)
        return err_set(err, "summary: usage: fastest summary STATE_DIR (called by Ninja)");
    *code = EXIT_INTERNAL;
    uint32_t failed;
    bool ok = plan_load(&plan, c->items[0], err) && confirm_run(&plan, stdout, NULL, NULL, &failed, err);
    if (ok) {
        pool_finish(&plan);
        struct arena a = {0};
        struct summary_options s = summary_options_from(&plan, &a);
        s.color = plan.options.color || isatty(STDOUT_FILENO);
        s.wall_ns = clock_wall_ns() - plan.scan_start_ns;
        s.notes_history = true;
        ok = summary_run(&plan, &s, stdout, code, err) && pytest_cache_update(&plan, err);
        arena_release(&a);
    }
    plan_release(&plan);
    return ok;
}

static bool pool_request(const struct cli *c, const char *what, enum exit_code *code,
                         struct err *err)
{
    struct buf dir = {0}, text = {0};
    bool ok = cli_state_dir(c, &dir, err);
    if (ok && strcmp(what, "stop") == 0) {
        puts(pool_stop(dir.p) ? "the pool has ended" : "no pool runs");
        *code = EXIT_PASSED;
    } else if (ok) {
        bool runs = pool_status(dir.p, &text);
        printf("%s\n", runs ? text.p : "no pool runs");
        *code = EXIT_PASSED;
    }
    buf_release(&dir);
    buf_release(&text);
    return ok;
}

/* Without a word it is the daemon itself. */
bool command_pool(struct cli *c, enum exit_code *code, struct err *err)
{
    if (c->n_items)
        return pool_request(c, c->items[0], code, err);
    if (!c->state_dir)
        return err_set(err, "pool: a word is missing: status or stop");
    *code = (enum exit_code)pool_main(c->state_dir, err);
    return err->msg[0] == '\0';
}
