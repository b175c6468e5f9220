/* Files of the graph: stat, hash and parse, only what changed since the last scan. */
#ifndef FASTEST_GENERATOR_SOURCE_H
#define FASTEST_GENERATOR_SOURCE_H

#include "generator/graph/cache.h"
#include "generator/source/parse.h"

struct sources {
    struct index *index;
    struct parser *parser;  /* made when the first file has to be parsed */
    struct buf text, packed;
    struct io_near near;
    bool restore_mtimes;
};

/* Brings the entry of path up to date: hashes always, facts when parse is set. The entry of a file
 * that is gone or unreadable has content zero, st.kind IO_ABSENT. path must outlive the index. */
struct index_file *source_check(struct sources *s, struct str path, bool parse);
/* The hash of a data file or listing holds still (and once a scan only). */
bool source_dep_holds(struct sources *s, uint32_t dep);
void sources_release(struct sources *s);

#endif
