/* The end of a run: loads the records of a plan, writes the reports, prints the report.
 *
 * <state>/junit.xml and <state>/report.json always hold the last run. When everything was cached
 * and they were written for exactly these records (<state>/reports.bin), they are left alone. */
#ifndef FASTEST_REPORT_SUMMARY_H
#define FASTEST_REPORT_SUMMARY_H

#include "generator/graph/plan.h"
#include "runtime/base/err.h"
#include "runtime/report/live.h"
#include "runtime/report/view.h"

#include <stdio.h>

/* What is printed. */
enum summary_output { OUTPUT_PRETTY, OUTPUT_JSON, OUTPUT_COUNT, OUTPUT_NOTHING };

struct summary_options {
    bool color;
    enum summary_output output;
    const char *junit, *json;              /* files to write as well; may be NULL */
    bool views[VIEW_FORMATS];              /* further reports, printed before the last line … */
    const char *view_paths[VIEW_FORMATS];  /* … or written to these files */
    const struct view_graph *graph;        /* for the page; may be NULL */
    const struct live *live;               /* what was printed while the tests ran; may be NULL */
    bool notes_history;                    /* what has run is added to history.h's: once a run */
    int64_t wall_ns;                       /* of the run so far; 0: it is over, and the state says */
    bool print_failures;
    const char *stopped;      /* the line that says why the run stopped, in the place of -x's; NULL: none */
};

/* From the plan: what the command line asked for; the paths live in the plan, or in a. */
struct summary_options summary_options_from(const struct plan *plan, struct arena *a);

/* *code is pytest's exit code for the run. False with err when a report cannot be written; the
 * terminal report was printed then, too. */
bool summary_run(const struct plan *plan, const struct summary_options *o, FILE *out,
                 enum exit_code *code, struct err *err);

#endif
