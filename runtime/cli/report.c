/* `fastest report`: the last run again, as files or on the terminal, from its records. */
#include "runtime/cli/commands.h"

#include "runtime/cli/import_graph.h"
#include "runtime/cli/options.h"
#include "runtime/report/summary.h"

#include <stdio.h>
#include <unistd.h>

struct report_cli {
    struct cli *cli;
    struct view_graph graph;
    struct arena arena;
};

static bool look(void *ctx, const struct look *l, struct err *err)
{
    struct report_cli *c = ctx;
    (void)err;
    import_graph_make(&c->graph, l, &c->arena);
    return true;
}

/* The graph as the sources have it now, by the arguments of that run. */
static bool read_graph(struct report_cli *c, const struct plan *plan, enum exit_code *code, struct err *err)
{
    char **args = arena_array(&c->arena, (size_t)plan->n_args + 1, sizeof *args);
    for (uint32_t i = 0; i < plan->n_args; i++)
        args[i] = arena_dup(&c->arena, plan->args[i].p, plan->args[i].n);
    struct generate_options o = cli_generate_options(c->cli);
    o.python = arena_dup(&c->arena, plan->options.python.p, plan->options.python.n);
    o.state_dir = arena_dup(&c->arena, plan->state_dir.p, plan->state_dir.n);
    o.cwd = arena_dup(&c->arena, plan->cwd.p, plan->cwd.n);
    o.args = args;
    o.n_args = (int)plan->n_args;
    return generate_look(&o, look, c, code, err);
}

static void choose(struct report_cli *c, struct summary_options *s)
{
    const struct cli *cli = c->cli;
    s->junit = cli->junit;
    s->json = cli->json;
    s->view_paths[VIEW_REPORT_LOG] = cli->report_log;
    s->view_paths[VIEW_TRACE] = cli->trace;
    s->view_paths[VIEW_HTML] = cli->html;
    for (int i = 0; i < VIEW_FORMATS; i++)
        s->views[i] = s->view_paths[i] != NULL;
    bool files = s->junit || s->json || cli->report_log || cli->trace || cli->html;
    s->views[VIEW_TAP] = cli->tap && !cli->tap14;
    s->views[VIEW_TAP14] = cli->tap14;
    s->views[VIEW_GITHUB] = cli->github;
    s->views[VIEW_TEAMCITY] = cli->teamcity;
    s->output = files || cli->tap || cli->tap14 ? OUTPUT_NOTHING : (enum summary_output)cli->output;
    s->color = cli_color(cli, STDOUT_FILENO);
    s->graph = &c->graph;
    s->wall_ns = 0;
}

bool command_report(struct cli *cli, enum exit_code *code, struct err *err)
{
    struct report_cli c = {.cli = cli};
    struct buf dir = {0};
    struct plan plan = {0};
    bool ok = cli_state_dir(cli, &dir, err) && plan_load(&plan, dir.p, err);
    if (ok && cli->html)
        ok = read_graph(&c, &plan, code, err);
    if (ok) {
        struct summary_options s = summary_options_from(&plan, &c.arena);
        choose(&c, &s);
        ok = summary_run(&plan, &s, stdout, code, err);
        if (ok)
            *code = EXIT_PASSED; /* the run's own code is in the reports */
    }
    plan_release(&plan);
    buf_release(&dir);
    arena_release(&c.arena);
    return ok;
}
