/* Marks that are not registered, where pytest makes an error of them: strict_markers, or a warning that
 * filterwarnings turn into one (pytest 7.0 to 9.2, src/_pytest/mark/structures.py: MarkGenerator). */
#ifndef FASTEST_GENERATOR_REGISTERED_H
#define FASTEST_GENERATOR_REGISTERED_H

#include "generator/eval/module.h"

/* Why the module's import may fail because of its marks: NULL when it does not. */
const char *registered_doubt(struct world *w, struct module *m, const struct strs *conftests);

#endif
