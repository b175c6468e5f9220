/* The statements of a module that discovery looks at: those at module and class level, in order, with
 * their text; of functions the header, and what their bodies mention. The same list from tree-sitter
 * (parse.h) and from the line scanner (parse_regex.h). Packed, so that it can be cached and mapped. */
#ifndef FASTEST_GENERATOR_STMTS_H
#define FASTEST_GENERATOR_STMTS_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#include <stdint.h>

enum stmt_kind {
    STMT_SIMPLE = 1,  /* text: all of it */
    STMT_DECORATOR,   /* text: after the @ */
    STMT_DEF,         /* text: the header up to its colon, "async def f(x) -> int" */
    STMT_CLASS,
    STMT_BODY,        /* of a function that stmts_keeps_body: its lines, with their indentation */
    STMT_IF, STMT_ELIF, STMT_ELSE, STMT_FOR, STMT_WHILE, STMT_TRY, STMT_EXCEPT, STMT_FINALLY, STMT_WITH,
    STMT_MATCH, STMT_CASE, /* text: the header up to its colon */
    STMT_MUTATED,     /* text: a name whose object some function's body may change */
    STMT_ERROR        /* a syntax error; text: what the parser says */
};
enum { STMT_MAX_TEXT = 1 << 16, STMT_MAX_DEPTH = 100 };

struct stmt {
    uint8_t kind, depth; /* depth: 0 in the module, +1 for each block or class around it */
    uint8_t words;       /* enum line_word: of a DEF's body */
    uint8_t column;      /* of an ERROR, from 0, 255 for more */
    uint32_t line;       /* from 1; of a DEF or CLASS its own, not the decorator's */
    struct str text;     /* "" when it is longer than STMT_MAX_TEXT */
};

void stmts_add(struct buf *out, const struct stmt *s);
/* Iterates: *rest starts as all of it, and views point into it. False at the end, or where it is damaged. */
bool stmts_next(struct str *rest, struct stmt *s);
/* The kind that a compound statement's first word gives, 0 for any other word. */
enum stmt_kind stmts_block_kind(struct str word);
const char *stmts_kind_name(enum stmt_kind kind);
/* Is this a hook (pytest_…), a function that gets a list of items, or one that only returns an expression? */
bool stmts_keeps_body(struct str header, struct str body);
/* The expression, when a body is a docstring perhaps and one return; else "". */
struct str stmts_returned(struct str body);
/* A statement that says nothing: pass, a lone string or number, "...". */
bool stmts_is_idle(struct str text);

#endif
