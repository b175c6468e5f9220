/* Content hashes: XXH3 with 128 bits, the only user of xxHash. Not cryptographic. */
#ifndef FASTEST_BASE_HASH_H
#define FASTEST_BASE_HASH_H

#include "runtime/base/str.h"

#include <stdint.h>

struct hash128 {
    uint64_t hi, lo;
};

struct hash128 hash128_of(const void *p, size_t n);
uint64_t hash64_of(const void *p, size_t n);
bool hash128_eq(struct hash128 a, struct hash128 b);
bool hash128_is_zero(struct hash128 h); /* zero means "none" */
/* 32 lower-case hex digits and a NUL into out[33]. */
void hash128_hex(struct hash128 h, char *out);

/* xxHash's, as it runs: 802 is 0.8.2. */
unsigned hash_version(void);

/* Streaming. hasher_new allocates; hasher_done returns the hash and frees it. */
struct hasher;
struct hasher *hasher_new(void);
void hasher_add(struct hasher *h, const void *p, size_t n);
/* Adds the length and then the bytes, so that parts cannot run together. */
void hasher_str(struct hasher *h, struct str s);
void hasher_u64(struct hasher *h, uint64_t v);
void hasher_hash(struct hasher *h, struct hash128 v);
struct hash128 hasher_done(struct hasher *h);

#endif
