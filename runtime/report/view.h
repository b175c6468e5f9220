/* A report that is made while the records are read: one more format is one more file with a
 * `const struct view_kind`, and a row in view.c.
 *
 * Calls come in this order: make; for each module: module, collect for what failed or was skipped as a
 * whole, test for each result; end, which writes what is left and frees. */
#ifndef FASTEST_REPORT_VIEW_H
#define FASTEST_REPORT_VIEW_H

#include "runtime/report/model.h"
#include "runtime/report/totals.h"

#include <stdio.h>

/* Sources and what each imports, paths relative to rootdir, sorted. */
struct view_graph {
    struct view_graph_file {
        struct str path;
        uint32_t *imports; /* indices into files, ascending */
        uint32_t n_imports;
    } *files;
    uint32_t n;
};

struct view_env {
    const struct plan *plan;
    const char *path; /* of the file to write, or NULL: the view prints to out */
    FILE *out;
    const struct view_graph *graph; /* or NULL */
};

struct view_end {
    const struct totals *totals;
    enum exit_code code;
    int64_t wall_ns;
    struct str error; /* why no test ran at all, "" */
};

struct view;
struct view_kind {
    /* NULL with err: the file cannot be written. */
    struct view *(*make)(const struct view_env *env, struct err *err);
    void (*module)(struct view *v, const struct report_module *m, uint32_t index); /* may be NULL */
    void (*collect)(struct view *v, const struct report_phase *p, bool cached);    /* may be NULL */
    void (*test)(struct view *v, const struct report_test *t);
    bool (*end)(struct view *v, const struct view_end *e, struct err *err);
};

enum view_format {
    VIEW_REPORT_LOG, /* pytest-reportlog's lines */
    VIEW_TAP,        /* version 13 */
    VIEW_TAP14,
    VIEW_GITHUB,     /* annotations of a workflow */
    VIEW_TEAMCITY,   /* service messages */
    VIEW_TRACE,      /* what the workers did, for a browser's trace viewer */
    VIEW_HTML,       /* one page */
    VIEW_FORMATS
};
const struct view_kind *view_kind(enum view_format f);

extern const struct view_kind view_report_log, view_tap, view_tap14, view_github, view_teamcity, view_trace, view_html;

#endif
