#include "runtime/report/terminal.h"

#include "runtime/report/style.h"
#include "runtime/report/text.h"

#include <inttypes.h>
#include <string.h>

/* The short summary's lists; reports of each outcome go to the list of their letter. */
enum { LIST_FAILED, LIST_ERROR, LIST_XFAILED, LIST_XPASSED, LIST_SKIPPED, LIST_PASSED };
static const char list_letters[TERMINAL_LISTS + 1] = "fExXsp";

static const struct look {
    const char *word, *codes;
    int list;
} looks[OUT_COUNT] = {
    [OUT_PASSED] = {"PASSED", STYLE_GREEN, LIST_PASSED},
    [OUT_FAILED] = {"FAILED", STYLE_RED, LIST_FAILED},
    [OUT_ERROR] = {"ERROR", STYLE_RED, LIST_ERROR},
    [OUT_SKIPPED] = {"SKIPPED", STYLE_YELLOW, LIST_SKIPPED},
    [OUT_XFAILED] = {"XFAIL", STYLE_YELLOW, LIST_XFAILED},
    [OUT_XPASSED] = {"XPASS", STYLE_YELLOW, LIST_XPASSED},
};

void terminal_init(struct terminal *t, const struct terminal_options *o)
{
    *t = (struct terminal){.options = *o};
}

void terminal_release(struct terminal *t)
{
    buf_release(&t->lines);
    buf_release(&t->collect_errors);
    buf_release(&t->errors);
    buf_release(&t->failures);
    buf_release(&t->collect_error_list);
    for (int i = 0; i < TERMINAL_LISTS; i++)
        buf_release(&t->lists[i]);
    terminal_skips_release(&t->skips);
}

static const char *codes(const struct terminal *t, const char *c)
{
    return t->options.color ? c : NULL;
}

static bool list_wanted(const struct terminal *t, int list)
{
    return strchr(t->options.report_chars, list_letters[list]) != NULL;
}

/* The node id as it is shown: its path relative to the invocation directory. */
static void shown_id(const struct terminal *t, struct str id, struct buf *path, struct str *rest)
{
    size_t colons = 0;
    while (colons < id.n && !(id.p[colons] == ':' && colons + 1 < id.n && id.p[colons + 1] == ':'))
        colons++;
    struct str file = str_slice(id, 0, colons);
    *rest = str_slice(id, colons, id.n);
    if (str_eq(t->options.root, t->options.cwd) || file.n == 0) {
        buf_str(path, file);
        return;
    }
    struct buf absolute = {0};
    path_join(&absolute, t->options.root, file);
    path_relative(path, buf_view(&absolute), t->options.cwd);
    buf_release(&absolute);
}

/* "path::name" with the name in bold; returns its width. */
static int add_id(const struct terminal *t, struct buf *out, struct str id)
{
    struct buf path = {0};
    struct str rest;
    shown_id(t, id, &path, &rest);
    text_raw(out, buf_view(&path));
    int width = text_width(buf_view(&path)) + text_width(rest);
    if (rest.n) {
        buf_z(out, "::");
        style_text(out, codes(t, STYLE_BOLD), str_slice(rest, 2, rest.n));
    }
    buf_release(&path);
    return width;
}

/* ---- sections ---- */

static bool capture_shown(const struct terminal *t, struct str title)
{
    struct str show = t->options.show_capture;
    return !str_eq(show, STR("no")) && (str_eq(show, STR("all")) || str_contains(title, show));
}

static void add_captured(const struct terminal *t, struct buf *out, const struct report_phase *p,
                         struct str only)
{
    for (uint32_t i = 0; i < p->n_sections; i++) {
        struct str title = p->sections[i].title, text = p->sections[i].text;
        if (!title.p || !capture_shown(t, title) || !str_contains(title, only))
            continue;
        style_line(out, '-', title, t->options.width, NULL);
        if (str_ends(text, STR("\n")))
            text.n--;
        text_raw(out, text);
        buf_char(out, '\n');
    }
}

