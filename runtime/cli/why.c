/* `fastest why`: why a module would run, or would not, and what the last run ran it for. */
#include "runtime/cli/commands.h"

#include "generator/files/pyname.h"
#include "generator/graph/executed.h"
#include "generator/graph/graph.h"
#include "generator/graph/why.h"
#include "runtime/base/io.h"
#include "runtime/cli/options.h"
#include "runtime/wire/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct why {
    struct cli *cli;
    bool json;
    const struct look *look;
    struct plan last; /* of the last scan of a run */
    bool has_last, any;
    struct buf out;
    struct arena arena;
};

static struct str below(const struct why *c, struct str path)
{
    return pyname_below(path, c->look->plan->root);
}

static uint32_t node_of(const struct why *c, struct str path)
{
    struct buf b = {0};
    path_join(&b, c->look->plan->root, path);
    const uintptr_t *at = map_get(&c->look->graph->by_path, buf_view(&b));
    buf_release(&b);
    return at ? (uint32_t)*at : UINT32_MAX;
}

static const struct plan_module *last_of(const struct why *c, const struct plan_module *m)
{
    for (uint32_t i = 0; c->has_last && i < c->last.n_modules; i++)
        if (str_eq(c->last.modules[i].rel, m->rel))
            return &c->last.modules[i];
    return NULL;
}

static void separate(struct why *c)
{
    if (c->json)
        buf_z(&c->out, c->any ? ",\n " : "\n ");
    c->any = true;
}

/* ---- chains ---- */

static void chain(struct why *c, struct str from, struct str to)
{
    uint32_t n, a = node_of(c, from), b = node_of(c, to);
    const struct graph *g = c->look->graph;
    if (a == UINT32_MAX || b == UINT32_MAX) {
        buf_z(&c->out, c->json ? "[]" : "");
        return;
    }
    uint32_t *nodes = why_chain(g, a, b, &c->arena, &n);
    buf_z(&c->out, c->json ? "[" : "");
    for (uint32_t i = 0; i < n; i++) {
        struct str path = below(c, g->nodes[nodes[i]].path);
        struct str next = i + 1 < n ? below(c, g->nodes[nodes[i + 1]].path) : STR("");
        if (c->json) {
            buf_z(&c->out, i ? ", " : "");
            json_quote(&c->out, path);
        } else if (next.n) {
            buf_printf(&c->out, "    %.*s %s %.*s\n", (int)path.n, path.p, why_verb(next), (int)next.n, next.p);
        }
    }
    buf_z(&c->out, c->json ? "]" : "");
}

/* Files of the closure whose imports only a run can tell. */
static void uncertain(struct why *c, const struct plan_module *m)
{
    bool any = false;
    for (uint32_t i = 0; i < m->n_files; i++) {
        const struct node *n = &c->look->graph->nodes[m->files[i]];
        struct str path = below(c, n->path);
        if (!(n->file->facts.flags & FACT_DYNAMIC))
            continue;
        if (c->json) {
            buf_z(&c->out, any ? ", " : "");
            json_quote(&c->out, path);
        } else {
            buf_printf(&c->out, "    %.*s computes names of modules: it may import all of its package\n", (int)path.n, path.p);
        }
        any = true;
    }
}

/* ---- a module ---- */

static void when(struct buf *out, int64_t ns)
{
    time_t t = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[32] = "";
    if (localtime_r(&t, &tm))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    buf_z(out, text);
}

struct counts {
    uint32_t loaded, functions, read;
};

static struct counts count(struct why *c, const struct record *r)
{
    struct counts n = {.loaded = r->n_executed, .read = r->n_deps};
    for (uint32_t i = 0; i < r->n_executed; i++)
        n.functions += (uint32_t)(r->executed[i].choice.n / BLOCKS_CHOICE_BYTES);
    (void)c;
    return n;
}

