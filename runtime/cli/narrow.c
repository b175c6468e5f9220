#include "runtime/cli/narrow.h"

#include "generator/collect/discover.h"
#include "runtime/base/clock.h"
#include "runtime/base/io.h"
#include "runtime/cli/options.h"
#include "runtime/cli/recorded.h"
#include "runtime/report/model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct finding {
    struct narrowing *n;
    struct cli *c;
    const struct discovered *d;
    struct str root;
};

static struct str keep(struct narrowing *n, struct str s)
{
    return (struct str){arena_dup(&n->arena, s.p ? s.p : "", s.n), s.n};
}

static struct str file_of(struct str id)
{
    const char *colons = id.n ? memmem(id.p, id.n, "::", 2) : NULL;
    return colons ? (struct str){id.p, (size_t)(colons - id.p)} : id;
}

/* The module's absolute path, once. */
static void add_module(struct finding *f, struct strs *modules, struct map *seen, struct str rel)
{
    bool added;
    struct buf b = {0};
    map_put(seen, rel, &added);
    if (added) {
        path_join(&b, f->root, rel);
        strs_add(modules, keep(f->n, buf_view(&b)));
    }
    buf_release(&b);
}

/* ---- last failed ---- */

/* A test that failed, or that is of a module or class which could not be collected. */
static bool has_failed(const struct id_set *failed, struct str id)
{
    for (size_t k = 0; k + 1 < id.n; k++)
        if (id.p[k] == ':' && id.p[k + 1] == ':' && id_set_has(failed, str_slice(id, 0, k++)))
            return true;
    return id_set_has(failed, id);
}

/* Is there one that is not listed, but that an entry which stands for tests may stand for? */
static bool is_doubtful(const struct finding *f, const struct id_set *failed)
{
    struct map listed = {0};
    bool doubt = false;
    for (size_t i = 0; i < f->d->n; i++)
        if (discover_is_listed(&f->d->tests[i]) && !f->d->tests[i].doubt)
            *map_put(&listed, f->d->tests[i].id, NULL) = 1;
    for (size_t k = 0; k < failed->list.n; k++) {
        struct str id = failed->list.items[k];
        if (!id.p || map_get(&listed, id))
            continue;
        for (size_t i = 0; i < f->d->n; i++)
            doubt = doubt || (f->d->tests[i].doubt && str_starts(id, f->d->tests[i].id));
        doubt = doubt || !str_ends(file_of(id), STR(".py")); /* a directory, or another collector */
    }
    map_release(&listed);
    return doubt;
}

/* How many files pytest leaves out. It begins to do so at the first one of whose own functions one failed: for a
 * failure in a class it collects them all (LFPluginCollWrapper). */
static size_t count_skipped(struct finding *f, const struct id_set *failed)
{
    struct map files = {0}, with = {0};
    size_t n = 0;
    bool leaves_out = false;
    for (size_t i = 0; i < f->d->n; i++)
        leaves_out = leaves_out || (!f->d->tests[i].class.n && discover_is_listed(&f->d->tests[i]) &&
                                    id_set_has(failed, f->d->tests[i].id));
    if (!leaves_out)
        return 0;
    for (size_t i = 0; i < failed->list.n; i++)
        if (failed->list.items[i].p)
            *map_put(&with, file_of(failed->list.items[i]), NULL) = 1;
    for (size_t i = 0; i < f->d->n; i++) {
        bool added;
        map_put(&files, file_of(f->d->tests[i].id), &added);
        n += added && !map_get(&with, file_of(f->d->tests[i].id));
    }
    map_release(&files);
    map_release(&with);
    return n;
}

static void say_failures(struct finding *f, size_t n, bool first)
{
    struct buf *b = &f->n->status;
    buf_printf(b, "run-last-failure: rerun previous %zu %s%s", n, n == 1 ? "failure" : "failures", first ? " first" : "");
}

static void last_failed(struct finding *f, const struct id_set *failed)
{
    struct narrowing *n = f->n;
    struct narrow *w = &n->narrow;
    struct map seen = {0};
    size_t found = 0;
    for (size_t i = 0; i < f->d->n; i++) {
        const struct test *t = &f->d->tests[i];
        if (!discover_is_listed(t) || !has_failed(failed, t->id))
            continue;
        found++;
        strs_add(f->c->last_failed ? &w->only : &w->first, keep(n, t->id));
        add_module(f, &w->modules, &seen, file_of(t->id));
    }
    map_release(&seen);
    if (f->c->last_failed && is_doubtful(f, failed))
        n->plain = "--last-failed";
    if (!found) {
        buf_printf(&n->status, "run-last-failure: %zu known failures not in selected tests", id_set_count(failed));
        return;
    }
    say_failures(f, found, f->c->failed_first);
    size_t skipped = f->c->last_failed ? count_skipped(f, failed) : 0;
    if (skipped)
        buf_printf(&n->status, " (skipped %zu %s)", skipped, skipped == 1 ? "file" : "files");
    w->alone = f->c->last_failed;
}

