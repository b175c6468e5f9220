/* Escaping for Ninja files and for sh: shared by emit_ninja.c and emit_rules.c only. */
#ifndef FASTEST_GENERATOR_EMIT_TEXT_H
#define FASTEST_GENERATOR_EMIT_TEXT_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* Can this path stand in a Ninja file at all? */
bool emit_can_list(struct str path);
/* A path in a build statement, relative to root when below it. */
void emit_path(struct buf *out, struct str path, struct str root);
/* The value of a variable. */
void emit_value(struct buf *out, struct str value);
/* One word for sh. */
void emit_word(struct buf *out, struct str word);
/* Writes dir/name when it differs. */
bool emit_file(struct str dir, const char *name, const struct buf *text, struct err *err);

#endif
