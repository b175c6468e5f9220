#include "runtime/report/json_report.h"

#include "runtime/report/log.h"

const char json_report_tests[] = "\n],\"tests\":[\n";
const char json_report_warnings[] = "\n],\"warnings\":[\n";
const char json_report_end[] = "\n]}\n";

static void put_loc(struct json_out *j, const struct report_loc *loc)
{
    json_open(j, '{');
    json_name(j, "path");
    json_text(j, loc->path);
    json_name(j, "lineno");
    json_int(j, loc->line);
    json_name(j, "message");
    json_text(j, loc->message);
    json_close(j, '}');
}

/* pytest-json-report takes the section of the phase itself; a report also repeats earlier ones. */
static struct str own_section(const struct report_phase *p, const char *stream)
{
    struct str found = {0};
    struct buf title = {0};
    if (p->n_sections == 0)
        return found;
    buf_printf(&title, "Captured %s %s", stream, report_when_name(p->when));
    for (uint32_t i = 0; i < p->n_sections; i++)
        if (str_eq(p->sections[i].title, buf_view(&title)))
            found = p->sections[i].text;
    buf_release(&title);
    return found;
}

static void put_log(struct json_out *j, struct str text)
{
    struct arena a = {0};
    struct log_line line;
    json_name(j, "log");
    json_open(j, '[');
    while (log_next(&text, &a, &line)) {
        json_open(j, '{');
        json_name(j, "msg");
        json_text(j, line.message);
        if (line.level.p) {
            json_name(j, "levelname");
            json_text(j, line.level);
            json_name(j, "name");
            json_text(j, line.logger);
            json_name(j, "filename");
            json_text(j, line.file);
            json_name(j, "lineno");
            json_int(j, line.line);
        }
        json_close(j, '}');
    }
    json_close(j, ']');
    arena_release(&a);
}

/* longreprtext: the stripped text, or a skip's tuple as Python shows it. */
static void put_longrepr(struct json_out *j, const struct report_phase *p)
{
    struct buf text = {0};
    if (p->skip.path.p && !p->xfail.p)
        report_skip_tuple(&p->skip, &text);
    else
        buf_str(&text, str_trim(p->repr));
    if (text.n) {
        json_name(j, "longrepr");
        json_text(j, buf_view(&text));
    }
    buf_release(&text);
}

void json_sections(struct json_out *j, const struct report_phase *p)
{
    json_open(j, '[');
    for (uint32_t i = 0; i < p->n_sections; i++) {
        json_open(j, '[');
        json_text(j, p->sections[i].title);
        json_text(j, p->sections[i].text);
        json_close(j, ']');
    }
    json_close(j, ']');
}

static void put_output(struct json_out *j, const struct report_phase *p)
{
    static const char *const streams[] = {"stdout", "stderr"};
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        struct str text = own_section(p, streams[i]);
        if (text.n) {
            json_name(j, streams[i]);
            json_text(j, text);
        }
    }
    struct str log = own_section(p, "log");
    if (log.n)
        put_log(j, log);
}

static void put_stage(struct json_out *j, const struct report_phase *p)
{
    json_name(j, report_when_name(p->when));
    json_open(j, '{');
    json_name(j, "duration");
    json_seconds(j, p->duration_s);
    json_name(j, "outcome");
    json_text(j, str_z(report_verdict_name(p->verdict)));
    if (p->crash.path.p) {
        json_name(j, "crash");
        put_loc(j, &p->crash);
    }
    if (p->crash.path.p && p->n_tb) {
        json_name(j, "traceback");
        json_open(j, '[');
        for (uint32_t i = 0; i < p->n_tb; i++)
            put_loc(j, &p->tb[i]);
        json_close(j, ']');
    }
    put_output(j, p);
    put_longrepr(j, p);
    json_close(j, '}');
}

static void put_keywords(struct json_out *j, const struct report_item *item)
{
    if (item->n_keywords == 0)
        return;
    json_name(j, "keywords");
    json_open(j, '[');
    for (uint32_t i = 0; i < item->n_keywords; i++)
        if (item->keywords[i].p)
            json_text(j, item->keywords[i]);
    json_close(j, ']');
}

