/* --durations: the slowest phases (pytest 9.2, _pytest/runner.py: pytest_terminal_summary).
 *
 * Of a limited list only what may be shown is kept, however many tests there are. */
#ifndef FASTEST_REPORT_TERMINAL_DURATIONS_H
#define FASTEST_REPORT_TERMINAL_DURATIONS_H

#include "runtime/report/model.h"

struct terminal_durations {
    int limit;      /* -1: not asked for, 0: all */
    double least_s; /* shorter ones are counted, not shown */
    bool told;      /* --durations-min was given */
    struct duration *items;
    size_t n, cap;
    uint64_t seen;  /* phases in all */
};

void terminal_durations_add(struct terminal_durations *d, const struct report_test *t);
/* Sorts, and appends the lines below the headline. */
void terminal_durations_text(struct terminal_durations *d, struct buf *out);
void terminal_durations_release(struct terminal_durations *d);

#endif
