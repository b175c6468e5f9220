/* `fastest discover`: pytest's --collect-only -q, or JSON, without starting Python. */
#include "runtime/cli/commands.h"
#include "runtime/cli/options.h"
#include "runtime/cli/recorded.h"

#include "generator/collect/discover.h"
#include "runtime/base/clock.h"
#include "runtime/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITTEN_AT_ONCE = 64 * 1024 };

static bool wants_json(const struct cli *c)
{
    return c->format && strcmp(c->format, "json") == 0;
}

/* ---- lines ---- */

static void print_counts(const struct discovered *d, struct buf *out)
{
    struct str last = STR("");
    size_t count = 0;
    for (size_t i = 0; i <= d->n; i++) {
        struct str path = STR("");
        if (i < d->n && !discover_is_listed(&d->tests[i]))
            continue;
        if (i < d->n)
            path = str_slice(d->tests[i].id, 0, d->tests[i].id.n);
        for (size_t k = 0; k + 1 < path.n; k++)
            if (path.p[k] == ':' && path.p[k + 1] == ':')
                path.n = k;
        if (count && !str_eq(path, last)) {
            buf_printf(out, "%.*s: %zu\n", (int)last.n, last.p, count);
            count = 0;
        }
        last = path;
        count++;
    }
}

static void print_lines(const struct discovered *d, struct buf *out)
{
    if (d->listing.lines.p) {
        io_write_all(STDOUT_FILENO, d->listing.lines.p, d->listing.lines.n);
        return;
    }
    for (size_t i = 0; i < d->n; i++) {
        if (!discover_is_listed(&d->tests[i]))
            continue;
        buf_str(out, d->tests[i].id);
        buf_char(out, '\n');
        if (out->n > WRITTEN_AT_ONCE) {
            io_write_all(STDOUT_FILENO, out->p, out->n);
            buf_clear(out);
        }
    }
}

/* path:line:col: what, the line itself and a caret below the column. */
static void print_syntax_error(const struct discovered *d, const struct discover_error *e, struct buf *out)
{
    struct buf path = {0}, text = {0};
    path_join(&path, d->config.probe.root, e->path);
    buf_printf(out, "%.*s:%u", (int)e->path.n, e->path.p, e->line);
    buf_printf(out, ":%u: %.*s\n", e->column + 1, e->what.n ? (int)e->what.n : 12,
               e->what.n ? e->what.p : "syntax error");
    if (io_read(path.p, 0, &text, NULL)) {
        struct str rest = buf_view(&text), line = STR("");
        bool more = true;
        for (uint32_t i = 0; i < e->line && more; i++)
            more = str_next(&rest, '\n', &line);
        if (more && line.n < 200)
            buf_printf(out, "    %.*s\n    %*s^\n", (int)line.n, line.p, (int)e->column, "");
    }
    buf_release(&path);
    buf_release(&text);
}

static size_t print_errors(const struct discovered *d, struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_errors; i++)
        print_syntax_error(d, &d->errors[i], out);
    for (size_t i = 0; i < d->n; i++)
        if (d->tests[i].error) {
            bool module = d->tests[i].function.n == 0;
            buf_printf(out, "ERROR %.*s", (int)d->tests[i].id.n, d->tests[i].id.p);
            buf_printf(out, module ? "\n" : " - %s\n", d->tests[i].doubt);
            n++;
        }
    return n;
}

static void print_summary(const struct discovered *d, size_t listed, size_t errors, double seconds, struct buf *out)
{
    size_t all = listed + d->n_deselected;
    buf_char(out, '\n');
    if (errors && !d->config.continue_on_errors)
        buf_printf(out, "!!! Interrupted: %zu error%s during collection !!!\n", errors, errors == 1 ? "" : "s");
    if (!all)
        buf_z(out, "no tests collected");
    else if (!listed)
        buf_printf(out, "no tests collected (%zu deselected)", d->n_deselected);
    else if (d->n_deselected)
        buf_printf(out, "%zu/%zu tests collected (%zu deselected)", listed, all, d->n_deselected);
    else
        buf_printf(out, "%zu test%s collected", listed, listed == 1 ? "" : "s");
    if (errors)
        buf_printf(out, ", %zu error%s", errors, errors == 1 ? "" : "s");
    buf_printf(out, " in %.2fs\n", seconds);
}

/* ---- JSON ---- */

static void json_field(struct buf *out, const char *name, struct str text, bool null)
{
    buf_printf(out, ", \"%s\": ", name);
    if (null)
        buf_z(out, "null");
    else
        json_quote(out, text);
}

static void json_params(struct buf *out, const struct test *t)
{
    buf_z(out, ", \"params\": ");
    if (!t->n_params) {
        buf_z(out, "null");
        return;
    }
    for (uint32_t i = 0; i < t->n_params; i++) {
        struct buf repr = {0};
        buf_z(out, i ? ", " : "{");
        json_quote(out, t->params[i].name);
        buf_z(out, ": ");
        if (value_repr(&t->params[i].value, &repr))
            json_quote(out, buf_view(&repr));
        else
            buf_z(out, "null");
        buf_release(&repr);
    }
    buf_char(out, '}');
}

