#include "runtime/report/totals.h"

#include <string.h>

static struct totals_category *category(struct totals *t, struct str name)
{
    size_t n = name.n < TOTALS_NAME_BYTES ? name.n : TOTALS_NAME_BYTES - 1;
    for (uint32_t i = 0; i < t->n_categories; i++) {
        struct totals_category *c = &t->categories[i];
        if (strlen(c->name) == n && memcmp(c->name, name.p, n) == 0)
            return c;
    }
    if (t->n_categories == TOTALS_CATEGORIES)
        return &t->categories[TOTALS_CATEGORIES - 1]; /* absurdly many: the last one takes all */
    struct totals_category *c = &t->categories[t->n_categories++];
    memcpy(c->name, name.p, n);
    c->name[n] = '\0';
    return c;
}

void totals_count(struct totals *t, struct str name, uint32_t n, bool cached)
{
    if (n == 0 || name.n == 0)
        return;
    struct totals_category *c = category(t, name);
    c->n += n;
    if (cached)
        c->cached += n;
}

void totals_test(struct totals *t, const struct report_test *test)
{
    bool failed = test->outcome == OUT_FAILED || test->outcome == OUT_ERROR;
    for (uint32_t i = 0; i < test->result.n_phases && !failed; i++)
        failed = test->result.phases[i].verdict == PHASE_FAILED && !test->result.phases[i].xfail.p;
    for (uint32_t i = 0; i < test->result.n_counts; i++)
        totals_count(t, test->result.counts[i].name, test->result.counts[i].n, test->cached);
    if (!test->result.has_counts)
        totals_count(t, report_outcome_name(test->outcome), 1, test->cached);
    t->outcomes[report_last_outcome(test)]++;
    t->failed += failed;
    t->flaky += report_is_flaky(test);
    double seconds = report_seconds(test);
    if (seconds > 0 && seconds < 1e9)
        *(test->cached ? &t->cached_us : &t->ran_us) += (uint64_t)(seconds * 1e6);
    t->ran += !test->cached;
    t->cached += test->cached;
}

void totals_collect(struct totals *t, const struct report_phase *p, bool cached)
{
    t->collect_errors += p->verdict == PHASE_FAILED;
    totals_count(t, p->verdict == PHASE_FAILED ? STR("error") : STR("skipped"), 1, cached);
}

/* The counters after the categories, in the order of the file. */
enum { COUNTERS = OUT_COUNT + 12 };
static void counters(const struct totals *t, uint32_t *out)
{
    const uint32_t rest[] = {t->ran,           t->cached,         t->items,
                             t->tests_not_run, t->collect_errors, t->failed,
                             t->junit_passed,  t->junit_failures, t->junit_errors,
                             t->junit_skipped, t->junit_double,   t->flaky};
    memcpy(out, t->outcomes, sizeof t->outcomes);
    memcpy(out + OUT_COUNT, rest, sizeof rest);
}

static void counters_add(struct totals *t, const uint32_t *in)
{
    uint32_t *rest[] = {&t->ran,           &t->cached,         &t->items,
                        &t->tests_not_run, &t->collect_errors, &t->failed,
                        &t->junit_passed,  &t->junit_failures, &t->junit_errors,
                        &t->junit_skipped, &t->junit_double,   &t->flaky};
    for (uint32_t i = 0; i < OUT_COUNT; i++)
        t->outcomes[i] += in[i];
    for (uint32_t i = OUT_COUNT; i < COUNTERS; i++)
        *rest[i - OUT_COUNT] += in[i];
}

void totals_merge(struct totals *into, const struct totals *from)
{
    uint32_t n[COUNTERS];
    for (uint32_t i = 0; i < from->n_categories; i++) {
        const struct totals_category *c = &from->categories[i];
        totals_count(into, str_z(c->name), c->n - c->cached, false);
        totals_count(into, str_z(c->name), c->cached, true);
    }
    into->ran_us += from->ran_us;
    into->cached_us += from->cached_us;
    counters(from, n);
    counters_add(into, n);
}

const struct totals_category *totals_find(const struct totals *t, const char *name)
{
    for (uint32_t i = 0; i < t->n_categories; i++)
        if (strcmp(t->categories[i].name, name) == 0)
            return &t->categories[i];
    return NULL;
}

void totals_pack(const struct totals *t, struct buf *out)
{
    uint32_t n[COUNTERS];
    pack_u32(out, t->n_categories);
    for (uint32_t i = 0; i < t->n_categories; i++) {
        pack_str(out, str_z(t->categories[i].name));
        pack_u32(out, t->categories[i].n);
        pack_u32(out, t->categories[i].cached);
    }
    counters(t, n);
    for (uint32_t i = 0; i < COUNTERS; i++)
        pack_u32(out, n[i]);
    pack_u64(out, t->ran_us);
    pack_u64(out, t->cached_us);
}

void totals_unpack(struct totals *t, struct unpack *u)
{
    uint32_t in[COUNTERS];
    *t = (struct totals){0};
    for (uint32_t n = unpack_count(u, 12); n > 0; n--) {
        struct str name = unpack_str(u);
        uint32_t all = unpack_u32(u), cached = unpack_u32(u);
        totals_count(t, name, all - cached, false);
        totals_count(t, name, cached, true);
    }
    for (uint32_t i = 0; i < COUNTERS; i++)
        in[i] = unpack_u32(u);
    counters_add(t, in);
    t->ran_us = unpack_u64(u);
    t->cached_us = unpack_u64(u);
}
