/* The commands that Ninja's edges call, and init, which writes them. */
#include "runtime/cli/commands.h"
#include "runtime/cli/jobs.h"
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

bool command_init(int argc, char **argv, enum exit_code *code, struct err *err)
{
    struct cli c;
    char *root = NULL;
    *code = EXIT_USAGE;
    bool ok = cli_parse(&c, argc, argv, err);
    if (ok) {
        struct generate_options o = cli_generate_options(&c);
        ok = generate_init(&o, &root, code, err);
    }
    if (ok) {
        printf("%s/build.ninja is there: run the tests with `ninja test`\n", root);
        *code = EXIT_PASSED;
    }
    free(root);
    cli_release(&c);
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
bool command_scan(int argc, char **argv, enum exit_code *code, struct err *err)
{
    struct cli c;
    struct plan plan = {0};
    *code = EXIT_USAGE;
    bool ok = cli_parse(&c, argc, argv, err);
    if (ok) {
        struct generate_options o = cli_generate_options(&c);
        jobs_find(&o.options, true, &c.arena);
        ok = generate(&o, &plan, code, err);
    }
    if (ok) {
        *code = EXIT_INTERNAL;
        ok = !any_stale(&plan) || pool_ensure(&plan, c.self, err);
    }
    if (ok)
        *code = EXIT_PASSED;
    plan_release(&plan);
    cli_release(&c);
    return ok;
}

bool command_batch(int argc, char **argv, enum exit_code *code, struct err *err)
{
    *code = EXIT_USAGE;
    if (argc != 2)
        return err_set(err, "batch: usage: fastest batch STATE_DIR NAME (called by Ninja)");
    struct arena a = {0};
    char *self = NULL;
    *code = EXIT_INTERNAL;
    bool ok = self_path(&a, &self, err);
    if (ok) {
        *code = (enum exit_code)batch_run(argv[0], argv[1], self, err);
        ok = err->msg[0] == '\0';
    }
    arena_release(&a);
    return ok;
}

bool command_summary(int argc, char **argv, enum exit_code *code, struct err *err)
{
    struct plan plan = {0};
    *code = EXIT_USAGE;
    if (argc != 1)
        return err_set(err, "summary: usage: fastest summary STATE_DIR (called by Ninja)");
    *code = EXIT_INTERNAL;
    uint32_t failed;
    bool ok = plan_load(&plan, argv[0], err) && confirm_run(&plan, stdout, NULL, &failed, err);
    if (ok) {
        pool_finish(&plan);
        struct arena a = {0};
        struct summary_options s = {.color = plan.options.color || isatty(STDOUT_FILENO),
                                    .verbosity = (int)plan.options.verbosity,
                                    .wall_ns = clock_wall_ns() - plan.scan_start_ns,
                                    .print_failures = true};
        if (plan.options.junit.n)
            s.junit = arena_dup(&a, plan.options.junit.p, plan.options.junit.n);
        if (plan.options.json.n)
            s.json = arena_dup(&a, plan.options.json.p, plan.options.json.n);
        ok = summary_run(&plan, &s, stdout, code, err);
        arena_release(&a);
    }
    plan_release(&plan);
    return ok;
}

/* The state directory that a command without a scan means: --state-dir, else the nearest .fastest
 * at or above the current directory. */
static bool nearest_state_dir(const struct cli *c, struct buf *out, struct err *err)
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
            return err_set(err, "no .fastest here or above; run fastest first, or name it with "
                                "--state-dir");
    }
}

static bool pool_request(const struct cli *c, const char *what, enum exit_code *code,
                         struct err *err)
{
    struct buf dir = {0}, text = {0};
    bool ok = nearest_state_dir(c, &dir, err);
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

bool command_pool(int argc, char **argv, enum exit_code *code, struct err *err)
{
    *code = EXIT_USAGE;
    if (argc >= 1 && (strcmp(argv[0], "status") == 0 || strcmp(argv[0], "stop") == 0)) {
        struct cli c;
        bool ok = cli_parse(&c, argc - 1, argv + 1, err) && pool_request(&c, argv[0], code, err);
        cli_release(&c);
        return ok;
    }
    if (argc != 2 || strcmp(argv[0], "--state-dir") != 0)
        return err_set(err, "pool: usage: fastest pool status|stop [--state-dir DIR]");
    *code = (enum exit_code)pool_main(argv[1], err);
    return err->msg[0] == '\0';
}
