/* What code has run: paths of sources, and the lines on which code begins that has run of them.
 *
 * struct code c = {0}; code_scan(&c, json) for each {path: [lines]} of PROTOCOL.md; code_release(&c). */
#ifndef FASTEST_BATCH_CODE_H
#define FASTEST_BATCH_CODE_H

#include "runtime/base/arena.h"
#include "runtime/base/map.h"
#include "runtime/wire/json.h"

#include <stddef.h>
#include <stdint.h>

/* 0 is a module's own code. None: it was loaded, and nothing is known of what ran. */
struct code_lines {
    uint32_t *items;
    size_t n, cap;
};

struct code {
    struct arena arena;
    struct map paths; /* path → struct code_lines * */
    struct map bases; /* code_base of each */
};

/* The lines of a path, which counts as loaded from now on. Live until code_release. */
struct code_lines *code_add(struct code *c, struct str path);
/* False when the document is malformed. */
bool code_scan(struct code *c, struct json *j);
/* NULL: it has not been loaded. */
const struct code_lines *code_find(const struct code *c, struct str path);
/* Has a file been loaded that may be this one by another name? */
bool code_has_base(const struct code *c, struct str path);
/* The last directory and the name of a path: two with the same may be one file behind a symbolic link. */
struct str code_base(struct str path);
void code_release(struct code *c);

#endif
