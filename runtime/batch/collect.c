#include "runtime/batch/collect.h"

#include "runtime/base/clock.h"
#include "runtime/base/pack.h"

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

bool collect_begin(struct collect *c, const struct plan *plan, uint32_t module, struct str payload,
                   struct err *err)
{
    struct unpack u = {.p = (const unsigned char *)payload.p, .n = payload.n};
    struct record *r = &c->rec;
    collect_release(c);
    c->plan = plan;
    c->module = module < plan->n_modules ? &plan->modules[module] : NULL;
    unpack_str(&u);
    r->n_items = unpack_count(&u, 4);
    for (uint32_t i = 0; i < r->n_items; i++)
        unpack_u32(&u);
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
    return true;
}

bool collect_result(struct collect *c, struct str payload, struct err *err)
{
    struct unpack u = {.p = (const unsigned char *)payload.p, .n = payload.n};
    uint32_t item = unpack_u32(&u), outcome = unpack_u8(&u);
    struct str json = unpack_str(&u);
    if (u.bad || u.n || !c->begun || c->finished || item >= c->rec.n_items || outcome >= OUT_COUNT)
        return err_set(err, "the pool sent a malformed RESULT frame");
    c->rec.results[item] =
        (struct record_result){.item = item, .outcome = outcome, .json = keep(&c->rec, json)};
    c->have[item] = true;
    return true;
}

/* Brings the results together in item order; what is missing fails, or makes the record partial. */
static void settle_results(struct collect *c, bool partial)
{
    struct record *r = &c->rec;
    for (uint32_t i = 0; i < r->n_items; i++) {
        if (!c->have[i] && partial)
            continue;
        if (!c->have[i])
            r->results[i] = (struct record_result){i, OUT_FAILED, str_z(lost_json)};
        r->results[r->n_results++] = r->results[i];
    }
    if (partial)
        r->flags |= REC_PARTIAL;
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

static void settle_flags(struct collect *c, const char *path, struct deps_common *common)
{
    struct record *r = &c->rec;
    struct deps d;
    deps_init(&d, c->plan, c->module, common);
    bool good = scan_all(&d, r) && !d.failed && !(r->flags & REC_PARTIAL);
    if (c->module)
        deps_beside(&d, c->plan, c->module);
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
    bool again = d.random && record_load(&last, path, c->plan->root, true);
    if (c->module && deps_executed(&d, c->plan, c->module, again ? &last : NULL, r))
        r->flags |= REC_TRACED;
    r->meta = deps_without(r->meta, &r->arena);
    for (uint32_t i = 0; i < r->n_results; i++)
        r->results[i].json = deps_without(r->results[i].json, &r->arena);
    record_release(&last);
    deps_release(&d);
}

bool collect_finish(struct collect *c, bool partial, struct deps_common *common, struct buf *lines, struct err *err)
{
    struct buf path = {0};
    if (!c->begun || c->finished)
        return err_set(err, "the pool sent a MODULE_END frame out of order");
    settle_results(c, partial);
    collect_record_path(&path, c->plan,
                        c->module ? (uint32_t)(c->module - c->plan->modules) : c->plan->n_modules);
    settle_flags(c, path.p, common);
    c->rec.end_ns = clock_wall_ns();
    collect_lines(&c->rec, lines);
    bool ok = record_save(&c->rec, path.p, c->plan->root, err);
    buf_release(&path);
    c->finished = true;
    record_release(&c->rec);
    c->have = NULL;
    return ok;
}

void collect_release(struct collect *c)
{
    record_release(&c->rec);
    memset(c, 0, sizeof *c);
}
