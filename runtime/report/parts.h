/* What each module adds to the reports, kept for the next run (parts.bin), so that a run in which
 * little ran does not read and write every result again.
 *
 * A part is found by an identity: a hash of everything that it was made from (the report options,
 * the module's key, its batch's name, and the stat of its record). Only parts of cached modules are
 * kept. A damaged file is a miss. */
#ifndef FASTEST_REPORT_PARTS_H
#define FASTEST_REPORT_PARTS_H

#include "runtime/base/map.h"
#include "runtime/report/totals.h"

struct part {
    struct hash128 identity; /* zero: not to be kept */
    struct totals totals;
    struct str collections, tests;      /* junit.h */
    struct str collectors, json;        /* json.h */
};

/* The parts of an earlier run. */
struct part_store {
    struct buf file;
    struct map index; /* identity → offset in file */
    struct str payload;
};

bool part_store_load(struct part_store *s, const char *path); /* false = empty */
void part_store_release(struct part_store *s);
/* Views of the result live in the store. */
bool part_store_find(const struct part_store *s, struct hash128 identity, struct part *out);
bool part_store_save(const char *path, const struct part *parts, size_t n, struct err *err);

#endif