static void module_text(struct why *c, const struct plan_module *m, bool asked)
{
    const struct plan_module *last = last_of(c, m);
    struct record r;
    bool loaded = record_load(&r, m->record.p, c->look->plan->root, true);
    struct str why = m->why;
    if (m->stale) {
        buf_printf(&c->out, "%.*s would run: %.*s\n", (int)m->rel.n, m->rel.p, (int)why.n, why.p);
        if (why_file(why).n)
            chain(c, m->rel, why_file(why));
    } else {
        buf_printf(&c->out, "%.*s would not run: it passed at ", (int)m->rel.n, m->rel.p);
        when(&c->out, loaded ? r.end_ns : 0);
        buf_z(&c->out, ", and nothing that it depends on has changed since\n");
    }
    if (asked && last && last->stale && last->why.n && !(m->stale && str_eq(last->why, why)))
        buf_printf(&c->out, "    the last run ran it: %.*s\n", (int)last->why.n, last->why.p);
    if (asked && loaded && r.flags & REC_TRACED) {
        struct counts n = count(c, &r);
        buf_printf(&c->out, "    it loads %u sources, executes %u functions of them, and reads %u other files and directories\n",
                   n.loaded, n.functions, n.read);
    } else if (asked && loaded) {
        buf_printf(&c->out, "    what it executes is not known: it depends on all %u files that it may import\n", m->n_files);
    }
    if (asked && loaded && r.flags & REC_ALL_FILES)
        buf_z(&c->out, "    what it reads cannot be seen: it depends on every file\n");
    else if (asked && loaded && r.flags & REC_ALL_SOURCES)
        buf_z(&c->out, "    it starts processes or threads: it depends on every source\n");
    if (asked && !(loaded && r.flags & REC_TRACED))
        uncertain(c, m);
    if (loaded)
        record_release(&r);
}

static void member(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, ", \"%s\": ", name);
    if (value.n)
        json_quote(out, value);
    else
        buf_z(out, "null");
}

static void module_json(struct why *c, const struct plan_module *m)
{
    const struct plan_module *last = last_of(c, m);
    struct record r;
    bool loaded = record_load(&r, m->record.p, c->look->plan->root, true);
    struct counts n = loaded ? count(c, &r) : (struct counts){0};
    struct str file = why_file(m->why);
    buf_z(&c->out, "{\"module\": ");
    json_quote(&c->out, m->rel);
    member(&c->out, "batch", c->look->plan->batches[m->batch].name);
    buf_printf(&c->out, ", \"runs\": %s", m->stale ? "true" : "false");
    member(&c->out, "why", m->why);
    member(&c->out, "file", file);
    buf_z(&c->out, ", \"chain\": ");
    chain(c, m->rel, file.n ? file : STR("\n"));
    member(&c->out, "last_run", last && last->stale ? last->why : STR(""));
    buf_printf(&c->out, ", \"traced\": %s, \"loaded\": %u, \"functions\": %u, \"read\": %u, \"all_sources\": %s",
               loaded && r.flags & REC_TRACED ? "true" : "false", n.loaded, n.functions, n.read,
               loaded && r.flags & REC_ALL_SOURCES ? "true" : "false");
    buf_z(&c->out, ", \"depends\": [");
    for (uint32_t i = 0; i < m->n_files; i++) {
        buf_z(&c->out, i ? ", " : "");
        json_quote(&c->out, below(c, c->look->plan->files[m->files[i]].path));
    }
    buf_z(&c->out, "], \"uncertain\": [");
    uncertain(c, m);
    buf_z(&c->out, "]}");
    if (loaded)
        record_release(&r);
}

static void module(struct why *c, uint32_t i, bool asked)
{
    separate(c);
    if (c->json)
        module_json(c, &c->look->plan->modules[i]);
    else
        module_text(c, &c->look->plan->modules[i], asked);
}

/* ---- a source, or a data file ---- */

static bool reads(const struct record *r, struct str path)
{
    for (uint32_t i = 0; i < r->n_deps; i++)
        if (str_eq(r->deps[i].path, path))
            return true;
    return false;
}