static void add_repr(const struct terminal *t, struct buf *out, const struct report_phase *p)
{
    if (p->repr.n == 0)
        return;
    style_traceback(out, p->repr, t->options.color);
    if (!str_ends(p->repr, STR("\n")))
        buf_char(out, '\n');
}

static void add_crash_line(struct buf *out, const struct report_phase *p)
{
    if (p->crash.path.p) {
        text_raw(out, p->crash.path);
        buf_printf(out, ":%" PRId64 ": ", p->crash.line);
        text_raw(out, p->crash.message);
    } else {
        text_raw(out, text_head(p->repr, 50));
    }
    buf_char(out, '\n');
}

/* One failure: headline, text, what was captured. before goes in front of the name. */
static void add_failure(const struct terminal *t, struct buf *out, const struct report_phase *p,
                        const char *before, struct str name)
{
    if (t->options.traceback == TRACEBACK_NONE)
        return;
    struct buf headline = {0};
    buf_z(&headline, before);
    buf_str(&headline, name);
    if (p->sub.p) {
        buf_char(&headline, ' ');
        buf_str(&headline, p->sub);
    }
    bool line_style = t->options.traceback == TRACEBACK_LINE && p->when == WHEN_CALL;
    if (!line_style)
        style_line(out, '_', buf_view(&headline), t->options.width, codes(t, STYLE_RED STYLE_BOLD));
    add_repr(t, out, p);
    add_captured(t, out, p, STR(""));
    if (line_style)
        add_crash_line(out, p);
    buf_release(&headline);
}

/* ---- short summary ---- */

static int columns_left(const struct terminal *t, int used)
{
    return t->options.width - used;
}

static void add_message(const struct terminal *t, struct buf *out, struct str message, int used)
{
    if (t->options.full_messages) {
        buf_z(out, " - ");
        text_raw(out, message);
    } else {
        style_message(out, message, columns_left(t, used));
    }
}

/* pytest takes reprcrash's message, or a longrepr that is a plain str; a collection error's text
 * and that of a missing fixture ("file …, line …") are objects without either. */
static bool short_message(const struct report_phase *p, struct str *message)
{
    if (p->crash.path.p) {
        *message = p->crash.message;
        return true;
    }
    *message = p->repr;
    return p->when != WHEN_COLLECT && p->repr.n > 0 && !str_starts(p->repr, STR("file "));
}

static void add_short(const struct terminal *t, struct buf *out, const struct report_phase *p,
                      struct str id, enum record_outcome o)
{
    struct buf word = {0};
    struct str message;
    buf_z(&word, p->sub.p && o == OUT_FAILED ? "SUBFAILED" : looks[o].word);
    if (p->sub.p && o == OUT_FAILED)
        buf_str(&word, p->sub);
    style_text(out, codes(t, looks[o].codes), buf_view(&word));
    buf_char(out, ' ');
    int used = text_width(buf_view(&word)) + 1 + add_id(t, out, id);
    if (o == OUT_XFAILED || o == OUT_XPASSED) {
        if (p->xfail.n) {
            buf_z(out, " - ");
            text_raw(out, p->xfail);
        }
    } else if (o != OUT_PASSED && short_message(p, &message)) {
        add_message(t, out, message, used);
    }
    buf_char(out, '\n');
    buf_release(&word);
}

static bool has_keyword(const struct report_item *item, struct str word)
{
    for (uint32_t i = 0; item && i < item->n_keywords; i++)
        if (str_eq(item->keywords[i], word))
            return true;
    return false;
}

/* A mark of a class or module says nothing of the line: pytest leaves it out. item: NULL for a collector. */
static void add_skip(struct terminal *t, const struct report_phase *p, const struct report_item *item)
{
    bool far = p->when == WHEN_SETUP && has_keyword(item, STR("skip")) && !has_keyword(item, STR("pytestmark"));
    struct buf path = {0};
    struct str why = p->skip.message;
    if (str_starts(why, STR("Skipped: ")))
        why = str_slice(why, 9, why.n);
    if (str_starts(p->skip.path, STR("/")))
        path_relative(&path, p->skip.path, t->options.cwd);
    else
        buf_str(&path, p->skip.path);
    terminal_skips_add(&t->skips, buf_view(&path), far || p->skip.line < 0 ? -1 : p->skip.line, why);
    buf_release(&path);
}