static void put_props(struct json_out *j, const struct report_result *r)
{
    if (r->n_props == 0)
        return;
    json_name(j, "user_properties");
    json_open(j, '[');
    for (uint32_t i = 0; i < r->n_props; i++) {
        json_open(j, '{');
        json_key_text(j, r->props[i].name);
        json_raw(j, r->props[i].json);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* Is it the last report of its kind? Reruns and subtests have more than one. */
static bool is_last(const struct report_result *r, uint32_t i)
{
    for (uint32_t k = i + 1; k < r->n_phases; k++)
        if (r->phases[k].when == r->phases[i].when)
            return false;
    return true;
}

void json_test(struct buf *out, const struct report_test *t)
{
    struct json_out j = {.out = out, .comma = out->n > 0};
    json_open(&j, '{');
    json_name(&j, "nodeid");
    json_text(&j, t->item->id);
    json_name(&j, "lineno");
    if (t->item->line >= 0)
        json_int(&j, t->item->line);
    else
        json_null(&j);
    json_name(&j, "outcome");
    json_text(&j, report_outcome_name(report_last_outcome(t)));
    put_keywords(&j, t->item);
    json_name(&j, "cached");
    json_bool(&j, t->cached);
    if (report_is_flaky(t)) {
        json_name(&j, "flaky");
        json_bool(&j, true);
    }
    json_name(&j, "batch");
    json_text(&j, t->batch);
    if (t->result.worker && !t->cached) {
        json_name(&j, "worker");
        json_int(&j, t->result.worker);
    }
    for (uint32_t i = 0; i < t->result.n_phases; i++)
        if (is_last(&t->result, i))
            put_stage(&j, &t->result.phases[i]);
    put_props(&j, &t->result);
    json_close(&j, '}');
}

void json_collector(struct buf *out, const struct report_phase *p)
{
    struct json_out j = {.out = out, .comma = out->n > 0};
    json_open(&j, '{');
    json_name(&j, "nodeid");
    json_text(&j, p->id);
    json_name(&j, "outcome");
    json_text(&j, p->verdict == PHASE_FAILED ? STR("failed") : STR("skipped"));
    json_name(&j, "result");
    json_raw(&j, STR("[]"));
    put_longrepr(&j, p);
    json_close(&j, '}');
}

void json_warnings(struct buf *out, const struct report_warning *w, uint32_t n)
{
    struct json_out j = {.out = out, .comma = out->n > 0};
    for (uint32_t i = 0; i < n; i++) {
        json_open(&j, '{');
        json_name(&j, "message");
        json_text(&j, w[i].message);
        json_name(&j, "when");
        json_text(&j, w[i].of_test ? STR("runtest") : STR("collect"));
        json_name(&j, "filename");
        json_text(&j, w[i].path);
        json_name(&j, "lineno");
        json_int(&j, w[i].line);
        json_close(&j, '}');
    }
}

static void put_summary(struct json_out *j, const struct totals *t)
{
    uint32_t total = 0;
    const struct totals_category *deselected = totals_find(t, "deselected");
    json_open(j, '{');
    for (int i = 0; i < OUT_COUNT; i++) {
        total += t->outcomes[i];
        if (t->outcomes[i]) {
            json_name(j, report_outcome_name((enum record_outcome)i).p);
            json_int(j, t->outcomes[i]);
        }
    }
    json_name(j, "total");
    json_int(j, total);
    json_name(j, "collected");
    json_int(j, t->items);
    if (deselected) {
        json_name(j, "deselected");
        json_int(j, deselected->n);
    }
    json_name(j, "cached");
    json_int(j, t->cached);
    json_close(j, '}');
}

void json_report_head(struct buf *out, const struct json_head *h)
{
    struct json_out j = {.out = out};
    json_open(&j, '{');
    json_name(&j, "created");
    json_seconds(&j, h->created_s);
    json_name(&j, "duration");
    json_seconds(&j, h->duration_s);
    json_name(&j, "exitcode");
    json_int(&j, h->exit_code);
    json_name(&j, "root");
    json_text(&j, h->root);
    json_name(&j, "environment");
    json_raw(&j, STR("{}"));
    json_name(&j, "summary");
    put_summary(&j, h->totals);
    json_name(&j, "collectors");
    json_open(&j, '[');
    buf_char(out, '\n');
}
