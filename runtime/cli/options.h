/* The command line: our options by the table (table.h), everything else kept in order for pytest.
 *
 * Calling sequence: struct cli c; cli_parse(&c, command, argc, argv, &err); … cli_release(&c).
 * What comes later counts: [tool.fastest], the addopts of pytest's configuration file, FASTEST_NAME variables,
 * PYTEST_ADDOPTS, FASTEST_ADDOPTS, the arguments. Of pytest's own only the options that we have, too. */
#ifndef FASTEST_CLI_OPTIONS_H
#define FASTEST_CLI_OPTIONS_H

#include "generator/generate.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/cli/settings.h"

#define FASTEST_VERSION "0.1.0"

struct command;

struct cli {
    const struct command *command;
    /* by the table */
    const char *python, *state_dir, *junit, *json, *report_log, *trace, *html, *output_name, *color, *optimizer_name, *parser, *format, *since;
    int workers, maxfail, sample, seed, slowest, steps;
    unsigned output;        /* enum summary_output */
    bool tap, tap14, github, teamcity, dot, mermaid;
    bool fail_fast, persistent, restore_mtimes, ignore_lines, ignore_docstrings, help, version;
    bool no_cache, modules, as_json, collect_only, flaky;
    const char *batch_timeout, *slow_after, *pool_idle, *worker_memory, *isolation_name;
    int retries;
    bool no_confirm;
    const char *no_failures; /* --last-failed-no-failures */
    bool last_failed, failed_first, new_first, stepwise, stepwise_skip, stepwise_reset, cache_clear;
    /* of other commands, which run */
    bool failed_soon;       /* tests that failed come early, as far as that costs nothing */
    bool (*wanted)(void *ctx, const struct plan *plan); /* NULL, or asked before a run begins: false ends it, silently */
    void *wanted_ctx;
    /* made of them */
    enum optimizer optimizer;
    enum isolation isolation;
    uint32_t batch_timeout_ms, slow_ms, idle_ms;
    uint64_t memory_bytes;
    int verbosity;          /* -v counts up, -q down */
    char **pytest_args;     /* in order, without ours */
    int n_pytest_args;
    char **items;           /* what a command is about, when that is not pytest's: files, a word */
    int n_items;
    const char **origins;   /* by row of the table: where its value comes from; NULL: the default */
    const char *origin;     /* of what is parsed now */
    struct settings settings;
    bool ended, addopts;    /* -- was seen: no options follow; what pytest itself adds is parsed */
    size_t n_options, cap_pytest_args, cap_items;
    const char *uncaptured; /* -s, or what else is the same */
    const char *plain;      /* the option that only plain pytest can serve, or NULL */
    char *tty;              /* the terminal that input and output are, or NULL */
    char *cwd, *self;       /* invocation directory; absolute path of this binary */
    struct arena arena;     /* owns all of the above */
    char **own_args;        /* every argument as given, for init to repeat in the scan edge */
    int n_own_args;
};

/* False with err; c must be released in any case. */
bool cli_parse(struct cli *c, const struct command *command, int argc, char **argv, struct err *err);
void cli_release(struct cli *c);
/* False with err when the first argument looks like a mistyped command. */
bool cli_check_first(const struct cli *c, const char *first, struct err *err);
/* The scan's view of these options. */
struct generate_options cli_generate_options(const struct cli *c);
/* Colour wanted on this descriptor: --color=yes|no|auto, NO_COLOR, FORCE_COLOR, PY_COLORS (pytest
 * 9, _pytest/_io/terminalwriter.py), a terminal. */
bool cli_color(const struct cli *c, int fd);
/* The option's value comes from there. */
void cli_note(struct cli *c, const struct opt *o, const char *where);
/* The state directory that a command without a scan means: --state-dir, else the nearest .fastest at or above the current
 * directory. Appends it; false with err. */
bool cli_state_dir(const struct cli *c, struct buf *out, struct err *err);
/* An item as an absolute path without its "::…", in the arena. */
struct str cli_item_path(struct cli *c, const char *item);

#endif
