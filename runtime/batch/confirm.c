#include "runtime/batch/confirm.h"

#include "runtime/base/clock.h"
#include "runtime/base/map.h"
#include "runtime/base/pack.h"
#include "runtime/batch/client.h"
#include "runtime/batch/collect.h"
#include "runtime/batch/needs.h"
#include "runtime/batch/stamp.h"
#include "runtime/batch/trial.h"
#include "runtime/wire/document.h"
#include "runtime/wire/json.h"
#include "runtime/wire/msg.h"

#include <stdlib.h>
#include <string.h>

static const char ALL_IMPORTS[] = "{\"imports\": null}";
enum { SAME_KIND = 3 }; /* so many of a kind have failed again: the others of it would, too */
static const double MIN_BUDGET_S = 5;

/* Why a test passes that has failed. */
enum reason { FAILS, FLAKY, EXCLUSIVE, IMPORTS, ORDER };

/* Of failures (attempts.h). */
struct kind {
    uint32_t failed; /* again */
    uint32_t chosen; /* of the trial that runs */
    bool passed;     /* one of it has */
};

struct confirm {
    const struct plan *plan;
    struct alone alone;
    FILE *out;
    int64_t began_ns;
    double budget_s;      /* for what may be given up: runs of tests that need not have failed */
    bool *open;           /* modules to look at; the last is "@other" */
    struct map kinds;     /* attempts_kind → struct kind * */
    uint32_t failed;      /* and still do */
    uint32_t unconfirmed; /* suspects for which there was no time */
    struct arena arena;
};

static bool is_over(const struct confirm *c)
{
    return c->alone.is_over && c->alone.is_over(c->alone.over_ctx);
}

static bool affordable(const struct confirm *c, double seconds)
{
    double spent = (double)(clock_mono_ns() - c->began_ns) / 1e9;
    return spent + seconds <= c->budget_s;
}

/* ---- what waits for the end ---- */

struct waiting {
    const struct confirm *c;
    struct collect *collects;
    struct alone_module *modules;
    size_t n;
    struct deps_common common;
    struct buf lines;
};

static bool on_waiting(void *ctx, const struct frame *f, struct err *err)
{
    struct waiting *w = ctx;
    size_t i = 0;
    while (i < w->n && w->modules[i].module != f->tag)
        i++;
    if (i == w->n || w->collects[i].finished)
        return true;
    struct collect *m = &w->collects[i];
    if (f->type == WIRE_MODULE)
        return collect_resume(m, w->c->plan, f->tag) && collect_begin(m, w->c->plan, f->tag, f->payload, err);
    if (f->type == WIRE_RESULT)
        return collect_result(m, f->payload, err);
    return f->type != WIRE_MODULE_END || f->payload.n != 1 ||
           collect_finish(m, (unsigned char)f->payload.p[0] & MODULE_END_PARTIAL, &w->common, &w->lines, err);
}

static bool settle(const struct confirm *c, uint32_t module, struct err *err)
{
    const struct plan *p = c->plan;
    for (uint32_t i = 0; i < p->n_batches; i++) {
        const struct plan_batch *b = &p->batches[i];
        bool has = b->count ? module >= b->first && module < b->first + b->count : module == p->n_modules;
        if (has && !batch_settle(p, b, p->scan_start_ns, err))
            return false;
    }
    return true;
}

/* Modules that may have a test that failed or waits: a batch with its stamp has none. */
static void find_open(struct confirm *c)
{
    const struct plan *p = c->plan;
    c->open = arena_array(&c->arena, (size_t)p->n_modules + 1, sizeof *c->open);
    for (uint32_t k = 0; k < p->n_batches; k++) {
        const struct plan_batch *b = &p->batches[k];
        if (stamp_is_ok(p, b))
            continue;
        for (uint32_t i = 0; i < b->count; i++)
            c->open[b->first + i] = true;
        if (b->count == 0)
            c->open[p->n_modules] = true;
    }
}

