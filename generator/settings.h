/* What options and [tool.fastest] say about how a run goes: one table of both.
 *
 * settings_default, settings_read for the table, then settings_set for each option: the last one counts. */
#ifndef FASTEST_GENERATOR_SETTINGS_H
#define FASTEST_GENERATOR_SETTINGS_H

#include "generator/graph/plan.h"

/* As given: --name=value. */
struct setting_given {
    const char *name, *value; /* value may be NULL: not given */
};

void settings_default(struct plan_options *o);
/* False with err ("name: 'value' is no …") when the value is none of that name's; the name must be in the table. */
bool settings_set(struct plan_options *o, const char *name, struct str value, struct err *err);
/* [tool.fastest] of <root>/pyproject.toml into plan->options, serial and groups. A document that TOML does not allow is
 * pytest's business; a value that is none of its name's is an error. */
bool settings_read(struct plan *plan, struct str root, struct err *err);

#endif
