/* The report on the terminal, in pytest's look (pytest 9.2, _pytest/terminal.py).
 *
 * Calling sequence: struct terminal t; terminal_init(&t, &options); terminal_collect and
 * terminal_test for what ran, in order; terminal_print(…); terminal_release(&t).
 * Everything is kept as text until terminal_print, which puts the sections into pytest's order. */
#ifndef FASTEST_REPORT_TERMINAL_H
#define FASTEST_REPORT_TERMINAL_H

#include "runtime/report/model.h"
#include "runtime/report/terminal_durations.h"
#include "runtime/report/terminal_skips.h"
#include "runtime/report/terminal_warnings.h"
#include "runtime/report/totals.h"

#include <stdio.h>

enum terminal_traceback { TRACEBACK_FULL, TRACEBACK_LINE, TRACEBACK_NONE };

struct terminal_options {
    bool color, print_failures;
    int verbosity;
    int width;                         /* columns */
    bool full_messages;                /* -vv or a CI machine: the short summary is not cut */
    bool no_summary, no_header;
    bool warnings;                     /* the warnings summary; not with --disable-warnings */
    bool xfail_tb, unfolded_skips;     /* --xfail-tb, --no-fold-skipped */
    int durations;                     /* --durations: -1 none, 0 all */
    double durations_min_s;            /* < 0: pytest's default */
    enum terminal_traceback traceback; /* --tb */
    struct str show_capture;           /* --show-capture: all, no, stdout, stderr, log */
    char report_chars[32];             /* -r, expanded: "fE", without w */
    struct str root, cwd;              /* node ids are shown relative to cwd */
};
/* Columns of the terminal behind fd (shutil.get_terminal_size and pytest's get_terminal_width: COLUMNS
 * comes first, under 40 columns counts as 80). */
int terminal_width(int fd);
/* Options from pytest's settings, the environment (COLUMNS, CI) and the terminal behind out. */
struct terminal_options terminal_options_from(const struct plan *plan, FILE *out);
/* True when nothing about tests that passed, were skipped or expected to fail is printed. */
bool terminal_failures_only(const struct terminal_options *o);

enum { TERMINAL_LISTS = 6 }; /* report letters of the short summary: f E x X s p */
/* The parts of the report in their order. */
enum terminal_section {
    SECTION_COLLECT_ERRORS, SECTION_ERRORS, SECTION_FAILURES, SECTION_XFAILURES, SECTION_PASSES, SECTION_XPASSES,
    SECTION_COUNT
};

struct terminal {
    struct terminal_options options;
    struct buf lines; /* -v */
    struct buf sections[SECTION_COUNT];
    struct buf collect_error_list; /* short summary of collect_errors */
    struct buf lists[TERMINAL_LISTS];
    struct terminal_skips skips;   /* those of the letter s */
    struct terminal_warnings warnings;
    struct terminal_durations durations;
};

void terminal_init(struct terminal *t, const struct terminal_options *o);
void terminal_release(struct terminal *t);
void terminal_collect(struct terminal *t, const struct report_phase *p);
void terminal_test(struct terminal *t, const struct report_test *test);
/* Appends the line of -v, without its end, and with a note behind it. */
void terminal_line(const struct terminal *t, const struct report_test *test, const char *note, struct buf *out);
/* Appends the failures and errors of a test as their sections show them. */
void terminal_failures(const struct terminal *t, const struct report_test *test, struct buf *out);
/* Warnings as notes that can be kept; id: of the test, or "" for some that belong to none. */
void terminal_note(const struct terminal *t, const struct report_warning *w, uint32_t n, struct str id, struct buf *notes);
/* Takes notes in for the warnings summary. */
void terminal_take_notes(struct terminal *t, struct str notes);

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
void terminal_print(struct terminal *t, const struct terminal_end *e, FILE *out);

#endif
