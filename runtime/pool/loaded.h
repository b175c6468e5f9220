/* Files that a Python process has in its memory, in whatever form: when one of them changes, so must the process.
 *
 * struct loaded l = {0}; loaded_begin(&l) before the process starts; loaded_read(&l, &json) at a JSON list of absolute
 * paths (may be called again for further lists); loaded_same(&l) at any time; loaded_release(&l). */
#ifndef FASTEST_POOL_LOADED_H
#define FASTEST_POOL_LOADED_H

#include "runtime/base/hash.h"
#include "runtime/base/io.h"
#include "runtime/wire/json.h"

struct loaded_file {
    char *path;
    struct io_stat st;
    struct hash128 listing; /* of a directory: __pycache__ comes up in it */
};

struct loaded {
    struct loaded_file *items;
    size_t n, cap;
    int64_t started_ns; /* wall clock */
    bool raced;         /* a file changed while it was being loaded */
};

void loaded_begin(struct loaded *l);
/* Directories and what does not exist are files, too. False when the list is malformed. */
bool loaded_read(struct loaded *l, struct json *j);
/* Is everything as it was when it was read? Never true after a race. */
bool loaded_same(const struct loaded *l);
void loaded_release(struct loaded *l);

#endif
