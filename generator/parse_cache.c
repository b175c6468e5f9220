#include "generator/parse_cache.h"

#include "runtime/base/arena.h"
#include "runtime/base/io.h"
#include "runtime/base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The file: a header of 64 bytes, then entries, each aligned to 8 bytes. Little-endian. */
enum { HEADER_BYTES = 64, ENTRY_BYTES = 48, VERSION = 1, MAX_ENTRY = 16 << 20, USED_STEP_S = 3600 };
static const char magic[8] = "fstparse";
static const uint32_t entry_magic = 0x54504346;
static const uint64_t default_limit = UINT64_C(256) << 20;

struct header {
    char magic[8];
    uint32_t version, zero;
    uint64_t hits, misses, evicted, reserved[3];
};
struct entry {
    uint32_t magic, used_min;  /* used_min: minutes since 1970, changed in place */
    uint64_t hi, lo, size;     /* of the key; of the payload in bytes */
    uint64_t check, reserved;  /* XXH3 of key, size and payload */
};

struct pending {
    struct hash128 key;
    struct str data;
    uint64_t *where;
};

struct parse_cache {
    char *path, *lock_path, *dir;
    char *map;                /* the file as it was when opened */
    size_t size;
    struct map table;         /* key → offset; made when a hint fails */
    bool has_table, read_only;
    struct pending *puts;
    size_t n_puts, cap_puts;
    struct arena arena;
    uint64_t limit, hits, misses, evicted;
};

_Static_assert(sizeof(struct header) == HEADER_BYTES && sizeof(struct entry) == ENTRY_BYTES, "layout");

static uint32_t now_min(void)
{
    return (uint32_t)(time(NULL) / 60);
}

static char *join(const char *a, const char *b)
{
    size_t n = strlen(a), k = strlen(b);
    char *s = xmalloc(n + k + 1);
    memcpy(s, a, n);
    memcpy(s + n, b, k + 1);
    return s;
}

