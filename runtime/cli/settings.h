/* What comes before the command line: [tool.fastest] of pyproject.toml, then FASTEST_NAME variables. Each row of the
 * table with FOR_CONFIG is a key and a variable.
 *
 * Calling sequence: settings_find, settings_apply_file, settings_apply_variables, all before the arguments are parsed
 * into the same struct cli, by which a later value replaces an earlier one; settings_release at the end. */
#ifndef FASTEST_CLI_SETTINGS_H
#define FASTEST_CLI_SETTINGS_H

#include "generator/config/own.h"
#include "generator/graph/plan.h"
#include "runtime/base/opt.h"

struct cli;

struct setting {
    const char *name, *help;
};
/* Keys of [tool.fastest] that are lists of strings, and no options. To add one: a row in settings.c. */
extern const struct setting setting_lists[]; /* ends with name == NULL */
/* Variables that are no options. */
extern const struct setting setting_variables[]; /* ends with name == NULL */

struct settings {
    struct own_config own;
    struct strs serial;        /* [tool.fastest] serial */
    struct plan_group *groups; /* [tool.fastest.groups]; malloc'ed */
    uint32_t n_groups;
};

/* By pytest's arguments in c; views live in a. */
void settings_find(struct settings *s, const struct cli *c, struct arena *a);
/* Both set options of c. False with err: "pyproject.toml:3: [tool.fastest] worker: no such key; did you mean …?" */
bool settings_apply_file(struct settings *s, struct cli *c, struct err *err);
bool settings_apply_variables(struct cli *c, struct err *err);
void settings_release(struct settings *s);
/* FASTEST_STATE_DIR for state-dir. */
void setting_variable_name(const char *option, char *out, size_t size);

#endif
