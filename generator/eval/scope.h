/* Follows the statements of a module or a class body (module.h's private part). */
#ifndef FASTEST_GENERATOR_SCOPE_H
#define FASTEST_GENERATOR_SCOPE_H

#include "generator/eval/module.h"

enum scope_outcome { SCOPE_GOES_ON, SCOPE_MAY_STOP, SCOPE_STOPS };
/* The statements from i on, as long as they are at least at this depth. */
void scope_run(struct world *w, struct scope *s, uint32_t i, uint8_t depth);
struct binding *scope_bind(struct world *w, struct scope *s, struct str name, enum binding_kind kind,
                           bool maybe);

#endif
