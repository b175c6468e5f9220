/* What each module adds to the reports, in a file (parts.bin): the reports are put together from it piece by
 * piece, and a run in which little ran does not read and write every result again.
 *
 * Calling sequence: part_store_load (the last run's); part_writer_open; for each module part_store_find or
 * new texts, then part_writer_add; part_writer_texts for each list of a report; part_writer_close.
 *
 * A part is found by an identity: a hash of everything that it was made from (the report options, the
 * module's key, its batch's name, and the stat of its record); a zero identity is not found again. A damaged
 * file or part is a miss. */
#ifndef FASTEST_REPORT_PARTS_H
#define FASTEST_REPORT_PARTS_H

#include "runtime/base/map.h"
#include "runtime/base/out.h"
#include "runtime/report/totals.h"

enum part_text {
    PART_COLLECTIONS, PART_CASES, PART_SUITE, /* junit.h */
    PART_COLLECTORS, PART_TESTS, PART_WARNINGS, /* json_report.h */
    PART_NOTES, /* terminal.h */
    PART_TEXTS
};

struct part_place {
    struct hash128 identity;
    uint64_t at, check;        /* offset of the totals and the texts; hash of them */
    uint64_t sizes[PART_TEXTS + 1]; /* of the texts, and of the packed totals */
};

/* The parts of an earlier run. */
struct part_store {
    const char *map; /* of the file */
    size_t n;
    struct part_place *places;
    struct map index; /* identity → number of its place */
    uint32_t n_places;
};

bool part_store_load(struct part_store *s, const char *path); /* false = empty */
void part_store_release(struct part_store *s);
/* Views of the result live in the store. */
bool part_store_find(const struct part_store *s, struct hash128 identity, struct totals *totals,
                     struct str texts[PART_TEXTS]);

struct part_writer {
    struct out out;
    struct part_place *places;
    size_t n, cap;
};

bool part_writer_open(struct part_writer *w, const char *path, struct err *err);
void part_writer_add(struct part_writer *w, struct hash128 identity, const struct totals *totals,
                     const struct str texts[PART_TEXTS]);
/* Appends this text of part i to b; false when it cannot be read back. */
bool part_writer_text(struct part_writer *w, size_t i, enum part_text text, struct buf *b);
/* Appends this text of each part to `to`, with `separator` between those that are not empty. */
bool part_writer_texts(struct part_writer *w, enum part_text text, const char *separator, struct out *to);
/* The file gets its name; with keep == false, or after a failure, it is removed. */
bool part_writer_close(struct part_writer *w, bool keep, struct err *err);

#endif
