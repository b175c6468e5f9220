/* Logical lines of a Python source, by a lexer that knows strings, brackets, comments and joined lines.
 *
 * Some 300 to 500 MB/s. What it is not certain about (token.h says what that is: unterminated strings,
 * f-strings that lexers before and since 3.12 read differently, stray characters, form feeds, indentation
 * by tabs and blanks mixed) makes the text odd: lines_next ends with odd set, and the whole file is
 * tree-sitter's.
 *
 * struct lines x = lines_of(text); while (lines_next(&x, &l)) …; if (x.odd) …; lines_release(&x) */
#ifndef FASTEST_GENERATOR_LINES_H
#define FASTEST_GENERATOR_LINES_H

#include "runtime/base/str.h"

#include <stdint.h>

enum line_word {            /* words that occurred in a line, outside strings */
    WORD_YIELD = 1,
    WORD_NAMESPACE = 2,     /* globals, exec, modules: can bind names of the module from anywhere */
    WORD_WRAPS = 4,         /* wraps, update_wrapper */
    WORD_LAMBDA = 8,
    WORD_RETURNS = 32,      /* of a body: it returns its first argument, and nothing else */
    WORD_CLASS = 64,        /* class */
    WORD_FIXTURE = 128,     /* fixture */
    WORD_SETS = 16          /* setattr, vars, locals, __dict__: can do so in the module's own statements */
};
enum { LINE_SEMICOLONS = 16 };

struct line {
    const char *start, *body; /* the line, and its first token */
    const char *text_end;     /* after its last character that is no blank and no comment */
    const char *end;          /* after the line break */
    const char *colon;        /* the first ':' outside brackets that is no lambda's, or NULL */
    const char *semicolons[LINE_SEMICOLONS]; /* those outside brackets */
    uint32_t n_semicolons;
    uint32_t row;             /* of body, from 0 */
    uint32_t indent;          /* columns */
    uint32_t words;           /* enum line_word */
};

struct lines {
    const char *p, *end;
    uint32_t row;
    bool odd;
    struct strs *mutated;     /* NULL, or where names go whose objects are changed: name.append(…),
                                 name[…] = …, global name, del name[…] */
};

struct lines lines_of(struct str text);
/* The next line that is not blank; false at the end, or when the rest is odd. */
bool lines_next(struct lines *x, struct line *l);
/* What its first word is, "" when it does not begin with one. */
struct str line_word(const struct line *l);
/* It is a header whose suite is on the lines that follow. */
bool line_opens(const struct line *l);

/* The words of a piece of source, all lines of it: for a function's body. */
uint32_t lines_words(struct str text, struct strs *mutated);
/* The words in a body that are the function's own: WORD_YIELD not counted in functions within. */
struct body_words {
    uint32_t words, nested_indent;
    bool nested, mixed;     /* mixed: it returns other things than `returned` */
    struct str returned;
};
void body_line(struct body_words *b, const struct line *l);
/* All of them, once the body is read. */
uint32_t body_words(const struct body_words *b, struct str header);

#endif
