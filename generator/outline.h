/* The outline of a Python file: what tree-sitter has to see to tell its statements apart. Function bodies
 * are gone and the text of each statement is a placeholder of its kind; lines that hold several
 * statements stay as they are. Segments lead from the outline back to the source. */
#ifndef FASTEST_GENERATOR_OUTLINE_H
#define FASTEST_GENERATOR_OUTLINE_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#include <stdint.h>

struct outline_segment {
    size_t at;           /* where it begins in the outline */
    size_t from, to;     /* in the source: the statement, of a compound its header; or the whole line */
    size_t body_from, body_to; /* of a function */
    uint32_t row;
    uint8_t words;       /* enum line_word: of a simple statement, or a function's body */
    bool verbatim;       /* the line as it is */
};

struct outline {
    struct buf text;
    struct outline_segment *segments;
    size_t n, cap;
    struct strs mutated; /* see lines.h */
};

/* False when the text is odd: tree-sitter reads it whole. The outline is reused, not appended to. */
bool outline_make(struct outline *o, struct str text);
/* The segment that holds this byte of the outline; NULL before the first. */
const struct outline_segment *outline_find(const struct outline *o, size_t at);
void outline_release(struct outline *o);

#endif
