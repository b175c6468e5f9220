/* The report in the format of pytest-json-report 1.5, with "cached", "flaky", "batch" and "worker" of each test.
 *
 * A document is json_report_head, the collectors, json_report_tests, the tests, json_report_warnings, the
 * warnings, json_report_end; elements of a list have ",\n" between them. */
#ifndef FASTEST_REPORT_JSON_REPORT_H
#define FASTEST_REPORT_JSON_REPORT_H

#include "runtime/report/json_out.h"
#include "runtime/report/model.h"
#include "runtime/report/totals.h"

/* Append one element, after a comma when out is not empty: of "tests", of "collectors" (those that
 * failed or were skipped), and of "warnings". */
void json_test(struct buf *out, const struct report_test *t);
void json_collector(struct buf *out, const struct report_phase *p);
void json_warnings(struct buf *out, const struct report_warning *w, uint32_t n);

/* [[title, text]…] of what was captured. */
void json_sections(struct json_out *j, const struct report_phase *p);

struct json_head {
    double created_s; /* seconds since the epoch */
    double duration_s;
    int exit_code;
    struct str root;
    const struct totals *totals;
};
void json_report_head(struct buf *out, const struct json_head *h);
extern const char json_report_tests[], json_report_warnings[], json_report_end[];

#endif
