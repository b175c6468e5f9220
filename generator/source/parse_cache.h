/* The parse cache: what the parser found in a text, by the text's hash; shared by all checkouts.
 *
 * One file, ${XDG_CACHE_HOME:-~/.cache}/fastest/parse.bin (FASTEST_CACHE_DIR names another directory):
 * a checked header, then entries that are only appended, each with its own length and checksum. Readers
 * map it; writers append under a lock; what is over the size limit is dropped, least recently used
 * first, into a new file that replaces the old one. A damaged entry, an older version, a file that is
 * no cache: misses, never errors. Counts of hits and misses are kept in the header.
 *
 * Calling sequence: parse_cache_open; parse_cache_get … from any thread; parse_cache_put … (one thread,
 * or under the caller's lock; the bytes are copied); parse_cache_close writes what was put.
 * `where` of an entry lets the next process find it without a search: keep it beside the hash. */
#ifndef FASTEST_GENERATOR_PARSE_CACHE_H
#define FASTEST_GENERATOR_PARSE_CACHE_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/hash.h"
#include "runtime/base/str.h"

#include <stdint.h>

struct parse_cache;
struct parse_cache_stats {
    uint64_t entries, size_bytes, limit_bytes, hits, misses, evicted;
    struct str path; /* lives as long as the cache */
};

/* Never fails: where there can be no cache, every get is a miss and puts are dropped. read_only: for
 * stats and dump. limit_bytes 0: FASTEST_CACHE_SIZE (bytes, or with K, M, G), else 256 MiB. */
struct parse_cache *parse_cache_open(uint64_t limit_bytes, bool read_only);
/* *where: a hint (0 for none), updated on a hit. False = a miss. *data lives until close. */
bool parse_cache_get(struct parse_cache *c, struct hash128 key, uint64_t *where, struct str *data);
/* *where (may be NULL) is set at close, when the entry's place is known: it must live until then. */
void parse_cache_put(struct parse_cache *c, struct hash128 key, struct str data, uint64_t *where);
void parse_cache_stats(struct parse_cache *c, struct parse_cache_stats *out);
/* Calls visit for every whole entry: for `fastest cache dump`. used_s: wall clock, seconds. */
void parse_cache_each(struct parse_cache *c, void (*visit)(void *ctx, struct hash128 key, struct str data,
                      int64_t used_s), void *ctx);
/* Writes what was put, counts, evicts. False with err when it could not be written (a warning). */
bool parse_cache_close(struct parse_cache *c, struct err *err);
/* `fastest cache clear`: removes the file. */
bool parse_cache_clear(struct err *err);

#endif
