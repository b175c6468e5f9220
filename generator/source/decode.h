/* The text of a Python source as its tokenizer sees it: UTF-8 without a BOM, lines ended by \n.
 * PEP 263 cookies are followed (iconv); reference "Lexical analysis", 2.1.4. */
#ifndef FASTEST_GENERATOR_DECODE_H
#define FASTEST_GENERATOR_DECODE_H

#include "runtime/base/buf.h"

/* In place. False with *error (static text) and *line for what Python refuses: NUL bytes, bytes that are not
 * of the encoding, an unknown encoding. */
bool decode_source(struct buf *text, const char **error, uint32_t *line);

#endif
