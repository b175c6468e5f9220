#include "generator/source/stmt_store.h"

#include "generator/source/decode.h"
#include "generator/source/parse_cache.h"
#include "generator/source/parse_regex.h"
#include "generator/source/parse_stmts.h"
#include "runtime/base/arena.h"
#include "runtime/base/clock.h"
#include "runtime/base/io.h"
#include "runtime/base/map.h"
#include "runtime/base/pack.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 3, TEXT_BYTES = 100000 /* larger sources are rare: no buffer that grows and moves */ };
static const char magic[8] = "fststmt";
/* A file written within this time before it was hashed may change again without a new stat. */
static const int64_t racy_ns = INT64_C(2000000000);

struct entry {
    struct str path, packed;
    struct io_stat st;
    struct hash128 content;  /* the cache's key: of the bytes and the parser */
    int64_t hashed_ns;
    uint64_t where;
    bool claimed, ready;     /* a thread is reading it; packed is there */
    bool expected;           /* stmt_store_expect told of it: it is no imported file, whoever asks first */
    bool hit, handed_over, counted;
};

struct stmt_store {
    pthread_mutex_t lock;    /* of all below */
    pthread_cond_t done;     /* an entry is no longer claimed */
    const struct strs *ahead;/* files that will be asked for, of which those before next are begun */
    size_t next;
    struct map entries;
    struct arena arena;
    struct buf file;         /* the index */
    struct parse_cache *cache;
    char *index;
    enum parser_type parser;
    struct stmt_store_counts counts;
    bool dirty;
};

struct store_reader {
    struct stmt_store *store;
    struct stmt_parser *parser;
    struct buf name, text, packed;
};

static void load_index(struct stmt_store *s)
{
    struct unpack u;
    if (!s->index || !pack_open(s->index, magic, VERSION, &s->file, &u))
        return;
    for (uint32_t n = unpack_count(&u, 64); n && !u.bad; n--) {
        struct entry *e = arena_alloc(&s->arena, sizeof *e);
        e->path = unpack_str(&u);
        e->st = unpack_stat(&u);
        e->content = unpack_hash(&u);
        e->hashed_ns = (int64_t)unpack_u64(&u);
        e->where = unpack_u64(&u);
        if (!u.bad)
            *map_put(&s->entries, e->path, NULL) = (uintptr_t)e;
    }
}

static bool save_index(struct stmt_store *s, struct err *err)
{
    struct buf b = {0};
    uint32_t n = 0;
    pack_u32(&b, 0);
    for (size_t i = 0; i < s->entries.cap; i++) {
        const struct entry *e = (const struct entry *)s->entries.slots[i].value;
        if (!e || hash128_is_zero(e->content))
            continue;
        pack_str(&b, e->path);
        pack_stat(&b, &e->st);
        pack_hash(&b, e->content);
        pack_u64(&b, (uint64_t)e->hashed_ns);
        pack_u64(&b, e->where);
        n++;
    }
    for (int i = 0; i < 4; i++)
        b.p[i] = (char)(n >> (8 * i));
    bool ok = pack_save(s->index, magic, VERSION, &b, err);
    buf_release(&b);
    return ok;
}

struct stmt_store *stmt_store_open(const char *index, enum parser_type parser, bool no_cache)
{
    struct stmt_store *s = xmalloc(sizeof *s);
    *s = (struct stmt_store){.parser = parser};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->done, NULL);
    if (no_cache)
        return s;
    s->cache = parse_cache_open(0, false);
    if (index) {
        s->index = xmalloc(strlen(index) + 1);
        memcpy(s->index, index, strlen(index) + 1);
        load_index(s);
    }
    return s;
}

void stmt_store_count(struct stmt_store *s, struct stmt_store_counts *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->counts;
    pthread_mutex_unlock(&s->lock);
}

bool stmt_store_close(struct stmt_store *s, struct err *err)
{
    bool ok = true;
    if (s->cache)
        ok = parse_cache_close(s->cache, err); /* sets where */
    if (s->index && s->dirty && ok)
        ok = save_index(s, err);
    free(s->index);
    map_release(&s->entries);
    buf_release(&s->file);
    arena_release(&s->arena);
    pthread_cond_destroy(&s->done);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return ok;
}

