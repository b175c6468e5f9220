#include "runtime/base/hash.h"

#include "runtime/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#define XXH_INLINE_ALL /* the keys of maps are short: a call costs more than the hash */
#include <xxhash.h>

struct hasher {
    XXH3_state_t *state;
};

static struct hash128 from_xxh(XXH128_hash_t h)
{
    return (struct hash128){.hi = h.high64, .lo = h.low64};
}

struct hash128 hash128_of(const void *p, size_t n)
{
    return from_xxh(XXH3_128bits(p, n));
}

uint64_t hash64_of(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

bool hash128_eq(struct hash128 a, struct hash128 b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

bool hash128_is_zero(struct hash128 h)
{
    return h.hi == 0 && h.lo == 0;
}

void hash128_hex(struct hash128 h, char *out)
{
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)h.hi, (unsigned long long)h.lo);
}

struct hasher *hasher_new(void)
{
    struct hasher *h = xmalloc(sizeof *h);
    h->state = XXH3_createState();
    if (!h->state)
        h->state = xmalloc(SIZE_MAX); /* ends the process with its message */
    XXH3_128bits_reset(h->state);
    return h;
}

void hasher_add(struct hasher *h, const void *p, size_t n)
{
    if (n)
        XXH3_128bits_update(h->state, p, n);
}

void hasher_str(struct hasher *h, struct str s)
{
    hasher_u64(h, s.n);
    hasher_add(h, s.p, s.n);
}

void hasher_u64(struct hasher *h, uint64_t v)
{
    unsigned char b[8];
    for (int i = 0; i < 8; i++)
        b[i] = (unsigned char)(v >> (8 * i));
    hasher_add(h, b, sizeof b);
}

void hasher_hash(struct hasher *h, struct hash128 v)
{
    hasher_u64(h, v.hi);
    hasher_u64(h, v.lo);
}

struct hash128 hasher_done(struct hasher *h)
{
    struct hash128 r = from_xxh(XXH3_128bits_digest(h->state));
    XXH3_freeState(h->state);
    free(h);
    return r;
}

unsigned hash_version(void)
{
    return XXH_versionNumber();
}
