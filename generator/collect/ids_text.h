/* Private to ids.c: the text of one value in an id, and what keeps ids apart. */
#ifndef FASTEST_GENERATOR_IDS_TEXT_H
#define FASTEST_GENERATOR_IDS_TEXT_H

#include "generator/collect/ids.h"

/* pytest's compat.ascii_escaped: printable ASCII stays, the rest is written as escapes. */
void ids_escape(struct buf *out, struct str s, bool bytes);
/* _idval_from_value: 1 the text of v, 0 it has none, -1 not known. */
int ids_own_text(const struct ids_config *c, const struct value *v, struct buf *out);
/* The id of one value of a set; fn is ids= when that is a function, else NULL. False: not known. */
bool ids_value_text(const struct ids_config *c, const struct value *v, const struct value *fn, struct arena *a,
                    struct str name, uint32_t index, struct buf *out);
/* Appends numbers to ids that occur more than once. False: not known. */
bool ids_make_unique(const struct ids_config *c, struct ids_list *l, struct arena *a);

#endif
