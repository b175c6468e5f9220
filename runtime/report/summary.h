/* The end of a run: loads the records of a plan, writes the reports, prints the report.
 *
 * <state>/junit.xml and <state>/report.json always hold the last run. When everything was cached
 * and they were written for exactly these records (<state>/reports.bin), they are left alone. */
#ifndef FASTEST_REPORT_SUMMARY_H
#define FASTEST_REPORT_SUMMARY_H

#include "generator/graph/plan.h"
#include "runtime/base/err.h"

#include <stdio.h>

struct summary_options {
    bool color;
    int verbosity;
    const char *junit, *json; /* files to write as well; may be NULL */
    int64_t wall_ns;          /* of the run so far */
    bool print_failures;
    const char *stopped;      /* the line that says why the run stopped, in the place of -x's; NULL: none */
};

/* *code is pytest's exit code for the run. False with err when a report cannot be written; the
 * terminal report was printed then, too. */
bool summary_run(const struct plan *plan, const struct summary_options *o, FILE *out,
                 enum exit_code *code, struct err *err);

#endif
