#include "runtime/report/model.h"

#include "runtime/report/json.h"
#include "runtime/report/text.h"

#include <inttypes.h>

static const struct str outcome_names[OUT_COUNT] = {
    [OUT_PASSED] = {"passed", 6},   [OUT_FAILED] = {"failed", 6},   [OUT_ERROR] = {"error", 5},
    [OUT_SKIPPED] = {"skipped", 7}, [OUT_XFAILED] = {"xfailed", 7}, [OUT_XPASSED] = {"xpassed", 7},
};

struct str report_outcome_name(enum record_outcome o)
{
    return o < OUT_COUNT ? outcome_names[o] : STR("");
}

const char *report_when_name(enum report_when w)
{
    static const char *const names[WHEN_COUNT] = {
        [WHEN_SETUP] = "setup",
        [WHEN_CALL] = "call",
        [WHEN_TEARDOWN] = "teardown",
        [WHEN_COLLECT] = "collect",
    };
    return w < WHEN_COUNT ? names[w] : "";
}

/* pytest 9: pytest_report_teststatus in skipping.py, runner.py and terminal.py, in that order. */
enum record_outcome report_phase_category(const struct report_phase *p)
{
    if (p->xfail.p && p->verdict == PHASE_SKIPPED)
        return OUT_XFAILED;
    if (p->xfail.p && p->verdict == PHASE_PASSED)
        return OUT_XPASSED;
    switch (p->verdict) {
    case PHASE_FAILED:
        return p->when == WHEN_CALL ? OUT_FAILED : OUT_ERROR;
    case PHASE_SKIPPED:
        return OUT_SKIPPED;
    case PHASE_PASSED:
        return p->when == WHEN_CALL && !p->sub.p ? OUT_PASSED : OUT_COUNT;
    case PHASE_OTHER:
    case PHASE_COUNT:
        break;
    }
    return OUT_COUNT;
}

enum record_outcome report_last_outcome(const struct report_test *t)
{
    enum record_outcome last = OUT_PASSED;
    for (uint32_t i = 0; i < t->result.n_phases; i++) {
        enum record_outcome o = report_phase_category(&t->result.phases[i]);
        if (o != OUT_COUNT && o != OUT_PASSED)
            last = o;
    }
    return last;
}

void report_skip_tuple(const struct report_loc *skip, struct buf *out)
{
    buf_char(out, '(');
    text_pyrepr(out, skip->path);
    if (skip->line >= 0)
        buf_printf(out, ", %" PRId64 ", ", skip->line);
    else
        buf_z(out, ", None, ");
    text_pyrepr(out, skip->message);
    buf_char(out, ')');
}

static bool other_is_extra(const struct plan *plan)
{
    return plan->other && (plan->n_batches == 0 || plan->batches[plan->n_batches - 1].count == 0);
}

uint32_t report_module_count(const struct plan *plan)
{
    return plan->n_modules + other_is_extra(plan);
}

void report_record_path(const struct plan *plan, uint32_t i, struct buf *out)
{
    if (i < plan->n_modules) {
        buf_str(out, plan->modules[i].record);
    } else {
        buf_str(out, plan->state_dir);
        buf_z(out, "/m/@other.rec");
    }
}

struct str report_batch_name(const struct plan *plan, uint32_t i)
{
    if (i >= plan->n_modules || plan->modules[i].batch >= plan->n_batches)
        return STR("@other");
    return plan->batches[plan->modules[i].batch].name;
}

static bool exists_in(const struct plan *plan, const char *name)
{
    struct buf path = {0};
    buf_str(&path, plan->state_dir);
    buf_z(&path, name);
    bool exists = io_stat_path(path.p).kind != IO_ABSENT;
    buf_release(&path);
    return exists;
}

/* "@other" has no key of its own; its client checks the record and leaves the stamp. */
static bool other_holds(const struct plan *plan, const struct record *r)
{
    return (r->flags & REC_PASSED) && hash128_eq(r->key, plan->environment) &&
           plan_sources_hold(plan, r->flags, r->sources) && exists_in(plan, "/b/@other.ok");
}

static enum report_state record_state(const struct plan *plan, uint32_t i, const struct record *r)
{
    if (r->run_id == plan->run_id)
        return MODULE_RAN;
    if (i >= plan->n_modules)
        return other_holds(plan, r) ? MODULE_CACHED : MODULE_NOT_RUN;
    return plan->modules[i].stale ? MODULE_NOT_RUN : MODULE_CACHED;
}

/* A module that fail-fast or an interrupt left before its first result. */
static bool is_untouched(const struct report_module *m)
{
    return (m->record.flags & REC_PARTIAL) && m->record.n_results == 0 && !m->meta.error &&
           !m->meta.skip;
}

void report_module_load(struct report_module *m, const struct plan *plan, uint32_t i)
{
    struct buf path = {0};
    *m = (struct report_module){.state = MODULE_NOT_RUN, .batch = report_batch_name(plan, i)};
    report_record_path(plan, i, &path);
    if (record_load(&m->record, path.p, plan->root, false))
        m->state = record_state(plan, i, &m->record);
    if (m->state != MODULE_NOT_RUN && !json_parse_meta(m->record.meta, &m->arena, &m->meta))
        m->state = MODULE_NOT_RUN;
    if (m->state == MODULE_RAN && is_untouched(m))
        m->state = MODULE_NOT_RUN;
    if (m->state == MODULE_NOT_RUN)
        m->meta = (struct report_meta){0};
    buf_release(&path);
}

void report_module_release(struct report_module *m)
{
    record_release(&m->record);
    arena_release(&m->arena);
    *m = (struct report_module){.state = MODULE_NOT_RUN};
}

/* A phase that carries the outcome when the record has no details. */
static void result_without_details(struct report_test *t, struct arena *a)
{
    struct report_phase *p = arena_alloc(a, sizeof *p);
    p->when = t->outcome == OUT_ERROR ? WHEN_SETUP : WHEN_CALL;
    switch (t->outcome) {
    case OUT_FAILED:
    case OUT_ERROR:
        p->verdict = PHASE_FAILED;
        p->repr = STR("(the details of this result cannot be read)");
        break;
    case OUT_XFAILED:
    case OUT_SKIPPED:
        p->verdict = PHASE_SKIPPED;
        break;
    case OUT_PASSED:
    case OUT_XPASSED:
    case OUT_COUNT:
        p->verdict = PHASE_PASSED;
        break;
    }
    if (t->outcome == OUT_XFAILED || t->outcome == OUT_XPASSED)
        p->xfail = STR("");
    t->result = (struct report_result){.phases = p, .n_phases = 1};
}

bool report_test_load(const struct report_module *m, uint32_t i, struct arena *a,
                      struct report_test *t)
{
    const struct record_result *r = &m->record.results[i];
    if (r->item >= m->meta.n_items || r->outcome >= OUT_COUNT)
        return false;
    *t = (struct report_test){.item = &m->meta.items[r->item],
                              .outcome = (enum record_outcome)r->outcome,
                              .cached = m->state == MODULE_CACHED,
                              .batch = m->batch};
    if (!json_parse_result(r->json, a, &t->result) || t->result.n_phases == 0)
        result_without_details(t, a);
    return true;
}
