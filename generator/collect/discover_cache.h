/* The last answer of discovery in this tree, while nothing that it was made from has changed: <state>/
 * discover.bin (the listing) and discover.bin.tests (all that is known of each test). The question (configuration, arguments, the binary) is hashed; files and directories that
 * were read, listed or looked for are compared by stat. A damaged or older file is a miss. */
#ifndef FASTEST_GENERATOR_DISCOVER_CACHE_H
#define FASTEST_GENERATOR_DISCOVER_CACHE_H

#include "generator/collect/discover.h"
#include "runtime/base/hash.h"

struct hash128 discover_question(const struct discover_options *o, const struct config *c);
/* Fills n_deselected and listing; with `tests`, or where the answer has errors, also tests, n and errors. Views
 * into the files, arrays in the arena of the config. Marks have names alone, parameters are VALUE_COMPLEX with
 * their repr as text. False: a miss. */
struct discover_files { struct buf listing, tests; };
bool discover_cache_load(const char *path, struct hash128 question, bool tests, struct discover_files *files,
                         struct discovered *out);
/* deps: absolute paths. Nothing is written when one of them changed a moment ago: it may change again without
 * another stat. */
bool discover_cache_save(const char *path, struct hash128 question, const struct strs *deps,
                         const struct discovered *d, struct err *err);

#endif