static void find_last_failed(struct finding *f, struct str dir)
{
    struct id_set failed = {0};
    pytest_cache_ids(dir, "lastfailed", &failed);
    bool none = f->c->no_failures && strcmp(f->c->no_failures, "none") == 0;
    if (id_set_count(&failed))
        last_failed(f, &failed);
    else if (none)
        f->n->plain = "--last-failed-no-failures=none";
    else
        buf_z(&f->n->status, "run-last-failure: no previously failed tests, not deselecting items.");
    id_set_release(&failed);
}

/* ---- new first ---- */

struct dated {
    struct str path;
    int64_t mtime_ns;
    bool fresh; /* has a test that pytest has not seen */
};

static int by_date(const void *a, const void *b)
{
    const struct dated *x = a, *y = b;
    if (x->fresh != y->fresh)
        return x->fresh ? -1 : 1;
    return x->mtime_ns == y->mtime_ns ? str_cmp(x->path, y->path) : x->mtime_ns > y->mtime_ns ? -1 : 1;
}

/* NFPlugin: new tests first, those of younger files before. */
static void new_first(struct finding *f, struct str dir)
{
    struct id_set known = {0};
    struct map at = {0};
    struct buf path = {0};
    struct dated *files = arena_array(&f->n->arena, f->d->n, sizeof *files);
    size_t n = 0;
    pytest_cache_ids(dir, "nodeids", &known);
    for (size_t i = 0; i < f->d->n; i++) {
        struct str id = f->d->tests[i].id;
        bool added, fresh = discover_is_listed(&f->d->tests[i]) && !id_set_has(&known, id);
        uintptr_t *slot = map_put(&at, file_of(id), &added);
        if (added) {
            buf_clear(&path);
            path_join(&path, f->root, file_of(id));
            files[n] = (struct dated){.path = keep(f->n, buf_view(&path)), .mtime_ns = io_stat_path(path.p).mtime_ns};
            *slot = n++;
        }
        files[*slot].fresh = files[*slot].fresh || fresh;
        if (fresh)
            strs_add(&f->n->narrow.first, keep(f->n, id));
    }
    qsort(files, n, sizeof *files, by_date);
    for (size_t i = 0; i < n; i++)
        strs_add(&f->n->narrow.modules, files[i].path);
    map_release(&at);
    buf_release(&path);
    id_set_release(&known);
}

/* ---- stepwise ---- */

static void say_skipping(struct narrowing *n, size_t skipped)
{
    int64_t age_s = n->state.saved_s ? clock_wall_ns() / 1000000000 - n->state.saved_s : 0;
    buf_printf(&n->status, "skipping %zu already passed items", skipped);
    if (n->state.saved_s)
        buf_printf(&n->status, " (cache from %" PRId64 ":%02d:%02d ago, use --sw-reset to discard)", age_s / 3600,
                   (int)(age_s / 60 % 60), (int)(age_s % 60));
    buf_char(&n->status, '.');
}

/* From the test that failed last on; *from is its index, or n when all run. */
static size_t stepwise_start(struct finding *f)
{
    struct narrowing *n = f->n;
    size_t listed = 0, at = SIZE_MAX, from = 0;
    for (size_t i = 0; i < f->d->n; i++) {
        if (!discover_is_listed(&f->d->tests[i]))
            continue;
        if (n->state.last_failed.n && str_eq(f->d->tests[i].id, n->state.last_failed)) {
            at = i;
            from = listed;
        }
        listed++;
    }
    buf_z(&n->status, "stepwise: ");
    if (f->c->stepwise_reset)
        buf_z(&n->status, "resetting state, not skipping.");
    else if (!n->state.last_failed.n)
        buf_z(&n->status, "no previously failed tests, not skipping.");
    else if (n->state.last_count >= 0 && (size_t)n->state.last_count != listed)
        buf_printf(&n->status, "test count changed, not skipping (now %zu tests, previously %" PRId64 ").", listed,
                   n->state.last_count);
    else if (at == SIZE_MAX)
        buf_z(&n->status, "previously failed test not found, not skipping.");
    else {
        say_skipping(n, from);
        n->state.last_count = (int64_t)listed;
        return at;
    }
    n->state.last_failed = STR("");
    n->state.last_count = (int64_t)listed;
    return 0;
}

