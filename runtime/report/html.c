/* One page with everything, that needs nothing else: runtime/report/page/ with the data put in (see data.js
 * for its shape). Of tests that passed in silence only a row is written. */
#include "runtime/report/view.h"

#include "runtime/base/embed.h"
#include "runtime/base/out.h"
#include "runtime/report/json_report.h"

#include <stdlib.h>

struct view {
    struct out out;
    const struct plan *plan;
    const struct view_graph *graph;
    struct str rest; /* of the page, after the data */
    struct buf text;
    struct json_out json;
    struct buf module; /* the object of the module that is open, without its tests */
    struct buf collect;
};

/* ---- the page ---- */

static struct str file_text(const char *name)
{
    struct buf path = {0};
    buf_printf(&path, "runtime/report/page/%s", name);
    const struct embed_file *f = embed_find(path.p);
    buf_release(&path);
    return f ? (struct str){f->text, f->size} : STR("");
}

static void put_files(struct view *v, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out_str(&v->out, file_text(names[i]));
}

/* Writes the page up to a mark; what follows the mark is the rest. */
static void put_until(struct view *v, struct str mark)
{
    size_t at = 0;
    while (at < v->rest.n && !str_starts(str_slice(v->rest, at, v->rest.n), mark))
        at++;
    out_str(&v->out, str_slice(v->rest, 0, at));
    v->rest = str_slice(v->rest, at + mark.n, v->rest.n);
}

/* In a script element "<" must not begin "</script>". */
static void flush(struct view *v)
{
    struct str s = buf_view(&v->text);
    while (s.n) {
        size_t n = str_chr(s, '<');
        out_str(&v->out, str_slice(s, 0, n));
        if (n < s.n)
            out_str(&v->out, STR("\\u003c"));
        s = str_slice(s, n + 1, s.n);
    }
    buf_clear(&v->text);
}

static struct view *make(const struct view_env *env, struct err *err)
{
    static const char *const styles[] = {"page.css"};
    struct view *v = xmalloc(sizeof *v);
    *v = (struct view){.plan = env->plan, .graph = env->graph, .rest = file_text("page.html")};
    if (!out_open(&v->out, env->path, err)) {
        free(v);
        return NULL;
    }
    put_until(v, STR("<!-- style -->"));
    put_files(v, styles, 1);
    put_until(v, STR("<!-- data -->"));
    v->json = (struct json_out){.out = &v->text};
    json_open(&v->json, '{');
    json_name(&v->json, "modules");
    json_open(&v->json, '[');
    return v;
}

/* ---- data ---- */

static void end_module(struct view *v)
{
    if (v->module.n == 0)
        return;
    json_close(&v->json, ']');
    json_name(&v->json, "collect");
    buf_char(&v->text, '[');
    buf_str(&v->text, buf_view(&v->collect));
    json_close(&v->json, ']');
    json_close(&v->json, '}');
    buf_clear(&v->module);
    buf_clear(&v->collect);
    flush(v);
}

static struct str module_path(const struct view *v, uint32_t i)
{
    return i < v->plan->n_modules ? v->plan->modules[i].rel : STR("(other)");
}

static void module(struct view *v, const struct report_module *m, uint32_t index)
{
    static const char *const states[] = {[MODULE_RAN] = "ran", [MODULE_CACHED] = "cached", [MODULE_NOT_RUN] = "not_run"};
    struct json_out *j = &v->json;
    end_module(v);
    buf_str(&v->module, module_path(v, index));
    json_open(j, '{');
    json_name(j, "path");
    json_text(j, buf_view(&v->module));
    json_name(j, "state");
    json_text(j, str_z(states[m->state]));
    json_name(j, "why");
    json_text(j, index < v->plan->n_modules ? v->plan->modules[index].why : STR("it runs always"));
    json_name(j, "batch");
    json_text(j, m->batch);
    json_name(j, "tests");
    json_open(j, '[');
}

static void put_phase(struct json_out *j, const struct report_phase *p)
{
    json_open(j, '{');
    json_name(j, "when");
    json_text(j, str_z(report_when_name(p->when)));
    json_name(j, "outcome");
    json_text(j, str_z(report_verdict_name(p->verdict)));
    json_name(j, "seconds");
    json_seconds(j, p->duration_s);
    json_name(j, "text");
    json_text(j, p->repr);
    json_name(j, "sections");
    json_sections(j, p);
    json_close(j, '}');
}

