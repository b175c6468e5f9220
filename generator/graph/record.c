#include "generator/graph/record.h"

#include "generator/files/pyname.h"
#include "generator/source/blocks.h"
#include "runtime/base/pack.h"
#include "runtime/base/stat.h"

#include <string.h>
#include <unistd.h>

static const char magic[8] = "FSTREC\n";
enum { VERSION = 4 };

/* The results come last, so that a head-only load stops before them. */
bool record_save(const struct record *r, const char *path, struct str root, struct err *err)
{
    struct buf b = {0};
    pack_hash(&b, r->key);
    pack_hash(&b, r->loose);
    pack_hash(&b, r->sources);
    pack_u64(&b, r->run_id);
    pack_u64(&b, (uint64_t)r->start_ns);
    pack_u64(&b, (uint64_t)r->end_ns);
    pack_u32(&b, r->flags);
    pack_u32(&b, r->n_items);
    pack_u32(&b, r->took_ms);
    pack_u32(&b, r->n_deps);
    for (uint32_t i = 0; i < r->n_deps; i++) {
        pack_str(&b, str_eq(r->deps[i].path, root) ? STR(".") : pyname_below(r->deps[i].path, root));
        pack_u32(&b, r->deps[i].kind);
        pack_stat(&b, &r->deps[i].st);
        pack_hash(&b, r->deps[i].hash);
    }
    pack_u32(&b, r->n_executed);
    for (uint32_t i = 0; i < r->n_executed; i++) {
        pack_str(&b, r->executed[i].path);
        pack_hash(&b, r->executed[i].semantic);
        pack_hash(&b, r->executed[i].hash);
        pack_str(&b, r->executed[i].choice);
    }
    pack_str(&b, r->meta);
    pack_u32(&b, r->n_results);
    for (uint32_t i = 0; i < r->n_results; i++) {
        pack_u32(&b, r->results[i].item);
        pack_u32(&b, r->results[i].outcome);
        pack_str(&b, r->results[i].json);
    }
    bool ok = pack_overwrite(path, magic, VERSION, &b, err);
    buf_release(&b);
    return ok;
}

static struct str absolute(struct record *r, struct str path, struct str root)
{
    struct buf b = {0};
    if (!path.n || path.p[0] == '/')
        return path;
    path_join(&b, root, path);
    struct str out = {arena_dup(&r->arena, b.p, b.n), b.n};
    buf_release(&b);
    return out;
}

static void unpack_head(struct unpack *u, struct record *r, struct str root)
{
    r->key = unpack_hash(u);
    r->loose = unpack_hash(u);
    r->sources = unpack_hash(u);
    r->run_id = unpack_u64(u);
    r->start_ns = (int64_t)unpack_u64(u);
    r->end_ns = (int64_t)unpack_u64(u);
    r->flags = unpack_u32(u);
    r->n_items = unpack_u32(u);
    r->took_ms = unpack_u32(u);
    r->n_deps = unpack_count(u, 24);
    r->deps = arena_array(&r->arena, r->n_deps, sizeof *r->deps);
    for (uint32_t i = 0; i < r->n_deps; i++) {
        struct record_dep *d = &r->deps[i];
        d->path = absolute(r, unpack_str(u), root);
        d->kind = unpack_u32(u);
        d->st = unpack_stat(u);
        d->hash = unpack_hash(u);
        if (d->kind < DEP_FILE || d->kind > DEP_LINK)
            u->bad = true;
    }
    r->n_executed = unpack_count(u, 40);
    r->executed = arena_array(&r->arena, r->n_executed, sizeof *r->executed);
    for (uint32_t i = 0; i < r->n_executed; i++) {
        r->executed[i].path = unpack_str(u);
        r->executed[i].semantic = unpack_hash(u);
        r->executed[i].hash = unpack_hash(u);
        r->executed[i].choice = unpack_str(u);
        if (r->executed[i].choice.n % BLOCKS_CHOICE_BYTES)
            u->bad = true;
    }
}

static void unpack_results(struct unpack *u, struct record *r)
{
    r->meta = unpack_str(u);
    r->n_results = unpack_count(u, 12);
    r->results = arena_array(&r->arena, r->n_results, sizeof *r->results);
    for (uint32_t i = 0; i < r->n_results; i++) {
        r->results[i].item = unpack_u32(u);
        r->results[i].outcome = unpack_u32(u);
        r->results[i].json = unpack_str(u);
        if (r->results[i].item >= r->n_items || r->results[i].outcome >= OUT_COUNT)
            u->bad = true;
    }
}

bool record_load(struct record *r, const char *path, struct str root, bool head_only)
{
    struct unpack u;
    memset(r, 0, sizeof *r);
    if (pack_open(path, magic, VERSION, &r->file, &u)) {
        unpack_head(&u, r, root);
        if (!head_only && !u.bad)
            unpack_results(&u, r);
        if (!u.bad)
            return true;
    }
    record_release(r);
    return false;
}