static void json_test(struct buf *out, const struct test *t)
{
    struct str file = t->id;
    for (size_t k = 0; k + 1 < file.n; k++)
        if (file.p[k] == ':' && file.p[k + 1] == ':')
            file.n = k;
    buf_z(out, "{\"nodeid\": ");
    json_quote(out, t->id);
    buf_printf(out, ", \"exact\": %s", t->doubt ? "false" : "true");
    json_field(out, "file", file, false);
    buf_printf(out, ", \"line\": %u", t->line);
    json_field(out, "class", t->class, !t->class.n);
    json_field(out, "function", t->function, !t->function.n);
    buf_z(out, ", \"marks\": [");
    for (uint32_t i = 0; i < t->n_marks; i++) {
        if (i)
            buf_z(out, ", ");
        json_quote(out, t->marks[i].text);
    }
    buf_char(out, ']');
    json_params(out, t);
    if (t->skip.certain) {
        buf_z(out, ", \"skip\": {\"reason\": ");
        json_quote(out, t->skip.reason);
        buf_z(out, ", \"location\": ");
        struct buf where = {0};
        buf_printf(&where, "%.*s:%u", (int)file.n, file.p, t->skip.line ? t->skip.line : t->line);
        json_quote(out, buf_view(&where));
        buf_release(&where);
        buf_char(out, '}');
    } else {
        buf_z(out, ", \"skip\": null");
    }
    json_field(out, "reason", str_z(t->doubt), !t->doubt);
    buf_printf(out, ", \"error\": %s}", t->error ? "true" : "false");
}

static void print_json(const struct discovered *d, struct buf *out)
{
    buf_char(out, '[');
    for (size_t i = 0; i < d->n; i++) {
        buf_z(out, i ? ",\n " : "\n ");
        json_test(out, &d->tests[i]);
    }
    buf_z(out, "\n]\n");
}

/* ---- the command ---- */

static void report(const struct cli *c, const struct discovered *d, int64_t start_ns, enum exit_code *code)
{
    struct buf out = {0};
    size_t listed = d->listing.n_listed, doubtful = d->listing.n_doubtful, errors = 0;
    for (size_t i = 0; i < d->n; i++) {
        errors += d->tests[i].error;
        if (!d->listing.lines.p) {
            listed += discover_is_listed(&d->tests[i]);
            doubtful += d->tests[i].doubt && !d->tests[i].error;
        }
    }
    *code = errors && !d->config.continue_on_errors ? EXIT_INTERRUPTED
            : errors                               ? EXIT_FAILED
            : listed || doubtful                   ? EXIT_PASSED
                                                   : EXIT_NO_TESTS;
    if (wants_json(c)) {
        print_json(d, &out);
    } else {
        if (d->config.verbosity < -1)
            print_counts(d, &out);
        else
            print_lines(d, &out);
        buf_z(&out, errors ? "\n" : "");
        print_errors(d, &out);
        if (d->config.verbosity < -1)
            buf_z(&out, errors ? "" : "\n"); /* as pytest */
        else
            print_summary(d, listed, errors, (double)(clock_mono_ns() - start_ns) / 1e9, &out);
    }
    io_write_all(STDOUT_FILENO, out.p ? out.p : "", out.n);
    if (doubtful && !wants_json(c))
        fprintf(stderr, "%zu entries stand for tests whose ids only a run can tell (--format json says why)\n", doubtful);
    if (d->config.verbosity > 0 && d->counts.answered)
        fputs("nothing has changed: the last answer holds\n", stderr);
    else if (d->config.verbosity > 0)
        fprintf(stderr, "%llu files: %llu from the cache, %llu parsed\n", (unsigned long long)d->counts.files,
                (unsigned long long)d->counts.hits, (unsigned long long)d->counts.misses);
    buf_release(&out);
}

/* What pytest would print, too: without its header, and not as a tree. */
static bool is_certain(const struct discovered *d)
{
    bool certain = d->config.verbosity < 0 && !d->n_errors && !d->listing.n_doubtful && !d->config.unknown.n;
    for (size_t i = 0; certain && i < d->n; i++)
        certain = !d->tests[i].doubt && !d->tests[i].error && !d->tests[i].may_fail;
    return certain;
}

static bool list(struct cli *c, bool whole, bool *served, enum exit_code *code, struct err *err)
{
    int64_t start_ns = clock_mono_ns();
    struct discovered found = {0};
    struct generate_options g = cli_generate_options(c);
    struct recorded r = {.scan = &g};
    g.own = whole ? &c->settings.own : NULL; /* `watch` asks again */
    struct discover_options o = {.generate = &g, .parser = c->parser, .no_cache = c->no_cache,
                                 .listing_is_enough = !wants_json(c),
                                 .recorded = recorded_items, .recorded_ctx = &r};
    bool ok = discover(&o, &found, code, err);
    recorded_release(&r);
    *served = ok && (whole || is_certain(&found));
    if (*served)
        report(c, &found, start_ns, code);
    discover_release(&found);
    return ok;
}

bool discover_serve(struct cli *c, bool *served, enum exit_code *code, struct err *err)
{
    return list(c, false, served, code, err);
}

bool command_discover(struct cli *c, enum exit_code *code, struct err *err)
{
    bool served;
    return list(c, true, &served, code, err);
}