struct store_reader *store_reader_new(struct stmt_store *s)
{
    struct store_reader *r = xmalloc(sizeof *r);
    *r = (struct store_reader){.store = s};
    buf_reserve(&r->text, TEXT_BYTES);
    return r;
}

void store_reader_free(struct store_reader *r)
{
    stmt_parser_free(r->parser);
    buf_release(&r->name);
    buf_release(&r->text);
    buf_release(&r->packed);
    free(r);
}

/* ---- one file ---- */

static void add_error(struct buf *out, uint32_t line, const char *what)
{
    struct stmt s = {.kind = STMT_ERROR, .line = line, .text = str_z(what)};
    stmts_add(out, &s);
}

/* r->text → r->packed. True when the line scanner handed it over. */
static bool parse_text(struct store_reader *r, bool regex)
{
    const char *error;
    uint32_t line;
    buf_clear(&r->packed);
    if (!decode_source(&r->text, &error, &line)) {
        add_error(&r->packed, line, error);
        return false;
    }
    struct str text = r->text.n ? buf_view(&r->text) : STR("");
    if (regex && parse_regex(text, &r->packed))
        return false;
    if (!r->parser)
        r->parser = stmt_parser_new();
    stmt_parser_run(r->parser, text, &r->packed);
    return regex;
}

static struct hash128 content_key(const struct stmt_store *s, const struct buf *text, bool regex)
{
    if (!s->cache && !s->index) /* nobody will ask for it */
        return (struct hash128){0};
    struct hash128 h = hash128_of(text->p ? text->p : "", text->n);
    h.lo ^= (uint64_t)VERSION << 8 | (regex ? 2 : 1);
    if (hash128_is_zero(h))
        h.lo = 1;
    return h;
}

static bool is_current(const struct entry *e, const struct io_stat *st)
{
    return !hash128_is_zero(e->content) && io_stat_same(&e->st, st) && st->ctime_ns < e->hashed_ns - racy_ns;
}

/* Under the lock. */
static struct entry *own_entry(struct stmt_store *s, struct str path)
{
    uintptr_t *slot = map_get(&s->entries, path);
    if (slot)
        return (struct entry *)*slot;
    struct entry *e = arena_alloc(&s->arena, sizeof *e);
    e->path = (struct str){arena_dup(&s->arena, path.p, path.n), path.n};
    *map_put(&s->entries, e->path, NULL) = (uintptr_t)e;
    return e;
}

static struct str keep(struct stmt_store *s, const struct buf *b)
{
    return (struct str){arena_dup(&s->arena, b->p ? b->p : "", b->n), b->n};
}

/* Under the lock: does the index know what is in the file? */
static bool known(struct stmt_store *s, struct entry *e, const struct io_stat *st)
{
    e->hit = s->cache && is_current(e, st) && parse_cache_get(s->cache, e->content, &e->where, &e->packed);
    return e->hit;
}

/* The content was read: from the cache when it knows it, else parsed outside of the lock. */
static void take(struct store_reader *r, struct entry *e, const struct io_stat *st, bool regex)
{
    struct stmt_store *s = r->store;
    struct hash128 key = content_key(s, &r->text, regex);
    int64_t now = clock_wall_ns();
    struct str cached;
    uint64_t where = 0;
    pthread_mutex_lock(&s->lock);
    bool hit = s->cache && parse_cache_get(s->cache, key, &where, &cached);
    pthread_mutex_unlock(&s->lock);
    bool handed_over = !hit && parse_text(r, regex);
    pthread_mutex_lock(&s->lock);
    e->packed = hit ? cached : keep(s, &r->packed);
    e->content = key;
    e->st = *st;
    e->hashed_ns = now;
    e->where = where;
    e->hit = hit;
    e->handed_over = handed_over;
    s->dirty = true;
    if (!hit && s->cache)
        parse_cache_put(s->cache, key, e->packed, &e->where);
    pthread_mutex_unlock(&s->lock);
}

