/* The TOML values that configuration needs (pyproject.toml, pytest.toml), by tree-sitter's grammar.
 *
 * A pyproject.toml is long and [tool.pytest] is short: toml_scan cuts out the wanted tables first.
 * Calling sequence: struct toml_value root; if (toml_read(&root, path, text, &arena, &err)) …
 * Everything lives in the arena; the text need not stay. */
#ifndef FASTEST_GENERATOR_TOML_H
#define FASTEST_GENERATOR_TOML_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdint.h>

enum toml_type { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_BOOL, TOML_INT, TOML_FLOAT, TOML_DATE };
struct toml_value {
    enum toml_type type;
    struct str key;             /* in its table */
    struct str text;            /* STRING: its bytes; BOOL, INT, FLOAT, DATE: as written */
    uint32_t line;              /* from 1 */
    bool frozen, headed;        /* written inline: final; a table that has had its header */
    struct toml_value *first, *last, *next; /* of a TABLE or an ARRAY; the next of its parent */
};

/* A whole document. False with err: "path: message (at line L, column C)", as pytest puts it. */
bool toml_parse(struct toml_value *root, struct str path, struct str text, struct arena *a,
                struct err *err);
/* The same of a pyproject.toml, of which only [tool.pytest…] and [tool.fastest…] are parsed when
 * the scan is certain: what else is damaged, but lexically whole, goes unnoticed then. */
bool toml_parse_tool(struct toml_value *root, struct str path, struct str text, struct arena *a,
                     struct err *err);
/* A new last member of a table or an array; key is kept as it is. */
struct toml_value *toml_add(struct toml_value *parent, struct str key, enum toml_type type, uint32_t line,
                            struct arena *a);
const char *toml_version(void); /* of the grammar */
const struct toml_value *toml_get(const struct toml_value *table, struct str key); /* NULL: absent */

/* toml_plain.c: the same as toml_parse, 20 times as fast, of a document that is as simple as most are: bare keys, strings
 * without escapes, booleans, whole numbers and lists of those. False, with root useless, for any other. */
bool toml_plain(struct toml_value *root, struct str text, struct arena *a);

/* toml_scan.c: appends to out the tables [tool.pytest…] and [tool.fastest…], with every other line
 * left empty so that lines keep their numbers. False when text is not what the scan understands. */
bool toml_scan(struct str text, struct buf *out);
/* The first key of a (dotted) key at *p, moved behind it; false when it is not a plain one. */
bool toml_scan_key(const char **p, const char *end, struct str *key);

#endif
