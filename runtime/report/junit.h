/* JUnit XML as pytest writes it (pytest 9.2, _pytest/junitxml.py; schema: Jenkins' junit-10.xsd).
 * The only user of libxml2; its types stay in junit.c.
 *
 * Calling sequence: struct junit *j = junit_new(&options); for each part: junit_collect and
 * junit_test, then junit_take; junit_document(…) around all parts; junit_free(j).
 * The text of a part does not depend on other parts, so that parts can be kept. libxml2 does not
 * check what it writes: everything goes through the same escaping as pytest's bin_xml_escape. */
#ifndef FASTEST_REPORT_JUNIT_H
#define FASTEST_REPORT_JUNIT_H

#include "runtime/report/model.h"
#include "runtime/report/totals.h"

/* pytest's options and ini values junit_*. */
struct junit_options {
    struct str prefix;       /* --junitprefix; p == NULL: none */
    struct str suite_name;   /* "pytest" */
    struct str logging;      /* no, log, system-out, system-err, out-err, all */
    bool log_passing_tests;  /* true */
    bool call_duration_only; /* junit_duration_report = call; false */
    bool xunit1;             /* junit_family; false: xunit2 */
};
/* pytest's defaults, then what args (pytest's command line) says: --junitprefix, -o junit_*=…. */
struct junit_options junit_options_from(const struct str *args, uint32_t n_args);

/* libxml2's, as it would be loaded: 21400 is 2.14.0; 0: it is not there. */
unsigned junit_library_version(void);

struct junit;
/* options are copied; their strings must outlive it. */
struct junit *junit_new(const struct junit_options *options);
void junit_free(struct junit *j); /* NULL is allowed */

/* A collection that failed or was skipped; file is its path relative to rootdir. */
void junit_collect(struct junit *j, const struct report_phase *p);
void junit_test(struct junit *j, const struct report_test *t);
/* Appends what was written since the last call (collections go to a separate text, as pytest has
 * them first), and adds its statistics to the junit_ fields of t. */
void junit_take(struct junit *j, struct buf *collections, struct buf *tests, struct totals *t);

struct junit_head {
    int64_t start_ns, wall_ns; /* wall clock of the run's start; its duration */
    const struct totals *totals;
};
/* Appends the whole document. False only when libxml2 fails (out of memory). */
bool junit_document(struct junit *j, struct buf *out, const struct junit_head *h,
                    const struct str *parts, size_t n_parts);

#endif
