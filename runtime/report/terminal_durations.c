#include "runtime/report/terminal_durations.h"

#include "runtime/report/text.h"

#include <stdlib.h>

enum { SLACK = 1024 }; /* more than the limit before it is sorted and cut */

struct duration {
    double seconds;
    uint64_t order; /* of appearance */
    enum report_when when;
    char *id;
};

static int compare(const void *a, const void *b)
{
    const struct duration *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds > y->seconds ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void cut(struct terminal_durations *d)
{
    if (d->n)
        qsort(d->items, d->n, sizeof *d->items, compare);
    while (d->limit > 0 && d->n > (size_t)d->limit)
        free(d->items[--d->n].id);
}

void terminal_durations_add(struct terminal_durations *d, const struct report_test *t)
{
    for (uint32_t i = 0; d->limit >= 0 && i < t->result.n_phases; i++) {
        const struct report_phase *p = &t->result.phases[i];
        uint64_t order = d->seen++;
        if (p->duration_s < d->least_s)
            continue;
        if (d->limit > 0 && d->n >= (size_t)d->limit + SLACK)
            cut(d);
        d->items = xgrow(d->items, &d->cap, d->n + 1, sizeof *d->items);
        char *id = xmalloc(t->item->id.n + 1);
        memcpy(id, t->item->id.p, t->item->id.n);
        id[t->item->id.n] = '\0';
        d->items[d->n++] = (struct duration){p->duration_s, order, p->when, id};
    }
}

void terminal_durations_text(struct terminal_durations *d, struct buf *out)
{
    cut(d);
    for (size_t i = 0; i < d->n; i++) {
        buf_printf(out, "%.2fs %-8s ", d->items[i].seconds, report_when_name(d->items[i].when));
        text_raw(out, str_z(d->items[i].id));
        buf_char(out, '\n');
    }
    uint64_t listed = d->limit > 0 && d->seen > (uint64_t)d->limit ? (uint64_t)d->limit : d->seen;
    if (listed > d->n)
        buf_printf(out, "\n(%llu durations < %gs hidden.%s)\n", (unsigned long long)(listed - d->n), d->least_s,
                   d->told ? "" : "  Use -vv to show these durations.");
}

void terminal_durations_release(struct terminal_durations *d)
{
    for (size_t i = 0; i < d->n; i++)
        free(d->items[i].id);
    free(d->items);
    d->items = NULL;
    d->n = d->cap = 0;
}
