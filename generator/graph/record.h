/* The record of a module: its last results and what they were read from (m/<name>.rec).
 *
 * Written by the batch client when a module has run, read by the scan (is it still valid?) and
 * by the reports. A damaged or older file is a miss. Views live in rec.file until record_release.
 *
 * A record is valid (a cached pass) when it has REC_PASSED, its key equals the module's key, and
 * every dep still has its hash; with REC_ALL_SOURCES also plan_sources_hold.
 * With REC_TRACED it is enough that loose equals the module's, and what it executed is as it was
 * (executed.h). */
#ifndef FASTEST_GENERATOR_RECORD_H
#define FASTEST_GENERATOR_RECORD_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/hash.h"
#include "runtime/base/io.h"

enum record_flag {
    REC_PASSED = 1,       /* complete, nothing failed, nothing changed under it: may be reused */
    REC_ALL_SOURCES = 2,  /* it started a process: depends on every first-party source */
    REC_PARTIAL = 4,      /* stopped early (fail-fast, interrupt): some items have no result */
    REC_CHANGED = 8,      /* a source or input changed while it ran */
    REC_SPLIT = 512,      /* its tests did not run in one process, in order */
    REC_DEFERRED = 128,   /* items without a result wait for the end of the run, to run alone */
    REC_FLAKY = 256,      /* a test passed after it had failed: it runs again next time */
    REC_ALWAYS = 32,      /* a test of it has the mark `always` */
    REC_ALL_FILES = 64,   /* with ALL_SOURCES, what it read was not seen: depends on every file below rootdir */
    REC_TRACED = 16       /* `executed` is all that ran of the sources in its key */
};

enum record_outcome { /* pytest's outcome of one node id */
    OUT_PASSED = 0,
    OUT_FAILED = 1,
    OUT_ERROR = 2,
    OUT_SKIPPED = 3,
    OUT_XFAILED = 4,
    OUT_XPASSED = 5,
    OUT_COUNT = 6
};

enum record_dep_kind { DEP_FILE = 1, DEP_ABSENT = 2, DEP_DIR = 3, DEP_LOOK = 4, DEP_LINK = 5 };
struct record_dep {
    struct str path;     /* absolute; the file has it relative to rootdir when it is below it */
    uint32_t kind;
    struct io_stat st;   /* when hashed: an equal stat needs no new hash */
    struct hash128 hash; /* FILE: its bytes. DIR: its listing. ABSENT: zero. LOOK: lo is the kind of thing that was seen
                          * (enum io_kind), all that counts. LINK: where it points to; zero when it is none */
};

/* A source of the module's closure of which something has run. */
struct record_executed {
    struct str path;         /* relative to rootdir when it is below it */
    struct hash128 semantic; /* of the whole file, when it ran */
    struct hash128 hash;     /* of its definition and of the blocks that ran; zero: it counts whole */
    struct str choice;       /* those blocks (blocks.h) */
};

struct record_result {
    uint32_t item;       /* index into the module's items (meta) */
    uint32_t outcome;    /* enum record_outcome */
    struct str json;     /* see runtime/PROTOCOL.md, "result" */
};

struct record {
    struct hash128 key, loose, sources;
    uint64_t run_id;
    int64_t start_ns, end_ns; /* wall clock */
    uint32_t flags;
    uint32_t n_items;         /* planned ids */
    uint32_t took_ms;         /* what the tests took, one after the other */
    struct str meta;          /* JSON, see runtime/PROTOCOL.md, "module" */
    struct record_dep *deps;
    struct record_result *results; /* in item order; one for each item unless REC_PARTIAL */
    struct record_executed *executed; /* by path */
    uint32_t n_deps, n_results, n_executed;
    struct arena arena;
    struct buf file;
};

/* Into the file that is there: a write that is cut short makes the record a miss, and the module runs again. root: rootdir; another tree's record holds in this one. */
bool record_save(const struct record *r, const char *path, struct str root, struct err *err);
/* False = a miss. With head_only, meta and results are left out (n_results stays 0). */
bool record_load(struct record *r, const char *path, struct str root, bool head_only);
void record_release(struct record *r);

/* Hashes one dependency now: fills st and hash from path and kind. A FILE or DIR that is gone
 * becomes kind DEP_ABSENT; the hash of a LOOK is left as it is. Listings leave out __pycache__, *.pyc, .pytest_cache, .fastest. */
void record_dep_fill(struct record_dep *dep);
/* For a DIR that was filled: has its listing been the same since then, as far as times tell? A cache that was made in
 * it (__pycache__) is no part of the listing. */
bool record_dep_listed_since(const struct record_dep *dep, int64_t since_ns);
/* True when the dependency is as recorded. Compares stat first, then content. */
bool record_dep_holds(const struct record_dep *dep);

#endif