static bool run_waiting(struct confirm *c, struct err *err)
{
    struct waiting w = {.c = c};
    struct alone a = c->alone;
    uint32_t most = c->plan->n_modules + 1;
    w.modules = arena_array(&c->arena, most, sizeof *w.modules);
    w.collects = arena_array(&c->arena, most, sizeof *w.collects);
    for (uint32_t i = 0; i < most; i++) {
        struct suspects s;
        if (!c->open[i])
            continue;
        if (suspects_load(&s, c->plan, i) && s.n_waiting) {
            struct alone_module *m = &w.modules[w.n++];
            *m = (struct alone_module){.module = i, .n_items = s.n_waiting};
            m->items = arena_array(&c->arena, s.n_waiting, sizeof *m->items);
            memcpy(m->items, s.waiting, s.n_waiting * sizeof *m->items);
        }
        suspects_release(&s);
    }
    a.fn = on_waiting;
    a.ctx = &w;
    if (w.n)
        alone_run(&a, w.modules, w.n, STR(""), err);
    bool ok = !err->msg[0];
    for (size_t i = 0; i < w.n; i++) {
        ok = ok && settle(c, w.modules[i].module, err);
        collect_release(&w.collects[i]);
    }
    if (w.lines.n)
        fwrite(w.lines.p, 1, w.lines.n, c->out);
    deps_common_release(&w.common);
    buf_release(&w.lines);
    return ok;
}

/* ---- why ---- */

struct inquiry {
    struct confirm *c;
    struct suspects *of;
    struct trial trial;
    enum reason *reasons;   /* of suspects */
    bool *tried;
    struct verdict *passed; /* the results that count */
    struct str imports;     /* that IMPORTS is about, comma separated */
};

static bool any(const bool *wanted, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (wanted[i])
            return true;
    return false;
}

/* Tries the wanted ones; wanted keeps those whose verdict is `passes`. */
static bool narrow(struct inquiry *q, bool *wanted, unsigned what, struct str imports, bool passes, struct err *err)
{
    if (!any(wanted, q->of->n))
        return true;
    if (is_over(q->c) || !trial_run(&q->trial, wanted, what, imports, err))
        return false;
    for (uint32_t k = 0; k < q->of->n; k++)
        wanted[k] = wanted[k] && q->trial.verdicts[k].passes == passes;
    return true;
}

static bool *copy_of(struct inquiry *q, const bool *wanted)
{
    bool *copy = arena_array(&q->trial.arena, q->of->n, sizeof *copy);
    memcpy(copy, wanted, q->of->n * sizeof *copy);
    return copy;
}

static void set_reason(struct inquiry *q, const bool *wanted, enum reason reason)
{
    for (uint32_t k = 0; k < q->of->n; k++)
        if (wanted[k])
            q->reasons[k] = reason;
}

static uint32_t first_of(const bool *wanted)
{
    uint32_t k = 0;
    while (!wanted[k])
        k++;
    return k;
}

static struct str import_list(struct inquiry *q, const struct strs *names, size_t from, size_t to)
{
    struct buf b = {0};
    buf_z(&b, "{\"imports\": [");
    for (size_t i = from; i < to; i++) {
        buf_z(&b, i > from ? ", " : "");
        json_quote(&b, names->items[i]);
    }
    buf_z(&b, "]}");
    struct str list = {arena_dup(&q->trial.arena, b.p, b.n), b.n};
    buf_release(&b);
    return list;
}

/* Does the first of the wanted pass with these imports alone? */
static bool first_passes(struct inquiry *q, const bool *wanted, struct str imports, bool *passes, struct err *err)
{
    bool *one = arena_array(&q->trial.arena, q->of->n, sizeof *one);
    uint32_t k = first_of(wanted);
    one[k] = true;
    if (is_over(q->c) || !trial_run(&q->trial, one, 0, imports, err))
        return false;
    *passes = q->trial.verdicts[k].passes;
    return true;
}