/* What a module has to do with a file, in words; "" for nothing. */
static void relation(struct why *c, const struct plan_module *m, struct str path, uint32_t node, struct buf *out)
{
    struct record r;
    bool covered = false;
    for (uint32_t i = 0; i < m->n_files; i++)
        covered = covered || m->files[i] == node;
    if (!record_load(&r, m->record.p, c->look->plan->root, true)) {
        buf_z(out, covered ? "may import it; no run has told yet" : "");
        return;
    }
    if (reads(&r, path))
        buf_z(out, "reads it");
    for (uint32_t i = 0; covered && r.flags & REC_TRACED && i < r.n_executed; i++)
        if (str_eq(r.executed[i].path, below(c, path))) {
            size_t before = out->n;
            buf_z(out, out->n ? ", executes " : "executes ");
            size_t names = out->n;
            why_executed(out, &r.executed[i], c->look->graph->nodes[node].file);
            if (out->n == names) {
                out->n = before;
                buf_z(out, before ? ", loads it" : "loads it");
            }
        }
    if (covered && !(r.flags & REC_TRACED))
        buf_z(out, "may import it");
    record_release(&r);
}

static uint32_t file(struct why *c, struct str path)
{
    const struct plan *p = c->look->plan;
    uint32_t node = node_of(c, path), n = 0;
    struct buf said = {0};
    struct str rel = below(c, path);
    for (uint32_t i = 0; i < p->n_modules; i++) {
        buf_clear(&said);
        relation(c, &p->modules[i], path, node, &said);
        if (!said.n)
            continue;
        n++;
        separate(c);
        if (c->json) {
            buf_z(&c->out, "{\"module\": ");
            json_quote(&c->out, p->modules[i].rel);
            member(&c->out, "file", rel);
            member(&c->out, "relation", buf_view(&said));
            buf_z(&c->out, ", \"chain\": ");
            chain(c, p->modules[i].rel, rel);
            buf_char(&c->out, '}');
        } else {
            buf_printf(&c->out, "%.*s %s\n", (int)p->modules[i].rel.n, p->modules[i].rel.p, said.p);
            chain(c, p->modules[i].rel, rel);
        }
    }
    if (!n && node != UINT32_MAX && !c->json)
        buf_printf(&c->out, "%.*s: no module depends on it\n", (int)rel.n, rel.p);
    buf_release(&said);
    return n + (node != UINT32_MAX);
}

/* ---- the command ---- */

static bool target(struct why *c, const char *item, struct err *err)
{
    const struct plan *p = c->look->plan;
    struct str path = cli_item_path(c->cli, item), rel = str_z(item);
    uint32_t n = 0;
    for (size_t k = 0; k + 1 < rel.n; k++)
        if (rel.p[k] == ':' && rel.p[k + 1] == ':')
            rel.n = k;
    for (uint32_t i = 0; i < p->n_modules; i++)
        if (path_under(p->modules[i].path, path) || str_eq(p->modules[i].rel, rel) ||
            str_eq(p->batches[p->modules[i].batch].name, rel)) {
            module(c, i, true);
            n++;
        }
    if (n || file(c, path))
        return true;
    return err_set(err, "why: %s: no test, source, batch or file that a test reads; `fastest discover` lists the tests",
                   item);
}

static bool look(void *ctx, const struct look *l, struct err *err)
{
    struct why *c = ctx;
    struct err ignored;
    bool ok = true;
    c->look = l;
    c->has_last = plan_load(&c->last, arena_dup(&c->arena, l->plan->state_dir.p, l->plan->state_dir.n), &ignored);
    buf_z(&c->out, c->json ? "[" : "");
    for (int i = 0; ok && i < c->cli->n_items; i++)
        ok = target(c, c->cli->items[i], err);
    for (uint32_t i = 0; !c->cli->n_items && i < l->plan->n_modules; i++)
        if (l->plan->modules[i].stale)
            module(c, i, false);
    if (!c->any && !c->json && ok)
        buf_printf(&c->out, "nothing would run: %u modules are as they passed\n", l->plan->n_modules);
    buf_z(&c->out, c->json ? "\n]\n" : "");
    if (c->has_last)
        plan_release(&c->last);
    if (ok)
        ok = io_write_all(STDOUT_FILENO, c->out.p, c->out.n) || err_errno(err, "cannot write");
    return ok;
}

bool command_why(struct cli *cli, enum exit_code *code, struct err *err)
{
    struct why c = {.cli = cli, .json = cli->as_json};
    struct generate_options o = cli_generate_options(cli);
    bool ok = generate_look(&o, look, &c, code, err);
    buf_release(&c.out);
    arena_release(&c.arena);
    return ok;
}
