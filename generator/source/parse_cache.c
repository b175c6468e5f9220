#include "generator/source/parse_cache.h"

#include "runtime/base/arena.h"
#include "runtime/base/io.h"
#include "runtime/base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The file: a header of 64 bytes, then entries, each aligned to 8 bytes. Little-endian. */
enum { HEADER_BYTES = 64, ENTRY_BYTES = 48, VERSION = 1, MAX_ENTRY = 16 << 20, USED_STEP_S = 3600, MAX_DAMAGED = 64 };
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
    pthread_mutex_t lock;     /* of the table */
    struct map table;         /* key → offset; made when a hint fails */
    bool has_table, is_whole; /* is_whole: nothing damaged was met when the table was made */
    bool read_only;
    struct pending *puts;
    size_t n_puts, cap_puts;
    struct arena arena;
    uint64_t limit, evicted;
    _Atomic uint64_t hits, misses;
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

static bool is_right(const struct entry *e)
{
    return e->check == check_of(e, (const char *)e + ENTRY_BYTES);
}

/* What an entry takes in the file. */
static size_t entry_size(uint64_t size)
{
    return ENTRY_BYTES + ((size_t)(size + 7) & ~(size_t)7);
}

/* The entry at this place, if there is a whole one; its checksum is not looked at. */
static struct entry *entry_at(const struct parse_cache *c, uint64_t at)
{
    if (at < HEADER_BYTES || at % 8 || c->size < ENTRY_BYTES || at > c->size - ENTRY_BYTES)
        return NULL;
    struct entry *e = (struct entry *)(void *)(c->map + at);
    if (e->magic != entry_magic || e->size > MAX_ENTRY || entry_size(e->size) > c->size - at)
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
    if (fd < 0 && !c->read_only && errno != ENOENT) /* it may be made in this moment: not read-only */
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
    pthread_mutex_init(&c->lock, NULL);
    c->dir = cache_dir();
    if (!c->dir)
        return c;
    c->path = join(c->dir, "/parse.bin");
    c->lock_path = join(c->dir, "/parse.lock");
    open_map(c);
    return c;
}

/* Calls take for each entry; true when there is nothing else. An entry is believed by its header as long as
 * another one follows it; where the chain breaks, the next entry with a right checksum is looked for, a limited
 * number of times. */
