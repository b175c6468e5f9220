/* Is importing a module certain to raise nothing, to warn of nothing and to leave everything else as it is?
 *
 * Only what can be followed to the end counts: a docstring, imports of pytest and of those modules of the
 * standard library that pytest itself has imported before, constants, definitions whose decorators (marks,
 * fixtures), defaults, annotations and bases are known, conditions that are known. That its text compiles is
 * not looked at: see skips.c. */
#ifndef FASTEST_GENERATOR_CLEAN_H
#define FASTEST_GENERATOR_CLEAN_H

#include "generator/eval/module.h"

enum clean {
    CLEAN_NOT,
    CLEAN_YES,
    CLEAN_SKIPPED /* up to a pytest.skip(reason, allow_module_level=True), which is reached: skip_reason, skip_line */
};

enum clean clean_module(struct world *w, struct module *m);
/* Is it a mark of pytest's own, with arguments that are known? Others can warn, or mean something to a plugin. */
bool clean_mark(const struct value *mark);

#endif
