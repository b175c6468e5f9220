/* The index (<state>/index.bin): what earlier scans found out, so that a scan without changes only
 * calls stat. path → stat, hashes and parsed facts; data file → stat and hash; record → its head.
 *
 * index_load never fails: a damaged, older or foreign file is an empty index. Entries live until
 * index_release; texts of new entries live in index.arena. */
#ifndef FASTEST_GENERATOR_CACHE_H
#define FASTEST_GENERATOR_CACHE_H

#include "generator/graph/record.h"
#include "generator/source/parse.h"
#include "runtime/base/arena.h"
#include "runtime/base/hash.h"
#include "runtime/base/io.h"
#include "runtime/base/map.h"

struct index_file {
    struct str path;
    struct io_stat st;
    struct hash128 content, semantic;
    int64_t hashed_ns;   /* wall clock before it was read */
    bool parsed;
    struct facts facts;
    struct str blocks;   /* packed (blocks.h), "" for none; with facts */
    bool used;           /* in this scan */
    bool checked;        /* st and hashes are of this scan */
    bool changed;        /* semantic differs from the last scan's, or it is new */
};

struct index_dep {
    struct record_dep dep;
    uint8_t state; /* 0 not looked at in this scan, 1 holds, 2 does not */
};

/* What records have executed of a source: what is the same for many is there once. */
struct index_executed {
    struct str path;             /* as in struct record_executed */
    struct hash128 semantic, id; /* id: of its hash and choice */
    uint8_t state;               /* 0 not looked at in this scan, 1 it is what it was, 2 it is not: why */
    struct str why;
};

struct index_record {
    struct str path;
    struct io_stat st;
    struct hash128 key, loose, sources; /* of the record */
    struct hash128 held; /* the key with which what it executed was last found to be the same */
    uint32_t flags, took_ms, n_deps;
    uint32_t *deps;              /* indices into index.deps */
    struct str executed;         /* indices into index.executed, four bytes each: index_executed_of */
    struct hash128 last_key;     /* the key that `why` was said for */
    struct str why;
    bool used;
};

struct index {
    struct map files, records, dep_map; /* to pointers; dep_map: packed identity → index + 1 */
    struct index_dep *deps;
    size_t n_deps, cap_deps;
    struct index_executed *executed;
    struct map executed_map;    /* packed identity → index + 1; of those of this scan's records only */
    size_t n_executed, cap_executed;
    struct hash128 environment; /* of the last scan */
    bool keep_lines, keep_docs, dirty;
    struct buf file;
    struct arena arena;
};

void index_load(struct index *x, const char *path, bool keep_lines, bool keep_docs);
bool index_save(struct index *x, const char *path, struct err *err);
void index_release(struct index *x);
/* The entry, new and zeroed when there is none. path must outlive the index. */
struct index_file *index_file(struct index *x, struct str path);
struct index_record *index_record(struct index *x, struct str path);
/* Replaces what is known of a record by its freshly loaded head. */
/* The i-th of r's; NULL behind the last. */
struct index_executed *index_executed_of(struct index *x, const struct index_record *r, size_t i);
void index_record_set(struct index *x, struct index_record *r, const struct record *rec,
                      const struct io_stat *st);

#endif
