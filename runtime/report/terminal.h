/* The report on the terminal, in pytest's look (pytest 9.2, _pytest/terminal.py).
 *
 * Calling sequence: struct terminal t; terminal_init(&t, &options); terminal_collect and
 * terminal_test for what ran, in order; terminal_print(…); terminal_release(&t).
 * Everything is kept as text until terminal_print, which puts the sections into pytest's order. */
#ifndef FASTEST_REPORT_TERMINAL_H
#define FASTEST_REPORT_TERMINAL_H

#include "runtime/report/model.h"
#include "runtime/report/terminal_skips.h"
#include "runtime/report/totals.h"

#include <stdio.h>

enum terminal_traceback { TRACEBACK_FULL, TRACEBACK_LINE, TRACEBACK_NONE };

struct terminal_options {
    bool color, print_failures;
    int verbosity;
    int width;                         /* columns */
    bool full_messages;                /* -vv or a CI machine: the short summary is not cut */
    bool no_summary;                   /* --no-summary */
    enum terminal_traceback traceback; /* --tb */
    struct str show_capture;           /* --show-capture: all, no, stdout, stderr, log */
    char report_chars[32];             /* -r, expanded: "fE" */
    struct str root, cwd;              /* node ids are shown relative to cwd */
};
/* Options from pytest's command line, the environment (COLUMNS, CI) and the terminal behind out. */
struct terminal_options terminal_options_from(const struct plan *plan, FILE *out);
/* True when nothing about tests that passed, were skipped or expected to fail is printed. */
bool terminal_failures_only(const struct terminal_options *o);

enum { TERMINAL_LISTS = 6 }; /* report letters of the short summary: f E x X s p */

struct terminal {
    struct terminal_options options;
    struct buf lines; /* -v */
    struct buf collect_errors, errors, failures;
    struct buf collect_error_list; /* short summary of collect_errors */
    struct buf lists[TERMINAL_LISTS];
    struct terminal_skips skips;   /* those of the letter s */
};

void terminal_init(struct terminal *t, const struct terminal_options *o);
void terminal_release(struct terminal *t);
void terminal_collect(struct terminal *t, const struct report_phase *p);
void terminal_test(struct terminal *t, const struct report_test *test);

struct terminal_end {
    const struct totals *totals;
    uint32_t batches_not_run;
    int64_t wall_ns;
    struct str note;  /* a line before the last one, "" for none */
    struct str junit; /* the file that was asked for, "" for none */
    bool stopped;     /* by -x or --maxfail */
    struct str stopped_why; /* "" for what these say */
    bool interrupted; /* by collection errors */
};
void terminal_print(const struct terminal *t, const struct terminal_end *e, FILE *out);

#endif
