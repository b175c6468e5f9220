#include "runtime/batch/collect.h"

#include "runtime/base/clock.h"
#include "runtime/base/pack.h"
#include "runtime/batch/attempts.h"
#include "runtime/wire/document.h"
#include "runtime/wire/msg.h"

#include <string.h>

static const char lost_json[] =
    "{\"phases\": [{\"when\": \"call\", \"o\": \"failed\", \"d\": 0, \"t\": 0, \"repr\": \"no result "
    "came for this test\", \"crash\": {\"path\": \"\", \"line\": 0, \"message\": \"no result came for "
    "this test\"}}], \"counts\": {\"failed\": 1}}";

void collect_record_path(struct buf *out, const struct plan *plan, uint32_t module)
{
    if (module < plan->n_modules) {
        buf_str(out, plan->modules[module].record);
        return;
    }
    buf_str(out, plan->state_dir);
    buf_z(out, "/m/@other.rec");
}

static struct str keep(struct record *r, struct str s)
{
    return (struct str){arena_dup(&r->arena, s.p, s.n), s.n};
}

bool collect_resume(struct collect *c, const struct plan *plan, uint32_t module)
{
    struct buf path = {0};
    collect_record_path(&path, plan, module);
    bool ok = record_load(&c->old, path.p, plan->root, false) && c->old.run_id == plan->run_id;
    if (!ok)
        record_release(&c->old);
    buf_release(&path);
    return ok;
}

static void take_old(struct collect *c)
{
    struct record *r = &c->rec;
    if (!c->old.run_id || c->old.n_items != r->n_items)
        return;
    r->start_ns = c->old.start_ns;
    c->flaky = c->old.flags & REC_FLAKY;
    for (uint32_t i = 0; i < c->old.n_results; i++) {
        const struct record_result *o = &c->old.results[i];
        r->results[o->item] = (struct record_result){o->item, o->outcome, keep(r, o->json)};
        c->have[o->item] = true;
    }
}

bool collect_begin(struct collect *c, const struct plan *plan, uint32_t module, struct str payload,
                   struct err *err)
{
    struct unpack u = {.p = (const unsigned char *)payload.p, .n = payload.n};
    struct record *r = &c->rec;
    record_release(r);
    c->plan = plan;
    c->module = module < plan->n_modules ? &plan->modules[module] : NULL;
    unpack_str(&u);
    r->n_items = unpack_count(&u, 4);
    for (uint32_t i = 0; i < r->n_items; i++)
        unpack_u32(&u);
    for (int column = 0; column < 2; column++) /* limits, lanes */
        for (uint32_t n = unpack_count(&u, 4); n > 0; n--)
            unpack_u32(&u);
    struct str meta = unpack_str(&u);
    if (u.bad || u.n) {
        r->n_items = 0;
        return err_set(err, "the pool sent a malformed MODULE frame");
    }
    r->key = c->module ? c->module->key : plan->environment;
    r->loose = c->module ? c->module->loose : (struct hash128){0};
    r->sources = plan->sources;
    r->run_id = plan->run_id;
    r->start_ns = clock_wall_ns();
    r->meta = keep(r, meta);
    r->results = arena_array(&r->arena, r->n_items, sizeof *r->results);
    c->have = arena_array(&r->arena, r->n_items, sizeof *c->have);
    c->begun = true;
    c->flaky = false;
    take_old(c);
    return true;
}

bool collect_result(struct collect *c, struct str payload, struct err *err)
{
    struct unpack u = {.p = (const unsigned char *)payload.p, .n = payload.n};
    uint32_t item = unpack_u32(&u), outcome = unpack_u8(&u);
    struct str json = unpack_str(&u);
    if (u.bad || u.n || !c->begun || c->finished || item >= c->rec.n_items || outcome >= OUT_COUNT)
        return err_set(err, "the pool sent a malformed RESULT frame");
    json = keep(&c->rec, json);
    if (c->have[item]) {
        json = attempts_add(c->rec.results[item].json, json, (enum record_outcome)outcome, c->reason, &c->rec.arena);
        c->flaky = c->flaky || (!c->reason.n && outcome != OUT_FAILED && outcome != OUT_ERROR);
    }
    c->rec.results[item] = (struct record_result){.item = item, .outcome = outcome, .json = json};
    c->have[item] = true;
    return true;
}

/* Brings the results together in item order; what is missing fails, or makes the record partial. */
static void settle_results(struct collect *c, unsigned flags)
{
    struct record *r = &c->rec;
    bool partial = flags & (MODULE_END_PARTIAL | MODULE_END_DEFERRED);
    for (uint32_t i = 0; i < r->n_items; i++) {
        if (!c->have[i] && partial)
            continue;
        if (!c->have[i])
            r->results[i] = (struct record_result){i, OUT_FAILED, str_z(lost_json)};
        r->results[r->n_results++] = r->results[i];
    }
    if (partial && r->n_results < r->n_items)
        r->flags |= REC_PARTIAL;
    double took = 0;
    for (uint32_t i = 0; i < r->n_results; i++)
        took += document_seconds(r->results[i].json);
    r->took_ms = took < 1e6 ? (uint32_t)(took * 1e3) : UINT32_MAX;
    r->flags |= (flags & MODULE_END_DEFERRED ? REC_DEFERRED : 0u) | (c->flaky ? REC_FLAKY : 0u) |
                (flags & MODULE_END_SPLIT || c->old.flags & REC_SPLIT ? REC_SPLIT : 0u);
}

