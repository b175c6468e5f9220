/* `fastest graph`: what imports what, for Graphviz, Mermaid or a program. */
#include "runtime/cli/commands.h"

#include "runtime/cli/import_graph.h"
#include "runtime/cli/options.h"
#include "runtime/report/json_out.h"

#include <stdio.h>

struct graph_cli {
    struct cli *cli;
    struct view_graph graph;
    bool *keep, *centre;
    struct buf out;
    struct arena arena;
};

static void put_dot(struct graph_cli *c)
{
    buf_z(&c->out, "digraph imports {\n  rankdir=LR;\n  node [shape=box];\n");
    for (uint32_t i = 0; i < c->graph.n; i++) {
        if (!c->keep[i])
            continue;
        struct json_out j = {.out = &c->out};
        buf_printf(&c->out, "  n%u [label=", i);
        json_text(&j, c->graph.files[i].path); /* quotes as DOT does */
        buf_z(&c->out, c->centre[i] ? ", style=bold];\n" : "];\n");
    }
    for (uint32_t i = 0; i < c->graph.n; i++)
        for (uint32_t k = 0; c->keep[i] && k < c->graph.files[i].n_imports; k++)
            if (c->keep[c->graph.files[i].imports[k]])
                buf_printf(&c->out, "  n%u -> n%u;\n", i, c->graph.files[i].imports[k]);
    buf_z(&c->out, "}\n");
}

/* Quotes and the characters that Mermaid takes for markup become entities. */
static void put_mermaid_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (strchr("\"#;<>&", s.p[i]))
            buf_printf(out, "#%d;", s.p[i]);
        else
            buf_char(out, s.p[i]);
    }
}

static void put_mermaid(struct graph_cli *c)
{
    buf_z(&c->out, "flowchart LR\n");
    for (uint32_t i = 0; i < c->graph.n; i++) {
        if (!c->keep[i])
            continue;
        buf_printf(&c->out, "  n%u[\"", i);
        put_mermaid_text(&c->out, c->graph.files[i].path);
        buf_z(&c->out, "\"]\n");
    }
    for (uint32_t i = 0; i < c->graph.n; i++)
        for (uint32_t k = 0; c->keep[i] && k < c->graph.files[i].n_imports; k++)
            if (c->keep[c->graph.files[i].imports[k]])
                buf_printf(&c->out, "  n%u --> n%u\n", i, c->graph.files[i].imports[k]);
    for (uint32_t i = 0; i < c->graph.n; i++)
        if (c->centre[i])
            buf_printf(&c->out, "  style n%u stroke-width:3px\n", i);
}

static void put_json(struct graph_cli *c)
{
    struct json_out j = {.out = &c->out};
    json_open(&j, '{');
    for (uint32_t i = 0; i < c->graph.n; i++) {
        const struct view_graph_file *f = &c->graph.files[i];
        if (!c->keep[i])
            continue;
        json_key_text(&j, f->path);
        json_open(&j, '[');
        for (uint32_t k = 0; k < f->n_imports; k++)
            if (c->keep[f->imports[k]])
                json_text(&j, c->graph.files[f->imports[k]].path);
        json_close(&j, ']');
    }
    json_close(&j, '}');
    buf_char(&c->out, '\n');
}

static bool choose(struct graph_cli *c, const struct plan *plan, struct err *err)
{
    for (uint32_t i = 0; i < c->graph.n; i++)
        c->keep[i] = c->cli->n_items == 0;
    for (int i = 0; i < c->cli->n_items; i++) {
        struct buf rel = {0};
        path_relative(&rel, cli_item_path(c->cli, c->cli->items[i]), plan->root);
        uint32_t at = import_graph_find(&c->graph, buf_view(&rel));
        if (at == UINT32_MAX)
            at = import_graph_find(&c->graph, str_z(c->cli->items[i]));
        buf_release(&rel);
        if (at == UINT32_MAX)
            return err_set(err, "%s: is no file or module of the project; `fastest graph --json` lists them",
                           c->cli->items[i]);
        c->centre[at] = true;
        import_graph_reach(&c->graph, at, (uint32_t)c->cli->steps, false, c->keep);
        import_graph_reach(&c->graph, at, (uint32_t)c->cli->steps, true, c->keep);
    }
    return true;
}

static bool look(void *ctx, const struct look *l, struct err *err)
{
    struct graph_cli *c = ctx;
    import_graph_make(&c->graph, l, &c->arena);
    c->keep = arena_array(&c->arena, (size_t)c->graph.n + 1, sizeof *c->keep);
    c->centre = arena_array(&c->arena, (size_t)c->graph.n + 1, sizeof *c->centre);
    if (!choose(c, l->plan, err))
        return false;
    if (c->cli->as_json)
        put_json(c);
    else if (c->cli->mermaid)
        put_mermaid(c);
    else
        put_dot(c);
    return true;
}

bool command_graph(struct cli *cli, enum exit_code *code, struct err *err)
{
    struct graph_cli c = {.cli = cli};
    struct generate_options o = cli_generate_options(cli);
    bool ok = cli->steps >= 0 || err_set(err, "--steps: %d: a number of imports is wanted", cli->steps);
    ok = ok && generate_look(&o, look, &c, code, err);
    if (ok) {
        fwrite(c.out.p, 1, c.out.n, stdout);
        *code = EXIT_PASSED;
    }
    buf_release(&c.out);
    arena_release(&c.arena);
    return ok;
}
