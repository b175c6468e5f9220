/* pytest-reportlog's lines (1.0, pytest_reportlog/plugin.py; the documents: pytest 9, _pytest/reports.py).
 *
 * A record has a failure's text, its crash and the places of its traceback, not pytest's objects: the text
 * comes as one native entry, from which pytest makes a report with the same longreprtext. */
#include "runtime/report/view.h"

#include "runtime/base/out.h"
#include "runtime/report/json_report.h"

#include <stdlib.h>

struct view {
    struct out out;
    struct buf line;
};

static struct json_out begin(struct view *v)
{
    struct json_out j = {.out = &v->line};
    buf_clear(&v->line);
    json_open(&j, '{');
    return j;
}

static void finish(struct view *v, struct json_out *j, const char *type)
{
    json_name(j, "$report_type");
    json_text(j, str_z(type));
    json_close(j, '}');
    buf_char(&v->line, '\n');
    out_str(&v->out, buf_view(&v->line));
}

static void put_text(struct json_out *j, const char *name, struct str text)
{
    json_name(j, name);
    json_text(j, text);
}

static struct view *make(const struct view_env *env, struct err *err)
{
    struct view *v = xmalloc(sizeof *v);
    *v = (struct view){0};
    if (!out_open(&v->out, env->path, err)) {
        free(v);
        return NULL;
    }
    struct json_out j = begin(v);
    struct str version = plan_report(env->plan, "pytest_version");
    put_text(&j, "pytest_version", version.p ? version : STR(""));
    finish(v, &j, "SessionStart");
    return v;
}

static void put_crash(struct json_out *j, const struct report_phase *p)
{
    json_open(j, '{');
    put_text(j, "path", p->crash.path);
    json_name(j, "lineno");
    json_int(j, p->crash.line);
    put_text(j, "message", p->crash.message);
    json_close(j, '}');
}

static void put_traceback(struct json_out *j, const struct report_phase *p)
{
    json_raw(j, STR("{\"reprentries\":[{\"type\":\"ReprEntryNative\",\"data\":{\"lines\":["));
    j->comma = false;
    json_text(j, p->repr);
    buf_z(j->out, "]}}],\"extraline\":null,\"style\":\"native\"}");
}

static void put_exception(struct json_out *j, const struct report_phase *p)
{
    json_open(j, '{');
    json_name(j, "reprcrash");
    put_crash(j, p);
    json_name(j, "reprtraceback");
    put_traceback(j, p);
    json_name(j, "sections");
    json_raw(j, STR("[]"));
    json_name(j, "chain");
    json_open(j, '[');
    json_open(j, '[');
    put_traceback(j, p);
    put_crash(j, p);
    json_null(j);
    json_close(j, ']');
    json_close(j, ']');
    json_close(j, '}');
}

static void put_longrepr(struct json_out *j, const struct report_phase *p)
{
    json_name(j, "longrepr");
    if (p->skip.path.p && !p->xfail.p) {
        json_open(j, '[');
        json_text(j, p->skip.path);
        if (p->skip.line >= 0)
            json_int(j, p->skip.line);
        else
            json_null(j);
        json_text(j, p->skip.message);
        json_close(j, ']');
    } else if (p->crash.path.p) {
        put_exception(j, p);
    } else if (p->repr.n) {
        json_text(j, p->repr);
    } else {
        json_null(j);
    }
}

static void put_sections(struct json_out *j, const struct report_phase *p)
{
    json_name(j, "sections");
    json_sections(j, p);
}

static void put_collect(struct view *v, struct str id, const struct report_phase *p)
{
    static const struct report_phase passed = {.verdict = PHASE_PASSED};
    struct json_out j = begin(v);
    p = p ? p : &passed;
    put_text(&j, "outcome", str_z(report_verdict_name(p->verdict)));
    put_longrepr(&j, p);
    json_name(&j, "result");
    json_null(&j);
    put_sections(&j, p);
    put_text(&j, "nodeid", id);
    finish(v, &j, "CollectReport");
}