static bool is_plain(const struct report_test *t)
{
    for (uint32_t i = 0; i < t->result.n_phases; i++)
        if (t->result.phases[i].verdict != PHASE_PASSED || t->result.phases[i].xfail.p || t->result.phases[i].n_sections)
            return false;
    return true;
}

static void put_detail(struct json_out *j, const struct report_test *t)
{
    struct str reason = {0};
    json_open(j, '{');
    json_name(j, "phases");
    json_open(j, '[');
    for (uint32_t i = 0; i < t->result.n_phases; i++) {
        const struct report_phase *p = &t->result.phases[i];
        if (p->verdict == PHASE_SKIPPED || p->xfail.p)
            reason = report_reason(p);
        if (p->verdict != PHASE_PASSED || p->n_sections)
            put_phase(j, p);
    }
    json_close(j, ']');
    if (reason.n) {
        json_name(j, "reason");
        json_text(j, reason);
    }
    json_close(j, '}');
}

/* The id behind the module's path, which begins it but for tests of another plugin's. */
static struct str name_of(const struct view *v, struct str id)
{
    struct str path = buf_view(&v->module);
    return str_starts(id, path) ? str_slice(id, path.n, id.n) : id;
}

static void test(struct view *v, const struct report_test *t)
{
    enum { CACHED = 1, FLAKY = 2 };
    struct json_out *j = &v->json;
    double start = t->result.n_phases ? t->result.phases[0].start_s - (double)v->plan->scan_start_ns / 1e9 : 0;
    json_open(j, '[');
    json_text(j, name_of(v, t->item->id));
    json_int(j, report_last_outcome(t));
    json_seconds(j, report_seconds(t));
    json_int(j, (t->cached ? CACHED : 0) | (report_is_flaky(t) ? FLAKY : 0));
    json_seconds(j, t->cached ? 0 : start);
    json_int(j, t->cached ? 0 : t->result.worker);
    json_int(j, t->item->line);
    if (!is_plain(t))
        put_detail(j, t);
    json_close(j, ']');
    flush(v);
}

static void collect(struct view *v, const struct report_phase *p, bool cached)
{
    struct json_out j = {.out = &v->collect, .comma = v->collect.n > 0};
    (void)cached;
    json_open(&j, '{');
    json_name(&j, "id");
    json_text(&j, p->id);
    json_name(&j, "failed");
    json_bool(&j, p->verdict == PHASE_FAILED);
    json_name(&j, "detail");
    json_open(&j, '{');
    json_name(&j, "reason");
    json_text(&j, report_reason(p));
    json_name(&j, "phases");
    json_open(&j, '[');
    put_phase(&j, p);
    json_close(&j, ']');
    json_close(&j, '}');
    json_close(&j, '}');
}

static void put_graph(struct view *v)
{
    static const struct view_graph none = {0};
    const struct view_graph *g = v->graph ? v->graph : &none;
    struct json_out *j = &v->json;
    json_name(j, "graph");
    json_open(j, '{');
    json_name(j, "files");
    json_open(j, '[');
    for (uint32_t i = 0; i < g->n; i++)
        json_text(j, g->files[i].path);
    json_close(j, ']');
    json_name(j, "edges");
    json_open(j, '[');
    for (uint32_t i = 0; i < g->n; i++) {
        json_open(j, '[');
        for (uint32_t k = 0; k < g->files[i].n_imports; k++)
            json_int(j, g->files[i].imports[k]);
        json_close(j, ']');
        flush(v);
    }
    json_close(j, ']');
    json_close(j, '}');
}

static bool end(struct view *v, const struct view_end *e, struct err *err)
{
    static const char *const scripts[] = {"data.js", "list.js", "timeline.js", "imports.js", "page.js"};
    struct json_out *j = &v->json;
    end_module(v);
    json_close(j, ']');
    json_name(j, "run");
    json_open(j, '{');
    json_name(j, "created");
    json_seconds(j, (double)v->plan->scan_start_ns / 1e9);
    json_name(j, "duration");
    json_seconds(j, (double)e->wall_ns / 1e9);
    json_name(j, "exit");
    json_int(j, (int)e->code);
    json_name(j, "error");
    json_text(j, e->error);
    json_close(j, '}');
    put_graph(v);
    json_close(j, '}');
    flush(v);
    put_until(v, STR("<!-- script -->"));
    put_files(v, scripts, sizeof scripts / sizeof *scripts);
    out_str(&v->out, v->rest);
    bool ok = out_close(&v->out, err);
    buf_release(&v->text);
    buf_release(&v->module);
    buf_release(&v->collect);
    free(v);
    return ok;
}

const struct view_kind view_html = {make, module, collect, test, end};