/* "SKIPPED [2] path:line: reason" */
static void put_skips(const struct terminal *t, struct buf *out)
{
    for (size_t i = 0; i < t->skips.n; i++) {
        const struct terminal_skip *s = &t->skips.items[i];
        style_text(out, codes(t, STYLE_YELLOW), STR("SKIPPED"));
        buf_printf(out, " [%" PRIu32 "] ", s->count);
        text_raw(out, s->path);
        if (s->line >= 0)
            buf_printf(out, ":%" PRId64, s->line);
        buf_z(out, ": ");
        text_raw(out, s->reason);
        buf_char(out, '\n');
    }
}

/* ---- what comes in ---- */

static struct str skip_reason(const struct report_phase *p)
{
    struct str why = p->xfail.p ? p->xfail : p->skip.message;
    struct str prefix = p->xfail.p ? STR("reason: ") : STR("Skipped: ");
    if (str_starts(why, prefix))
        return str_slice(why, prefix.n, why.n);
    return str_eq(why, STR("Skipped")) ? STR("") : why;
}

/* -v: one line a test. */
static void add_line(struct terminal *t, const struct report_test *test)
{
    const struct look *look = &looks[test->outcome];
    struct str why = {0};
    struct buf id = {0};
    struct str rest;
    for (uint32_t i = 0; i < test->result.n_phases; i++)
        if (report_phase_category(&test->result.phases[i]) == test->outcome)
            why = skip_reason(&test->result.phases[i]);
    shown_id(t, test->item->id, &id, &rest);
    buf_str(&id, rest);
    text_raw(&t->lines, buf_view(&id));
    buf_char(&t->lines, ' ');
    style_text(&t->lines, codes(t, look->codes), str_z(look->word));
    if (why.n) {
        buf_z(&t->lines, " (");
        text_raw(&t->lines, why);
        buf_char(&t->lines, ')');
    }
    buf_z(&t->lines, test->cached ? " [cached]\n" : "\n");
    buf_release(&id);
}

void terminal_collect(struct terminal *t, const struct report_phase *p)
{
    if (p->verdict == PHASE_FAILED) {
        struct buf path = {0};
        struct str rest;
        shown_id(t, p->id, &path, &rest);
        add_failure(t, &t->collect_errors, p, "ERROR collecting ",
                    str_slice(p->id, 0, p->id.n - rest.n));
        add_short(t, &t->collect_error_list, p, p->id, OUT_ERROR);
        buf_release(&path);
    } else if (list_wanted(t, LIST_SKIPPED)) {
        add_skip(t, p, NULL);
    }
}

/* Sections of the tear-down are shown with the failure of the call. */
static void add_teardown_captured(const struct terminal *t, struct buf *out,
                                  const struct report_test *test)
{
    for (uint32_t i = 0; i < test->result.n_phases; i++) {
        const struct report_phase *p = &test->result.phases[i];
        if (p->when == WHEN_TEARDOWN && p->verdict == PHASE_PASSED)
            add_captured(t, out, p, STR("teardown"));
    }
}

static void add_phase(struct terminal *t, const struct report_test *test,
                      const struct report_phase *p)
{
    enum record_outcome o = report_phase_category(p);
    struct buf before = {0};
    if (o == OUT_COUNT)
        return;
    if (o == OUT_FAILED) {
        add_failure(t, &t->failures, p, "", test->item->name);
        if (t->options.traceback == TRACEBACK_FULL)
            add_teardown_captured(t, &t->failures, test);
    } else if (o == OUT_ERROR) {
        buf_printf(&before, "ERROR at %s of ", report_when_name(p->when));
        add_failure(t, &t->errors, p, before.p, test->item->name);
    }
    int list = looks[o].list;
    if (list_wanted(t, list) && o == OUT_SKIPPED)
        add_skip(t, p, test->item);
    else if (list_wanted(t, list))
        add_short(t, &t->lists[list], p, test->item->id, o);
    buf_release(&before);
}

