/* JSON: reads the documents of runtime/PROTOCOL.md into the model's structs, and writes the report
 * in the format of pytest-json-report 1.5. The only user of cJSON; its types stay in json.c.
 *
 * Output is valid UTF-8 always: lone surrogates (Python's surrogateescape) are written visibly,
 * as the six characters \udcff. */
#ifndef FASTEST_REPORT_JSON_H
#define FASTEST_REPORT_JSON_H

#include "runtime/report/model.h"
#include "runtime/report/totals.h"

/* Everything parsed lives in a. False when the text is not such a document. */
bool json_parse_meta(struct str json, struct arena *a, struct report_meta *out);
bool json_parse_result(struct str json, struct arena *a, struct report_result *out);

/* cJSON's, as it runs. */
const char *json_version(void);

/* Append one element of "tests", and of "collectors" (those that failed or were skipped), after a
 * comma when out is not empty. */
void json_test(struct buf *out, const struct report_test *t);
void json_collector(struct buf *out, const struct report_phase *p);

struct json_head {
    double created_s; /* seconds since the epoch */
    double duration_s;
    int exit_code;
    struct str root;
    const struct totals *totals;
};
/* Appends the whole document around the n parts' collectors and tests (empty ones are left out). */
void json_document(struct buf *out, const struct json_head *h, const struct str *collectors,
                   const struct str *tests, size_t n);

#endif