/* False when there is no such file. */
static bool read_file(struct store_reader *r, struct entry *e, bool imported)
{
    struct stmt_store *s = r->store;
    struct io_stat st = {.kind = IO_FILE};
    buf_clear(&r->name);
    buf_str(&r->name, e->path); /* one from the index has no end of its own */
    if (s->cache)
        st = io_stat_path(r->name.p);
    if (st.kind != IO_FILE)
        return false;
    pthread_mutex_lock(&s->lock);
    bool found = known(s, e, &st);
    pthread_mutex_unlock(&s->lock);
    if (found)
        return true;
    buf_clear(&r->text);
    if (io_read(r->name.p, 0, &r->text, NULL)) {
        take(r, e, &st, (imported && !e->expected) || s->parser != PARSER_AST);
        return true;
    }
    if (io_stat_path(r->name.p).kind != IO_FILE)
        return false;
    buf_clear(&r->packed);
    add_error(&r->packed, 1, "the file cannot be read");
    pthread_mutex_lock(&s->lock);
    e->packed = keep(s, &r->packed);
    e->content = (struct hash128){0};
    e->counted = true;
    pthread_mutex_unlock(&s->lock);
    return true;
}

/* An entry that this thread has claimed. */
static bool fill(struct store_reader *r, struct entry *e, bool imported)
{
    struct stmt_store *s = r->store;
    bool ok = read_file(r, e, imported);
    pthread_mutex_lock(&s->lock);
    e->ready = ok;
    e->claimed = false;
    pthread_cond_broadcast(&s->done);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

/* Under the lock: claims the next file ahead that nobody has begun; NULL when there is none. */
static struct entry *claim_ahead(struct stmt_store *s)
{
    while (s->ahead && s->next < s->ahead->n) {
        struct entry *e = own_entry(s, s->ahead->items[s->next++]);
        if (!e->ready && !e->claimed && str_ends(e->path, STR(".py"))) {
            e->claimed = true;
            return e;
        }
    }
    return NULL;
}

/* Claims the entry unless it is ready. While another thread reads it, this one reads ahead. */
static bool claim(struct store_reader *r, struct entry *e)
{
    struct stmt_store *s = r->store;
    while (!e->ready && e->claimed) {
        struct entry *other = claim_ahead(s);
        if (!other) {
            pthread_cond_wait(&s->done, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        fill(r, other, false);
        pthread_mutex_lock(&s->lock);
    }
    e->claimed = !e->ready;
    return e->claimed;
}

static void count(struct stmt_store *s, struct entry *e)
{
    s->counts.files += !e->counted;
    s->counts.hits += !e->counted && e->hit;
    s->counts.misses += !e->counted && !e->hit;
    s->counts.handed_over += !e->counted && e->handed_over;
    e->counted = true;
}

void stmt_store_expect(struct stmt_store *s, const struct strs *paths)
{
    pthread_mutex_lock(&s->lock);
    s->ahead = paths;
    s->next = 0;
    for (size_t i = 0; i < paths->n; i++)
        own_entry(s, paths->items[i])->expected = true;
    pthread_mutex_unlock(&s->lock);
}

bool store_reader_ahead(struct store_reader *r)
{
    pthread_mutex_lock(&r->store->lock);
    struct entry *e = claim_ahead(r->store);
    pthread_mutex_unlock(&r->store->lock);
    if (e)
        fill(r, e, false);
    return e != NULL;
}

bool store_reader_knows(struct store_reader *r, struct str path)
{
    pthread_mutex_lock(&r->store->lock);
    const uintptr_t *slot = map_get(&r->store->entries, path);
    bool knows = slot && (((const struct entry *)*slot)->ready || ((const struct entry *)*slot)->claimed);
    pthread_mutex_unlock(&r->store->lock);
    return knows;
}

void store_reader_prepare(struct store_reader *r, struct str path)
{
    pthread_mutex_lock(&r->store->lock);
    struct entry *e = own_entry(r->store, path);
    bool mine = !e->ready && !e->claimed;
    e->claimed = e->claimed || mine;
    pthread_mutex_unlock(&r->store->lock);
    if (mine)
        fill(r, e, true);
}

bool store_reader_get(struct store_reader *r, struct str path, bool imported, struct str *packed)
{
    struct stmt_store *s = r->store;
    pthread_mutex_lock(&s->lock);
    struct entry *e = own_entry(s, path);
    bool mine = claim(r, e);
    pthread_mutex_unlock(&s->lock);
    if (mine && !fill(r, e, imported))
        return false;
    pthread_mutex_lock(&s->lock);
    count(s, e);
    *packed = e->packed;
    pthread_mutex_unlock(&s->lock);
    return true;
}
