/* The terminal while the tests run: pytest's letters or lines as results come in, on a terminal with a progress
 * bar on the last line. Nothing but whole lines is written where there is no terminal.
 *
 * Calling sequence: live_new; live_head; live_collected, live_module, live_result, live_module_end,
 * live_text, live_notice as things happen; live_tick now and then; live_finish; later live_shown by the
 * summary; live_free. Results of a module may come in any order, and again (the later one counts). Times are
 * monotonic, in nanoseconds. */
#ifndef FASTEST_REPORT_LIVE_H
#define FASTEST_REPORT_LIVE_H

#include "runtime/report/terminal.h"

struct live_options {
    struct terminal_options terminal;
    bool bar;     /* out is a terminal that can go back to the start of a line */
    bool unicode; /* it shows more than ASCII */
    bool silent;  /* something else than this is printed */
};
/* From pytest's settings, the environment and the terminal behind out. */
struct live_options live_options_from(const struct plan *plan, bool color, FILE *out);

struct live;
/* plan and out must outlive it. */
struct live *live_new(const struct plan *plan, const struct live_options *o, FILE *out, int64_t now_ns);
void live_free(struct live *l); /* NULL is allowed */

/* Whether results are shown at all. */
bool live_wants_results(const struct live *l);
/* Whether live_module and live_result need the texts of the frames. */
bool live_wants_text(const struct live *l);

void live_head(struct live *l);
void live_collected(struct live *l, uint32_t n_items);
void live_module(struct live *l, uint32_t module, uint32_t n_items, struct str json);
void live_result(struct live *l, uint32_t module, uint32_t item, enum record_outcome o, struct str json);
void live_module_end(struct live *l, uint32_t module);
/* Somebody else's output (Ninja's, a batch's): whole lines, the rest when it comes. */
void live_text(struct live *l, struct str text);
/* A line of ours. */
void live_notice(struct live *l, struct str line);
void live_resize(struct live *l, int width);
/* Draws the bar anew when it is time to. Returns when to call again, 0 = when something has happened. */
int64_t live_tick(struct live *l, int64_t now_ns);
void live_finish(struct live *l);

/* Has this result been printed, with its failure if it is one? */
bool live_shown(const struct live *l, uint32_t module, uint32_t item, enum record_outcome o);

#endif
