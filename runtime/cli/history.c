/* `fastest history`: how long tests took, how they ended, which flip. */
#include "runtime/report/history.h"

#include "runtime/base/io.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/options.h"
#include "runtime/report/model.h"
#include "runtime/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct shown {
    const struct history_test *test;
    double mean_s;
    unsigned flips;
};

static int slower(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    return x->mean_s == y->mean_s ? str_cmp(x->test->id, y->test->id) : x->mean_s < y->mean_s ? 1 : -1;
}

/* The ids of it: itself, a file, a directory, a class, a function with parameters; "" is all. */
static bool is_of(struct str id, struct str wanted)
{
    if (!str_starts(id, wanted))
        return false;
    return id.n == wanted.n || !wanted.n || wanted.p[wanted.n - 1] == '/' || strchr("/:[", id.p[wanted.n]);
}

/* A node id as the user types it, from rootdir on. */
static struct str from_root(struct cli *c, struct str root, const char *item)
{
    struct buf b = {0};
    const char *names = strstr(item, "::");
    struct str path = cli_item_path(c, item);
    path_relative(&b, path, root);
    if (names)
        buf_z(&b, names);
    struct str out = {arena_dup(&c->arena, b.p, b.n), b.n};
    buf_release(&b);
    return str_eq(out, STR(".")) ? STR("") : out;
}

static bool wanted(struct cli *c, struct str root, const struct shown *s)
{
    bool any = c->n_items == 0;
    for (int i = 0; i < c->n_items && !any; i++)
        any = is_of(s->test->id, from_root(c, root, c->items[i]));
    return any && (!c->flaky || s->flips);
}

static void when(struct buf *out, uint32_t s)
{
    time_t t = (time_t)s;
    struct tm tm;
    char text[32] = "";
    if (localtime_r(&t, &tm))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    buf_z(out, text);
}

static void print_runs(struct buf *out, const struct history_test *t)
{
    for (uint32_t i = t->n; i-- > 0;) {
        const struct history_run *r = &t->runs[i];
        buf_z(out, "    ");
        when(out, r->when_s);
        struct str name = report_outcome_name((enum record_outcome)r->outcome);
        bool other = i > 0 && t->runs[i - 1].key != r->key;
        bool flip = i > 0 && !other && history_failed(r) != history_failed(&t->runs[i - 1]);
        buf_printf(out, "  %-8.*s %9.3fs%s\n", (int)name.n, name.p, r->duration_us / 1e6,
                   flip ? "  flipped" : other ? "  its sources had changed" : "");
    }
}

static void print_text(const struct cli *c, struct buf *out, const struct shown *s)
{
    uint32_t failed = 0;
    for (uint32_t i = 0; i < s->test->n; i++)
        failed += history_failed(&s->test->runs[i]);
    buf_printf(out, "%9.3fs  %.*s", s->mean_s, (int)s->test->id.n, s->test->id.p);
    buf_printf(out, "  (%u run%s", s->test->n, s->test->n == 1 ? "" : "s");
    if (failed)
        buf_printf(out, ", %u failed", failed);
    if (s->flips)
        buf_printf(out, ", %u flip%s", s->flips, s->flips == 1 ? "" : "s");
    buf_z(out, ")\n");
    if (c->n_items)
        print_runs(out, s->test);
}

static void print_json(struct buf *out, const struct shown *s, bool first)
{
    buf_z(out, first ? "\n {\"nodeid\": " : ",\n {\"nodeid\": ");
    json_quote(out, s->test->id);
    buf_printf(out, ", \"mean\": %.6f, \"flips\": %u, \"runs\": [", s->mean_s, s->flips);
    for (uint32_t i = 0; i < s->test->n; i++) {
        const struct history_run *r = &s->test->runs[i];
        buf_printf(out, "%s{\"when\": %u, \"outcome\": ", i ? ", " : "", r->when_s);
        json_quote(out, report_outcome_name((enum record_outcome)r->outcome));
        buf_printf(out, ", \"duration\": %.6f, \"key\": \"%08x\"}", r->duration_us / 1e6, r->key);
    }
    buf_z(out, "]}");
}

static size_t choose(struct cli *c, struct str root, const struct history *h, struct shown *all, double *sum_s)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        struct shown s = {&h->tests[i], history_mean_s(&h->tests[i]), history_flips(&h->tests[i])};
        if (wanted(c, root, &s)) {
            all[n++] = s;
            *sum_s += s.mean_s;
        }
    }
    if (n)
        qsort(all, n, sizeof *all, slower);
    return n;
}

bool command_history(struct cli *c, enum exit_code *code, struct err *err)
{
    struct history h = {0};
    struct buf dir = {0}, out = {0};
    double sum_s = 0;
    if (c->slowest < 0)
        return err_set(err, "history: --slowest %d: a number of tests is wanted", c->slowest);
    if (!cli_state_dir(c, &dir, err)) {
        buf_release(&dir);
        return false;
    }
    struct str root = c->state_dir ? c->settings.own.root : path_dir(buf_view(&dir));
    history_load(&h, buf_view(&dir));
    struct shown *all = xmalloc((h.n + 1) * sizeof *all);
    size_t n = choose(c, root, &h, all, &sum_s), most = c->slowest ? (size_t)c->slowest : c->n_items || c->as_json || c->flaky ? n : 10;
    buf_z(&out, c->as_json ? "[" : "");
    for (size_t i = 0; i < n && i < most; i++) {
        if (c->as_json)
            print_json(&out, &all[i], i == 0);
        else
            print_text(c, &out, &all[i]);
    }
    if (c->as_json)
        buf_z(&out, "\n]\n");
    else
        buf_printf(&out, "%zu test%s, %.3fs on the average\n", n, n == 1 ? "" : "s", sum_s);
    bool ok = io_write_all(STDOUT_FILENO, out.p, out.n) || err_errno(err, "cannot write");
    *code = ok ? EXIT_PASSED : EXIT_INTERNAL;
    free(all);
    history_release(&h);
    buf_release(&out);
    buf_release(&dir);
    return ok;
}