static void take_names(struct inquiry *q, const struct strs *names, size_t from, size_t to)
{
    struct buf b = {0};
    for (size_t i = from; i < to; i++) {
        buf_z(&b, i > from ? "," : "");
        buf_str(&b, names->items[i]);
    }
    q->imports = (struct str){arena_dup(&q->trial.arena, b.p, b.n), b.n};
    buf_release(&b);
}

/* The shortest beginning of what was ever imported with which the first passes; its last name alone, if that will do. */
static bool find_imports(struct inquiry *q, const bool *wanted, struct err *err)
{
    struct strs names = {0};
    needs_imports(q->c->plan->state_dir, &names, &q->trial.arena);
    size_t low = 0, high = names.n;
    bool passes, ok = true;
    while (ok && low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        ok = first_passes(q, wanted, import_list(q, &names, 0, middle), &passes, err);
        if (ok && passes)
            high = middle;
        else
            low = middle;
    }
    ok = ok && high > 0 && first_passes(q, wanted, import_list(q, &names, high - 1, high), &passes, err);
    if (ok)
        take_names(q, &names, passes ? high - 1 : 0, high);
    strs_release(&names);
    return ok;
}

/* They pass alone with all imports, and fail without. */
static bool ask_imports(struct inquiry *q, bool *wanted, struct err *err)
{
    bool *spoiled = copy_of(q, wanted);
    if (!narrow(q, spoiled, TRIAL_BEFORE | TRIAL_PREFIX, str_z(ALL_IMPORTS), false, err))
        return false;
    for (uint32_t k = 0; k < q->of->n; k++)
        wanted[k] = wanted[k] && !spoiled[k];
    if (!any(wanted, q->of->n))
        return true;
    if (!find_imports(q, wanted, err))
        return false;
    set_reason(q, wanted, IMPORTS);
    return true;
}

/* They pass after what came before them, as in pytest: does it need that, or that nothing runs beside it, or chance? */
static bool ask_again(struct inquiry *q, bool *wanted, struct err *err)
{
    bool *again = copy_of(q, wanted), *alone = copy_of(q, wanted), *order = copy_of(q, wanted);
    bool sole = q->c->plan->options.workers == 1;
    if (trial_has_before(&q->trial, wanted) && !narrow(q, again, 0, STR(""), true, err))
        return false;
    for (uint32_t k = 0; k < q->of->n; k++) {
        alone[k] = again[k] && !sole && !q->of->items[k].alone;
        order[k] = wanted[k] && !again[k];
        if (wanted[k])
            q->reasons[k] = alone[k] ? EXCLUSIVE : FLAKY;
    }
    if (!narrow(q, alone, 0, STR(""), false, err) || !narrow(q, order, 0, STR(""), false, err))
        return false;
    set_reason(q, alone, FLAKY);
    set_reason(q, order, ORDER);
    return true;
}

/* The wanted ones have passed alone, with all imports. */
static bool ask_why(struct inquiry *q, bool *wanted, struct err *err)
{
    bool *fails = copy_of(q, wanted), *passes = copy_of(q, wanted);
    if (!narrow(q, passes, TRIAL_BEFORE | TRIAL_PREFIX, STR(""), true, err))
        return false;
    for (uint32_t k = 0; k < q->of->n; k++)
        fails[k] = wanted[k] && !passes[k];
    if (!narrow(q, fails, 0, STR(""), false, err)) /* the others are spoiled by what is before them: pytest says so, too */
        return false;
    return ask_again(q, passes, err) && ask_imports(q, fails, err);
}

/* ---- one module ---- */

static struct kind *kind_of(struct confirm *c, const struct suspect *s)
{
    uintptr_t *slot = map_get(&c->kinds, (struct str){(const char *)&s->kind, sizeof s->kind});
    if (!slot) {
        char *key = arena_dup(&c->arena, &s->kind, sizeof s->kind);
        slot = map_put(&c->kinds, (struct str){key, sizeof s->kind}, NULL);
        *slot = (uintptr_t)arena_alloc(&c->arena, sizeof(struct kind));
    }
    return (struct kind *)*slot;
}

