/* `fastest audit`: runs modules again that need not run, and compares: a nightly job for the selection itself. */
#include "runtime/cli/commands.h"

#include "generator/files/pyname.h"
#include "generator/graph/executed.h"
#include "generator/graph/graph.h"
#include "generator/graph/why.h"
#include "runtime/base/clock.h"
#include "runtime/base/io.h"
#include "runtime/cli/options.h"
#include "runtime/report/json.h"
#include "runtime/report/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct audited {
    struct str rel, record;
    struct buf saved;   /* the record's bytes */
    struct record old;
    struct buf missed;  /* sources and files that changed without its being run, in words */
    uint32_t n_other;   /* tests with another outcome */
    bool again;         /* it was run a second time */
};

struct audit {
    struct cli *cli;
    int seed;
    struct audited *items;
    size_t n, n_clean, n_modules;
    struct str root;
    struct arena arena;
};

static uint64_t next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool choose(void *ctx, const struct look *l, struct err *err)
{
    struct audit *a = ctx;
    uint64_t state = (uint64_t)a->seed;
    (void)err;
    a->n_modules = l->plan->n_modules;
    a->root = (struct str){arena_dup(&a->arena, l->plan->root.p, l->plan->root.n), l->plan->root.n};
    a->items = arena_array(&a->arena, l->plan->n_modules, sizeof *a->items);
    for (uint32_t i = 0; i < l->plan->n_modules; i++) {
        const struct plan_module *m = &l->plan->modules[i];
        if (m->stale)
            continue;
        struct audited *at = &a->items[a->n_clean++];
        at->rel = (struct str){arena_dup(&a->arena, m->rel.p, m->rel.n), m->rel.n};
        at->record = (struct str){arena_dup(&a->arena, m->record.p, m->record.n), m->record.n};
    }
    a->n = a->n_clean;
    if (a->cli->sample > 0 && (size_t)a->cli->sample < a->n)
        a->n = (size_t)a->cli->sample;
    for (size_t i = 0; i < a->n; i++) {
        size_t k = i + (size_t)(next(&state) % (a->n_clean - i));
        struct audited t = a->items[i];
        a->items[i] = a->items[k];
        a->items[k] = t;
    }
    return true;
}

/* Takes the record away, so that the module runs; it is kept in case the run does not come to it. */
static bool take(struct audit *a, struct audited *m)
{
    if (!io_read(m->record.p, 0, &m->saved, NULL) || !record_load(&m->old, m->record.p, a->root, false))
        return false;
    return unlink(m->record.p) == 0;
}

static void put_back(struct audited *m)
{
    if (io_stat_path(m->record.p).kind == IO_ABSENT && m->saved.n)
        io_replace(m->record.p, buf_view(&m->saved), NULL);
}

/* ---- comparing ---- */

static const struct record_result *result_of(const struct record *r, const struct report_meta *meta, struct str id)
{
    for (uint32_t i = 0; i < r->n_results; i++)
        if (r->results[i].item < meta->n_items && str_eq(meta->items[r->results[i].item].id, id))
            return &r->results[i];
    return NULL;
}

static const char *outcome_name(const struct record_result *r)
{
    static const char *const names[OUT_COUNT] = {"passed", "failed", "error", "skipped", "xfailed", "xpassed"};
    return r ? names[r->outcome] : "not there";
}

static void compare_ids(struct audited *m, const struct record *new, const struct report_meta *was,
                        const struct report_meta *is, bool print)
{
    m->n_other = 0;
    for (int pass = 0; pass < 2; pass++) {
        const struct report_meta *ids = pass ? is : was;
        for (uint32_t i = 0; i < ids->n_items; i++) {
            struct str id = ids->items[i].id;
            const struct record_result *x = result_of(&m->old, was, id), *y = result_of(new, is, id);
            if (pass ? x != NULL : x && y && x->outcome == y->outcome)
                continue;
            m->n_other++;
            if (print)
                printf("  %.*s: %s, recorded as %s\n", (int)id.n, id.p, outcome_name(y), outcome_name(x));
        }
    }
    if (is->error && !was->error) {
        m->n_other++;
        if (print)
            printf("  %.*s: cannot be collected, recorded as collected\n", (int)m->rel.n, m->rel.p);
    }
}

static bool compare(struct audit *a, struct audited *m, bool print)
{
    struct record new;
    struct report_meta was = {0}, is = {0};
    struct arena arena = {0};
    if (!record_load(&new, m->record.p, a->root, false)) {
        m->n_other = 0; /* it was not run: the run has said why */
        return false;
    }
    if (json_parse_meta(m->old.meta, &arena, &was) && json_parse_meta(new.meta, &arena, &is))
        compare_ids(m, &new, &was, &is, print);
    record_release(&new);
    arena_release(&arena);
    return true;
}

/* ---- what was missed ---- */