static char *cache_dir(void)
{
    const char *own = getenv("FASTEST_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own)
        return join(own, "");
    if (xdg && *xdg == '/')
        return join(xdg, "/fastest");
    return home && *home ? join(home, "/.cache/fastest") : NULL;
}

static uint64_t parse_limit(void)
{
    const char *text = getenv("FASTEST_CACHE_SIZE");
    char *end;
    if (!text || !*text)
        return default_limit;
    uint64_t n = strtoull(text, &end, 10);
    int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    return n && n < (UINT64_C(1) << 40) && (!*end || (shift && !end[1])) ? n << shift : default_limit;
}

static uint64_t check_of(const struct entry *e, const char *payload)
{
    uint64_t h = hash64_of(payload, e->size);
    return h ^ e->hi ^ (e->lo << 1) ^ e->size * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t padded(uint64_t size)
{
    return (size_t)(size + 7) & ~(size_t)7;
}

/* The entry at this place, if there is a whole one; its checksum is not looked at. */
static struct entry *entry_at(const struct parse_cache *c, uint64_t at)
{
    if (at < HEADER_BYTES || at % 8 || c->size < ENTRY_BYTES || at > c->size - ENTRY_BYTES)
        return NULL;
    struct entry *e = (struct entry *)(void *)(c->map + at);
    if (e->magic != entry_magic || e->size > MAX_ENTRY || padded(e->size) > c->size - ENTRY_BYTES - at)
        return NULL;
    return e;
}

static bool is_valid(const char *map, size_t size)
{
    struct header h;
    if (size < HEADER_BYTES)
        return false;
    memcpy(&h, map, sizeof h);
    return memcmp(h.magic, magic, sizeof magic) == 0 && h.version == VERSION;
}

static void open_map(struct parse_cache *c)
{
    int fd = open(c->path, (c->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0 && !c->read_only)
        fd = open(c->path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    if (size >= HEADER_BYTES) {
        int flags = fcntl(fd, F_GETFL);
        int protection = PROT_READ | ((flags & O_ACCMODE) == O_RDWR ? PROT_WRITE : 0);
        void *p = mmap(NULL, (size_t)size, protection, MAP_SHARED, fd, 0);
        if (p != MAP_FAILED && is_valid(p, (size_t)size)) {
            c->map = p;
            c->size = (size_t)size;
            c->read_only = c->read_only || !(protection & PROT_WRITE);
        } else if (p != MAP_FAILED) {
            munmap(p, (size_t)size);
        }
    }
    if (fd >= 0)
        close(fd);
}

struct parse_cache *parse_cache_open(uint64_t limit_bytes, bool read_only)
{
    struct parse_cache *c = xmalloc(sizeof *c);
    *c = (struct parse_cache){.read_only = read_only, .limit = limit_bytes ? limit_bytes : parse_limit()};
    c->dir = cache_dir();
    if (!c->dir)
        return c;
    c->path = join(c->dir, "/parse.bin");
    c->lock_path = join(c->dir, "/parse.lock");
    open_map(c);
    return c;
}

/* Calls take for each entry from `at` on, and returns where they end. What is damaged ends the walk. */
static uint64_t walk(const struct parse_cache *c, uint64_t at, void (*take)(void *ctx, uint64_t at, struct entry *e),
                     void *ctx)
{
    struct entry *e;
    while ((e = entry_at(c, at))) {
        if (take)
            take(ctx, at, e);
        at += ENTRY_BYTES + padded(e->size);
    }
    return at;
}

static struct str key_view(const struct entry *e)
{
    return (struct str){(const char *)&e->hi, 16};
}

static void add_to_table(void *ctx, uint64_t at, struct entry *e)
{
    struct parse_cache *c = ctx;
    *map_put(&c->table, key_view(e), NULL) = (uintptr_t)at;
}

static struct entry *find(struct parse_cache *c, struct hash128 key, uint64_t *where)
{
    struct entry *e = *where ? entry_at(c, *where) : NULL;
    if (e && e->hi == key.hi && e->lo == key.lo)
        return e;
    if (!c->has_table) {
        walk(c, HEADER_BYTES, add_to_table, c);
        c->has_table = true;
    }
    uint64_t id[2] = {key.hi, key.lo};
    uintptr_t *at = map_get(&c->table, (struct str){(const char *)id, sizeof id});
    if (!at)
        return NULL;
    *where = *at;
    return entry_at(c, *at);
}

bool parse_cache_get(struct parse_cache *c, struct hash128 key, uint64_t *where, struct str *data)
{
    struct entry *e = c->map ? find(c, key, where) : NULL;
    const char *payload = (const char *)e + ENTRY_BYTES;
    if (!e || e->check != check_of(e, payload)) {
        c->misses++;
        return false;
    }
    *data = (struct str){payload, e->size};
    uint32_t now = now_min();
    if (!c->read_only && now - e->used_min > USED_STEP_S / 60)
        e->used_min = now;
    c->hits++;
    return true;
}

void parse_cache_put(struct parse_cache *c, struct hash128 key, struct str data, uint64_t *where)
{
    if (!c->path || data.n > MAX_ENTRY)
        return;
    c->puts = xgrow(c->puts, &c->cap_puts, c->n_puts + 1, sizeof *c->puts);
    c->puts[c->n_puts++] = (struct pending){key, {arena_dup(&c->arena, data.p ? data.p : "", data.n), data.n}, where};
}

/* ---- writing ---- */

static void append_entry(struct buf *b, struct hash128 key, struct str data, uint32_t used_min)
{
    struct entry e = {.magic = entry_magic, .used_min = used_min, .hi = key.hi, .lo = key.lo, .size = data.n};
    static const char zeros[8];
    e.check = check_of(&e, data.p);
    buf_add(b, &e, sizeof e);
    buf_add(b, data.p, data.n);
    buf_add(b, zeros, padded(data.n) - data.n);
}

static void put_header(struct buf *b, const struct parse_cache *c)
{
    struct header h = {.version = VERSION, .hits = c->hits, .misses = c->misses, .evicted = c->evicted};
    memcpy(h.magic, magic, sizeof magic);
    buf_add(b, &h, sizeof h);
}

/* Most recently used first. */
struct aged { uint64_t at; uint32_t used_min; size_t size; };
struct ages { struct aged *items; size_t n, cap; };

static void add_age(void *ctx, uint64_t at, struct entry *e)
{
    struct ages *a = ctx;
    a->items = xgrow(a->items, &a->cap, a->n + 1, sizeof *a->items);
    a->items[a->n++] = (struct aged){at, e->used_min, ENTRY_BYTES + padded(e->size)};
}

static int by_age(const void *a, const void *b)
{
    const struct aged *x = a, *y = b;
    if (x->used_min != y->used_min)
        return x->used_min < y->used_min ? 1 : -1;
    return x->at < y->at ? 1 : -1;
}

/* The key of what was put, as the table wants it. */
static struct str put_key(struct parse_cache *c, size_t i)
{
    uint64_t id[2] = {c->puts[i].key.hi, c->puts[i].key.lo};
    return (struct str){arena_dup(&c->arena, id, sizeof id), sizeof id};
}

/* A new file: what was put, then as much of the old as fits in three quarters of the limit. */
static bool rewrite(struct parse_cache *c, bool keep, struct err *err)
{
    struct buf b = {0};
    struct ages ages = {0};
    uint64_t budget = c->limit - c->limit / 4;
    if (keep && c->map) {
        struct header old;
        memcpy(&old, c->map, sizeof old);
        c->hits += old.hits;
        c->misses += old.misses;
        c->evicted += old.evicted;
        walk(c, HEADER_BYTES, add_age, &ages);
        qsort(ages.items, ages.n, sizeof *ages.items, by_age);
    }
    put_header(&b, c);
    bool added;
    for (size_t i = 0; i < c->n_puts && b.n + c->puts[i].data.n + ENTRY_BYTES <= budget; i++) {
        uintptr_t *slot = map_put(&c->table, put_key(c, i), &added);
        if (added)
            *slot = (uintptr_t)b.n;
        if (c->puts[i].where)
            *c->puts[i].where = *slot;
        if (added)
            append_entry(&b, c->puts[i].key, c->puts[i].data, now_min());
    }
    for (size_t i = 0; i < ages.n; i++) {
        const struct entry *e = entry_at(c, ages.items[i].at);
        if (e->check != check_of(e, (const char *)e + ENTRY_BYTES) || map_get(&c->table, key_view(e)))
            continue; /* damaged, or there is a newer one */
        if (b.n + ages.items[i].size <= budget) {
            *map_put(&c->table, key_view(e), NULL) = (uintptr_t)b.n;
            buf_add(&b, e, ages.items[i].size);
        } else {
            c->evicted++;
        }
    }
    ((struct header *)(void *)b.p)->evicted = c->evicted;
    bool ok = io_replace(c->path, buf_view(&b), err);
    free(ages.items);
    buf_release(&b);
    return ok;
}

/* Behind the last whole entry: a torn one is written over. */
static bool append(struct parse_cache *c, int fd, struct err *err)
{
    struct buf b = {0};
    uint64_t at = walk(c, HEADER_BYTES, NULL, NULL);
    for (size_t i = 0; i < c->n_puts; i++) {
        uint64_t known = 0;
        const struct entry *e = find(c, c->puts[i].key, &known);
        uintptr_t *slot = map_put(&c->table, put_key(c, i), NULL);
        bool there = (e && e->check == check_of(e, (const char *)e + ENTRY_BYTES)) || *slot >= at; /* put twice */
        if (!there) {
            *slot = (uintptr_t)(at + b.n);
            append_entry(&b, c->puts[i].key, c->puts[i].data, now_min());
        }
        if (c->puts[i].where)
            *c->puts[i].where = *slot;
    }
    size_t done = 0;
    bool ok = true;
    while (done < b.n && ok) {
        ssize_t n = pwrite(fd, b.p + done, b.n - done, (off_t)(at + done));
        ok = n > 0 || (n < 0 && errno == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    buf_release(&b);
    return ok || err_errno(err, "%s: cannot be written", c->path);
}

static void close_map(struct parse_cache *c)
{
    if (c->map)
        munmap(c->map, c->size);
    map_release(&c->table);
    c->map = NULL;
    c->size = 0;
    c->has_table = false;
}

/* Under the lock: the file as it is now. */
static bool save(struct parse_cache *c, struct err *err)
{
    uint64_t added = 0;
    for (size_t i = 0; i < c->n_puts; i++)
        added += ENTRY_BYTES + padded(c->puts[i].data.n);
    close_map(c);
    open_map(c);
    if (!c->map)
        return rewrite(c, false, err);
    if (c->size + added > c->limit)
        return rewrite(c, true, err);
    int fd = open(c->path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s: cannot be written", c->path);
    struct header *h = (struct header *)(void *)c->map;
    bool ok = append(c, fd, err);
    h->hits += c->hits;
    h->misses += c->misses;
    close(fd);
    return ok;
}

bool parse_cache_close(struct parse_cache *c, struct err *err)
{
    bool ok = true;
    if (c->path && c->n_puts && !c->read_only) {
        ok = io_mkdirs(c->dir, err);
        int lock = ok ? open(c->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
        ok = ok && (lock >= 0 || err_errno(err, "%s: cannot be opened", c->lock_path));
        if (ok && flock(lock, LOCK_EX) == 0)
            ok = save(c, err);
        if (lock >= 0)
            close(lock);
    } else if (c->map && !c->read_only) {
        struct header *h = (struct header *)(void *)c->map;
        __atomic_fetch_add(&h->hits, c->hits, __ATOMIC_RELAXED);
        __atomic_fetch_add(&h->misses, c->misses, __ATOMIC_RELAXED);
    }
    close_map(c);
    free(c->puts);
    free(c->path);
    free(c->lock_path);
    free(c->dir);
    arena_release(&c->arena);
    free(c);
    return ok;
}

/* ---- looking at it ---- */

static void count_entry(void *ctx, uint64_t at, struct entry *e)
{
    (void)at;
    (void)e;
    ++*(uint64_t *)ctx;
}

void parse_cache_stats(struct parse_cache *c, struct parse_cache_stats *out)
{
    *out = (struct parse_cache_stats){.limit_bytes = c->limit, .path = str_z(c->path)};
    if (!c->map)
        return;
    struct header h;
    memcpy(&h, c->map, sizeof h);
    out->size_bytes = c->size;
    out->hits = h.hits;
    out->misses = h.misses;
    out->evicted = h.evicted;
    walk(c, HEADER_BYTES, count_entry, &out->entries);
}

struct visiting {
    void (*visit)(void *ctx, struct hash128 key, struct str data, int64_t used_s);
    void *ctx;
};

static void visit_entry(void *ctx, uint64_t at, struct entry *e)
{
    struct visiting *v = ctx;
    (void)at;
    if (e->check == check_of(e, (const char *)e + ENTRY_BYTES))
        v->visit(v->ctx, (struct hash128){e->hi, e->lo}, (struct str){(const char *)e + ENTRY_BYTES, e->size},
                 (int64_t)e->used_min * 60);
}

void parse_cache_each(struct parse_cache *c, void (*visit)(void *ctx, struct hash128 key, struct str data,
                      int64_t used_s), void *ctx)
{
    struct visiting v = {visit, ctx};
    if (c->map)
        walk(c, HEADER_BYTES, visit_entry, &v);
}

bool parse_cache_clear(struct err *err)
{
    char *dir = cache_dir(), *path = dir ? join(dir, "/parse.bin") : NULL;
    bool ok = !path || unlink(path) == 0 || errno == ENOENT || err_errno(err, "%s: cannot be removed", path);
    free(path);
    free(dir);
    return ok;
}
