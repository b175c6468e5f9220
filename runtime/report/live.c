#include "runtime/report/live.h"

#include "runtime/report/json.h"
#include "runtime/report/live_bar.h"
#include "runtime/report/style.h"
#include "runtime/report/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NO_OUTCOME = 255, LETTERS_END = 7 /* " [100%]" */ };
#define REDRAW_NS INT64_C(100000000) /* so often at most */
#define CLOCK_NS INT64_C(1000000000) /* so often for the time that is left */

struct module {
    uint8_t *outcomes; /* of its items, NULL before live_module */
    bool *shown;       /* printed, with its failure */
    uint32_t n;
    struct report_meta meta; /* with texts only */
    struct arena arena;
};

struct live {
    const struct plan *plan;
    struct live_options o;
    FILE *out;
    struct terminal terminal; /* for its lines and failures */
    struct module *modules;   /* n_modules + 1 */
    struct live_work work;
    struct live_bar bar;
    struct buf pending;  /* lines to be written */
    struct buf partial;  /* of live_text */
    struct buf row;      /* -q: letters of a line that is not full */
    int row_width;
    int drawn;           /* columns of the bar on the screen, 0 = none */
    bool changed, collected;
    int64_t drawn_ns;
};

static const char letters[OUT_COUNT + 1] = ".FEsxX";

static const char *color_of(enum record_outcome o)
{
    return o == OUT_PASSED ? STYLE_GREEN : o == OUT_FAILED || o == OUT_ERROR ? STYLE_RED : STYLE_YELLOW;
}

static const char *codes(const struct live *l, const char *c)
{
    return l->o.terminal.color ? c : NULL;
}

static bool utf8_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8") || strstr(value, "utf-8");
    }
    return false;
}

struct live_options live_options_from(const struct plan *plan, bool color, FILE *out)
{
    const char *term = getenv("TERM");
    struct live_options o = {.terminal = terminal_options_from(plan, out), .unicode = utf8_locale()};
    o.terminal.color = color;
    o.bar = isatty(fileno(out)) && !(term && strcmp(term, "dumb") == 0);
    o.silent = o.terminal.verbosity < -1;
    return o;
}

struct live *live_new(const struct plan *plan, const struct live_options *o, FILE *out, int64_t now_ns)
{
    struct live *l = xmalloc(sizeof *l);
    *l = (struct live){.plan = plan, .o = *o, .out = out, .drawn_ns = now_ns, .changed = true};
    l->bar = (struct live_bar){.left_s = -1, .width = o->terminal.width, .color = o->terminal.color, .unicode = o->unicode};
    l->modules = xmalloc(((size_t)plan->n_modules + 1) * sizeof *l->modules);
    memset(l->modules, 0, ((size_t)plan->n_modules + 1) * sizeof *l->modules);
    terminal_init(&l->terminal, &o->terminal);
    return l;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i <= l->plan->n_modules; i++) {
        free(l->modules[i].outcomes);
        free(l->modules[i].shown);
        arena_release(&l->modules[i].arena);
    }
    free(l->modules);
    terminal_release(&l->terminal);
    live_work_release(&l->work);
    buf_release(&l->pending);
    buf_release(&l->partial);
    buf_release(&l->row);
    free(l);
}

bool live_wants_results(const struct live *l)
{
    return !l->o.silent;
}

bool live_wants_text(const struct live *l)
{
    return l->o.terminal.verbosity > 0 && !l->o.silent;
}

/* ---- the bar on the screen ---- */

static void erase_bar(struct live *l)
{
    int lines = l->drawn > 0 ? (l->drawn - 1) / l->bar.width : 0; /* it may have become narrower since */
    if (lines)
        fprintf(l->out, "\x1b[%dA", lines);
    if (l->drawn)
        fputs("\r\x1b[J", l->out);
    l->drawn = 0;
}

static void write_pending(struct live *l)
{
    if (l->pending.n == 0)
        return;
    erase_bar(l);
    fwrite(l->pending.p, 1, l->pending.n, l->out);
    buf_clear(&l->pending);
    if (!l->o.bar)
        fflush(l->out);
    l->changed = true;
}

static int visible_width(struct str s)
{
    struct buf plain = {0};
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\x1b')
            while (i < s.n && s.p[i] != 'm')
                i++;
        else
            buf_char(&plain, s.p[i]);
    }
    int width = text_width(buf_view(&plain));
    buf_release(&plain);
    return width;
}

static void draw(struct live *l, int64_t now_ns)
{
    struct buf line = {0};
    if (l->collected && l->work.expected_s == NULL)
        live_work_load(&l->work, l->plan);
    l->bar.left_s = l->collected ? live_work_left(&l->work, l->bar.total, now_ns) : -1;
    live_bar_text(&l->bar, &line);
    erase_bar(l);
    fwrite(line.p, 1, line.n, l->out);
    fflush(l->out);
    l->drawn = visible_width(buf_view(&line));
    l->drawn_ns = now_ns;
    l->changed = false;
    buf_release(&line);
}

