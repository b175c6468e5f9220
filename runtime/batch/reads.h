/* A *deps* document of PROTOCOL.md: what was read and what code has run, with whose code asked.
 *
 * struct reads r = {0}; reads_scan(&r, json) for each; reads_release(&r). Strings live in r until release. */
#ifndef FASTEST_BATCH_READS_H
#define FASTEST_BATCH_READS_H

#include "generator/graph/record.h"
#include "runtime/batch/code.h"

struct read {
    struct str path, asker;    /* asker: the source whose code asked, "" for anybody's */
    enum record_dep_kind kind;
    enum io_kind seen;         /* of a LOOK */
    bool source, late;         /* it was loaded; when what it loads itself may have been there before */
};

struct reads {
    struct arena arena;
    struct map seen;     /* identities of items */
    struct code code;    /* what has run */
    struct read *items;  /* one of each */
    size_t n, cap;
    struct str shared;   /* of a module: the file of what all have in common, "" for none */
    bool blind;          /* code may have run that `code` does not tell of: what was loaded counts whole */
    bool unseen;         /* what was looked for, or what processes read, was not told of */
    bool spawned;
    bool random;         /* inputs are drawn at random: another run may execute something else */
};

/* False when the document is malformed. */
bool reads_scan(struct reads *r, struct json *j);
void reads_release(struct reads *r);

#endif
