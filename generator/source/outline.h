/* The outline of a Python file: what tree-sitter has to see to tell its statements apart. Function bodies
 * are gone and the text of each statement is a placeholder of its kind; lines that hold several
 * statements stay as they are. Segments lead from the outline back to the source.
 *
 * A part is a statement at the top of the file with all that is in it. One of placeholders alone needs no
 * parser: which header may follow which, and how lines are indented, is all of its grammar. */
#ifndef FASTEST_GENERATOR_OUTLINE_H
#define FASTEST_GENERATOR_OUTLINE_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#include <stdint.h>

struct outline_segment {
    size_t at;           /* where it begins in the outline's text */
    size_t start;        /* in the source: its line */
    size_t from, to;     /* the statement, of a compound its header; or the whole line */
    size_t body_from, body_to; /* of a function */
    uint32_t row, indent;
    uint16_t pass_indent;/* bytes before the first line of a function's body */
    uint8_t kind;        /* enum stmt_kind: what its first word makes it */
    uint8_t depth;       /* in a plain part: blocks around it */
    uint8_t words;       /* enum line_word: of a simple statement, or a function's body */
    bool verbatim;       /* the line as it is */
};

struct outline {
    struct str source;
    struct buf text;
    struct outline_segment *segments;
    size_t n, cap;
    struct strs mutated; /* see lines.h */
};

/* False when the text is odd: tree-sitter reads it whole. The outline is reused, not appended to. */
bool outline_make(struct outline *o, struct str text);
/* Where the part that begins with this segment ends. *plain: its segments are its statements. */
size_t outline_part(struct outline *o, size_t first, bool *plain);
/* o->text: the outline of these segments. */
struct str outline_text(struct outline *o, size_t first, size_t end);
/* The one of these segments that holds this byte of the outline; NULL before the first. */
const struct outline_segment *outline_find(const struct outline *o, size_t first, size_t end, size_t at);
void outline_release(struct outline *o);

#endif