static void stepwise(struct finding *f, struct str dir)
{
    struct narrowing *n = f->n;
    struct map seen = {0};
    n->stepwise = n->narrow.serial = true;
    f->c->workers = 1;
    f->c->maxfail = f->c->stepwise_skip ? 2 : 1;
    pytest_cache_stepwise(dir, &n->arena, &n->state);
    size_t from = stepwise_start(f);
    for (size_t i = 0; i < f->d->n; i++)
        if (f->d->tests[i].doubt || f->d->tests[i].error)
            n->plain = "--stepwise";
    struct str file = from < f->d->n ? file_of(f->d->tests[from].id) : STR("");
    for (size_t i = from; i < f->d->n; i++) {
        struct str id = f->d->tests[i].id;
        if (from && discover_is_listed(&f->d->tests[i]) && str_eq(file_of(id), file))
            strs_add(&n->narrow.only, keep(n, id));
        add_module(f, &n->narrow.modules, &seen, file_of(id));
    }
    n->narrow.alone = from > 0;
    map_release(&seen);
}

/* ---- all of them ---- */

static bool find(struct narrowing *n, struct cli *c, const struct discovered *d)
{
    struct finding f = {.n = n, .c = c, .d = d, .root = keep(n, d->config.probe.root)};
    struct str dir = c->settings.own.cache_dir;
    n->pytest = d->config.pytest;
    if (c->stepwise)
        stepwise(&f, dir);
    else if (c->new_first && !c->last_failed && !c->failed_first)
        new_first(&f, dir);
    else
        find_last_failed(&f, dir);
    return true;
}

/* What pytest's cache says has failed comes first, if it is there. */
static void find_soon(struct narrowing *n, const struct cli *c)
{
    struct id_set failed = {0};
    struct map seen = {0};
    struct finding f = {.n = n, .root = c->settings.own.root};
    pytest_cache_ids(c->settings.own.cache_dir, "lastfailed", &failed);
    for (size_t i = 0; i < failed.list.n; i++) {
        struct str id = keep(n, failed.list.items[i]);
        strs_add(&n->narrow.first, id);
        add_module(&f, &n->narrow.modules, &seen, file_of(id));
    }
    n->any = n->narrow.first.n > 0;
    map_release(&seen);
    id_set_release(&failed);
}

bool narrowing_find(struct narrowing *n, struct cli *c, enum exit_code *code, struct err *err)
{
    struct discovered d = {0};
    struct generate_options g = cli_generate_options(c);
    struct recorded r = {.scan = &g};
    struct discover_options o = {.generate = &g, .recorded = recorded_items, .recorded_ctx = &r};
    c->stepwise = c->stepwise || c->stepwise_skip || c->stepwise_reset;
    n->any = c->stepwise || c->new_first || c->last_failed || c->failed_first;
    if (c->failed_soon && !n->any) {
        find_soon(n, c);
        return true;
    }
    if (!n->any)
        return true;
    n->narrow.option = c->stepwise ? "--stepwise" : c->last_failed ? "--last-failed" : NULL;
    bool several = c->stepwise + (c->new_first && (c->last_failed || c->failed_first)) > 1 ||
                   (c->stepwise && (c->last_failed || c->failed_first || c->new_first));
    bool ok = !several && c->settings.own.cache_dir.n && discover(&o, &d, code, err) && find(n, c, &d);
    if (!ok && (several || !c->settings.own.cache_dir.n))
        n->plain = "a mixture of --lf, --ff, --nf and --sw, or one without pytest's cache,";
    recorded_release(&r);
    discover_release(&d);
    return ok || n->plain;
}

/* StepwisePlugin.pytest_runtest_logreport, of the results in order. */
static bool step(struct narrowing *n, const struct report_module *m, bool *skip)
{
    for (uint32_t i = 0; i < m->record.n_results; i++) {
        const struct record_result *r = &m->record.results[i];
        struct str id = r->item < m->meta.n_items ? m->meta.items[r->item].id : STR("");
        bool failed = r->outcome == OUT_FAILED || r->outcome == OUT_ERROR, last = str_eq(id, n->state.last_failed);
        if (failed && !*skip) {
            n->state.last_failed = keep(n, id);
            return true;
        }
        if (last && (failed || r->outcome == OUT_PASSED || r->outcome == OUT_XPASSED))
            n->state.last_failed = STR("");
        *skip = *skip && !failed;
    }
    return false;
}

bool narrowing_done(struct narrowing *n, const struct cli *c, const struct plan *plan, bool *stopped, struct err *err)
{
    bool skip = c->stepwise_skip;
    *stopped = false;
    for (uint32_t i = 0; n->stepwise && !*stopped && i < plan->n_modules; i++) {
        struct report_module m;
        report_module_load(&m, plan, i);
        if (m.state != MODULE_NOT_RUN)
            *stopped = step(n, &m, &skip);
        report_module_release(&m);
    }
    return pytest_cache_save_stepwise(plan->options.pytest_cache, n->stepwise ? &n->state : NULL, n->pytest, err);
}

void narrowing_release(struct narrowing *n)
{
    strs_release(&n->narrow.modules);
    strs_release(&n->narrow.only);
    strs_release(&n->narrow.first);
    buf_release(&n->status);
    arena_release(&n->arena);
}
