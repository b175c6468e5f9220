#include "runtime/batch/trial.h"

#include "runtime/base/pack.h"
#include "runtime/batch/collect.h"
#include "runtime/wire/json.h"
#include "runtime/wire/msg.h"

#include <stdlib.h>
#include <string.h>

static struct str keep(struct trial *t, struct str s)
{
    return (struct str){arena_dup(&t->arena, s.p ? s.p : "", s.n), s.n};
}

/* ---- what comes before ---- */

static uint32_t last_wanted(const struct trial *t, const bool *wanted)
{
    uint32_t last = 0;
    for (uint32_t k = 0; k < t->of->n; k++)
        if (wanted[k])
            last = t->of->items[k].item;
    return last;
}

/* Marks the modules that the process of a wanted suspect had run, and that come before its own. */
static void mark_before(const struct trial *t, const bool *wanted, bool *before)
{
    const struct plan *plan = t->alone->plan;
    struct buf path = {0};
    for (uint32_t k = 0; k < t->of->n; k++) {
        struct json j = json_of(t->of->items[k].after);
        if (!wanted[k] || !t->of->items[k].after.n)
            continue;
        json_enter(&j, '[');
        while (json_item(&j)) {
            buf_clear(&path);
            if (!json_string(&j, &path))
                break;
            for (uint32_t i = 0; i < t->of->module && i < plan->n_modules; i++)
                if (str_eq(buf_view(&path), plan->modules[i].path))
                    before[i] = true;
        }
    }
    buf_release(&path);
}

static void all_items(struct trial *t, struct alone_module *m, uint32_t module, uint32_t n)
{
    m->module = module;
    m->items = arena_array(&t->arena, n, sizeof *m->items);
    for (uint32_t i = 0; i < n; i++)
        m->items[m->n_items++] = i;
}

/* The modules of the request: those before, then the suspects' own. */
static size_t request(struct trial *t, const bool *wanted, unsigned what, struct alone_module *out)
{
    const struct plan *plan = t->alone->plan;
    bool *before = arena_array(&t->arena, (size_t)plan->n_modules + 1, sizeof *before);
    size_t n = 0;
    if (what & TRIAL_BEFORE)
        mark_before(t, wanted, before);
    for (uint32_t i = 0; i < plan->n_modules; i++) {
        struct record head;
        if (before[i] && record_load(&head, plan->modules[i].record.p, plan->root, true)) {
            out[n] = (struct alone_module){0};
            all_items(t, &out[n], i, head.n_items);
            n += head.n_items > 0;
            record_release(&head);
        }
    }
    struct alone_module *own = &out[n++];
    *own = (struct alone_module){.module = t->of->module};
    if (what & TRIAL_PREFIX) {
        all_items(t, own, t->of->module, last_wanted(t, wanted) + 1);
        return n;
    }
    own->items = arena_array(&t->arena, t->of->n, sizeof *own->items);
    for (uint32_t k = 0; k < t->of->n; k++)
        if (wanted[k])
            own->items[own->n_items++] = t->of->items[k].item;
    return n;
}

bool trial_has_before(const struct trial *t, const bool *wanted)
{
    bool found = false;
    for (uint32_t k = 0; k < t->of->n; k++)
        found = found || (wanted[k] && (t->of->items[k].item > 0 || t->of->items[k].after.n > 2));
    return found;
}

double trial_seconds(const struct trial *t, const bool *wanted, unsigned what)
{
    const struct plan *plan = t->alone->plan;
    double sum = what & TRIAL_PREFIX ? suspects_seconds(t->of, last_wanted(t, wanted) + 1) : 0;
    bool *before = xmalloc(((size_t)plan->n_modules + 1) * sizeof *before);
    memset(before, 0, ((size_t)plan->n_modules + 1) * sizeof *before);
    if (what & TRIAL_BEFORE)
        mark_before(t, wanted, before);
    for (uint32_t i = 0; i < plan->n_modules; i++) {
        struct record r;
        if (!before[i] || !record_load(&r, plan->modules[i].record.p, plan->root, true))
            continue;
        sum += (double)(r.end_ns - r.start_ns) / 1e9; /* at most that */
        record_release(&r);
    }
    free(before);
    return sum;
}

/* ---- the trial ---- */

static void take_result(struct trial *t, struct str payload)
{
    struct unpack u = {.p = (const unsigned char *)payload.p, .n = payload.n};
    uint32_t item = unpack_u32(&u);
    uint8_t outcome = unpack_u8(&u);
    struct str json = unpack_str(&u);
    for (uint32_t k = 0; !u.bad && k < t->of->n; k++)
        if (t->of->items[k].item == item)
            t->verdicts[k] = (struct verdict){.passes = outcome != OUT_FAILED && outcome != OUT_ERROR,
                                              .outcome = outcome, .json = keep(t, json)};
}

static bool on_frame(void *ctx, const struct frame *f, struct err *err)
{
    struct trial *t = ctx;
    (void)err;
    if (f->tag != t->of->module)
        return true;
    if (f->type == WIRE_MODULE && !t->module.n)
        t->module = keep(t, f->payload);
    if (f->type == WIRE_RESULT)
        take_result(t, f->payload);
    return true;
}

bool trial_run(struct trial *t, const bool *wanted, unsigned what, struct str imports, struct err *err)
{
    struct alone a = *t->alone;
    struct alone_module *modules = arena_array(&t->arena, (size_t)a.plan->n_modules + 1, sizeof *modules);
    size_t n = request(t, wanted, what, modules);
    a.fn = on_frame;
    a.ctx = t;
    t->verdicts = arena_array(&t->arena, t->of->n, sizeof *t->verdicts);
    return alone_run(&a, modules, n, imports, err);
}

void trial_release(struct trial *t)
{
    arena_release(&t->arena);
}
