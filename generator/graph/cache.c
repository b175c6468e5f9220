#include "generator/graph/cache.h"

#include "runtime/base/pack.h"

#include <stdlib.h>
#include <string.h>

static const char magic[8] = "FSTINDX\n";
enum { VERSION = 4 };

struct index_file *index_file(struct index *x, struct str path)
{
    bool added;
    uintptr_t *slot = map_put(&x->files, path, &added);
    if (added) {
        struct index_file *f = arena_alloc(&x->arena, sizeof *f);
        f->path = path;
        *slot = (uintptr_t)f;
    }
    return (struct index_file *)*slot;
}

struct index_record *index_record(struct index *x, struct str path)
{
    bool added;
    uintptr_t *slot = map_put(&x->records, path, &added);
    if (added) {
        struct index_record *r = arena_alloc(&x->arena, sizeof *r);
        r->path = path;
        *slot = (uintptr_t)r;
    }
    return (struct index_record *)*slot;
}

/* Records share most of what they depend on: one entry for each (path, kind, hash). */
static uint32_t intern_dep(struct index *x, const struct record_dep *dep)
{
    struct buf id = {0};
    pack_str(&id, dep->path);
    pack_u32(&id, dep->kind);
    pack_hash(&id, dep->hash);
    if (dep->kind == DEP_ABSENT)
        pack_u32(&id, dep->st.kind);
    uintptr_t *slot = map_get(&x->dep_map, buf_view(&id));
    if (!slot) {
        struct str key = {arena_dup(&x->arena, id.p, id.n), id.n};
        slot = map_put(&x->dep_map, key, NULL);
        x->deps = xgrow(x->deps, &x->cap_deps, x->n_deps + 1, sizeof *x->deps);
        struct index_dep *d = &x->deps[x->n_deps++];
        *d = (struct index_dep){.dep = *dep};
        d->dep.path = (struct str){arena_dup(&x->arena, dep->path.p, dep->path.n), dep->path.n};
        *slot = x->n_deps;
    }
    buf_release(&id);
    return (uint32_t)*slot - 1;
}

static uint32_t intern_executed(struct index *x, const struct record_executed *e)
{
    struct buf id = {0};
    buf_add(&id, &e->hash, sizeof e->hash);
    buf_str(&id, e->choice);
    struct hash128 choice = hash128_of(id.p, id.n);
    buf_clear(&id);
    pack_str(&id, e->path);
    pack_hash(&id, e->semantic);
    pack_hash(&id, choice);
    uintptr_t *slot = map_get(&x->executed_map, buf_view(&id));
    if (!slot) {
        struct str key = {arena_dup(&x->arena, id.p, id.n), id.n};
        slot = map_put(&x->executed_map, key, NULL);
        x->executed = xgrow(x->executed, &x->cap_executed, x->n_executed + 1, sizeof *x->executed);
        x->executed[x->n_executed++] = (struct index_executed){
            .path = {arena_dup(&x->arena, e->path.p, e->path.n), e->path.n}, .semantic = e->semantic, .id = choice};
        *slot = x->n_executed;
    }
    buf_release(&id);
    return (uint32_t)*slot - 1;
}

static uint32_t executed_at(const struct index_record *r, size_t i)
{
    struct unpack u = {.p = (const unsigned char *)r->executed.p + 4 * i, .n = 4};
    return unpack_u32(&u);
}

struct index_executed *index_executed_of(struct index *x, const struct index_record *r, size_t i)
{
    return i < r->executed.n / 4 ? &x->executed[executed_at(r, i)] : NULL;
}

