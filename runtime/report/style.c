#include "runtime/report/style.h"

#include "runtime/report/text.h"

#include <string.h>

#define RESET "\x1b[0m"

void style_text(struct buf *out, const char *codes, struct str text)
{
    bool styled = codes && *codes;
    if (styled)
        buf_z(out, codes);
    text_raw(out, text);
    if (styled)
        buf_z(out, RESET);
}

static void fill_with(struct buf *out, char fill, size_t n)
{
    while (n-- > 0)
        buf_char(out, fill);
}

/* How many fill characters stand on each side of n characters, and whether one more fits. */
static size_t side(size_t n, int width, bool *extra)
{
    size_t columns = width > 0 ? (size_t)width : 0;
    size_t sides = columns > n + 2 ? (columns - n - 2) / 2 : 0;
    if (sides < 1)
        sides = 1;
    *extra = 2 * sides + n + 2 + 1 <= columns;
    return sides;
}

void style_line(struct buf *out, char fill, struct str title, int width, const char *codes)
{
    bool extra, styled = codes && *codes;
    size_t sides = side(text_length(title), width, &extra);
    if (styled)
        buf_z(out, codes);
    fill_with(out, fill, sides);
    buf_char(out, ' ');
    text_raw(out, title);
    buf_char(out, ' ');
    fill_with(out, fill, sides + extra);
    if (styled)
        buf_z(out, RESET);
    buf_char(out, '\n');
}

void style_message(struct buf *out, struct str message, int columns)
{
    message = str_slice(message, 0, str_chr(message, '\n'));
    int room = columns - 3; /* " - " */
    if (room < 3)
        return;
    buf_z(out, " - ");
    if (text_width(message) <= room) {
        text_raw(out, message);
        return;
    }
    size_t n = (size_t)room - 3;
    while (n > 0 && text_width(text_head(message, n)) > room - 3)
        n--;
    text_raw(out, text_head(message, n));
    buf_z(out, "...");
}

/* Length of "path" in a line "path:12: …" (ReprFileLocation.toterminal), 0 when it is none. */
static size_t location(struct str line)
{
    size_t colon = str_chr(line, ':'), i = colon + 1;
    if (colon == 0 || colon >= line.n || line.p[0] == ' ' || line.p[0] == '>')
        return 0;
    while (i < line.n && line.p[i] >= '0' && line.p[i] <= '9')
        i++;
    return i > colon + 1 && i < line.n && line.p[i] == ':' ? colon : 0;
}

void style_traceback(struct buf *out, struct str repr, bool color)
{
    struct str rest = repr;
    if (!color) {
        text_raw(out, repr);
        return;
    }
    while (rest.n) {
        size_t end = str_chr(rest, '\n');
        struct str line = str_slice(rest, 0, end);
        size_t path = location(line);
        if (str_starts(line, STR("E ")) || str_eq(line, STR("E"))) {
            style_text(out, STYLE_BOLD STYLE_RED, line);
        } else if (path > 0) {
            style_text(out, STYLE_BOLD STYLE_RED, str_slice(line, 0, path));
            text_raw(out, str_slice(line, path, line.n));
        } else {
            text_raw(out, line);
        }
        if (end < rest.n)
            buf_char(out, '\n');
        rest = str_slice(rest, end + 1, rest.n);
    }
}

/* ---- the last line ---- */

struct line {
    struct buf text;  /* with colours */
    size_t n;         /* characters without them */
    const char *main; /* colour of the whole */
    bool color, any;
};

static void add_part(struct line *l, const char *code, struct str part)
{
    char codes[16] = "";
    if (l->any) {
        buf_z(&l->text, ", ");
        l->n += 2;
    }
    if (l->color) {
        strcpy(codes, code);
        if (strcmp(code, l->main) == 0)
            strcat(codes, STYLE_BOLD);
    }
    style_text(&l->text, codes, part);
    l->n += text_length(part);
    l->any = true;
}

static const char *category_color(const char *name)
{
    if (strcmp(name, "failed") == 0 || strcmp(name, "error") == 0 ||
        strcmp(name, "subtests failed") == 0)
        return STYLE_RED;
    if (strcmp(name, "passed") == 0 || strcmp(name, "subtests passed") == 0)
        return STYLE_GREEN;
    return STYLE_YELLOW;
}

static void add_category(struct line *l, const struct totals_category *c)
{
    struct buf part = {0};
    const char *name = c->name;
    buf_printf(&part, "%u ", c->n);
    if (strcmp(name, "error") == 0)
        buf_z(&part, c->n == 1 ? "error" : "errors");
    else if (strcmp(name, "warnings") == 0)
        buf_z(&part, c->n == 1 ? "warning" : "warnings");
    else
        buf_z(&part, name);
    if (strcmp(name, "passed") == 0)
        buf_printf(&part, " (%u cached)", c->cached);
    add_part(l, category_color(name), buf_view(&part));
    buf_release(&part);
}

