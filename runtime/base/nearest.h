/* Which known word a mistyped one was meant to be.
 *
 * Calling sequence: struct nearest n = {.word = typed}; nearest_try(&n, known) for each;
 * n.best is NULL when none is near. Views and strings are the caller's. */
#ifndef FASTEST_BASE_NEAREST_H
#define FASTEST_BASE_NEAREST_H

#include "runtime/base/str.h"

struct nearest {
    struct str word, best; /* best.p == NULL: none */
    unsigned distance;
};

/* Edits (insert, delete, replace, swap of neighbours) from a to b; limit + 1 when there are more. Words of more
 * than 63 bytes are never near. */
unsigned nearest_distance(struct str a, struct str b, unsigned limit);
/* Of words equally near the first one stays. */
void nearest_try(struct nearest *n, struct str known);

#endif