static struct str intern_all_executed(struct index *x, const struct record *rec)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < rec->n_executed; i++)
        pack_u32(&b, intern_executed(x, &rec->executed[i]));
    struct str own = {arena_dup(&x->arena, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
    return own;
}

void index_record_set(struct index *x, struct index_record *r, const struct record *rec,
                      const struct io_stat *st)
{
    r->st = *st;
    r->key = rec->key;
    r->loose = rec->loose;
    r->sources = rec->sources;
    r->held = (struct hash128){0};
    r->flags = rec->flags;
    r->took_ms = rec->took_ms;
    r->n_deps = rec->n_deps;
    r->deps = arena_array(&x->arena, rec->n_deps, sizeof *r->deps);
    for (uint32_t i = 0; i < rec->n_deps; i++)
        r->deps[i] = intern_dep(x, &rec->deps[i]);
    r->executed = intern_all_executed(x, rec);
    x->dirty = true;
}

static void unpack_file(struct index *x, struct unpack *u)
{
    struct index_file *f = index_file(x, unpack_str(u));
    f->st = unpack_stat(u);
    f->content = unpack_hash(u);
    f->semantic = unpack_hash(u);
    f->hashed_ns = (int64_t)unpack_u64(u);
    f->parsed = unpack_u8(u) != 0;
    f->facts.flags = unpack_u32(u);
    f->facts.n_tests = unpack_u32(u);
    f->facts.imports = unpack_str(u);
    f->blocks = unpack_str(u);
}

static void unpack_dep(struct index *x, struct unpack *u)
{
    struct record_dep dep = {.path = unpack_str(u), .kind = unpack_u32(u)};
    dep.st = unpack_stat(u);
    dep.hash = unpack_hash(u);
    if (!u->bad && intern_dep(x, &dep) + 1 != x->n_deps)
        u->bad = true;
}

static void unpack_record(struct index *x, struct unpack *u)
{
    struct index_record *r = index_record(x, unpack_str(u));
    r->st = unpack_stat(u);
    r->key = unpack_hash(u);
    r->loose = unpack_hash(u);
    r->held = unpack_hash(u);
    r->sources = unpack_hash(u);
    r->flags = unpack_u32(u);
    r->took_ms = unpack_u32(u);
    r->last_key = unpack_hash(u);
    r->why = unpack_str(u);
    r->n_deps = unpack_count(u, 4);
    r->deps = arena_array(&x->arena, r->n_deps, sizeof *r->deps);
    for (uint32_t i = 0; i < r->n_deps; i++) {
        r->deps[i] = unpack_u32(u);
        if (r->deps[i] >= x->n_deps)
            u->bad = true;
    }
    r->executed = unpack_str(u);
    for (size_t i = 0; i < r->executed.n / 4; i++)
        if (executed_at(r, i) >= x->n_executed)
            u->bad = true;
}

static void unpack_executed(struct index *x, struct unpack *u)
{
    x->executed = xgrow(x->executed, &x->cap_executed, x->n_executed + 1, sizeof *x->executed);
    struct index_executed *e = &x->executed[x->n_executed++];
    *e = (struct index_executed){.path = unpack_str(u)};
    e->semantic = unpack_hash(u);
    e->id = unpack_hash(u);
}

static bool unpack_index(struct index *x, struct unpack *u)
{
    if (unpack_u8(u) != (x->keep_lines ? 1u : 0u) + (x->keep_docs ? 2u : 0u))
        return false;
    x->environment = unpack_hash(u);
    for (uint32_t n = unpack_count(u, 64); n && !u->bad; n--)
        unpack_file(x, u);
    for (uint32_t n = unpack_count(u, 24); n && !u->bad; n--)
        unpack_dep(x, u);
    for (uint32_t n = unpack_count(u, 36); n && !u->bad; n--)
        unpack_executed(x, u);
    for (uint32_t n = unpack_count(u, 64); n && !u->bad; n--)
        unpack_record(x, u);
    return !u->bad;
}

void index_load(struct index *x, const char *path, bool keep_lines, bool keep_docs)
{
    struct unpack u;
    memset(x, 0, sizeof *x);
    x->keep_lines = keep_lines;
    x->keep_docs = keep_docs;
    if (pack_open(path, magic, VERSION, &x->file, &u) && unpack_index(x, &u))
        return;
    index_release(x);
    x->keep_lines = keep_lines;
    x->keep_docs = keep_docs;
    x->dirty = true;
}

/* What this scan did not use is kept while it exists: a narrowed run must not forget the rest. */
static bool keep_entry(bool used, struct str path)
{
    if (used)
        return true;
    struct buf b = {0};
    buf_str(&b, path);
    bool keep = io_stat_path(b.p ? b.p : "").kind != IO_ABSENT;
    buf_release(&b);
    return keep;
}

static void pack_file(struct buf *b, const struct index_file *f)
{
    pack_str(b, f->path);
    pack_stat(b, &f->st);
    pack_hash(b, f->content);
    pack_hash(b, f->semantic);
    pack_u64(b, (uint64_t)f->hashed_ns);
    pack_u8(b, f->parsed);
    pack_u32(b, f->facts.flags);
    pack_u32(b, f->facts.n_tests);
    pack_str(b, f->facts.imports);
    pack_str(b, f->blocks);
}

static void pack_record(struct buf *b, const struct index_record *r, const uint32_t *renumber, const uint32_t *executed)
{
    pack_str(b, r->path);
    pack_stat(b, &r->st);
    pack_hash(b, r->key);
    pack_hash(b, r->loose);
    pack_hash(b, r->held);
    pack_hash(b, r->sources);
    pack_u32(b, r->flags);
    pack_u32(b, r->took_ms);
    pack_hash(b, r->last_key);
    pack_str(b, r->why);
    pack_u32(b, r->n_deps);
    for (uint32_t i = 0; i < r->n_deps; i++)
        pack_u32(b, renumber[r->deps[i]]);
    pack_u32(b, (uint32_t)r->executed.n);
    for (size_t i = 0; i < r->executed.n / 4; i++)
        pack_u32(b, executed[executed_at(r, i)]);
}

static void patch_u32(struct buf *b, size_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        b->p[at + (size_t)i] = (char)(v >> (8 * i));
}

/* Only dependencies that a record still names are written. */
static uint32_t pack_deps(struct buf *b, struct index *x, struct index_record **records, size_t n,
                          uint32_t *renumber)
{
    uint32_t count = 0;
    memset(renumber, 0xff, (x->n_deps + 1) * sizeof *renumber);
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < records[i]->n_deps; k++) {
            uint32_t d = records[i]->deps[k];
            if (renumber[d] != UINT32_MAX)
                continue;
            renumber[d] = count++;
            pack_str(b, x->deps[d].dep.path);
            pack_u32(b, x->deps[d].dep.kind);
            pack_stat(b, &x->deps[d].dep.st);
            pack_hash(b, x->deps[d].dep.hash);
        }
    return count;
}

