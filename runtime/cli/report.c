/* `fastest report`: the last run again, as files or on the terminal, from its records. */
#include "runtime/cli/commands.h"

#include "runtime/base/opt.h"
#include "runtime/cli/import_graph.h"
#include "runtime/cli/options.h"
#include "runtime/report/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct report_cli {
    const char *html;
    bool help;
    struct cli cli;
    char **rest; /* the arguments that every command takes */
    int n_rest;
    struct view_graph graph;
    struct arena arena;
};

static const struct opt table[] = {
    {"html", 0, OPT_STRING, offsetof(struct report_cli, html), "FILE", "one page with everything, that needs no network"},
    {"help", 'h', OPT_FLAG, offsetof(struct report_cli, help), NULL, "this text"},
    {0}};

static void print_help(void)
{
    puts("usage: fastest report [--html FILE] [--trace=FILE] [--junitxml FILE] [--json FILE] [--report-log FILE]\n"
         "                      [--output NAME] [--github] [--teamcity] [--state-dir DIR]\n\n"
         "Reports on the last run again. Runs nothing. Without a file it prints what the run has printed.\n");
    opt_help(table);
}

static int take(void *ctx, int argc, char **argv, struct err *err)
{
    struct report_cli *c = ctx;
    (void)argc;
    (void)err;
    c->rest[c->n_rest++] = argv[0];
    return 1;
}

static bool parse(struct report_cli *c, int argc, char **argv, struct err *err)
{
    c->rest = arena_array(&c->arena, (size_t)argc + 1, sizeof *c->rest);
    if (!opt_parse(table, c, argc, argv, take, c, err) || !cli_parse(&c->cli, c->n_rest, c->rest, err))
        return false;
    return c->cli.n_pytest_args == 0 || getenv("FASTEST_ADDOPTS") ||
           err_set(err, "report: %s is nothing that it knows; see fastest report --help", c->cli.pytest_args[0]);
}

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
    struct generate_options o = cli_generate_options(&c->cli);
    o.python = arena_dup(&c->arena, plan->options.python.p, plan->options.python.n);
    o.state_dir = arena_dup(&c->arena, plan->state_dir.p, plan->state_dir.n);
    o.cwd = arena_dup(&c->arena, plan->cwd.p, plan->cwd.n);
    o.args = args;
    o.n_args = (int)plan->n_args;
    return generate_look(&o, look, c, code, err);
}

static void choose(struct report_cli *c, struct summary_options *s, const char *html)
{
    const struct cli *cli = &c->cli;
    s->junit = cli->junit;
    s->json = cli->json;
    s->view_paths[VIEW_REPORT_LOG] = cli->report_log;
    s->view_paths[VIEW_TRACE] = cli->trace;
    s->view_paths[VIEW_HTML] = html;
    for (int i = 0; i < VIEW_FORMATS; i++)
        s->views[i] = s->view_paths[i] != NULL;
    bool files = s->junit || s->json || cli->report_log || cli->trace || html;
    s->views[VIEW_TAP] = cli->tap && !cli->tap14;
    s->views[VIEW_TAP14] = cli->tap14;
    s->views[VIEW_GITHUB] = cli->github;
    s->views[VIEW_TEAMCITY] = cli->teamcity;
    s->output = files || cli->tap || cli->tap14 ? OUTPUT_NOTHING : (enum summary_output)cli->output;
    s->color = cli_color(cli, STDOUT_FILENO);
    s->graph = &c->graph;
    s->wall_ns = 0;
}

static bool report(struct report_cli *c, enum exit_code *code, struct err *err)
{
    struct buf dir = {0}, html = {0};
    struct plan plan = {0};
    bool ok = nearest_state_dir(&c->cli, &dir, err) && plan_load(&plan, dir.p, err);
    if (ok && c->html) {
        path_join(&html, str_z(c->cli.cwd), str_z(c->html));
        ok = read_graph(c, &plan, code, err);
    }
    if (ok) {
        struct summary_options s = summary_options_from(&plan, &c->arena);
        choose(c, &s, html.n ? html.p : NULL);
        ok = summary_run(&plan, &s, stdout, code, err);
        if (ok)
            *code = EXIT_PASSED; /* the run's own code is in the reports */
    }
    plan_release(&plan);
    buf_release(&dir);
    buf_release(&html);
    return ok;
}

bool command_report(int argc, char **argv, enum exit_code *code, struct err *err)
{
    struct report_cli c = {0};
    *code = EXIT_USAGE;
    bool ok = parse(&c, argc, argv, err);
    if (ok && c.help) {
        print_help();
        *code = EXIT_PASSED;
    } else if (ok) {
        ok = report(&c, code, err);
    }
    cli_release(&c.cli);
    arena_release(&c.arena);
    return ok;
}
