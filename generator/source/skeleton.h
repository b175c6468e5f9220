/* The part of a Python file that the parser needs: tree-sitter reads some 3 MB/s, this 300.
 *
 * Logical lines that hold no word and no string of interest become `pass` (runs of them one), so
 * that headers, imports and what names modules remain, in their blocks. */
#ifndef FASTEST_GENERATOR_SKELETON_H
#define FASTEST_GENERATOR_SKELETON_H

#include "runtime/base/buf.h"
#include "runtime/base/map.h"

enum { SKELETON_KEEP = 1, SKELETON_WHOLE = 2 };

/* Appends the skeleton of text to out. words maps identifiers to SKELETON_KEEP (their line stays) or
 * SKELETON_WHOLE (the whole file is needed). False, out unchanged, when the file is needed whole or
 * is odd (see token.h). */
bool skeleton_make(struct buf *out, struct str text, const struct map *words);

#endif
