/* The progress bar and the time that is left. */
#ifndef FASTEST_REPORT_LIVE_BAR_H
#define FASTEST_REPORT_LIVE_BAR_H

#include "generator/graph/plan.h"
#include "generator/graph/record.h"
#include "runtime/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* What the modules of a run took when they last ran, and how much of that is done. */
struct live_work {
    double *expected_s; /* of each module; < 0: unknown */
    uint32_t *items;    /* of each module, known from its record or its session */
    uint32_t *done;     /* results of each */
    uint32_t n_modules;
    int64_t first_ns;   /* of the first result, 0 = none yet */
};

/* Reads the records of the modules that must run. */
void live_work_load(struct live_work *w, const struct plan *plan);
void live_work_release(struct live_work *w);
/* Seconds that are left, < 0 when nothing is known. total: items of the run, 0 when it is not known yet. */
double live_work_left(const struct live_work *w, uint32_t total, int64_t now_ns);
/* Seconds of all phases of a result (a JSON document of runtime/PROTOCOL.md), without reading the rest. */
double live_result_seconds(struct str json);

struct live_bar {
    uint32_t done, total; /* total 0: not known yet */
    uint32_t counts[OUT_COUNT];
    double left_s;        /* < 0: not known */
    int width;            /* columns of the terminal */
    bool color, unicode;
};
/* One line without its end, narrower than the terminal. */
void live_bar_text(const struct live_bar *b, struct buf *out);

#endif
