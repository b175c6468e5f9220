/* TeamCity's service messages (its docs: "Service messages"): a suite a module, testStarted, testFailed or
 * testIgnored, output, testFinished. All in one flow, since they come after the tests. */
#include "runtime/report/view.h"

#include "runtime/base/maths.h"
#include "runtime/report/junit_text.h"
#include "runtime/report/text.h"

#include <inttypes.h>
#include <stdlib.h>

struct view {
    FILE *out;
    struct buf text, suite; /* the suite that is open, "" for none */
};

static struct view *make(const struct view_env *env, struct err *err)
{
    struct view *v = xmalloc(sizeof *v);
    (void)err;
    *v = (struct view){.out = env->out};
    return v;
}

static void escape(struct buf *out, struct str s)
{
    while (s.n) {
        struct str raw = s;
        uint32_t c = text_next(&s);
        raw.n -= s.n;
        if (c && c < 0x80 && strchr("'|[]", (int)c))
            buf_printf(out, "|%c", (int)c);
        else if (c == '\n' || c == '\r')
            buf_z(out, c == '\n' ? "|n" : "|r");
        else if (c == 0x85 || c == 0x2028 || c == 0x2029)
            buf_z(out, c == 0x85 ? "|x" : c == 0x2028 ? "|l" : "|p");
        else if (c < 0x20 || (c >= 0xD800 && c <= 0xDFFF))
            buf_printf(out, "|0x%04X", c);
        else
            buf_str(out, raw);
    }
}

static void message(struct view *v, const char *name)
{
    buf_printf(&v->text, "##teamcity[%s", name);
}

static void attribute(struct view *v, const char *name, struct str value)
{
    buf_printf(&v->text, " %s='", name);
    escape(&v->text, value);
    buf_char(&v->text, '\'');
}

static void finish(struct view *v)
{
    buf_z(&v->text, " flowId='fastest']\n");
    text_write(v->out, buf_view(&v->text));
    buf_clear(&v->text);
}

static void end_suite(struct view *v)
{
    if (v->suite.n) {
        message(v, "testSuiteFinished");
        attribute(v, "name", buf_view(&v->suite));
        finish(v);
    }
    buf_clear(&v->suite);
}

static void module(struct view *v, const struct report_module *m, uint32_t index)
{
    (void)index;
    end_suite(v);
    if (m->meta.n_items == 0)
        return;
    buf_str(&v->suite, m->meta.items[0].file);
    message(v, "testSuiteStarted");
    attribute(v, "name", buf_view(&v->suite));
    finish(v);
}

static void put_name(struct view *v, const char *what, struct str id)
{
    struct buf name = {0}, last = {0};
    junit_names(id, (struct str){0}, &name, &last);
    if (name.n)
        buf_char(&name, '.');
    buf_str(&name, buf_view(&last));
    message(v, what);
    attribute(v, "name", buf_view(&name));
    buf_release(&name);
    buf_release(&last);
}

static void put_failure(struct view *v, struct str id, const struct report_phase *p)
{
    struct str text = str_trim(p->repr);
    put_name(v, "testFailed", id);
    attribute(v, "message", p->crash.path.p ? p->crash.message : str_slice(text, 0, str_chr(text, '\n')));
    attribute(v, "details", text);
    finish(v);
}

static void put_skip(struct view *v, struct str id, struct str why)
{
    put_name(v, "testIgnored", id);
    attribute(v, "message", why);
    finish(v);
}

static void put_output(struct view *v, struct str id, const struct report_phase *p)
{
    static const char *const streams[][2] = {{"Captured stdout", "testStdOut"}, {"Captured stderr", "testStdErr"}};
    for (size_t i = 0; i < 2; i++) {
        struct buf text = {0};
        junit_captured(&text, p, str_z(streams[i][0]), STR(""));
        if (text.n) {
            put_name(v, streams[i][1], id);
            attribute(v, "out", buf_view(&text));
            finish(v);
        }
        buf_release(&text);
    }
}

static void put_start(struct view *v, struct str id)
{
    put_name(v, "testStarted", id);
    attribute(v, "captureStandardOutput", STR("false"));
    finish(v);
}

static void put_end(struct view *v, struct str id, double seconds)
{
    struct buf ms = {0};
    buf_printf(&ms, "%" PRId64, seconds > 0 && seconds < 1e9 ? maths_nearest(seconds * 1000) : 0);
    put_name(v, "testFinished", id);
    attribute(v, "duration", buf_view(&ms));
    finish(v);
    buf_release(&ms);
}

static void collect(struct view *v, const struct report_phase *p, bool cached)
{
    (void)cached;
    put_start(v, p->id);
    if (p->verdict == PHASE_FAILED)
        put_failure(v, p->id, p);
    else
        put_skip(v, p->id, report_reason(p));
    put_end(v, p->id, p->duration_s);
}

static void test(struct view *v, const struct report_test *t)
{
    struct str id = t->item->id;
    put_start(v, id);
    for (uint32_t i = 0; i < t->result.n_phases; i++) {
        const struct report_phase *p = &t->result.phases[i];
        if (i + 1 == t->result.n_phases)
            put_output(v, id, p); /* the last report repeats what those before it had */
        if (p->verdict == PHASE_FAILED && !p->xfail.p)
            put_failure(v, id, p);
        else if (p->verdict == PHASE_SKIPPED)
            put_skip(v, id, report_reason(p));
    }
    put_end(v, id, report_seconds(t));
}

static bool end(struct view *v, const struct view_end *e, struct err *err)
{
    (void)err;
    end_suite(v);
    if (e->error.n) {
        message(v, "buildProblem");
        attribute(v, "description", text_head(e->error, 4000));
        finish(v);
    }
    buf_release(&v->text);
    buf_release(&v->suite);
    fflush(v->out);
    free(v);
    return true;
}

const struct view_kind view_teamcity = {make, module, collect, test, end};
