/* The blocks of a Python source: what import evaluates (the definition), and the body of each function.
 *
 * The definition has every line that is in no function's body: imports, constants, class bodies, headers,
 * decorators, defaults, and the docstrings of functions. A body has the lines of its function without those of
 * the functions in it, whose headers and docstrings it has. Blocks are hashed by tokens, with the distances
 * between their own lines, so that an edit of one body leaves the others as they are, wherever they move.
 *
 * Blocks go by qualified name ("Class.method", "f.<locals>.g"); those of one name count as one. CPython names the
 * code that it runs by the line on which a function begins (co_firstlineno: that of its first decorator). */
#ifndef FASTEST_GENERATOR_BLOCKS_H
#define FASTEST_GENERATOR_BLOCKS_H

#include "runtime/base/buf.h"
#include "runtime/base/hash.h"
#include "runtime/base/pack.h"

/* Appends the blocks of text, packed. Without keep_lines the distances between lines do not count, without keep_docs
 * docstrings (and how long they are). A text that is
 * odd (lines.h) has no blocks: nothing is appended. */
void blocks_pack(struct buf *out, struct str text, bool keep_lines, bool keep_docs);

struct block {
    uint64_t name;       /* hash of the qualified name */
    uint32_t first, last; /* lines, from 1; first: its first decorator's */
    struct hash128 hash;
    struct str qualified;
};

/* A view of packed blocks. False when there are none, or when they are damaged. */
struct blocks {
    struct hash128 definition;
    uint32_t n;
    const unsigned char *items, *by_name; /* ascending by first line; their numbers by name */
    struct str names;
};
bool blocks_open(struct blocks *b, struct str packed);
struct block blocks_get(const struct blocks *b, uint32_t i);
/* The block whose code begins on this line: that function's, or that of the innermost function around the line
 * (comprehensions, lambdas, classes); NULL-like n when the line is the definition's. */
uint32_t blocks_at(const struct blocks *b, uint32_t line);
/* A choice of blocks: BLOCKS_CHOICE_BYTES for each, by ascending name. One that is not there is not chosen. */
enum { BLOCKS_CHOICE_BYTES = 12 }; /* its name, and some bits of its hash */
void blocks_choose(const struct blocks *b, uint64_t name, struct buf *choice);
/* Takes the next name off *choice; false at its end. */
bool blocks_chosen(struct str *choice, uint64_t *name);
/* The qualified name behind it; "" when it is not there. */
struct str blocks_name(const struct blocks *b, uint64_t name);
/* The hash of the definition and of the chosen bodies. False when one of them is no longer there. */
bool blocks_hash(const struct blocks *b, struct str choice, struct hash128 *out);
/* The first chosen block that is not what it was when it was chosen: its name; "" when it is gone. False when all
 * are what they were: then it is the definition that changed. */
bool blocks_changed(const struct blocks *b, struct str choice, struct str *name);

#endif