static bool walk(const struct parse_cache *c, void (*take)(void *ctx, uint64_t at, struct entry *e), void *ctx)
{
    uint64_t at = HEADER_BYTES;
    bool chained = true, whole = true;
    for (int wrong = 0; at < c->size && wrong < MAX_DAMAGED;) {
        struct entry *e = entry_at(c, at);
        uint64_t next = e ? at + entry_size(e->size) : 0;
        bool follows = e && chained && (next == c->size || entry_at(c, next));
        chained = follows || (e && is_right(e));
        if (chained && take)
            take(ctx, at, e);
        wrong += e && !chained;
        whole = whole && chained;
        at = chained ? next : at + 8;
    }
    return whole && at == c->size;
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

/* Under the lock when there may be other threads. */
static void make_table(struct parse_cache *c)
{
    if (!c->has_table)
        c->is_whole = walk(c, add_to_table, c);
    c->has_table = true;
}

static struct entry *find(struct parse_cache *c, struct hash128 key, uint64_t *where)
{
    struct entry *e = *where ? entry_at(c, *where) : NULL;
    if (e && e->hi == key.hi && e->lo == key.lo)
        return e;
    uint64_t id[2] = {key.hi, key.lo};
    pthread_mutex_lock(&c->lock);
    make_table(c);
    uintptr_t *at = map_get(&c->table, (struct str){(const char *)id, sizeof id});
    pthread_mutex_unlock(&c->lock);
    if (!at)
        return NULL;
    *where = *at;
    return entry_at(c, *at);
}

bool parse_cache_get(struct parse_cache *c, struct hash128 key, uint64_t *where, struct str *data)
{
    struct entry *e = c->map ? find(c, key, where) : NULL;
    if (!e || !is_right(e)) {
        atomic_fetch_add_explicit(&c->misses, 1, memory_order_relaxed);
        return false;
    }
    *data = (struct str){(const char *)e + ENTRY_BYTES, e->size};
    uint32_t now = now_min(); /* used_min is shared with other threads and processes */
    if (!c->read_only && now - __atomic_load_n(&e->used_min, __ATOMIC_RELAXED) > USED_STEP_S / 60)
        __atomic_store_n(&e->used_min, now, __ATOMIC_RELAXED);
    atomic_fetch_add_explicit(&c->hits, 1, memory_order_relaxed);
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
    buf_add(b, zeros, entry_size(data.n) - ENTRY_BYTES - data.n);
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
    a->items[a->n++] = (struct aged){at, e->used_min, entry_size(e->size)};
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

static void add_puts(struct parse_cache *c, struct buf *b, struct map *placed, uint64_t budget)
{
    for (size_t i = 0; i < c->n_puts; i++) {
        const struct pending *p = &c->puts[i];
        bool added;
        if (b->n + entry_size(p->data.n) > budget)
            continue;
        uintptr_t *slot = map_put(placed, put_key(c, i), &added);
        if (added) {
            *slot = (uintptr_t)b->n;
            append_entry(b, p->key, p->data, now_min());
        }
        if (p->where)
            *p->where = *slot;
    }
}

static void add_old(struct parse_cache *c, struct buf *b, struct map *placed, uint64_t budget)
{
    struct ages ages = {0};
    walk(c, add_age, &ages);
    if (ages.n)
        qsort(ages.items, ages.n, sizeof *ages.items, by_age);
    for (size_t i = 0; i < ages.n; i++) {
        const struct entry *e = entry_at(c, ages.items[i].at);
        if (!is_right(e) || map_get(placed, key_view(e)))
            continue; /* damaged, or there is a newer one */
        if (b->n + ages.items[i].size > budget) {
            c->evicted++;
            continue;
        }
        *map_put(placed, key_view(e), NULL) = (uintptr_t)b->n;
        buf_add(b, e, ages.items[i].size);
    }
    free(ages.items);
}

/* A new file in the old one's place: what was put, then as much of the old as fits in the budget. */
static bool rewrite(struct parse_cache *c, uint64_t budget, struct err *err)
{
    struct buf b = {0};
    struct map placed = {0};
    if (c->map) {
        struct header old;
        memcpy(&old, c->map, sizeof old);
        c->hits += old.hits;
        c->misses += old.misses;
        c->evicted += old.evicted;
    }
    put_header(&b, c);
    add_puts(c, &b, &placed, budget);
    if (c->map)
        add_old(c, &b, &placed, budget);
    ((struct header *)(void *)b.p)->evicted = c->evicted;
    bool ok = io_replace(c->path, buf_view(&b), err);
    map_release(&placed);
    buf_release(&b);
    return ok;
}

static bool write_at(int fd, struct str s, uint64_t at)
{
    for (size_t done = 0; done < s.n;) {
        ssize_t n = pwrite(fd, s.p + done, s.n - done, (off_t)(at + done));
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* At the end of a whole file: nothing that a reader could see is written over. */
static bool append(struct parse_cache *c, int fd, struct err *err)
{
    struct buf b = {0};
    uint64_t at = c->size;
    for (size_t i = 0; i < c->n_puts; i++) {
        uint64_t known = 0;
        const struct entry *e = find(c, c->puts[i].key, &known);
        uintptr_t *slot = map_put(&c->table, put_key(c, i), NULL);
        bool there = *slot >= at || (e && is_right(e)); /* put twice, or by another process */
        if (!there) {
            *slot = (uintptr_t)(at + b.n);
            append_entry(&b, c->puts[i].key, c->puts[i].data, now_min());
        }
        if (c->puts[i].where)
            *c->puts[i].where = *slot;
    }
    bool ok = write_at(fd, buf_view(&b), at);
    buf_release(&b);
    return ok || err_errno(err, "%s: cannot be written", c->path);
}

static void add_counts(struct parse_cache *c)
{
    struct header *h = (struct header *)(void *)c->map;
    __atomic_fetch_add(&h->hits, c->hits, __ATOMIC_RELAXED);
    __atomic_fetch_add(&h->misses, c->misses, __ATOMIC_RELAXED);
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

/* Under the file's lock: the file as it is now. A torn tail or other damage: a new file, never a write into
 * the middle of one that others have mapped. */
static bool save(struct parse_cache *c, struct err *err)
{
    uint64_t added = 0, three_quarters = c->limit - c->limit / 4;
    for (size_t i = 0; i < c->n_puts; i++)
        added += entry_size(c->puts[i].data.n);
    close_map(c);
    open_map(c);
    if (!c->map || c->size + added > c->limit)
        return rewrite(c, three_quarters, err);
    make_table(c);
    if (!c->is_whole)
        return rewrite(c, c->limit, err);
    int fd = open(c->path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s: cannot be written", c->path);
    bool ok = append(c, fd, err);
    add_counts(c);
    close(fd);
    return ok;
}

/* The cache quotes sources: its directory, when it is made here, is for its user only. */
static bool make_dir(const struct parse_cache *c, struct err *err)
{
    struct str parent = path_dir(str_z(c->dir));
    char *up = join(c->dir, "");
    up[parent.n] = '\0';
    bool ok = (!parent.n || io_mkdirs(up, err)) && (mkdir(c->dir, 0700) == 0 || io_mkdirs(c->dir, err));
    free(up);
    return ok;
}

bool parse_cache_close(struct parse_cache *c, struct err *err)
{
    bool ok = true;
    if (c->path && c->n_puts && !c->read_only) {
        ok = make_dir(c, err);
        int lock = ok ? open(c->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
        ok = ok && (lock >= 0 || err_errno(err, "%s: cannot be opened", c->lock_path));
        if (ok && flock(lock, LOCK_EX) == 0)
            ok = save(c, err);
        if (lock >= 0)
            close(lock);
    } else if (c->map && !c->read_only) {
        add_counts(c);
    }
    close_map(c);
    free(c->puts);
    free(c->path);
    free(c->lock_path);
    free(c->dir);
    arena_release(&c->arena);
    pthread_mutex_destroy(&c->lock);
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
    walk(c, count_entry, &out->entries);
}

struct visiting {
    void (*visit)(void *ctx, struct hash128 key, struct str data, int64_t used_s);
    void *ctx;
};

static void visit_entry(void *ctx, uint64_t at, struct entry *e)
{
    struct visiting *v = ctx;
    (void)at;
    if (is_right(e))
        v->visit(v->ctx, (struct hash128){e->hi, e->lo}, (struct str){(const char *)e + ENTRY_BYTES, e->size},
                 (int64_t)e->used_min * 60);
}

void parse_cache_each(struct parse_cache *c, void (*visit)(void *ctx, struct hash128 key, struct str data,
                      int64_t used_s), void *ctx)
{
    struct visiting v = {visit, ctx};
    if (c->map)
        walk(c, visit_entry, &v);
}

bool parse_cache_clear(struct err *err)
{
    char *dir = cache_dir(), *path = dir ? join(dir, "/parse.bin") : NULL;
    bool ok = !path || unlink(path) == 0 || errno == ENOENT || err_errno(err, "%s: cannot be removed", path);
    free(path);
    free(dir);
    return ok;
}
