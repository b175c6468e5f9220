/* The Test Anything Protocol, versions 13 and 14, as Meson 1.9 reads it (mesonbuild/mtest.py, TAPParser): an
 * expected failure is "not ok # TODO", a skip "ok # SKIP". A '#' in a description would hide the directive
 * from Meson, whatever stands before it: version 13 writes it as %23, version 14 as \#. */
#include "runtime/report/view.h"

#include "runtime/report/json_out.h"
#include "runtime/report/text.h"

#include <inttypes.h>
#include <stdlib.h>

struct view {
    FILE *out;
    struct buf text;
    uint32_t n;
    bool version_14;
};

static struct view *make_version(const struct view_env *env, bool version_14)
{
    struct view *v = xmalloc(sizeof *v);
    *v = (struct view){.out = env->out, .version_14 = version_14};
    fprintf(v->out, "TAP version %d\n", version_14 ? 14 : 13);
    return v;
}

static struct view *make(const struct view_env *env, struct err *err)
{
    (void)err;
    return make_version(env, false);
}

static struct view *make_14(const struct view_env *env, struct err *err)
{
    (void)err;
    return make_version(env, true);
}

static void put_description(struct view *v, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '#' && !v->version_14)
            buf_z(&v->text, "%23");
        else if (v->version_14 && (c == '#' || c == '\\'))
            buf_printf(&v->text, "\\%c", c);
        else
            buf_char(&v->text, (unsigned char)c < ' ' ? ' ' : c);
    }
}

static void put_line(struct view *v, bool ok, struct str name, const char *directive, struct str why)
{
    buf_printf(&v->text, "%s %" PRIu32 " - ", ok ? "ok" : "not ok", ++v->n);
    put_description(v, name);
    if (directive)
        buf_printf(&v->text, " # %s", directive);
    if (directive && why.n) {
        buf_char(&v->text, ' ');
        put_description(v, str_slice(why, 0, str_chr(why, '\n')));
    }
    buf_char(&v->text, '\n');
}

/* A YAML block, then the text as comments: in a block Meson takes an empty line for the end of it. */
static void put_block(struct view *v, const struct report_phase *p)
{
    struct str rest = str_trim(p->repr), line, first = p->crash.path.p ? p->crash.message : rest;
    struct json_out j = {.out = &v->text};
    buf_printf(&v->text, "  ---\n  at: %s\n  message: ", report_when_name(p->when));
    json_text(&j, str_slice(first, 0, str_chr(first, '\n'))); /* is YAML, too */
    buf_z(&v->text, "\n  ...\n");
    while (text_next_line(&rest, &line)) {
        buf_z(&v->text, line.n ? "# " : "#");
        buf_str(&v->text, line);
        buf_char(&v->text, '\n');
    }
}

static void flush(struct view *v)
{
    text_write(v->out, buf_view(&v->text));
    buf_clear(&v->text);
}

static struct str reason(const struct report_test *t, enum record_outcome o)
{
    for (uint32_t i = 0; i < t->result.n_phases; i++) {
        const struct report_phase *p = &t->result.phases[i];
        if (report_phase_category(p) == o)
            return report_reason(p);
    }
    return STR("");
}

static void collect(struct view *v, const struct report_phase *p, bool cached)
{
    (void)cached;
    bool failed = p->verdict == PHASE_FAILED;
    put_line(v, !failed, p->id, failed ? NULL : "SKIP", report_reason(p));
    if (failed)
        put_block(v, p);
    flush(v);
}

static void test(struct view *v, const struct report_test *t)
{
    switch (t->outcome) {
    case OUT_SKIPPED:
        put_line(v, true, t->item->id, "SKIP", reason(t, OUT_SKIPPED));
        break;
    case OUT_XFAILED:
    case OUT_XPASSED:
        put_line(v, t->outcome == OUT_XPASSED, t->item->id, "TODO", reason(t, t->outcome));
        break;
    case OUT_PASSED:
        put_line(v, true, t->item->id, NULL, STR(""));
        break;
    case OUT_FAILED:
    case OUT_ERROR:
    case OUT_COUNT:
        put_line(v, false, t->item->id, NULL, STR(""));
        for (uint32_t i = 0; i < t->result.n_phases; i++)
            if (t->result.phases[i].verdict == PHASE_FAILED && !t->result.phases[i].xfail.p) {
                put_block(v, &t->result.phases[i]);
                break; /* a test line has one block */
            }
        break;
    }
    flush(v);
}

static bool end(struct view *v, const struct view_end *e, struct err *err)
{
    (void)err;
    if (e->error.n) {
        buf_z(&v->text, "Bail out! ");
        put_description(v, str_slice(e->error, 0, str_chr(e->error, '\n')));
        buf_char(&v->text, '\n');
    } else if (v->n == 0) {
        buf_z(&v->text, "1..0 # SKIP no tests\n");
    } else {
        buf_printf(&v->text, "1..%" PRIu32 "\n", v->n);
    }
    flush(v);
    buf_release(&v->text);
    fflush(v->out);
    free(v);
    return true;
}

const struct view_kind view_tap = {make, NULL, collect, test, end};
const struct view_kind view_tap14 = {make_14, NULL, collect, test, end};
