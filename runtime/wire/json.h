/* Just enough JSON for the wire: quoting what we send, and a pull scanner for the few fields that C
 * reads from the worker's documents (whole documents are runtime/report/json.c's business).
 *
 * struct json j = json_of(text);
 * if (json_enter(&j, '{')) while (json_key(&j, &key)) { … read or json_skip one value … }
 * Malformed input sets j.bad; every call is then false, so a loop ends. Nothing recurses. */
#ifndef FASTEST_WIRE_JSON_H
#define FASTEST_WIRE_JSON_H

#include "runtime/base/buf.h"
#include "runtime/base/quote.h"

#include <stdint.h>

struct json {
    const char *p, *end;
    bool first; /* no comma is due */
    bool bad;
};

struct json json_of(struct str text);
bool json_enter(struct json *j, char bracket); /* '{' or '[' */
bool json_key(struct json *j, struct buf *key); /* false after the last, '}' is taken */
bool json_item(struct json *j);                 /* the same for arrays */
/* A string's bytes: UTF-8, and \udc80 to \udcff as the bytes they stand for (surrogateescape). */
bool json_string(struct json *j, struct buf *out);
bool json_u32(struct json *j, uint32_t *out); /* digits; bad when it is something else, or larger */
bool json_number(struct json *j, double *out);
bool json_skip(struct json *j);
char json_peek(struct json *j); /* first byte of the next value, 0 at the end */
bool json_done(struct json *j); /* nothing but white space is left, and nothing was bad */

#endif
