#include "runtime/base/pack.h"

#include <string.h>

enum { MAGIC_BYTES = 8, HEADER_BYTES = 32 };

static void add_int(struct buf *b, uint64_t v, int bytes)
{
    unsigned char raw[8];
    for (int i = 0; i < bytes; i++)
        raw[i] = (unsigned char)(v >> (8 * i));
    buf_add(b, raw, (size_t)bytes);
}

void pack_u8(struct buf *b, uint8_t v)
{
    add_int(b, v, 1);
}

void pack_u32(struct buf *b, uint32_t v)
{
    add_int(b, v, 4);
}

void pack_u64(struct buf *b, uint64_t v)
{
    add_int(b, v, 8);
}

void pack_str(struct buf *b, struct str s)
{
    pack_u32(b, (uint32_t)s.n);
    buf_add(b, s.p, (uint32_t)s.n);
}

void pack_hash(struct buf *b, struct hash128 h)
{
    pack_u64(b, h.hi);
    pack_u64(b, h.lo);
}

void pack_stat(struct buf *b, const struct io_stat *st)
{
    pack_u64(b, st->size_bytes);
    pack_u64(b, (uint64_t)st->mtime_ns);
    pack_u64(b, (uint64_t)st->ctime_ns);
    pack_u64(b, st->inode);
    pack_u32(b, st->kind);
}

/* The next n bytes; NULL, from then on, when there are fewer. */
static inline const unsigned char *take(struct unpack *u, size_t n)
{
    const unsigned char *p = u->p;
    if (u->bad || u->n < n) {
        u->bad = true;
        return NULL;
    }
    u->p += n;
    u->n -= n;
    return p;
}

/* Compilers make one load of it. */
static inline uint32_t load_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint8_t unpack_u8(struct unpack *u)
{
    const unsigned char *p = take(u, 1);
    return p ? *p : 0;
}

uint32_t unpack_u32(struct unpack *u)
{
    const unsigned char *p = take(u, 4);
    return p ? load_u32(p) : 0;
}

uint64_t unpack_u64(struct unpack *u)
{
    const unsigned char *p = take(u, 8);
    return p ? load_u32(p) | (uint64_t)load_u32(p + 4) << 32 : 0;
}

struct str unpack_str(struct unpack *u)
{
    uint32_t n = unpack_u32(u);
    if (u->bad || n > u->n) {
        u->bad = true;
        return (struct str){"", 0};
    }
    struct str s = {(const char *)u->p, n};
    u->p += n;
    u->n -= n;
    return s;
}

struct hash128 unpack_hash(struct unpack *u)
{
    uint64_t hi = unpack_u64(u), lo = unpack_u64(u);
    return (struct hash128){.hi = hi, .lo = lo};
}

struct io_stat unpack_stat(struct unpack *u)
{
    struct io_stat st;
    st.size_bytes = unpack_u64(u);
    st.mtime_ns = (int64_t)unpack_u64(u);
    st.ctime_ns = (int64_t)unpack_u64(u);
    st.inode = unpack_u64(u);
    st.kind = unpack_u32(u);
    return st;
}

uint32_t unpack_count(struct unpack *u, size_t min_bytes)
{
    uint32_t n = unpack_u32(u);
    if (u->bad || (min_bytes && n > u->n / min_bytes)) {
        u->bad = true;
        return 0;
    }
    return n;
}

static bool save(const char *path, const char magic[8], uint32_t version, const struct buf *payload,
                 bool (*write)(const char *path, struct str content, struct err *err), struct err *err)
{
    struct buf file = {0};
    buf_reserve(&file, HEADER_BYTES + payload->n);
    buf_add(&file, magic, MAGIC_BYTES);
    pack_u32(&file, version);
    pack_u32(&file, 0);
    pack_u64(&file, payload->n);
    pack_u64(&file, hash64_of(payload->p, payload->n));
    buf_add(&file, payload->p, payload->n);
    bool ok = write(path, buf_view(&file), err);
    buf_release(&file);
    return ok;
}

bool pack_save(const char *path, const char magic[8], uint32_t version, const struct buf *payload,
               struct err *err)
{
    return save(path, magic, version, payload, io_replace, err);
}

bool pack_overwrite(const char *path, const char magic[8], uint32_t version, const struct buf *payload, struct err *err)
{
    return save(path, magic, version, payload, io_overwrite, err);
}

bool pack_open(const char *path, const char magic[8], uint32_t version, struct buf *file,
               struct unpack *u)
{
    buf_clear(file);
    if (!io_read(path, 0, file, NULL) || file->n < HEADER_BYTES ||
        memcmp(file->p, magic, MAGIC_BYTES) != 0)
        return false;
    *u = (struct unpack){(const unsigned char *)file->p + MAGIC_BYTES, file->n - MAGIC_BYTES, false};
    uint32_t found = unpack_u32(u), zero = unpack_u32(u);
    uint64_t length = unpack_u64(u), sum = unpack_u64(u);
    return found == version && zero == 0 && length == u->n && sum == hash64_of(u->p, u->n);
}
