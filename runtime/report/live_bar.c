#include "runtime/report/live_bar.h"

#include "runtime/base/maths.h"
#include "runtime/report/style.h"
#include "runtime/report/text.h"

#include <stdlib.h>

/* ---- time ---- */

/* "d" is the key of a phase's duration and of nothing else; inside a string its quotes are escaped. */
double live_result_seconds(struct str json)
{
    double sum = 0;
    const char *p = json.p, *end = json.p + json.n;
    while (end - p > 4 && (p = memchr(p, '"', (size_t)(end - p) - 4)) != NULL) {
        if (memcmp(p, "\"d\":", 4) == 0) {
            char text[32];
            size_t n = (size_t)(end - p) - 4 < sizeof text - 1 ? (size_t)(end - p) - 4 : sizeof text - 1;
            memcpy(text, p + 4, n);
            text[n] = '\0';
            double d = strtod(text, NULL);
            sum += d > 0 && d < 1e9 ? d : 0;
        }
        p++;
    }
    return sum;
}

static void load_module(struct live_work *w, const struct plan *plan, uint32_t i)
{
    struct buf path = {0};
    struct record r;
    buf_str(&path, plan->modules[i].record);
    w->expected_s[i] = -1;
    if (plan->modules[i].stale && record_load(&r, path.p, plan->root, false)) {
        w->items[i] = r.n_items;
        w->expected_s[i] = r.n_results || r.n_items == 0 ? 0 : -1;
        for (uint32_t k = 0; k < r.n_results; k++)
            w->expected_s[i] += live_result_seconds(r.results[k].json);
        record_release(&r);
    }
    buf_release(&path);
}

void live_work_load(struct live_work *w, const struct plan *plan)
{
    size_t n = (size_t)plan->n_modules + 1; /* "@other" */
    *w = (struct live_work){.n_modules = plan->n_modules + 1};
    w->expected_s = xmalloc(n * sizeof *w->expected_s);
    w->items = xmalloc(n * sizeof *w->items);
    w->done = xmalloc(n * sizeof *w->done);
    memset(w->items, 0, n * sizeof *w->items);
    memset(w->done, 0, n * sizeof *w->done);
    w->expected_s[plan->n_modules] = -1;
    for (uint32_t i = 0; i < plan->n_modules; i++)
        load_module(w, plan, i);
}

void live_work_release(struct live_work *w)
{
    free(w->expected_s);
    free(w->items);
    free(w->done);
    *w = (struct live_work){0};
}

/* Modules with a record say how long they take; the others count as so many mean tests. What is done by now of
 * that, and in what time, says how fast it goes. */
double live_work_left(const struct live_work *w, uint32_t total, int64_t now_ns)
{
    double known_s = 0, done_s = 0, left_s = 0;
    uint64_t known_items = 0, items = 0, done = 0, unknown_done = 0, unknown_left = 0;
    for (uint32_t i = 0; i < w->n_modules; i++) {
        uint32_t n = w->items[i] > w->done[i] ? w->items[i] : w->done[i];
        items += n;
        done += w->done[i];
        if (w->expected_s[i] >= 0 && n) {
            known_s += w->expected_s[i];
            known_items += n;
            done_s += w->expected_s[i] * w->done[i] / n;
            left_s += w->expected_s[i] * (n - w->done[i]) / n;
        } else {
            unknown_done += w->done[i];
            unknown_left += n - w->done[i];
        }
    }
    if (total > items)
        unknown_left += total - items;
    if (done == 0 || w->first_ns == 0 || now_ns <= w->first_ns)
        return -1;
    double mean = known_items ? known_s / (double)known_items : 1;
    done_s += (double)unknown_done * mean;
    left_s += (double)unknown_left * mean;
    double elapsed = (double)(now_ns - w->first_ns) / 1e9;
    return done_s > 0 ? left_s * elapsed / done_s : -1;
}

/* ---- the line ---- */

static void put_time(struct buf *out, double seconds)
{
    if (seconds < 0)
        return;
    long s = -(long)maths_floor(-seconds); /* rounded up */
    if (s < 60)
        buf_printf(out, "  %lds left", s);
    else if (s < 3600)
        buf_printf(out, "  %ldm %02lds left", s / 60, s % 60);
    else
        buf_printf(out, "  %ldh %02ldm left", s / 3600, s / 60 % 60);
}

static const char *color_of(const struct live_bar *b)
{
    if (b->counts[OUT_FAILED] || b->counts[OUT_ERROR])
        return STYLE_RED;
    return b->counts[OUT_XPASSED] ? STYLE_YELLOW : STYLE_GREEN;
}

static void put_counts(const struct live_bar *b, struct buf *out)
{
    static const struct {
        enum record_outcome o;
        const char *word;
    } shown[] = {{OUT_FAILED, "failed"}, {OUT_ERROR, "errors"}, {OUT_SKIPPED, "skipped"}, {OUT_XFAILED, "xfailed"},
                 {OUT_XPASSED, "xpassed"}};
    buf_printf(out, "  %u/%u", b->done, b->total);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (b->counts[shown[i].o])
            buf_printf(out, "  %u %s", b->counts[shown[i].o], shown[i].word);
}

static void put_cells(const struct live_bar *b, int cells, struct buf *out)
{
    const char *full = b->unicode ? "\xE2\x94\x81" : "=", *rest = b->unicode ? "\xE2\x94\x80" : "-";
    int filled = (int)((double)cells * b->done / b->total);
    buf_z(out, b->color ? color_of(b) : b->unicode ? "" : "[");
    for (int i = 0; i < cells; i++) {
        if (b->color && i == filled)
            buf_z(out, "\x1b[0m\x1b[2m");
        buf_z(out, i < filled ? full : rest);
    }
    buf_z(out, b->color ? "\x1b[0m" : b->unicode ? "" : "]");
}

void live_bar_text(const struct live_bar *b, struct buf *out)
{
    enum { MOST = 40, LEAST = 5, FRAME = 5 /* " 42% " */ };
    struct buf tail = {0};
    if (b->total == 0) {
        buf_z(out, "collecting ...");
        return;
    }
    put_counts(b, &tail);
    put_time(&tail, b->left_s);
    int room = b->width - 1 - FRAME - (b->color || b->unicode ? 0 : 2) - (int)tail.n;
    buf_printf(out, "%3u%% ", (unsigned)((uint64_t)b->done * 100 / b->total));
    if (room >= LEAST)
        put_cells(b, room < MOST ? room : MOST, out);
    struct str shown = str_slice(buf_view(&tail), 0, b->width > FRAME + 1 ? (size_t)(b->width - FRAME - 1) : 0);
    buf_str(out, room >= LEAST ? buf_view(&tail) : shown);
    buf_release(&tail);
}
