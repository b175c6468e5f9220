/* `fastest affected`: the tests that a change touches, without running them. */
#include "runtime/cli/commands.h"

#include "generator/affected.h"
#include "generator/collect/discover.h"
#include "generator/graph/graph.h"
#include "runtime/base/io.h"
#include "runtime/cli/git.h"
#include "runtime/cli/recorded.h"
#include "runtime/cli/options.h"
#include "runtime/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct found {
    struct str path, rel, why;
};

struct affected_run {
    struct cli *cli;
    struct generate_options scan;
    struct found *found;
    size_t n, n_modules;
    struct arena arena;
};

static struct str keep(struct affected_run *c, struct str s)
{
    return (struct str){arena_dup(&c->arena, s.p ? s.p : "", s.n), s.n};
}

static void add(struct affected_run *c, const struct plan_module *m, struct str why)
{
    if (why.n)
        c->found[c->n++] = (struct found){keep(c, m->path), keep(c, m->rel), keep(c, why)};
}

/* Only sources of the graph are compared by what they say. */
static bool is_source(void *ctx, struct str path)
{
    const struct look *l = ctx;
    return map_get(&l->graph->by_path, path) != NULL;
}

static bool changes_of_files(struct affected_run *c, const struct look *l, struct change **changes, size_t *n,
                             struct err *err)
{
    *changes = arena_array(&c->arena, (size_t)c->cli->n_items + 1, sizeof **changes);
    *n = (size_t)c->cli->n_items;
    for (size_t i = 0; i < *n; i++) {
        struct change *at = &(*changes)[i];
        at->path = cli_item_path(c->cli, c->cli->items[i]);
        enum io_kind kind = (enum io_kind)io_stat_path(at->path.p).kind;
        if (kind == IO_DIR)
            return err_set(err, "affected: %s: a directory; name the files that changed, or use --since REV",
                           c->cli->items[i]);
        at->is = kind != IO_ABSENT;
        at->was = !at->is || !is_source((void *)(uintptr_t)l, at->path); /* a new source is as good as a changed one */
    }
    return true;
}

static bool look(void *ctx, const struct look *l, struct err *err)
{
    struct affected_run *c = ctx;
    const struct plan *p = l->plan;
    struct change *changes = NULL;
    size_t n = 0;
    bool ok = true;
    c->n_modules = p->n_modules;
    c->found = arena_array(&c->arena, p->n_modules, sizeof *c->found);
    if (!c->cli->since && !c->cli->n_items) {
        for (uint32_t i = 0; i < p->n_modules; i++)
            add(c, &p->modules[i], p->modules[i].why);
        return true;
    }
    if (c->cli->since)
        ok = git_changes(keep(c, p->root).p, c->cli->since, &c->scan, is_source, (void *)(uintptr_t)l, &c->arena, &changes, &n,
                         err);
    else
        ok = changes_of_files(c, l, &changes, &n, err);
    struct affected a;
    affected_init(&a, l, changes, n);
    for (uint32_t i = 0; ok && i < p->n_modules; i++)
        add(c, &p->modules[i], affected_why(&a, i));
    affected_release(&a);
    if (c->cli->since)
        free(changes);
    return ok;
}

/* ---- what it prints ---- */

static void print_modules(const struct affected_run *c, struct buf *out)
{
    for (size_t i = 0; i < c->n; i++) {
        buf_str(out, c->found[i].rel);
        buf_char(out, '\n');
    }
}

static struct str module_of(struct str id)
{
    for (size_t k = 0; k + 1 < id.n; k++)
        if (id.p[k] == ':' && id.p[k + 1] == ':')
            return str_slice(id, 0, k);
    return id;
}

static void print_tests(const struct affected_run *c, const struct discovered *d, struct str rel, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < d->n; i++) {
        if (!discover_is_listed(&d->tests[i]) || (rel.n && !str_eq(module_of(d->tests[i].id), rel)))
            continue;
        if (c->cli->as_json)
            buf_z(out, any ? ", " : "");
        if (c->cli->as_json)
            json_quote(out, d->tests[i].id);
        else {
            buf_str(out, d->tests[i].id);
            buf_char(out, '\n');
        }
        any = true;
    }
}

static void print_json(const struct affected_run *c, const struct discovered *d, struct buf *out)
{
    buf_char(out, '[');
    for (size_t i = 0; i < c->n; i++) {
        buf_z(out, i ? ",\n {\"module\": " : "\n {\"module\": ");
        json_quote(out, c->found[i].rel);
        buf_z(out, ", \"why\": ");
        json_quote(out, c->found[i].why);
        buf_z(out, ", \"tests\": [");
        print_tests(c, d, c->found[i].rel, out);
        buf_z(out, "]}");
    }
    buf_z(out, "\n]\n");
}

/* The ids of the modules' tests, as `fastest discover` finds them. */
static bool print_found(struct affected_run *c, enum exit_code *code, struct err *err)
{
    struct buf out = {0};
    struct strs only = {0};
    struct discovered d = {0};
    struct recorded r = {.scan = &c->scan};
    struct discover_options o = {.generate = &c->scan, .only = &only, .recorded = recorded_items, .recorded_ctx = &r};
    bool ok = true;
    for (size_t i = 0; i < c->n; i++)
        strs_add(&only, c->found[i].path);
    if (!c->cli->modules && c->n)
        ok = discover(&o, &d, code, err);
    if (ok && c->cli->modules && !c->cli->as_json)
        print_modules(c, &out);
    else if (ok && c->cli->as_json)
        print_json(c, &d, &out);
    else if (ok)
        print_tests(c, &d, STR(""), &out);
    if (ok)
        ok = io_write_all(STDOUT_FILENO, out.p ? out.p : "", out.n) || err_errno(err, "cannot write");
    if (ok && !c->cli->as_json)
        fprintf(stderr, "%zu of %zu modules\n", c->n, c->n_modules);
    recorded_release(&r);
    discover_release(&d);
    strs_release(&only);
    buf_release(&out);
    return ok;
}

bool command_affected(struct cli *cli, enum exit_code *code, struct err *err)
{
    struct affected_run c = {.cli = cli, .scan = cli_generate_options(cli)};
    if (cli->since && cli->n_items)
        return err_set(err, "affected: --since and FILES: name one of them");
    bool ok = generate_look(&c.scan, look, &c, code, err) && print_found(&c, code, err);
    if (ok)
        *code = EXIT_PASSED;
    arena_release(&c.arena);
    return ok;
}
