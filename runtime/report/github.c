/* Annotations of a GitHub workflow: "::error file=…,line=…,title=…::text", one a failure, and "::warning …"
 * (GitHub's docs: workflow commands; actions/toolkit, command.ts: what is escaped). */
#include "runtime/report/view.h"

#include "runtime/report/text.h"

#include <inttypes.h>
#include <stdlib.h>

struct view {
    FILE *out;
    struct buf text;
    struct str root, top; /* rootdir; the checkout, to which paths are relative */
};

static struct view *make(const struct view_env *env, struct err *err)
{
    struct view *v = xmalloc(sizeof *v);
    struct str top = str_z(getenv("GITHUB_WORKSPACE"));
    (void)err;
    *v = (struct view){.out = env->out, .root = env->plan->root, .top = env->plan->root};
    if (top.n && path_under(env->plan->root, top))
        v->top = top;
    return v;
}

static void escape(struct view *v, struct str s, bool property)
{
    static const char codes[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
        if (special) {
            buf_char(&v->text, '%');
            buf_char(&v->text, codes[(unsigned char)c >> 4]);
            buf_char(&v->text, codes[c & 15]);
        } else {
            buf_char(&v->text, c);
        }
    }
}

/* file: absolute or relative to rootdir; line: 1-based, 0 when it is not known. */
static void annotate(struct view *v, const char *level, struct str file, int64_t line, struct str title, struct str text)
{
    struct buf whole = {0}, path = {0};
    path_join(&whole, v->root, file);
    path_relative(&path, buf_view(&whole), v->top);
    buf_printf(&v->text, "::%s file=", level);
    escape(v, buf_view(&path), true);
    if (line > 0)
        buf_printf(&v->text, ",line=%" PRId64, line);
    buf_z(&v->text, ",title=");
    escape(v, title, true);
    buf_z(&v->text, "::");
    escape(v, text, false);
    buf_char(&v->text, '\n');
    text_write(v->out, buf_view(&v->text));
    buf_clear(&v->text);
    buf_release(&whole);
    buf_release(&path);
}

static void collect(struct view *v, const struct report_phase *p, bool cached)
{
    (void)cached;
    if (p->verdict == PHASE_FAILED)
        annotate(v, "error", p->id, 0, p->id, str_trim(p->repr));
}

/* Where in the checkout it went wrong: the last place of the traceback that is of it, else the test's own. */
static void annotate_failure(struct view *v, const struct report_test *t, const struct report_phase *p)
{
    struct report_loc at = {t->item->file, STR(""), t->item->line + 1};
    for (uint32_t i = 0; i < p->n_tb; i++) {
        struct buf path = {0};
        path_join(&path, v->root, p->tb[i].path);
        if (str_eq(p->tb[i].path, t->item->file) || path_under(buf_view(&path), v->root))
            at = p->tb[i];
        buf_release(&path);
    }
    annotate(v, "error", at.path, at.line, t->item->id, p->crash.path.p ? p->crash.message : str_trim(p->repr));
}

static void test(struct view *v, const struct report_test *t)
{
    for (uint32_t i = 0; i < t->result.n_phases; i++)
        if (t->result.phases[i].verdict == PHASE_FAILED && !t->result.phases[i].xfail.p)
            annotate_failure(v, t, &t->result.phases[i]);
    for (uint32_t i = 0; i < t->result.n_warnings; i++) {
        const struct report_warning *w = &t->result.warnings[i];
        if (path_under(w->path, v->root))
            annotate(v, "warning", w->path, w->line, t->item->id, w->message);
    }
}

static bool end(struct view *v, const struct view_end *e, struct err *err)
{
    (void)err;
    if (e->error.n) {
        buf_z(&v->text, "::error title=pytest ended before the tests ran::");
        escape(v, e->error, false);
        buf_char(&v->text, '\n');
        text_write(v->out, buf_view(&v->text));
    }
    buf_release(&v->text);
    fflush(v->out);
    free(v);
    return true;
}

const struct view_kind view_github = {make, NULL, collect, test, end};
