/* The semantic hash of a Python source: what can change its meaning or what a test can observe.
 *
 * Tokens with their line numbers and columns count, comments and trailing blanks do not. Whatever
 * this lexer is not certain about (see token.c) makes it hash every byte instead: a wrong "equal"
 * would hide a change, a wrong "different" costs one rerun. */
#ifndef FASTEST_GENERATOR_TOKEN_H
#define FASTEST_GENERATOR_TOKEN_H

#include "runtime/base/buf.h"
#include "runtime/base/hash.h"

/* Appends text without comments to out; with keep_lines every line break stays. False, with out
 * unchanged, when the text is odd. */
bool token_strip(struct buf *out, struct str text, bool keep_lines);
struct hash128 token_hash(struct str text, bool keep_lines);
/* The end of the string literal whose opening quote is at p; NULL when it is odd (unterminated, or
 * a formatted one that lexers before and since 3.12 may read differently). */
const char *token_string_end(const char *p, const char *end, bool formatted);

#endif
