/* The skipped tests of the short summary: equal ones are one line with their count (pytest 9.2,
 * _pytest/terminal.py: _folded_skips). In the order in which they came. */
#ifndef FASTEST_REPORT_TERMINAL_SKIPS_H
#define FASTEST_REPORT_TERMINAL_SKIPS_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/map.h"

struct terminal_skip {
    struct str path, reason;
    int64_t line;   /* -1: not shown */
    uint32_t count;
};

struct terminal_skips { /* zeroed: empty */
    struct terminal_skip *items;
    size_t n, cap;
    struct map known;
    struct arena arena;
};

/* Copies what it is given. */
void terminal_skips_add(struct terminal_skips *s, struct str path, int64_t line, struct str reason);
void terminal_skips_release(struct terminal_skips *s);

#endif
