/* <state>/probe/<key>.bin: an answer of probe.py and what it was read from. */
#include "generator/config/probe.h"

#include "generator/graph/record.h"
#include "runtime/base/map.h"
#include "runtime/base/pack.h"

#include <string.h>
#include <unistd.h>

static const char magic[8] = "FSTPROB\n";
enum { VERSION = 2, MAX_KEPT = 32 };

static void cache_path(struct buf *out, struct str state_dir, struct hash128 key)
{
    char hex[33];
    hash128_hex(key, hex);
    buf_str(out, state_dir);
    buf_printf(out, "/probe/%.16s.bin", hex);
}

/* Of a directory on sys.path only what installs and configures packages counts. */
static bool is_meta_name(struct str name)
{
    return str_ends(name, STR(".dist-info")) || str_ends(name, STR(".egg-info")) ||
           str_ends(name, STR(".egg-link")) || str_ends(name, STR(".pth")) ||
           str_ends(name, STR(".egg")) || str_starts(name, STR("__editable__")) ||
           str_eq(name, STR("sitecustomize.py")) || str_eq(name, STR("usercustomize.py")) ||
           str_eq(name, STR("pytest.py")) || str_eq(name, STR("pytest"));
}

static struct hash128 hash_meta(const char *path)
{
    struct io_list l = {0};
    struct buf full = {0};
    if (!io_listdir(path, &l))
        return (struct hash128){0};
    struct hasher *h = hasher_new();
    for (size_t i = 0; i < l.n; i++) {
        struct str name = str_z(l.items[i].name);
        if (!is_meta_name(name))
            continue;
        buf_clear(&full);
        path_join(&full, str_z(path), name);
        hasher_str(h, name);
        hasher_u64(h, (uint64_t)io_stat_path(full.p).mtime_ns);
    }
    io_list_release(&l);
    buf_release(&full);
    return hasher_done(h);
}

static void fill(struct record_dep *d, struct str path, bool meta)
{
    struct buf z = {0};
    *d = (struct record_dep){.path = path, .kind = DEP_FILE};
    buf_str(&z, path);
    if (meta) {
        d->kind = DEP_DIR;
        d->st = io_stat_path(z.n ? z.p : "");
        d->hash = hash_meta(z.n ? z.p : "");
    } else {
        record_dep_fill(d);
    }
    buf_release(&z);
}

static bool holds(struct record_dep *d, bool meta, bool *moved)
{
    struct buf z = {0};
    buf_str(&z, d->path);
    struct io_stat st = io_stat_path(z.n ? z.p : "");
    buf_release(&z);
    if (io_stat_same(&st, &d->st))
        return true;
    if (d->kind == DEP_ABSENT)
        return st.kind == d->st.kind;
    struct record_dep now;
    fill(&now, d->path, meta);
    if (now.kind != d->kind || !hash128_eq(now.hash, d->hash))
        return false;
    d->st = now.st;
    *moved = true;
    return true;
}

static void pack_dep(struct buf *b, const struct record_dep *d, bool meta)
{
    pack_str(b, d->path);
    pack_u8(b, meta);
    pack_u32(b, d->kind);
    pack_stat(b, &d->st);
    pack_hash(b, d->hash);
}

static bool save(const char *path, struct hash128 key, struct str answer, const struct buf *deps,
                 uint32_t n_deps, struct err *err)
{
    struct buf b = {0};
    pack_hash(&b, key);
    pack_u32(&b, n_deps);
    buf_add(&b, deps->p, deps->n);
    pack_str(&b, answer);
    bool ok = pack_save(path, magic, VERSION, &b, err);
    buf_release(&b);
    return ok;
}

/* Reads the dependencies; false when one of them does not hold. new_deps gets them with the
 * present stats, *moved says whether any of these is new. */
static bool deps_hold(struct unpack *u, struct buf *new_deps, uint32_t *n, bool *moved)
{
    bool ok = true;
    *n = unpack_count(u, 24);
    for (uint32_t i = 0; i < *n && ok && !u->bad; i++) {
        struct record_dep d = {.path = unpack_str(u)};
        bool meta = unpack_u8(u) != 0;
        d.kind = unpack_u32(u);
        d.st = unpack_stat(u);
        d.hash = unpack_hash(u);
        ok = !u->bad && holds(&d, meta, moved);
        pack_dep(new_deps, &d, meta);
    }
    return ok && !u->bad;
}

/* The answer's text is kept apart from the file: reading its lines unescapes in place. */
bool probe_cache_load(struct probe *p, struct str state_dir)
{
    struct buf path = {0}, file = {0}, deps = {0};
    struct unpack u;
    struct err err = {{0}};
    enum exit_code code;
    uint32_t n = 0;
    bool moved = false;
    cache_path(&path, state_dir, p->key);
    bool ok = pack_open(path.p, magic, VERSION, &file, &u) &&
              hash128_eq(unpack_hash(&u), p->key) && deps_hold(&u, &deps, &n, &moved);
    struct str answer = ok ? unpack_str(&u) : STR("");
    ok = ok && !u.bad && answer.n;
    if (ok && moved)
        save(path.p, p->key, answer, &deps, n, NULL);
    if (ok) {
        buf_clear(&p->file);
        buf_str(&p->file, answer);
        ok = probe_read_lines(p, &code, &err);
    }
    buf_release(&path);
    buf_release(&file);
    buf_release(&deps);
    return ok;
}

static void prune(struct str state_dir)
{
    struct buf dir = {0}, path = {0};
    struct io_list l = {0};
    buf_str(&dir, state_dir);
    buf_z(&dir, "/probe");
    bool listed = io_listdir(dir.p, &l);
    for (size_t i = 0; listed && l.n >= MAX_KEPT && i < l.n; i++) {
        buf_clear(&path);
        path_join(&path, buf_view(&dir), str_z(l.items[i].name));
        unlink(path.p);
    }
    if (listed)
        io_list_release(&l);
    buf_release(&dir);
    buf_release(&path);
}

bool probe_cache_save(const struct probe *p, struct err *err)
{
    struct buf path = {0}, deps = {0};
    struct record_dep d;
    struct map seen = {0};
    uint32_t n = 0;
    for (size_t i = 0; i < p->inputs.n + p->input_dirs.n; i++) {
        bool meta = i >= p->inputs.n, added;
        struct str input = meta ? p->input_dirs.items[i - p->inputs.n] : p->inputs.items[i];
        map_put(&seen, input, &added);
        if (!added)
            continue;
        fill(&d, input, meta);
        pack_dep(&deps, &d, meta);
        n++;
    }
    prune(buf_view(&p->state_dir));
    cache_path(&path, buf_view(&p->state_dir), p->key);
    bool ok = save(path.p, p->key, p->answer, &deps, n, err);
    map_release(&seen);
    buf_release(&path);
    buf_release(&deps);
    return ok;
}
