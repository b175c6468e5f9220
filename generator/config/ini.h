/* pytest's INI dialect (iniconfig 1 and 2, src/iniconfig/_parse.py, without inline comments). */
#ifndef FASTEST_GENERATOR_INI_H
#define FASTEST_GENERATOR_INI_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdint.h>

struct ini_entry {
    struct str section, name, value; /* a section's header has no name (p is NULL) */
    uint32_t line;                   /* from 1 */
};
struct ini {
    struct ini_entry *items; /* malloc'ed; views live in the arena */
    size_t n, cap;
};

/* False with err: "path:line: message", as iniconfig puts it. */
bool ini_parse(struct ini *x, struct str path, struct str text, struct arena *a, struct err *err);
bool ini_has(const struct ini *x, struct str section);
void ini_release(struct ini *x);

/* Python's shlex.split (posix): appends the words, in the arena. False with err ("No closing
 * quotation", "No escaped character"). */
bool ini_shlex(struct str text, struct arena *a, struct strs *out, struct err *err);

#endif