int64_t live_tick(struct live *l, int64_t now_ns)
{
    bool visible = l->drawn > 0;
    write_pending(l);
    if (!l->o.bar || l->o.silent)
        return 0;
    int64_t due = l->drawn_ns + (l->changed ? REDRAW_NS : CLOCK_NS);
    if (now_ns >= due || (visible && l->drawn == 0)) {
        draw(l, now_ns);
        due = now_ns + CLOCK_NS;
    }
    return due;
}

void live_resize(struct live *l, int width)
{
    l->o.terminal.width = l->terminal.options.width = l->bar.width = width;
    erase_bar(l);
    l->changed = true;
}

/* ---- lines ---- */

void live_head(struct live *l)
{
    uint32_t stale = l->plan->other ? 1 : 0;
    if (l->o.silent || l->o.terminal.verbosity < 0)
        return;
    style_line(&l->pending, '=', STR("test session starts"), l->o.terminal.width, codes(l, STYLE_BOLD));
    for (uint32_t i = 0; i < l->plan->n_report && !l->o.terminal.no_header; i++) {
        if (!str_starts(l->plan->report[i], STR("header=")))
            continue;
        text_raw(&l->pending, str_slice(l->plan->report[i], sizeof "header=" - 1, l->plan->report[i].n));
        buf_char(&l->pending, '\n');
    }
    for (uint32_t i = 0; i < l->plan->n_modules; i++)
        stale += l->plan->modules[i].stale;
    buf_printf(&l->pending, "modules: %" PRIu32 ", %" PRIu32 " to run\n", l->plan->n_modules, stale);
    if (stale == 0)
        buf_char(&l->pending, '\n');
    write_pending(l);
}

void live_collected(struct live *l, uint32_t n_items)
{
    bool again = l->collected; /* after a crash */
    l->collected = l->changed = true;
    l->bar.total = n_items;
    if (l->o.silent || l->o.terminal.verbosity < 0 || again)
        return;
    struct buf line = {0};
    buf_printf(&line, "collected %" PRIu32 " item%s", n_items, n_items == 1 ? "" : "s");
    style_text(&l->pending, codes(l, STYLE_BOLD), buf_view(&line));
    buf_z(&l->pending, "\n\n");
    buf_release(&line);
}

void live_notice(struct live *l, struct str line)
{
    if (l->o.silent)
        return;
    text_raw(&l->pending, line);
    buf_char(&l->pending, '\n');
}

void live_text(struct live *l, struct str text)
{
    buf_str(&l->partial, text);
    size_t end = str_rchr(buf_view(&l->partial), '\n');
    if (end == l->partial.n)
        return;
    buf_str(&l->pending, str_slice(buf_view(&l->partial), 0, end + 1));
    struct buf rest = {0};
    buf_str(&rest, str_slice(buf_view(&l->partial), end + 1, l->partial.n));
    buf_release(&l->partial);
    l->partial = rest;
}

/* " [ 42%]", or " [ 42/100]" */
static void put_progress(const struct live *l, struct buf *out)
{
    struct str style = plan_report(l->plan, "console_output_style");
    uint32_t total = l->bar.total > l->bar.done ? l->bar.total : l->bar.done;
    char number[16];
    if (str_eq(style, STR("classic")) || total == 0)
        return;
    int digits = snprintf(number, sizeof number, "%" PRIu32, total);
    if (str_eq(style, STR("count")))
        buf_printf(out, " [%*" PRIu32 "/%" PRIu32 "]", digits, l->bar.done, total);
    else
        buf_printf(out, " [%3u%%]", (unsigned)((uint64_t)l->bar.done * 100 / total));
}

/* At the right edge of a line that is `used` columns wide; ends it. */
static void end_line(struct live *l, struct buf *out, int used)
{
    struct buf progress = {0};
    bool bad = l->bar.counts[OUT_FAILED] || l->bar.counts[OUT_ERROR];
    put_progress(l, &progress);
    for (int pad = l->o.terminal.width - 1 - used - (int)progress.n; progress.n && pad > 0; pad--)
        buf_char(out, ' ');
    style_text(out, codes(l, bad ? STYLE_RED : l->bar.counts[OUT_XPASSED] ? STYLE_YELLOW : STYLE_GREEN), buf_view(&progress));
    buf_char(out, '\n');
    buf_release(&progress);
}

/* The letters of a module; `used` is where the line stands. Lines that are full end; returns where it stands then. */
static int put_letters(struct live *l, const struct module *m, struct buf *out, int used)
{
    const char *now = NULL;
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->outcomes[i] >= OUT_COUNT)
            continue;
        const char *c = codes(l, color_of((enum record_outcome)m->outcomes[i]));
        if (c != now && now)
            buf_z(out, "\x1b[0m");
        if (c != now && c)
            buf_z(out, c);
        now = c;
        buf_char(out, letters[m->outcomes[i]]);
        if (++used + LETTERS_END + 1 >= l->o.terminal.width) {
            if (now)
                buf_z(out, "\x1b[0m");
            now = NULL;
            end_line(l, out, used);
            used = 0;
        }
    }
    if (now)
        buf_z(out, "\x1b[0m");
    return used;
}

