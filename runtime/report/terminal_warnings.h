/* The warnings summary: equal messages are one, with the places that gave them (pytest 9.2,
 * TerminalReporter.summary_warnings). */
#ifndef FASTEST_REPORT_TERMINAL_WARNINGS_H
#define FASTEST_REPORT_TERMINAL_WARNINGS_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/map.h"

struct warning_group;
struct terminal_warnings {
    struct warning_group *groups; /* in order of appearance */
    size_t n, cap;
    struct map known; /* message → index */
    struct arena arena;
};

/* place: a node id, or "path:line". */
void terminal_warnings_add(struct terminal_warnings *w, struct str message, struct str place);
/* The lines below the headline; nothing when there are none. */
void terminal_warnings_text(const struct terminal_warnings *w, struct buf *out);
void terminal_warnings_release(struct terminal_warnings *w);

#endif