static void missed(struct audited *m, const char *what, struct str path, struct str more)
{
    buf_printf(&m->missed, "    %s %.*s", what, (int)path.n, path.p);
    if (more.n)
        buf_printf(&m->missed, " (%.*s)", (int)more.n, more.p);
    buf_char(&m->missed, '\n');
}

static const struct record_executed *executed_of(const struct record *r, struct str path)
{
    for (uint32_t i = 0; i < r->n_executed; i++)
        if (str_eq(r->executed[i].path, path))
            return &r->executed[i];
    return NULL;
}

static bool has_dep(const struct record *r, struct str path)
{
    for (uint32_t i = 0; i < r->n_deps; i++)
        if (str_eq(r->deps[i].path, path))
            return true;
    return false;
}

static void name_missed(struct audit *a, struct audited *m)
{
    struct record new;
    if (!record_load(&new, m->record.p, a->root, true))
        return;
    for (uint32_t i = 0; i < new.n_executed; i++) {
        const struct record_executed *e = &new.executed[i], *old = executed_of(&m->old, e->path);
        if (!old)
            missed(m, "it now loads", e->path, STR(""));
        else if (!hash128_eq(old->semantic, e->semantic))
            missed(m, "it did not execute what changed in", e->path, STR(""));
    }
    for (uint32_t i = 0; i < new.n_deps; i++)
        if (!has_dep(&m->old, new.deps[i].path) && new.deps[i].st.ctime_ns > m->old.start_ns)
            missed(m, "it now reads", pyname_below(new.deps[i].path, a->root), STR(""));
    record_release(&new);
    if (!m->missed.n)
        buf_z(&m->missed, "    nothing that it is known to load or read has changed: it depends on the time, the network or\n"
                          "    another test; mark it `always`, or declare its `inputs` under [tool.fastest]\n");
}

/* ---- the command ---- */

static bool run(struct audit *a, enum exit_code *code, struct err *err)
{
    bool ok = command_run(a->cli, code, err);
    fflush(stdout);
    for (size_t i = 0; i < a->n; i++)
        put_back(&a->items[i]);
    return ok;
}

/* Those with other outcomes once more: what flips by itself is no missed dependency. */
static bool run_again(struct audit *a, enum exit_code *code, struct err *err)
{
    bool any = false;
    for (size_t i = 0; i < a->n; i++) {
        struct audited *m = &a->items[i];
        if (!m->n_other)
            continue;
        name_missed(a, m);
        buf_clear(&m->saved);
        if (io_read(m->record.p, 0, &m->saved, NULL) && unlink(m->record.p) == 0)
            any = m->again = true;
    }
    puts("fastest audit: other outcomes; those modules run once more");
    return !any || run(a, code, err);
}

static bool audit(struct audit *a, enum exit_code *code, struct err *err)
{
    size_t bad = 0, flaky = 0;
    a->cli->no_confirm = true; /* it runs them again itself */
    for (size_t i = 0; i < a->n; i++)
        take(a, &a->items[i]);
    if (!run(a, code, err))
        return false;
    if (*code > EXIT_FAILED && *code != EXIT_NO_TESTS)
        return true; /* interrupted, or it could not run: that has been said */
    for (size_t i = 0; i < a->n; i++)
        bad += compare(a, &a->items[i], false) && a->items[i].n_other;
    if (bad && !run_again(a, code, err))
        return false;
    bad = 0;
    for (size_t i = 0; i < a->n; i++) {
        struct audited *m = &a->items[i];
        if (!m->again)
            continue;
        compare(a, m, true);
        bad += m->n_other > 0;
        flaky += m->n_other == 0;
        if (m->n_other)
            fwrite(m->missed.p, 1, m->missed.n, stdout);
        else
            printf("  %.*s flips: the second time it was as recorded\n", (int)m->rel.n, m->rel.p);
    }
    printf("fastest audit: %zu of %zu modules with a cached pass ran again (seed %d): %zu with other outcomes, %zu that flip\n",
           a->n, a->n_clean, a->seed, bad, flaky);
    *code = bad ? EXIT_FAILED : EXIT_PASSED;
    return true;
}

bool command_audit(struct cli *cli, enum exit_code *code, struct err *err)
{
    struct audit a = {.cli = cli, .seed = cli->seed};
    if (cli->sample < 0)
        return err_set(err, "audit: --sample %d: a number of modules is wanted", cli->sample);
    if (a.seed < 0)
        a.seed = (int)(clock_wall_ns() / 1000000000 % 1000000);
    struct generate_options o = cli_generate_options(cli);
    bool ok = generate_look(&o, choose, &a, code, err) && audit(&a, code, err);
    for (size_t i = 0; i < a.n; i++) {
        buf_release(&a.items[i].saved);
        buf_release(&a.items[i].missed);
        record_release(&a.items[i].old);
    }
    arena_release(&a.arena);
    return ok;
}
