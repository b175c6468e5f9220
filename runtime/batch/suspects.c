#include "runtime/batch/suspects.h"

#include "runtime/batch/attempts.h"
#include "runtime/batch/collect.h"
#include "runtime/wire/document.h"

#include <string.h>

static bool failed(const struct record_result *r)
{
    return r->outcome == OUT_FAILED || r->outcome == OUT_ERROR;
}

static void look_at(struct suspects *s, const struct record_result *r)
{
    s->seconds[r->item] = document_seconds(r->json);
    if (!failed(r) || document_member(r->json, "final").n ||
        document_member(r->json, "always").n) /* it called the debugger */
        return;
    s->items[s->n++] = (struct suspect){
        .item = r->item, .kind = attempts_kind(r->json), .after = document_member(r->json, "after")};
}

static void find_waiting(struct suspects *s)
{
    uint32_t k = 0;
    if (!(s->rec.flags & REC_DEFERRED))
        return;
    s->waiting = arena_array(&s->rec.arena, s->rec.n_items, sizeof *s->waiting);
    for (uint32_t i = 0; i < s->rec.n_items; i++) {
        if (k < s->rec.n_results && s->rec.results[k].item == i)
            k++;
        else
            s->waiting[s->n_waiting++] = i;
    }
}

/* Only the head, of a record that has nothing for us. */
static bool worth_it(const struct plan *plan, const char *path)
{
    struct record head;
    bool worth = record_load(&head, path, plan->root, true) && head.run_id == plan->run_id &&
                 !(head.flags & REC_PASSED);
    record_release(&head);
    return worth;
}

bool suspects_load(struct suspects *s, const struct plan *plan, uint32_t module)
{
    struct buf path = {0};
    memset(s, 0, sizeof *s);
    s->module = module;
    collect_record_path(&path, plan, module);
    bool ok = worth_it(plan, path.p) && record_load(&s->rec, path.p, plan->root, false);
    if (ok) {
        s->split = s->rec.flags & REC_SPLIT;
        s->items = arena_array(&s->rec.arena, s->rec.n_results, sizeof *s->items);
        s->seconds = arena_array(&s->rec.arena, s->rec.n_items, sizeof *s->seconds);
        for (uint32_t i = 0; i < s->rec.n_results; i++)
            look_at(s, &s->rec.results[i]);
        find_waiting(s);
    }
    buf_release(&path);
    return s->n || s->n_waiting;
}

void suspects_release(struct suspects *s)
{
    record_release(&s->rec);
}

double suspects_seconds(const struct suspects *s, uint32_t to)
{
    double sum = 0;
    for (uint32_t i = 0; i < to && i < s->rec.n_items; i++)
        sum += s->seconds[i];
    return sum;
}
