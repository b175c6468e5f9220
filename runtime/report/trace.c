/* What the workers did, in the Trace Event Format that chrome://tracing and Perfetto read: an event a phase,
 * a row for each worker that was there at the same time as others. */
#include "runtime/report/view.h"

#include "runtime/base/map.h"
#include "runtime/base/maths.h"
#include "runtime/base/out.h"
#include "runtime/report/json_out.h"

#include <stdlib.h>

struct span { /* of a worker */
    double start_s, end_s;
    uint32_t worker, row;
};

struct event {
    uint32_t span;
    size_t at, n; /* its JSON without the row, in texts */
};

struct view {
    struct out out;
    const struct plan *plan;
    struct span *spans;
    struct event *events;
    size_t n_spans, cap_spans, n_events, cap_events;
    struct map by_worker; /* worker → index of its span, as text of the number */
    struct arena arena;
    struct buf texts;
};

static struct view *make(const struct view_env *env, struct err *err)
{
    struct view *v = xmalloc(sizeof *v);
    *v = (struct view){.plan = env->plan};
    if (!out_open(&v->out, env->path, err)) {
        free(v);
        return NULL;
    }
    return v;
}

static uint32_t span_of(struct view *v, uint32_t worker, double start_s, double end_s)
{
    bool added;
    char *key = arena_dup(&v->arena, &worker, sizeof worker);
    uintptr_t *at = map_put(&v->by_worker, (struct str){key, sizeof worker}, &added);
    if (added) {
        v->spans = xgrow(v->spans, &v->cap_spans, v->n_spans + 1, sizeof *v->spans);
        v->spans[v->n_spans] = (struct span){start_s, end_s, worker, 0};
        *at = v->n_spans++;
    }
    struct span *s = &v->spans[*at];
    s->start_s = start_s < s->start_s ? start_s : s->start_s;
    s->end_s = end_s > s->end_s ? end_s : s->end_s;
    return (uint32_t)*at;
}

static void add_event(struct view *v, const struct report_test *t, const struct report_phase *p)
{
    double start = p->start_s - (double)v->plan->scan_start_ns / 1e9;
    v->events = xgrow(v->events, &v->cap_events, v->n_events + 1, sizeof *v->events);
    struct event *e = &v->events[v->n_events++];
    *e = (struct event){span_of(v, t->result.worker, start, start + p->duration_s), v->texts.n, 0};
    struct json_out j = {.out = &v->texts};
    json_open(&j, '{');
    json_name(&j, "name");
    json_text(&j, t->item->id);
    json_name(&j, "cat");
    json_text(&j, str_z(report_when_name(p->when)));
    json_name(&j, "ph");
    json_text(&j, STR("X"));
    json_name(&j, "ts"); /* microseconds */
    json_int(&j, start > 0 ? maths_nearest(start * 1e6) : 0);
    json_name(&j, "dur");
    json_int(&j, maths_nearest(p->duration_s * 1e6));
    json_name(&j, "args");
    json_open(&j, '{');
    json_name(&j, "outcome");
    json_text(&j, str_z(report_verdict_name(p->verdict)));
    json_name(&j, "worker");
    json_int(&j, t->result.worker);
    json_close(&j, '}');
    e->n = v->texts.n - e->at;
}

static void test(struct view *v, const struct report_test *t)
{
    for (uint32_t i = 0; !t->cached && t->result.worker && i < t->result.n_phases; i++)
        add_event(v, t, &t->result.phases[i]);
}

static int by_start(const void *a, const void *b)
{
    const struct span *x = *(struct span *const *)a, *y = *(struct span *const *)b;
    return x->start_s < y->start_s ? -1 : x->start_s > y->start_s;
}

/* The first row that is free by then. Returns the number of rows. */
static uint32_t assign_rows(struct view *v)
{
    struct span **order = xmalloc((v->n_spans + 1) * sizeof *order);
    double *free_s = xmalloc((v->n_spans + 1) * sizeof *free_s);
    uint32_t rows = 0;
    for (size_t i = 0; i < v->n_spans; i++)
        order[i] = &v->spans[i];
    qsort(order, v->n_spans, sizeof *order, by_start);
    for (size_t i = 0; i < v->n_spans; i++) {
        uint32_t row = 0;
        while (row < rows && free_s[row] > order[i]->start_s + 0.0005)
            row++;
        rows += row == rows;
        free_s[row] = order[i]->end_s;
        order[i]->row = row + 1;
    }
    free(order);
    free(free_s);
    return rows;
}

static void put_event(struct view *v, struct str head, const char *rest)
{
    out_str(&v->out, head);
    out_str(&v->out, str_z(rest));
}

static bool end(struct view *v, const struct view_end *e, struct err *err)
{
    char rest[128];
    uint32_t rows = assign_rows(v);
    (void)e;
    out_str(&v->out, STR("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"));
    put_event(v, STR("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"fastest\"}}"), "");
    for (uint32_t row = 1; row <= rows; row++) {
        snprintf(rest, sizeof rest, "\"pid\":1,\"tid\":%u,\"args\":{\"name\":\"worker %u\"}}", row, row);
        put_event(v, STR(",\n{\"name\":\"thread_name\",\"ph\":\"M\","), rest);
    }
    for (size_t i = 0; i < v->n_events; i++) {
        snprintf(rest, sizeof rest, ",\"pid\":1,\"tid\":%u}", v->spans[v->events[i].span].row);
        out_str(&v->out, STR(",\n"));
        put_event(v, (struct str){v->texts.p + v->events[i].at, v->events[i].n}, rest);
    }
    out_str(&v->out, STR("\n]}\n"));
    bool ok = out_close(&v->out, err);
    free(v->spans);
    free(v->events);
    map_release(&v->by_worker);
    arena_release(&v->arena);
    buf_release(&v->texts);
    free(v);
    return ok;
}

const struct view_kind view_trace = {make, NULL, NULL, test, end};