static void put_module(struct live *l, uint32_t module, const struct module *m)
{
    struct buf path = {0};
    if (m->n == 0)
        return;
    if (l->o.terminal.verbosity < 0) {
        l->row_width = put_letters(l, m, &l->row, l->row_width);
        size_t end = str_rchr(buf_view(&l->row), '\n');
        if (end < l->row.n) {
            struct buf rest = {0};
            buf_str(&rest, str_slice(buf_view(&l->row), end + 1, l->row.n));
            buf_str(&l->pending, str_slice(buf_view(&l->row), 0, end + 1));
            buf_release(&l->row);
            l->row = rest;
        }
        return;
    }
    if (module < l->plan->n_modules)
        path_relative(&path, l->plan->modules[module].path, l->plan->cwd);
    else
        buf_z(&path, "(other)");
    text_raw(&l->pending, buf_view(&path));
    buf_char(&l->pending, ' ');
    int used = put_letters(l, m, &l->pending, text_width(buf_view(&path)) + 1);
    if (used)
        end_line(l, &l->pending, used);
    buf_release(&path);
}

/* ---- what happens ---- */

void live_module(struct live *l, uint32_t module, uint32_t n_items, struct str json)
{
    struct module *m = module <= l->plan->n_modules ? &l->modules[module] : NULL;
    if (!m)
        return;
    for (uint32_t i = 0; i < m->n; i++) /* it begins anew: another pool */
        if (m->outcomes[i] < OUT_COUNT) {
            l->bar.done--;
            l->bar.counts[m->outcomes[i]]--;
        }
    free(m->outcomes);
    free(m->shown);
    arena_release(&m->arena);
    *m = (struct module){.n = n_items};
    m->outcomes = xmalloc((size_t)n_items + 1);
    memset(m->outcomes, NO_OUTCOME, (size_t)n_items + 1);
    m->shown = xmalloc(((size_t)n_items + 1) * sizeof *m->shown);
    memset(m->shown, 0, ((size_t)n_items + 1) * sizeof *m->shown);
    if (json.n && (!json_parse_meta(json, &m->arena, &m->meta) || m->meta.n_items != n_items))
        m->meta = (struct report_meta){0};
    if (l->work.expected_s) {
        l->work.items[module] = n_items;
        l->work.done[module] = 0;
    }
}

/* -v: its line, with progress, and its failure. */
static void put_test(struct live *l, struct module *m, uint32_t item, enum record_outcome o, struct str json, bool again)
{
    struct arena a = {0};
    struct buf line = {0};
    struct report_test t = {.item = &m->meta.items[item], .outcome = o, .batch = STR("")};
    if (json_parse_result(json, &a, &t.result)) {
        terminal_line(&l->terminal, &t, again ? " (run again)" : "", &line);
        int used = visible_width(buf_view(&line));
        buf_str(&l->pending, buf_view(&line));
        end_line(l, &l->pending, used);
        terminal_failures(&l->terminal, &t, &l->pending);
        m->shown[item] = true;
    }
    buf_release(&line);
    arena_release(&a);
}

void live_result(struct live *l, uint32_t module, uint32_t item, enum record_outcome o, struct str json)
{
    struct module *m = module <= l->plan->n_modules ? &l->modules[module] : NULL;
    if (!m || item >= m->n || o >= OUT_COUNT)
        return;
    bool again = m->outcomes[item] < OUT_COUNT, same = m->outcomes[item] == (uint8_t)o;
    if (again)
        l->bar.counts[m->outcomes[item]]--;
    else
        l->bar.done++;
    l->bar.counts[o]++;
    m->outcomes[item] = (uint8_t)o;
    l->changed = true;
    if (l->work.first_ns == 0)
        l->work.first_ns = l->drawn_ns;
    if (l->work.expected_s && !again)
        l->work.done[module]++;
    if (live_wants_text(l) && item < m->meta.n_items && json.n && !(again && same && m->shown[item]))
        put_test(l, m, item, o, json, again);
}

void live_module_end(struct live *l, uint32_t module)
{
    struct module *m = module <= l->plan->n_modules ? &l->modules[module] : NULL;
    if (m && m->outcomes && !l->o.silent && !live_wants_text(l))
        put_module(l, module, m);
}

void live_finish(struct live *l)
{
    write_pending(l);
    if (l->row_width)
        end_line(l, &l->row, l->row_width);
    buf_str(&l->pending, buf_view(&l->row));
    buf_clear(&l->row);
    l->row_width = 0;
    if (l->partial.n)
        buf_str(&l->pending, buf_view(&l->partial));
    buf_clear(&l->partial);
    if (l->collected && !l->o.silent && l->o.terminal.verbosity >= 0)
        buf_char(&l->pending, '\n');
    erase_bar(l);
    write_pending(l);
    fflush(l->out);
}

bool live_shown(const struct live *l, uint32_t module, uint32_t item, enum record_outcome o)
{
    const struct module *m = module <= l->plan->n_modules ? &l->modules[module] : NULL;
    return m && item < m->n && m->shown[item] && m->outcomes[item] == (uint8_t)o;
}