/* The next ones to try: of each kind a few, and all when one of it has passed. */
static void choose(struct inquiry *q, bool *wanted)
{
    for (uint32_t k = 0; k < q->of->n; k++) {
        struct kind *kind = kind_of(q->c, &q->of->items[k]);
        wanted[k] = !q->tried[k] && (kind->passed || kind->failed + kind->chosen < SAME_KIND);
        q->tried[k] = q->tried[k] || wanted[k];
        kind->chosen += wanted[k];
    }
}

static void note_verdicts(struct inquiry *q, const bool *wanted)
{
    for (uint32_t k = 0; k < q->of->n; k++) {
        struct kind *kind = kind_of(q->c, &q->of->items[k]);
        kind->chosen = 0;
        if (wanted[k] && q->passed[k].passes)
            kind->passed = true;
        else if (wanted[k])
            kind->failed++;
    }
}

/* Alone, with all imports; what fails then because it did not run after the tests before it, after those. */
static bool first_trial(struct inquiry *q, bool *wanted, struct err *err)
{
    bool *failed = copy_of(q, wanted);
    if (!narrow(q, failed, 0, str_z(ALL_IMPORTS), false, err))
        return false;
    for (uint32_t k = 0; k < q->of->n; k++)
        if (wanted[k])
            q->passed[k] = q->trial.verdicts[k];
    bool retry = q->of->split && any(failed, q->of->n) &&
                 affordable(q->c, trial_seconds(&q->trial, failed, TRIAL_PREFIX));
    if (retry) {
        bool *passes = copy_of(q, failed);
        if (!narrow(q, passes, TRIAL_PREFIX, str_z(ALL_IMPORTS), true, err))
            return false;
        for (uint32_t k = 0; k < q->of->n; k++)
            if (passes[k])
                q->passed[k] = q->trial.verdicts[k];
        set_reason(q, passes, ORDER);
    }
    note_verdicts(q, wanted);
    for (uint32_t k = 0; k < q->of->n; k++)
        wanted[k] = wanted[k] && q->passed[k].passes && q->reasons[k] == FAILS;
    return true;
}

static void tell(struct inquiry *q, uint32_t k, struct str id, struct str *reason)
{
    static const struct {
        const char *need, *text;
    } told[] = {
        [FAILS] = {NULL, ""},
        [FLAKY] = {NULL, "is flaky: it failed, and passed when it was run again alone"},
        [EXCLUSIVE] = {"exclusive", "needs exclusive: it failed beside others and passes alone, where it will run from now on"},
        [IMPORTS] = {"imports", "needs imports of "},
        [ORDER] = {"order", "needs the tests before it: its module will not be split from now on"},
    };
    enum reason r = q->reasons[k];
    struct buf b = {0}, line = {0};
    buf_z(&b, told[r].text);
    if (r == IMPORTS)
        buf_str(&b, q->imports);
    buf_printf(&line, "fastest: ");
    buf_str(&line, id);
    buf_printf(&line, " %s\n", b.p);
    fwrite(line.p, 1, line.n, q->c->out);
    struct str all = buf_view(&b);
    all.n = r == IMPORTS ? all.n : str_chr(all, ':');
    *reason = r == FLAKY ? (struct str){0} : (struct str){arena_dup(&q->trial.arena, all.p, all.n), all.n};
    needs_set(q->c->plan->state_dir, told[r].need, id, r == IMPORTS ? q->imports : (struct str){0}, NULL);
    buf_release(&b);
    buf_release(&line);
}

