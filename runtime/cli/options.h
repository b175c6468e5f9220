/* The command line: our options from one table, everything else kept in order for pytest.
 *
 * Calling sequence: struct cli c; cli_parse(&c, argc, argv, &err); … cli_release(&c).
 * FASTEST_ADDOPTS is read before the arguments, as pytest reads PYTEST_ADDOPTS. */
#ifndef FASTEST_CLI_OPTIONS_H
#define FASTEST_CLI_OPTIONS_H

#include "generator/generate.h"
#include "generator/settings.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"

#define FASTEST_VERSION "0.1.0"

enum { N_CLI_SETTINGS = 7 };
struct cli {
    const char *batch_timeout, *slow, *idle, *retries, *worker_memory, *isolation;
    bool no_confirm;
    struct setting_given given[N_CLI_SETTINGS]; /* of these */
    const char *python, *state_dir, *junit, *json, *color, *optimizer_name;
    enum optimizer optimizer;
    int workers, maxfail;
    bool fail_fast, persistent, no_cache, restore_mtimes, ignore_lines, ignore_docstrings, help, version;
    int verbosity;          /* -v counts up, -q down */
    char **pytest_args;     /* in order, without ours */
    int n_pytest_args;
    const char *plain;      /* the option that only plain pytest can serve, or NULL */
    char *cwd, *self;       /* invocation directory; absolute path of this binary */
    struct arena arena;     /* owns all of the above */
    char **own_args;        /* every argument as given, for init to repeat in the scan edge */
    int n_own_args;
};

bool cli_parse(struct cli *c, int argc, char **argv, struct err *err);
void cli_release(struct cli *c);
void cli_help(void);
/* The scan's view of these options. */
struct generate_options cli_generate_options(const struct cli *c);
/* Colour wanted on this descriptor: --color=yes|no|auto, NO_COLOR, FORCE_COLOR, PY_COLORS (pytest
 * 9, _pytest/_io/terminalwriter.py), a terminal. */
bool cli_color(const struct cli *c, int fd);

#endif