static uint32_t pack_executed(struct buf *b, struct index *x, struct index_record **records, size_t n, uint32_t *renumber)
{
    uint32_t count = 0;
    memset(renumber, 0xff, (x->n_executed + 1) * sizeof *renumber);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < records[i]->executed.n / 4; k++) {
            uint32_t e = executed_at(records[i], k);
            if (renumber[e] != UINT32_MAX)
                continue;
            renumber[e] = count++;
            pack_str(b, x->executed[e].path);
            pack_hash(b, x->executed[e].semantic);
            pack_hash(b, x->executed[e].id);
        }
    return count;
}

bool index_save(struct index *x, const char *path, struct err *err)
{
    struct buf b = {0};
    pack_u8(&b, (uint8_t)((x->keep_lines ? 1 : 0) + (x->keep_docs ? 2 : 0)));
    pack_hash(&b, x->environment);
    size_t at = b.n;
    uint32_t n = 0;
    pack_u32(&b, 0);
    for (size_t i = 0; i < x->files.cap; i++) {
        struct index_file *f = (struct index_file *)x->files.slots[i].value;
        if (f && !hash128_is_zero(f->content) && keep_entry(f->used, f->path)) {
            pack_file(&b, f);
            n++;
        }
    }
    patch_u32(&b, at, n);
    struct index_record **records = xmalloc((x->records.n + 1) * sizeof *records);
    uint32_t *renumber = xmalloc((x->n_deps + 1) * sizeof *renumber);
    uint32_t *executed = xmalloc((x->n_executed + 1) * sizeof *executed);
    size_t n_records = 0;
    for (size_t i = 0; i < x->records.cap; i++) {
        struct index_record *r = (struct index_record *)x->records.slots[i].value;
        if (r && keep_entry(r->used, r->path))
            records[n_records++] = r;
    }
    at = b.n;
    pack_u32(&b, 0);
    patch_u32(&b, at, pack_deps(&b, x, records, n_records, renumber));
    at = b.n;
    pack_u32(&b, 0);
    patch_u32(&b, at, pack_executed(&b, x, records, n_records, executed));
    pack_u32(&b, (uint32_t)n_records);
    for (size_t i = 0; i < n_records; i++)
        pack_record(&b, records[i], renumber, executed);
    free(records);
    free(renumber);
    free(executed);
    bool ok = pack_save(path, magic, VERSION, &b, err);
    buf_release(&b);
    return ok;
}

void index_release(struct index *x)
{
    map_release(&x->files);
    map_release(&x->records);
    map_release(&x->dep_map);
    map_release(&x->executed_map);
    free(x->deps);
    free(x->executed);
    buf_release(&x->file);
    arena_release(&x->arena);
    memset(x, 0, sizeof *x);
}