static bool write_results(struct inquiry *q, struct err *err)
{
    struct collect m = {0};
    struct buf lines = {0}, frame = {0}, id = {0};
    struct deps_common common = {0};
    bool ok = collect_resume(&m, q->c->plan, q->of->module) &&
              collect_begin(&m, q->c->plan, q->of->module, q->trial.module, err);
    for (uint32_t k = 0; ok && k < q->of->n; k++) {
        if (q->reasons[k] == FAILS)
            continue;
        buf_clear(&id);
        document_item_id(q->of->rec.meta, q->of->items[k].item, &id);
        tell(q, k, buf_view(&id), &m.reason);
        buf_clear(&frame);
        pack_u32(&frame, q->of->items[k].item);
        pack_u8(&frame, q->passed[k].outcome);
        pack_str(&frame, q->passed[k].json);
        ok = collect_result(&m, buf_view(&frame), err);
    }
    ok = ok && collect_finish(&m, 0, &common, &lines, err) && settle(q->c, q->of->module, err);
    collect_release(&m);
    deps_common_release(&common);
    buf_release(&lines);
    buf_release(&frame);
    buf_release(&id);
    return ok;
}

static void mark_alone(const struct plan *plan, struct suspects *s)
{
    struct buf id = {0};
    for (uint32_t k = 0; k < s->n; k++) {
        buf_clear(&id);
        s->items[k].alone = document_item_id(s->rec.meta, s->items[k].item, &id) &&
                            needs_has(plan->state_dir, "exclusive", buf_view(&id));
    }
    buf_release(&id);
}

static bool confirm_module(struct confirm *c, struct suspects *s, struct err *err)
{
    struct inquiry q = {.c = c, .of = s, .trial = {.alone = &c->alone, .of = s}};
    bool *wanted = arena_array(&q.trial.arena, s->n, sizeof *wanted);
    q.reasons = arena_array(&q.trial.arena, s->n, sizeof *q.reasons);
    q.passed = arena_array(&q.trial.arena, s->n, sizeof *q.passed);
    q.tried = arena_array(&q.trial.arena, s->n, sizeof *q.tried);
    mark_alone(c->plan, s);
    for (choose(&q, wanted); any(wanted, s->n) && first_trial(&q, wanted, err); choose(&q, wanted))
        if (any(wanted, s->n) && !ask_why(&q, wanted, err))
            break; /* what it has not found out stays a failure */
    bool found = false;
    for (uint32_t k = 0; k < s->n; k++)
        found = found || q.reasons[k] != FAILS;
    for (uint32_t k = 0; k < s->n; k++)
        c->failed += q.reasons[k] == FAILS;
    bool ok = !err->msg[0] && (!found || write_results(&q, err));
    trial_release(&q.trial);
    return ok;
}

/* A test that has failed once costs what it took, at least. */
static bool has_time(const struct confirm *c, const struct suspects *s)
{
    double sum = 0;
    for (uint32_t k = 0; k < s->n; k++)
        sum += s->seconds[s->items[k].item];
    return affordable(c, sum);
}

bool confirm_run(const struct plan *plan, FILE *out, bool (*over)(void *ctx), void *over_ctx, uint32_t *failed,
                 struct err *err)
{
    struct confirm c = {.plan = plan, .alone = {.plan = plan, .is_over = over, .over_ctx = over_ctx}, .out = out,
                        .began_ns = clock_mono_ns()};
    double wall = (double)(clock_wall_ns() - plan->scan_start_ns) / 1e9;
    bool lost = plan_marked(plan, "error", NULL) || plan_marked(plan, "interrupted", NULL);
    find_open(&c);
    bool ok = lost || plan_marked(plan, "stop", NULL) || run_waiting(&c, err);
    c.budget_s = wall > MIN_BUDGET_S ? wall : MIN_BUDGET_S;
    c.began_ns = clock_mono_ns();
    for (uint32_t i = 0; ok && !lost && plan->options.confirms && i <= plan->n_modules && !is_over(&c); i++) {
        struct suspects s;
        if (!c.open[i])
            continue;
        if (suspects_load(&s, plan, i) && s.n) {
            if (has_time(&c, &s))
                ok = confirm_module(&c, &s, err);
            else
                c.unconfirmed += s.n;
        }
        suspects_release(&s);
    }
    if (c.unconfirmed)
        fprintf(out, "fastest: %u failures were not confirmed: they take longer than the run\n", c.unconfirmed);
    *failed = c.failed + c.unconfirmed;
    map_release(&c.kinds);
    arena_release(&c.arena);
    return ok;
}
