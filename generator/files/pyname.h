/* Names: paths to dotted names, packages, and the file names of records and batches. */
#ifndef FASTEST_GENERATOR_PYNAME_H
#define FASTEST_GENERATOR_PYNAME_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

/* A name for a file below the root, safe in file systems, sh and Ninja: rel without ".py", '/' as
 * '.', any other byte outside [A-Za-z0-9_-] as %XX. Longer than 200 bytes: the head and a hash. */
void pyname_stem(struct buf *out, struct str rel);
/* path as seen from root when it is below it, else path itself. */
struct str pyname_below(struct str path, struct str root);
/* True for a Python identifier (ASCII rules; bytes >= 0x80 are taken as letters). */
bool pyname_is_identifier(struct str s);
/* True for identifiers joined by single dots, at least min_dots of them. */
bool pyname_is_dotted(struct str s, size_t min_dots);

#endif
