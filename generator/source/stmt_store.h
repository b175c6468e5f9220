/* Where the statements of files come from: the index of this tree (path → stat → content hash), the parse
 * cache shared by all checkouts (content hash → statements), and the parsers. Safe for use by several
 * threads, each with its own store_reader. */
#ifndef FASTEST_GENERATOR_STMT_STORE_H
#define FASTEST_GENERATOR_STMT_STORE_H

#include "generator/source/stmts.h"
#include "runtime/base/err.h"

enum parser_type { PARSER_AST, PARSER_REGEX, PARSER_AUTO };

struct stmt_store;
struct stmt_store_counts {
    uint64_t files, hits, misses; /* files asked for; found in the cache; parsed */
    uint64_t handed_over;         /* by the line scanner to tree-sitter */
    bool answered;                /* nothing changed: no file was asked for (discover_cache.h) */
};

/* index: the tree's index file, NULL for none. With no_cache neither it nor the parse cache is used. */
struct stmt_store *stmt_store_open(const char *index, enum parser_type parser, bool no_cache);
/* Writes what is new; false with err when that failed (a warning: nothing is lost but time). */
bool stmt_store_close(struct stmt_store *s, struct err *err);
void stmt_store_count(struct stmt_store *s, struct stmt_store_counts *out);

/* Files that will be asked for, and of which none counts as imported; the list must outlive the store: a reader that
 * needs what another one is reading reads the next of them meanwhile. What is never asked for after all does not count. */
void stmt_store_expect(struct stmt_store *s, const struct strs *paths);

struct store_reader;
struct store_reader *store_reader_new(struct stmt_store *s);
void store_reader_free(struct store_reader *r);
/* Reads the next file that stmt_store_expect told of and nobody has begun; false when there is none. */
bool store_reader_ahead(struct store_reader *r);
/* Has anybody asked for the file? */
bool store_reader_knows(struct store_reader *r, struct str path);
/* Reads a file that will perhaps be asked for as an imported one, unless that has begun. */
void store_reader_prepare(struct store_reader *r, struct str path);
/* imported: no tests are collected from it, only names are looked up; the line scanner reads such a file first,
 * whatever the parser: it gives the same statements where it gives any, four times as fast.
 * The packed statements, valid until the store is closed; false when the file is not there. One that cannot
 * be read has a single STMT_ERROR. */
bool store_reader_get(struct store_reader *r, struct str path, bool imported, struct str *packed);

#endif
