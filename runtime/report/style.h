/* Pieces of terminal text: colours, separator lines, the last line (pytest 9.2,
 * _pytest/_io/terminalwriter.py and TerminalReporter.build_summary_stats_line). */
#ifndef FASTEST_REPORT_STYLE_H
#define FASTEST_REPORT_STYLE_H

#include "runtime/report/totals.h"

#define STYLE_RED "\x1b[31m"
#define STYLE_GREEN "\x1b[32m"
#define STYLE_YELLOW "\x1b[33m"
#define STYLE_CYAN "\x1b[36m"
#define STYLE_BOLD "\x1b[1m"

/* Appends text between codes (NULL or "" = plain) and the reset. */
void style_text(struct buf *out, const char *codes, struct str text);
/* A line of `fill` around title, as wide as `width` allows. */
void style_line(struct buf *out, char fill, struct str title, int width, const char *codes);
/* " - message" cut to the columns that are left; nothing when not even "..." fits. */
void style_message(struct buf *out, struct str message, int columns);
/* A failure's text with pytest's colours: "E" lines, and the locations. */
void style_traceback(struct buf *out, struct str repr, bool color);

/* "0.52s", "12.3s", "3m 20s", "2h 05m" */
void style_time(struct buf *out, double seconds);

struct style_last {
    const struct totals *totals;
    uint32_t batches_not_run;
    int64_t wall_ns;
    int width; /* 0: without the separators */
    bool color;
};
/* "=== 2 passed (1 cached), 1 failed in 0.52s (2 ran, 1 cached, 3.10s saved) ===" */
void style_last_line(struct buf *out, const struct style_last *l);

#endif
