#include "runtime/report/parts.h"

static const char magic[8] = "FSTPARTS";
enum { VERSION = 2, IDENTITY_BYTES = 16, PART_MIN_BYTES = IDENTITY_BYTES + 16 };

static struct unpack unpack_at(struct str payload, size_t offset)
{
    struct str rest = str_slice(payload, offset, payload.n);
    return (struct unpack){.p = (const unsigned char *)rest.p, .n = rest.n};
}

/* A part: identity, str body; the body is read only when it is asked for. */
bool part_store_load(struct part_store *s, const char *path)
{
    struct unpack u;
    *s = (struct part_store){0};
    if (!pack_open(path, magic, VERSION, &s->file, &u)) {
        part_store_release(s);
        return false;
    }
    s->payload = (struct str){(const char *)u.p, u.n};
    for (uint32_t n = unpack_count(&u, PART_MIN_BYTES); n > 0 && !u.bad; n--) {
        struct str key = {(const char *)u.p, IDENTITY_BYTES};
        unpack_hash(&u);
        size_t offset = (size_t)((const char *)u.p - s->payload.p);
        unpack_str(&u);
        if (!u.bad)
            *map_put(&s->index, key, NULL) = offset;
    }
    if (u.bad)
        part_store_release(s);
    return !u.bad;
}

void part_store_release(struct part_store *s)
{
    map_release(&s->index);
    buf_release(&s->file);
    *s = (struct part_store){0};
}

bool part_store_find(const struct part_store *s, struct hash128 identity, struct part *out)
{
    struct buf key = {0};
    pack_hash(&key, identity);
    uintptr_t *offset = s->index.n ? map_get(&s->index, buf_view(&key)) : NULL;
    buf_release(&key);
    if (!offset)
        return false;
    struct unpack outer = unpack_at(s->payload, *offset);
    struct str body = unpack_str(&outer);
    struct unpack u = {.p = (const unsigned char *)body.p, .n = body.n};
    *out = (struct part){.identity = identity};
    totals_unpack(&out->totals, &u);
    out->collections = unpack_str(&u);
    out->tests = unpack_str(&u);
    out->collectors = unpack_str(&u);
    out->json = unpack_str(&u);
    return !outer.bad && !u.bad;
}

bool part_store_save(const char *path, const struct part *parts, size_t n, struct err *err)
{
    struct buf b = {0}, body = {0};
    uint32_t kept = 0;
    for (size_t i = 0; i < n; i++)
        kept += !hash128_is_zero(parts[i].identity);
    pack_u32(&b, kept);
    for (size_t i = 0; i < n; i++) {
        if (hash128_is_zero(parts[i].identity))
            continue;
        buf_clear(&body);
        totals_pack(&parts[i].totals, &body);
        pack_str(&body, parts[i].collections);
        pack_str(&body, parts[i].tests);
        pack_str(&body, parts[i].collectors);
        pack_str(&body, parts[i].json);
        pack_hash(&b, parts[i].identity);
        pack_str(&b, buf_view(&body));
    }
    bool ok = pack_save(path, magic, VERSION, &b, err);
    buf_release(&b);
    buf_release(&body);
    return ok;
}
