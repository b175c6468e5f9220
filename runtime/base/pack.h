/* Binary files of the state directory: little-endian fields behind a checked header.
 *
 * Layout: 8 bytes magic, u32 version, u32 zero, u64 payload length, u64 XXH3 of the payload,
 * payload. pack_open refuses anything else: a damaged, older or truncated file is a miss.
 *
 * Writing: struct buf b = {0}; pack_u32(&b, …); …; pack_save(path, magic, version, &b, &err).
 * Reading: struct unpack u; if (pack_open(path, magic, version, &file, &u)) { unpack_u32(&u); … }
 * A read past the end sets u.bad and returns zeros: check u.bad once at the end. Views returned
 * by unpack_str point into the file's buffer. */
#ifndef FASTEST_BASE_PACK_H
#define FASTEST_BASE_PACK_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/hash.h"
#include "runtime/base/io.h"

struct unpack {
    const unsigned char *p;
    size_t n;
    bool bad;
};

void pack_u8(struct buf *b, uint8_t v);
void pack_u32(struct buf *b, uint32_t v);
void pack_u64(struct buf *b, uint64_t v);
void pack_str(struct buf *b, struct str s); /* u32 length, bytes */
void pack_hash(struct buf *b, struct hash128 h);
void pack_stat(struct buf *b, const struct io_stat *st);

uint8_t unpack_u8(struct unpack *u);
uint32_t unpack_u32(struct unpack *u);
uint64_t unpack_u64(struct unpack *u);
struct str unpack_str(struct unpack *u);
struct hash128 unpack_hash(struct unpack *u);
struct io_stat unpack_stat(struct unpack *u);
/* A count of items that take at least min_bytes each: bad (and 0) when they cannot fit. */
uint32_t unpack_count(struct unpack *u, size_t min_bytes);

bool pack_save(const char *path, const char magic[8], uint32_t version, const struct buf *payload,
               struct err *err);
/* The same for one of very many files, into the one that is there (io_overwrite): a crash can make it a miss. */
bool pack_overwrite(const char *path, const char magic[8], uint32_t version, const struct buf *payload, struct err *err);
/* Reads path into file (caller releases) and positions u on the payload; false = a miss. */
bool pack_open(const char *path, const char magic[8], uint32_t version, struct buf *file,
               struct unpack *u);

#endif