static void module(struct view *v, const struct report_module *m, uint32_t index)
{
    (void)index;
    if (m->meta.n_items && !m->meta.error)
        put_collect(v, m->meta.items[0].file, NULL);
}

static void collect(struct view *v, const struct report_phase *p, bool cached)
{
    (void)cached;
    put_collect(v, p->id, p);
}

static void put_item(struct json_out *j, const struct report_item *item)
{
    json_name(j, "location");
    json_open(j, '[');
    json_text(j, item->file);
    if (item->line >= 0)
        json_int(j, item->line);
    else
        json_null(j);
    json_text(j, item->name);
    json_close(j, ']');
    json_name(j, "keywords");
    json_open(j, '{');
    for (uint32_t i = 0; i < item->n_keywords; i++) {
        json_key_text(j, item->keywords[i]);
        json_int(j, 1);
    }
    json_close(j, '}');
}

/* Recorded while a test ran: its set-up reports were made before. */
static void put_props(struct json_out *j, const struct report_test *t, const struct report_phase *p)
{
    json_name(j, "user_properties");
    json_open(j, '[');
    for (uint32_t i = 0; p->when != WHEN_SETUP && i < t->result.n_props; i++) {
        json_open(j, '[');
        json_text(j, t->result.props[i].name);
        json_raw(j, t->result.props[i].json);
        json_close(j, ']');
    }
    json_close(j, ']');
}

static void put_phase(struct view *v, const struct report_test *t, const struct report_phase *p)
{
    struct json_out j = begin(v);
    put_item(&j, t->item);
    put_text(&j, "outcome", str_z(report_verdict_name(p->verdict)));
    put_longrepr(&j, p);
    put_text(&j, "when", str_z(report_when_name(p->when)));
    put_props(&j, t, p);
    put_sections(&j, p);
    json_name(&j, "duration");
    json_seconds(&j, p->duration_s);
    json_name(&j, "start");
    json_seconds(&j, p->start_s);
    json_name(&j, "stop");
    json_seconds(&j, p->start_s + p->duration_s);
    if (p->xfail.p)
        put_text(&j, "wasxfail", p->xfail);
    put_text(&j, "nodeid", t->item->id);
    json_name(&j, "cached");
    json_bool(&j, t->cached);
    finish(v, &j, "TestReport");
}

/* "path:line: Category: text", and below it the line of the source. */
static void put_warning(struct view *v, const struct report_warning *w)
{
    struct json_out j = begin(v);
    struct buf place = {0};
    buf_str(&place, w->path);
    buf_printf(&place, ":%lld: ", (long long)w->line);
    struct str text = w->message;
    if (str_starts(text, buf_view(&place)))
        text = str_slice(text, place.n, text.n);
    text = str_slice(text, 0, str_chr(text, '\n'));
    size_t colon = str_chr(text, ':');
    put_text(&j, "category", str_slice(text, 0, colon));
    put_text(&j, "filename", w->path);
    json_name(&j, "lineno");
    json_int(&j, w->line);
    put_text(&j, "message", str_slice(text, colon + 2, text.n));
    put_text(&j, "when", w->of_test ? STR("runtest") : STR("collect"));
    json_name(&j, "location");
    json_null(&j);
    finish(v, &j, "WarningMessage");
    buf_release(&place);
}

static void test(struct view *v, const struct report_test *t)
{
    for (uint32_t i = 0; i < t->result.n_phases; i++)
        put_phase(v, t, &t->result.phases[i]);
    for (uint32_t i = 0; i < t->result.n_warnings; i++)
        put_warning(v, &t->result.warnings[i]);
}

static bool end(struct view *v, const struct view_end *e, struct err *err)
{
    struct json_out j = begin(v);
    json_name(&j, "exitstatus");
    json_int(&j, (int)e->code);
    finish(v, &j, "SessionFinish");
    bool ok = out_close(&v->out, err);
    buf_release(&v->line);
    free(v);
    return ok;
}

const struct view_kind view_report_log = {make, module, collect, test, end};