/* Whether the sources that the key covers are still as the scan saw them. */
static bool closure_changed(const struct collect *c)
{
    struct buf path = {0};
    bool changed = false;
    for (uint32_t i = 0; c->module && !changed && i < c->module->n_files; i++) {
        const struct plan_file *f = &c->plan->files[c->module->files[i]];
        buf_clear(&path);
        buf_str(&path, f->path);
        struct io_stat now = io_stat_path(path.p);
        changed = !io_stat_same(&now, &f->st);
    }
    buf_release(&path);
    return changed;
}

static bool scan_all(struct deps *d, const struct record *r)
{
    bool ok = deps_scan(d, r->meta);
    for (uint32_t i = 0; i < r->n_results; i++)
        ok = (!deps_there(r->results[i].json) || deps_scan(d, r->results[i].json)) && ok;
    return ok;
}

/* What the earlier part of this run has read counts, too. */
static void unite(struct collect *c)
{
    struct record *r = &c->rec, *old = &c->old;
    struct record_dep *all = arena_array(&r->arena, (size_t)r->n_deps + old->n_deps, sizeof *all);
    uint32_t n = 0, i = 0, k = 0;
    while (i < r->n_deps || k < old->n_deps) {
        int order = i == r->n_deps ? 1 : k == old->n_deps ? -1 : str_cmp(r->deps[i].path, old->deps[k].path);
        if (order == 0 && r->deps[i].kind != old->deps[k].kind)
            order = -1;
        all[n] = order > 0 ? old->deps[k] : r->deps[i];
        if (order > 0)
            all[n].path = keep(r, all[n].path);
        n++;
        i += order <= 0;
        k += order >= 0;
    }
    r->deps = all;
    r->n_deps = n;
    r->flags |= old->flags & (REC_ALL_SOURCES | REC_ALL_FILES | REC_ALWAYS);
    if (old->flags & REC_CHANGED)
        r->flags = (r->flags | REC_CHANGED) & ~(uint32_t)REC_PASSED;
    if (!(old->flags & REC_TRACED))
        r->flags &= ~(uint32_t)REC_TRACED;
}

static void settle_flags(struct collect *c, const char *path, struct deps_common *common)
{
    struct record *r = &c->rec;
    struct deps d;
    deps_init(&d, c->plan, c->module, common);
    bool good = scan_all(&d, r) && !d.failed && !(r->flags & (REC_PARTIAL | REC_FLAKY));
    deps_settle(&d);
    if (deps_fill(&d, c->plan->scan_start_ns, r) || closure_changed(c))
        r->flags |= REC_CHANGED;
    if (!c->module)
        r->flags |= REC_ALL_SOURCES; /* no key says what it depends on */
    for (uint32_t i = 0; i < r->n_results; i++)
        good = good && r->results[i].outcome != OUT_FAILED && r->results[i].outcome != OUT_ERROR;
    if (good && !(r->flags & REC_CHANGED))
        r->flags |= REC_PASSED;
    if (d.always)
        r->flags |= REC_ALWAYS;
    struct record last = {0};
    bool again = d.reads.random && !c->old.run_id && record_load(&last, path, c->plan->root, true);
    d.unites = c->old.run_id != 0;
    if (c->module && deps_executed(&d, d.unites ? &c->old : again ? &last : NULL, r))
        r->flags |= REC_TRACED;
    if (d.unites)
        unite(c);
    r->meta = deps_without(r->meta, &r->arena);
    for (uint32_t i = 0; i < r->n_results; i++)
        r->results[i].json = deps_without(r->results[i].json, &r->arena);
    record_release(&last);
    deps_release(&d);
}

bool collect_finish(struct collect *c, unsigned flags, struct deps_common *common, struct buf *lines, struct err *err)
{
    struct buf path = {0};
    if (!c->begun || c->finished)
        return err_set(err, "the pool sent a MODULE_END frame out of order");
    settle_results(c, flags);
    collect_record_path(&path, c->plan,
                        c->module ? (uint32_t)(c->module - c->plan->modules) : c->plan->n_modules);
    settle_flags(c, path.p, common);
    c->rec.end_ns = clock_wall_ns();
    if (!c->plan->options.live)
        collect_lines(&c->rec, lines);
    bool ok = record_save(&c->rec, path.p, c->plan->root, err);
    buf_release(&path);
    c->finished = true;
    record_release(&c->rec);
    record_release(&c->old);
    c->have = NULL;
    return ok;
}

void collect_release(struct collect *c)
{
    record_release(&c->old);
    record_release(&c->rec);
    memset(c, 0, sizeof *c);
}
