#include "runtime/report/fingerprint.h"

#include <unistd.h>

static const char magic[8] = "FSTRPTS1";
enum { VERSION = 2 };

struct hash128 fingerprint_options(const struct plan *plan)
{
    struct hasher *h = hasher_new();
    hasher_u64(h, VERSION);
    hasher_str(h, plan->root);
    hasher_str(h, plan->cwd);
    hasher_u64(h, plan->n_args);
    for (uint32_t i = 0; i < plan->n_args; i++)
        hasher_str(h, plan->args[i]);
    return hasher_done(h);
}

struct hash128 fingerprint_part(const struct plan *plan, uint32_t i, struct hash128 options)
{
    struct buf b = {0};
    report_record_path(plan, i, &b);
    const struct plan_module *m = i < plan->n_modules && !plan->modules[i].stale ? &plan->modules[i] : NULL;
    struct io_stat st = m && m->record_st.kind == IO_FILE ? m->record_st : io_stat_path(b.p); /* clean: as the scan saw it */
    struct hash128 none = {0, 0};
    if (st.kind == IO_FILE) {
        pack_hash(&b, options);
        pack_hash(&b, plan->modules[i].key);
        pack_stat(&b, &st);
        pack_str(&b, report_batch_name(plan, i));
        none = hash128_of(b.p, b.n);
    }
    buf_release(&b);
    return none;
}

static bool all_clean(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->n_modules; i++)
        if (plan->modules[i].stale)
            return false;
    return !plan->other && plan->n_modules > 0;
}

static struct hash128 all_records(const struct plan *plan)
{
    struct hash128 options = fingerprint_options(plan);
    struct hasher *h = hasher_new();
    hasher_hash(h, options);
    for (uint32_t i = 0; i < plan->n_modules; i++)
        hasher_hash(h, fingerprint_part(plan, i, options));
    return hasher_done(h);
}

static const char *path_of(const struct plan *plan, const char *name, struct buf *path)
{
    buf_clear(path);
    buf_str(path, plan->state_dir);
    buf_char(path, '/');
    buf_z(path, name);
    return path->p;
}

bool fingerprint_holds(const struct plan *plan, struct totals *totals)
{
    struct buf path = {0}, file = {0};
    struct unpack u;
    bool holds = all_clean(plan) && !plan_marked(plan, "stop", NULL) &&
                 pack_open(path_of(plan, "reports.bin", &path), magic, VERSION, &file, &u);
    if (holds) {
        struct io_stat junit = io_stat_path(path_of(plan, "junit.xml", &path));
        struct io_stat json = io_stat_path(path_of(plan, "report.json", &path));
        struct hash128 expected = unpack_hash(&u);
        struct io_stat junit_then = unpack_stat(&u), json_then = unpack_stat(&u);
        totals_unpack(totals, &u);
        holds = !u.bad && junit.kind == IO_FILE && json.kind == IO_FILE &&
                io_stat_same(&junit, &junit_then) && io_stat_same(&json, &json_then) &&
                hash128_eq(expected, all_records(plan));
    }
    if (!holds)
        *totals = (struct totals){0};
    buf_release(&path);
    buf_release(&file);
    return holds;
}

bool fingerprint_save(const struct plan *plan, const struct totals *totals, struct err *err)
{
    struct buf path = {0}, b = {0};
    bool ok = true;
    if (all_clean(plan) && totals->ran == 0 && totals->tests_not_run == 0 &&
        totals->collect_errors == 0) {
        struct io_stat junit = io_stat_path(path_of(plan, "junit.xml", &path));
        struct io_stat json = io_stat_path(path_of(plan, "report.json", &path));
        pack_hash(&b, all_records(plan));
        pack_stat(&b, &junit);
        pack_stat(&b, &json);
        totals_pack(totals, &b);
        ok = pack_save(path_of(plan, "reports.bin", &path), magic, VERSION, &b, err);
    } else {
        unlink(path_of(plan, "reports.bin", &path));
    }
    buf_release(&path);
    buf_release(&b);
    return ok;
}