void record_release(struct record *r)
{
    arena_release(&r->arena);
    buf_release(&r->file);
    memset(r, 0, sizeof *r);
}

static bool is_cache_name(const char *name)
{
    size_t n = strlen(name);
    return strcmp(name, "__pycache__") == 0 || strcmp(name, ".pytest_cache") == 0 ||
           strcmp(name, ".fastest") == 0 || (n > 4 && strcmp(name + n - 4, ".pyc") == 0);
}

static bool hash_listing(const char *path, struct hash128 *out)
{
    struct io_list l = {0};
    if (!io_listdir(path, &l))
        return false;
    struct hasher *h = hasher_new();
    for (size_t i = 0; i < l.n; i++)
        if (!is_cache_name(l.items[i].name))
            hasher_str(h, str_z(l.items[i].name));
    *out = hasher_done(h);
    io_list_release(&l);
    return true;
}

/* Was the last change of the directory that a cache was made in it, and has nothing else come? The two are stamped by one
 * call, of a clock that ticks: it may tick between them. */
static bool only_a_cache_came(const struct record_dep *dep, const struct io_list *l, int64_t since_ns)
{
    struct buf path = {0};
    bool cache = false, other = false;
    for (size_t i = 0; !other && i < l->n; i++) {
        buf_clear(&path);
        path_join(&path, dep->path, str_z(l->items[i].name));
        struct io_stat st = io_stat_path(path.p);
        if (is_cache_name(l->items[i].name)) {
            int64_t after_ns = dep->st.mtime_ns - stat_birth_ns(path.p);
            cache = cache || (after_ns >= 0 && after_ns <= stat_tick_ns());
        } else { /* a directory changes with what is made in it */
            other = (st.kind == IO_DIR ? stat_birth_ns(path.p) : st.ctime_ns) > since_ns;
        }
    }
    buf_release(&path);
    return cache && !other;
}

bool record_dep_listed_since(const struct record_dep *dep, int64_t since_ns)
{
    struct io_list l = {0};
    struct buf path = {0};
    bool same = dep->st.ctime_ns <= since_ns;
    buf_str(&path, dep->path);
    if (!same && io_listdir(path.n ? path.p : "", &l)) {
        same = only_a_cache_came(dep, &l, since_ns);
        io_list_release(&l);
    }
    buf_release(&path);
    return same;
}

static bool hash_file(const char *path, struct hash128 *out)
{
    struct buf b = {0};
    bool ok = io_read(path, 0, &b, NULL);
    if (ok)
        *out = hash128_of(b.p, b.n);
    buf_release(&b);
    return ok;
}

static struct hash128 hash_link(const char *path)
{
    char text[4096];
    ssize_t n = readlink(path, text, sizeof text);
    return n < 0 ? (struct hash128){0} : hash128_of(text, (size_t)n);
}

/* A file that cannot be read counts as absent; one that is neither (a pipe, a device) is never
 * opened, and hashes as its kind alone. */
void record_dep_fill(struct record_dep *dep)
{
    struct buf path = {0};
    buf_str(&path, dep->path);
    dep->st = io_stat_path(path.n ? path.p : "");
    if (dep->kind != DEP_LOOK)
        dep->hash = (struct hash128){0};
    if (dep->kind == DEP_LINK) {
        dep->hash = hash_link(path.n ? path.p : "");
    } else if (dep->kind == DEP_FILE || dep->kind == DEP_DIR) {
        bool ok = false;
        if (dep->st.kind == IO_DIR) {
            dep->kind = DEP_DIR;
            ok = hash_listing(path.p, &dep->hash);
        } else if (dep->st.kind == IO_FILE) {
            dep->kind = DEP_FILE;
            ok = hash_file(path.p, &dep->hash);
        } else if (dep->st.kind == IO_OTHER) {
            ok = true;
        }
        if (!ok)
            dep->kind = DEP_ABSENT;
    }
    buf_release(&path);
}

bool record_dep_holds(const struct record_dep *dep)
{
    struct buf path = {0};
    buf_str(&path, dep->path);
    struct io_stat st = io_stat_path(path.n ? path.p : "");
    buf_release(&path);
    if (dep->kind == DEP_ABSENT || dep->kind == DEP_LOOK)
        return st.kind == (dep->kind == DEP_LOOK ? dep->hash.lo : dep->st.kind);
    if (dep->kind != DEP_LINK && io_stat_same(&st, &dep->st))
        return true;
    struct record_dep now = *dep;
    record_dep_fill(&now);
    return now.kind == dep->kind && hash128_eq(now.hash, dep->hash);
}
