/* What earlier runs tell: how long each test takes (records), and whether tests compute or wait (<state>/load): who waits
 * leaves processors to others. */
#include "runtime/pool/state.h"

#include "generator/graph/record.h"
#include "runtime/base/arena.h"
#include "runtime/wire/document.h"

#include <stdio.h>
#include <stdlib.h>

static const double SIGNIFICANT_S = 0.5;

static void load_path(const struct pool *p, struct buf *out)
{
    buf_str(out, buf_view(&p->state_dir));
    buf_z(out, "/load");
}

static double seconds(struct str document, const char *name)
{
    struct buf b = {0};
    buf_str(&b, document_member(document, name));
    double value = b.n ? strtod(b.p, NULL) : 0;
    buf_release(&b);
    return value > 0 && value < 1e9 ? value : 0;
}

void load_take(struct pool *p, struct str gone)
{
    p->cpu_s += seconds(gone, "cpu");
    p->busy_s += seconds(gone, "busy");
}

void load_save(struct pool *p)
{
    struct buf path = {0}, text = {0};
    if (p->busy_s >= SIGNIFICANT_S) {
        load_path(p, &path);
        buf_printf(&text, "%.3f %.3f\n", p->cpu_s, p->busy_s);
        io_replace(path.p, buf_view(&text), NULL);
    }
    p->cpu_s = p->busy_s = 0;
    buf_release(&path);
    buf_release(&text);
}

uint32_t load_workers(struct pool *p)
{
    struct buf path = {0}, text = {0};
    double cpu = 0, busy = 0, most = 2.0 * p->cpus;
    load_path(p, &path);
    if (io_stat_path(path.p).kind == IO_FILE && io_read(path.p, 0, &text, NULL) && text.n)
        sscanf(text.p, "%lf %lf", &cpu, &busy);
    buf_release(&path);
    buf_release(&text);
    if (busy < SIGNIFICANT_S)
        return p->cpus;
    double n = cpu * most > busy * p->cpus ? p->cpus * busy / cpu + 0.2 : most;
    return n < p->cpus ? p->cpus : n > most ? (uint32_t)most : (uint32_t)n;
}

uint64_t *load_until(void *ctx, const struct task *t)
{
    const struct pool *p = ctx;
    struct record r;
    if (t->module >= p->plan.n_modules || !record_load(&r, p->plan.modules[t->module].record.p, p->plan.root, false))
        return NULL;
    uint64_t *until = r.n_items == t->n ? xmalloc(((size_t)t->n + 1) * sizeof *until) : NULL, sum = 0;
    for (uint32_t i = 0, k = 0; until && i <= t->n; i++) {
        until[i] = sum;
        if (k < r.n_results && r.results[k].item == i)
            sum += (uint64_t)(document_seconds(r.results[k++].json) * 1e6);
    }
    record_release(&r);
    return until;
}
