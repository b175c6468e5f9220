/* The line scanner: the statements of a file without a parser, from its logical lines alone.
 *
 * The same answers as parse.h's wherever it answers. It hands over (false) what it cannot decide: an odd
 * text (lines.h), indentation that does not fit, a header it cannot split. */
#ifndef FASTEST_GENERATOR_PARSE_REGEX_H
#define FASTEST_GENERATOR_PARSE_REGEX_H

#include "generator/source/stmts.h"

/* Appends packed statements to out; false with out unchanged. */
bool parse_regex(struct str text, struct buf *out);

#endif
