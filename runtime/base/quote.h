/* Text as JSON writes it. */
#ifndef FASTEST_BASE_QUOTE_H
#define FASTEST_BASE_QUOTE_H

#include "runtime/base/buf.h"

/* Appends s as a JSON string; bytes that are not UTF-8 become \udcXX. */
void json_quote(struct buf *out, struct str s);

#endif
