/* Text as the reports see it: UTF-8 that may hold what is not valid UTF-8.
 *
 * Python's surrogateescape and lone surrogates come in as raw bytes and as three-byte surrogates,
 * a NUL as the two bytes C0 80 (json.c makes them so). Decoding never fails: a byte that fits
 * nowhere is its surrogateescape code point, U+DC80 to U+DCFF, as Python sees it. Pure functions.
 */
#ifndef FASTEST_REPORT_TEXT_H
#define FASTEST_REPORT_TEXT_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#include <stdint.h>
#include <stdio.h>

/* Takes one code point off the front of s (s->n > 0). */
uint32_t text_next(struct str *s);
/* Moves the run of printable ASCII and newlines that s starts with to out: nothing in it needs
 * care. Then takes one code point: *c, its bytes *raw. False at the end. */
bool text_copy_plain(struct buf *out, struct str *s, uint32_t *c, struct str *raw);
/* len(str) in Python: code points. */
size_t text_length(struct str s);
/* The first n code points. */
struct str text_head(struct str s, size_t n);
/* Columns in a terminal, -1 when there are control characters (pytest 9, _io/wcwidth.py). */
int text_width(struct str s);
/* Splits off the next line as str.splitlines does; false at the end. */
bool text_next_line(struct str *rest, struct str *line);
/* Appends one code point as UTF-8; surrogates become visible, like \udcff. */
void text_put(struct buf *out, uint32_t c);
/* The text itself, for a terminal: bytes as they are, lone surrogates visible, C0 80 as NUL. */
void text_raw(struct buf *out, struct str s);
void text_write(FILE *out, struct str s);
/* repr(str) in Python, for the tuples that pytest prints as text. */
void text_pyrepr(struct buf *out, struct str s);

#endif
