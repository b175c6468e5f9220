#include "runtime/report/history.h"

#include "runtime/base/clock.h"
#include "runtime/base/pack.h"

#include <stdlib.h>
#include <string.h>

static const char magic[8] = "FSTHIST\n";
enum { VERSION = 1, RUN_BYTES = 13, KEEP_S = 180 * 24 * 3600 };

/* ---- the file ---- */

static const char *path_of(struct str state_dir, struct buf *path)
{
    path_join(path, state_dir, STR("history.bin"));
    return path->p;
}

static void read_test(struct unpack *u, struct history_test *t)
{
    t->id = unpack_str(u);
    t->n = unpack_u8(u);
    if (t->n > HISTORY_RUNS) {
        t->n = 0;
        u->bad = true;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        t->runs[i].outcome = unpack_u8(u);
        t->runs[i].duration_us = unpack_u32(u);
        t->runs[i].key = unpack_u32(u);
        t->runs[i].when_s = unpack_u32(u);
        u->bad = u->bad || t->runs[i].outcome >= OUT_COUNT;
    }
}

bool history_load(struct history *h, struct str state_dir)
{
    struct buf path = {0};
    struct unpack u;
    *h = (struct history){0};
    bool ok = pack_open(path_of(state_dir, &path), magic, VERSION, &h->file, &u);
    buf_release(&path);
    if (ok) {
        uint32_t n = unpack_count(&u, 5);
        h->tests = n ? xmalloc(n * sizeof *h->tests) : NULL;
        h->cap = n;
        for (; h->n < n && !u.bad; h->n++) {
            read_test(&u, &h->tests[h->n]);
            *map_put(&h->at, h->tests[h->n].id, NULL) = h->n + 1;
        }
        ok = !u.bad;
    }
    if (!ok) {
        history_release(h);
        *h = (struct history){0};
    }
    return ok;
}

void history_release(struct history *h)
{
    free(h->tests);
    map_release(&h->at);
    buf_release(&h->file);
    arena_release(&h->arena);
}

static int by_id(const void *a, const void *b)
{
    return str_cmp(((const struct history_test *)a)->id, ((const struct history_test *)b)->id);
}

bool history_save(struct history *h, struct str state_dir, uint32_t now_s, uint32_t keep_s, struct err *err)
{
    struct buf b = {0}, path = {0};
    size_t kept = 0;
    for (size_t i = 0; i < h->n; i++) {
        struct history_test t = h->tests[i];
        if (t.n && (!keep_s || t.runs[t.n - 1].when_s + (uint64_t)keep_s >= now_s))
            h->tests[kept++] = t;
    }
    h->n = kept;
    map_release(&h->at);
    if (kept)
        qsort(h->tests, kept, sizeof *h->tests, by_id);
    pack_u32(&b, (uint32_t)kept);
    for (size_t i = 0; i < kept; i++) {
        const struct history_test *t = &h->tests[i];
        *map_put(&h->at, t->id, NULL) = i + 1;
        pack_str(&b, t->id);
        pack_u8(&b, (uint8_t)t->n);
        for (uint32_t k = 0; k < t->n; k++) {
            pack_u8(&b, t->runs[k].outcome);
            pack_u32(&b, t->runs[k].duration_us);
            pack_u32(&b, t->runs[k].key);
            pack_u32(&b, t->runs[k].when_s);
        }
    }
    bool ok = pack_save(path_of(state_dir, &path), magic, VERSION, &b, err);
    buf_release(&b);
    buf_release(&path);
    return ok;
}

/* ---- tests ---- */

const struct history_test *history_find(const struct history *h, struct str id)
{
    const uintptr_t *at = map_get(&h->at, id);
    return at ? &h->tests[*at - 1] : NULL;
}

struct history_test *history_add(struct history *h, struct str id, struct history_run run)
{
    uintptr_t *at = map_get(&h->at, id);
    if (!at) {
        struct str own = {arena_dup(&h->arena, id.p ? id.p : "", id.n), id.n};
        h->tests = xgrow(h->tests, &h->cap, h->n + 1, sizeof *h->tests);
        h->tests[h->n++] = (struct history_test){.id = own};
        at = map_put(&h->at, own, NULL);
        *at = h->n;
    }
    struct history_test *t = &h->tests[*at - 1];
    if (t->n == HISTORY_RUNS) {
        memmove(t->runs, t->runs + 1, (HISTORY_RUNS - 1) * sizeof *t->runs);
        t->n--;
    }
    t->runs[t->n++] = run;
    return t;
}

bool history_failed(const struct history_run *r)
{
    return r->outcome == OUT_FAILED || r->outcome == OUT_ERROR;
}

/* Each run counts half as much again as the one before it. */
static double mean_us(const struct history_test *t, bool passes)
{
    double sum = 0, weights = 0, weight = 1;
    for (uint32_t i = 0; i < t->n; i++, weight *= 1.5) {
        if (passes && history_failed(&t->runs[i]))
            continue;
        sum += weight * t->runs[i].duration_us;
        weights += weight;
    }
    return weights > 0 ? sum / weights : -1;
}

double history_mean_s(const struct history_test *t)
{
    double us = t ? mean_us(t, true) : -1;
    if (t && us < 0)
        us = mean_us(t, false);
    return us < 0 ? -1 : us / 1e6;
}

unsigned history_flips(const struct history_test *t)
{
    unsigned n = 0;
    for (uint32_t i = 1; t && i < t->n; i++)
        n += t->runs[i].key == t->runs[i - 1].key && history_failed(&t->runs[i]) != history_failed(&t->runs[i - 1]);
    return n;
}

/* ---- after a run ---- */

void history_note(struct history *h, const struct report_module *m, const struct report_test *t)
{
    double us = report_seconds(t) * 1e6;
    history_add(h, t->item->id,
                (struct history_run){.outcome = (uint8_t)t->outcome,
                                     .duration_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX,
                                     .key = (uint32_t)(m->record.key.lo ^ m->record.key.hi >> 32),
                                     .when_s = (uint32_t)(m->record.end_ns / 1000000000)});
}

bool history_keep(struct history *h, struct str state_dir, struct err *err)
{
    return history_save(h, state_dir, (uint32_t)(clock_wall_ns() / 1000000000), KEEP_S, err);
}
