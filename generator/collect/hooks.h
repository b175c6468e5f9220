/* What a conftest says about the whole session: hooks that can change which tests there are, and files that
 * it leaves out (pytest 7.0 to 9.2, src/_pytest/hookspec.py, main.py: pytest_ignore_collect).
 *
 * A hook that changes its list of items only when one of the project's own options is given does not count
 * when none is. A function from elsewhere that gets the list is taken to mark tests, not to remove them. */
#ifndef FASTEST_GENERATOR_HOOKS_H
#define FASTEST_GENERATOR_HOOKS_H

#include "generator/eval/module.h"

/* Why this conftest may change which tests there are: NULL when it does not. */
const char *hooks_doubt(struct world *w, struct module *conftest);
/* collect_ignore and collect_ignore_glob: absolute paths, patterns. What cannot be evaluated makes *unsure. */
void hooks_ignored(struct world *w, struct module *conftest, struct strs *paths, struct strs *globs, bool *unsure);

#endif