void terminal_test(struct terminal *t, const struct report_test *test)
{
    if (t->options.verbosity > 0)
        add_line(t, test);
    for (uint32_t i = 0; i < test->result.n_phases; i++)
        add_phase(t, test, &test->result.phases[i]);
}

/* ---- printing ---- */

static void put(FILE *out, const struct buf *b)
{
    if (b->n)
        fwrite(b->p, 1, b->n, out);
}

static void put_line(const struct terminal *t, FILE *out, struct str title, const char *c)
{
    struct buf line = {0};
    style_line(&line, '=', title, t->options.width, codes(t, c));
    put(out, &line);
    buf_release(&line);
}

static void put_sections(const struct terminal *t, FILE *out)
{
    if (t->collect_errors.n || t->errors.n) {
        put_line(t, out, STR("ERRORS"), NULL);
        put(out, &t->collect_errors);
        put(out, &t->errors);
    }
    if (t->failures.n) {
        put_line(t, out, STR("FAILURES"), NULL);
        put(out, &t->failures);
    }
}

static void put_short_summary(const struct terminal *t, FILE *out)
{
    struct buf all = {0};
    for (const char *c = t->options.report_chars; *c; c++) {
        const char *at = strchr(list_letters, *c);
        if (!at)
            continue;
        if (*c == 'E')
            buf_str(&all, buf_view(&t->collect_error_list));
        buf_str(&all, buf_view(&t->lists[at - list_letters]));
        if (*c == 's')
            put_skips(t, &all);
    }
    if (all.n) {
        put_line(t, out, STR("short test summary info"), STYLE_CYAN STYLE_BOLD);
        put(out, &all);
    }
    buf_release(&all);
}

static void put_generated(const struct terminal *t, struct str path, FILE *out)
{
    struct buf title = {0}, line = {0};
    if (path.n && t->options.verbosity >= 0) {
        buf_z(&title, "generated xml file: ");
        buf_str(&title, path);
        style_line(&line, '-', buf_view(&title), t->options.width, NULL);
        put(out, &line);
    }
    buf_release(&title);
    buf_release(&line);
}

static void put_stopped(const struct terminal *t, const struct terminal_end *e, FILE *out)
{
    struct buf title = {0}, line = {0};
    uint32_t errors = e->totals->collect_errors;
    if (e->interrupted)
        buf_printf(&title, "Interrupted: %u error%s during collection", errors, errors == 1 ? "" : "s");
    else if (e->stopped_why.n)
        buf_str(&title, e->stopped_why);
    else
        buf_printf(&title, "stopping after %u failures", e->totals->failed + errors);
    style_line(&line, '!', buf_view(&title), t->options.width,
               e->interrupted ? NULL : codes(t, STYLE_RED));
    put(out, &line);
    buf_release(&title);
    buf_release(&line);
}

void terminal_print(const struct terminal *t, const struct terminal_end *e, FILE *out)
{
    struct buf last = {0};
    put(out, &t->lines);
    if (t->options.print_failures && !t->options.no_summary) {
        put_sections(t, out);
        put_generated(t, e->junit, out);
        put_short_summary(t, out);
    }
    if (e->note.n)
        fprintf(out, "%.*s\n", (int)e->note.n, e->note.p);
    if ((e->stopped || e->interrupted) && t->options.verbosity > -2)
        put_stopped(t, e, out);
    if (t->options.verbosity > -2) {
        struct style_last l = {.totals = e->totals,
                               .batches_not_run = e->batches_not_run,
                               .wall_ns = e->wall_ns,
                               .width = t->options.verbosity >= 0 ? t->options.width : 0,
                               .color = t->options.color};
        style_last_line(&last, &l);
        put(out, &last);
    }
    buf_release(&last);
}
