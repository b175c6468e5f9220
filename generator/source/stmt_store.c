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

enum { VERSION = 3 };
static const char magic[8] = "fststmt";
/* A file written within this time before it was hashed may change again without a new stat. */
static const int64_t racy_ns = INT64_C(2000000000);

struct entry {
    struct str path, packed;
    struct io_stat st;
    struct hash128 content;  /* the cache's key: of the bytes and the parser */
    int64_t hashed_ns;
    uint64_t where;
    bool ready, fresh;       /* packed is there; it was hashed or parsed by us */
};

struct stmt_store {
    pthread_mutex_t lock;    /* of all below */
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
    struct buf text, packed;
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
    pthread_mutex_destroy(&s->lock);
    free(s);
    return ok;
}

struct store_reader *store_reader_new(struct stmt_store *s)
{
    struct store_reader *r = xmalloc(sizeof *r);
    *r = (struct store_reader){.store = s};
    return r;
}

void store_reader_free(struct store_reader *r)
{
    stmt_parser_free(r->parser);
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

/* What the index or another thread knows; false when the file has to be read. */
static bool known(struct stmt_store *s, struct str path, const struct io_stat *st, struct str *packed)
{
    pthread_mutex_lock(&s->lock);
    uintptr_t *slot = map_get(&s->entries, path);
    struct entry *e = slot ? (struct entry *)*slot : NULL;
    bool found = e && e->ready;
    if (e && !found && s->cache && is_current(e, st) && parse_cache_get(s->cache, e->content, &e->where, &e->packed)) {
        e->ready = found = true;
        s->counts.hits++;
        s->counts.files++;
    }
    if (found)
        *packed = e->packed;
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* Under the lock: the entry of path, filled with what was read. Another thread may have been first. */
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

/* The content was read: from the cache when it knows it, else parsed outside of the lock. */
static struct str take(struct store_reader *r, struct str path, const struct io_stat *st, bool regex)
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
    struct entry *e = own_entry(s, path);
    if (!e->ready) {
        e->packed = hit ? cached : keep(s, &r->packed);
        e->content = key;
        e->st = *st;
        e->hashed_ns = now;
        e->where = where;
        e->ready = s->dirty = true;
        s->counts.files++;
        s->counts.hits += hit;
        s->counts.misses += !hit;
        s->counts.handed_over += handed_over;
        if (!hit && s->cache)
            parse_cache_put(s->cache, key, e->packed, &e->where);
    }
    struct str packed = e->packed;
    pthread_mutex_unlock(&s->lock);
    return packed;
}

bool store_reader_get(struct store_reader *r, struct str path, bool imported, struct str *packed)
{
    bool regex = imported || r->store->parser != PARSER_AST;
    char name[4096];
    if (path.n >= sizeof name)
        return false;
    memcpy(name, path.p, path.n);
    name[path.n] = '\0';
    struct io_stat st = {.kind = IO_FILE};
    if (r->store->cache)
        st = io_stat_path(name);
    if (st.kind != IO_FILE)
        return false;
    if (known(r->store, path, &st, packed))
        return true;
    buf_clear(&r->text);
    if (io_read(name, 0, &r->text, NULL)) {
        *packed = take(r, path, &st, regex);
        return true;
    }
    if (io_stat_path(name).kind != IO_FILE)
        return false;
    buf_clear(&r->packed);
    add_error(&r->packed, 1, "the file cannot be read");
    pthread_mutex_lock(&r->store->lock);
    *packed = keep(r->store, &r->packed);
    pthread_mutex_unlock(&r->store->lock);
    return true;
}