/* pytest's KNOWN_TYPES; "passed" comes first here. */
static const char *const known[] = {
    "passed",   "failed", "skipped",         "deselected",      "xfailed",          "xpassed",
    "warnings", "error",  "subtests passed", "subtests failed", "subtests skipped",
};
enum { N_KNOWN = sizeof known / sizeof *known };

static bool is_known(const char *name)
{
    for (int i = 0; i < N_KNOWN; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

static const char *main_color(const struct style_last *l)
{
    const struct totals *t = l->totals;
    bool unknown = false;
    for (uint32_t i = 0; i < t->n_categories; i++)
        unknown |= !is_known(t->categories[i].name);
    if (totals_find(t, "failed") || totals_find(t, "error"))
        return STYLE_RED;
    if (totals_find(t, "warnings") || totals_find(t, "xpassed") || unknown || l->batches_not_run)
        return STYLE_YELLOW;
    return totals_find(t, "passed") ? STYLE_GREEN : STYLE_YELLOW;
}

static void add_categories(struct line *l, const struct totals *t)
{
    for (int i = 0; i < N_KNOWN; i++) {
        const struct totals_category *c = totals_find(t, known[i]);
        if (c)
            add_category(l, c);
    }
    for (uint32_t i = 0; i < t->n_categories; i++)
        if (!is_known(t->categories[i].name))
            add_category(l, &t->categories[i]);
}

static void add_not_run(struct line *l, uint32_t n, const char *noun)
{
    struct buf part = {0};
    if (n > 0) {
        buf_printf(&part, "%u %s not run", n, noun);
        add_part(l, STYLE_YELLOW, buf_view(&part));
    }
    buf_release(&part);
}

void style_time(struct buf *out, double seconds)
{
    int64_t whole = seconds < 1e9 ? (int64_t)seconds : 1000000000;
    if (whole < 60)
        buf_printf(out, seconds < 10 ? "%.2fs" : "%.1fs", seconds);
    else if (whole < 3600)
        buf_printf(out, "%dm %02ds", (int)(whole / 60), (int)(whole % 60));
    else
        buf_printf(out, "%dh %02dm", (int)(whole / 3600), (int)(whole / 60 % 60));
}

static void add_flaky(struct line *l, uint32_t n)
{
    struct buf part = {0};
    buf_printf(&part, "%u flaky", n);
    if (n)
        add_part(l, STYLE_YELLOW, buf_view(&part));
    buf_release(&part);
}

/* pytest's format_session_duration, then who ran. */
static void add_duration(struct line *l, const struct style_last *o)
{
    struct buf text = {0};
    double seconds = (double)o->wall_ns / 1e9;
    int whole = (int)seconds;
    buf_printf(&text, " in %.2fs", seconds);
    if (seconds >= 60 && whole >= 86400)
        buf_printf(&text, " (%d day%s, %d:%02d:%02d)", whole / 86400, whole >= 172800 ? "s" : "",
                   whole / 3600 % 24, whole / 60 % 60, whole % 60);
    else if (seconds >= 60)
        buf_printf(&text, " (%d:%02d:%02d)", whole / 3600, whole / 60 % 60, whole % 60);
    buf_printf(&text, " (%u ran, %u cached", o->totals->ran, o->totals->cached);
    if (o->totals->cached_us >= 10000) {
        buf_z(&text, ", ");
        style_time(&text, (double)o->totals->cached_us / 1e6);
        buf_z(&text, " saved");
    }
    buf_char(&text, ')');
    style_text(&l->text, l->color ? l->main : NULL, buf_view(&text));
    l->n += text.n;
    buf_release(&text);
}

void style_last_line(struct buf *out, const struct style_last *o)
{
    struct line l = {.main = main_color(o), .color = o->color};
    bool extra;
    add_categories(&l, o->totals);
    add_flaky(&l, o->totals->flaky);
    add_not_run(&l, o->totals->tests_not_run, o->totals->tests_not_run == 1 ? "test" : "tests");
    add_not_run(&l, o->batches_not_run, o->batches_not_run == 1 ? "batch" : "batches");
    if (!l.any)
        add_part(&l, STYLE_YELLOW, STR("no tests ran"));
    add_duration(&l, o);
    if (o->width > 0) {
        size_t sides = side(l.n, o->width, &extra);
        if (l.color)
            buf_z(out, l.main);
        fill_with(out, '=', sides);
        buf_char(out, ' ');
        buf_str(out, buf_view(&l.text));
        if (l.color)
            buf_z(out, l.main);
        buf_char(out, ' ');
        fill_with(out, '=', sides + extra);
        buf_z(out, l.color ? RESET "\n" : "\n");
    } else {
        buf_str(out, buf_view(&l.text));
        buf_char(out, '\n');
    }
    buf_release(&l.text);
}
