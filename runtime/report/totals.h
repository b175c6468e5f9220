/* The sums that the last line, the exit code and the reports' heads need. Plain data: totals of
 * parts are added up, so that those of cached modules can be kept. Zeroed = empty. */
#ifndef FASTEST_REPORT_TOTALS_H
#define FASTEST_REPORT_TOTALS_H

#include "runtime/base/pack.h"
#include "runtime/report/model.h"

enum { TOTALS_CATEGORIES = 32, TOTALS_NAME_BYTES = 48 };

struct totals_category {
    char name[TOTALS_NAME_BYTES]; /* cut when longer */
    uint32_t n, cached;
};

struct totals {
    struct totals_category categories[TOTALS_CATEGORIES]; /* in order of appearance */
    uint32_t n_categories;
    uint32_t outcomes[OUT_COUNT]; /* node ids by report_last_outcome */
    uint32_t ran, cached;         /* node ids */
    uint32_t items;               /* collected */
    uint32_t tests_not_run;       /* items of partial modules without a result */
    uint32_t collect_errors;
    uint32_t flaky;               /* node ids that passed after they had failed */
    uint64_t ran_us, cached_us;   /* what all phases took; those of cached results when they ran */
    uint32_t failed; /* node ids that failed, also in a part (subtest, tear-down) */
    /* The statistics of JUnit's head, see junit.h. */
    uint32_t junit_passed, junit_failures, junit_errors, junit_skipped, junit_double;
};

void totals_count(struct totals *t, struct str category, uint32_t n, bool cached);
/* The categories, outcome and ran/cached of one result. */
void totals_test(struct totals *t, const struct report_test *test);
/* A collection that failed or was skipped as a whole. */
void totals_collect(struct totals *t, const struct report_phase *p, bool cached);
void totals_merge(struct totals *into, const struct totals *from);
/* NULL when nothing was counted under that name. */
const struct totals_category *totals_find(const struct totals *t, const char *name);

void totals_pack(const struct totals *t, struct buf *out);
void totals_unpack(struct totals *t, struct unpack *u);

#endif
