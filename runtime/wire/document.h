/* What C reads of the *module* and *result* documents (runtime/PROTOCOL.md). */
#ifndef FASTEST_WIRE_DOCUMENT_H
#define FASTEST_WIRE_DOCUMENT_H

#include "runtime/base/buf.h"

#include <stdint.h>

/* Appends the node id of an item; false, and nothing, when it is not there. */
bool document_item_id(struct str module, uint32_t item, struct buf *out);
/* What the phases of a result took together, those of attempts, too. */
double document_seconds(struct str result);
/* The text of a member of an object; empty when it is not there. A view. */
struct str document_member(struct str object, const char *name);

#endif
