/* Writes JSON piece by piece, compact; commas come by themselves.
 *
 * struct json_out j = {.out = &buf}; json_open(&j, '{'); json_name(&j, "a"); json_text(&j, …);
 * json_close(&j, '}'). Text is in the encoding of text.h and comes out as valid UTF-8: lone surrogates
 * (Python's surrogateescape) are written visibly, as the six characters \udcff. */
#ifndef FASTEST_REPORT_JSON_OUT_H
#define FASTEST_REPORT_JSON_OUT_H

#include "runtime/base/buf.h"

#include <stdint.h>

struct json_out {
    struct buf *out;
    bool comma; /* due before the next value */
};

void json_open(struct json_out *j, char bracket);
void json_close(struct json_out *j, char bracket);
void json_name(struct json_out *j, const char *name); /* needs no escape */
void json_key_text(struct json_out *j, struct str name);
void json_text(struct json_out *j, struct str s);
void json_int(struct json_out *j, int64_t n);
void json_seconds(struct json_out *j, double seconds); /* to the microsecond, always with a point */
void json_bool(struct json_out *j, bool b);
void json_null(struct json_out *j);
void json_raw(struct json_out *j, struct str json); /* is JSON already */

#endif
