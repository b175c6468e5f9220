#include "runtime/pool/loaded.h"

#include "generator/graph/record.h"
#include "runtime/base/arena.h"
#include "runtime/base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 1000000 };

/* A file system's clock may lag behind ours by a tick. */
static const int64_t clock_grain_ns = 20 * 1000 * 1000;

void loaded_begin(struct loaded *l)
{
    loaded_release(l);
    l->started_ns = clock_wall_ns();
}

static struct hash128 listing_of(const char *path)
{
    struct record_dep dep = {.path = str_z(path), .kind = DEP_DIR};
    record_dep_fill(&dep);
    return dep.hash;
}

static bool is_late(const struct loaded *l, const struct io_stat *st)
{
    return st->ctime_ns > l->started_ns - clock_grain_ns;
}

/* Something was added or removed meanwhile, and it was not only the process's own __pycache__. */
static bool dir_raced(const struct loaded *l, const struct loaded_file *f)
{
    struct buf path = {0};
    if (!is_late(l, &f->st))
        return false;
    buf_z(&path, f->path);
    buf_z(&path, "/__pycache__");
    struct io_stat cache = io_stat_path(path.p);
    buf_release(&path);
    return cache.kind != IO_DIR || !is_late(l, &cache);
}

static void add(struct loaded *l, struct str path)
{
    l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
    struct loaded_file *f = &l->items[l->n++];
    f->path = xmalloc(path.n + 1);
    memcpy(f->path, path.n ? path.p : "", path.n);
    f->path[path.n] = '\0';
    f->st = io_stat_path(f->path);
    f->listing = (struct hash128){0};
    if (f->st.kind == IO_DIR)
        f->listing = listing_of(f->path);
    l->raced |= f->st.kind == IO_DIR ? dir_raced(l, f) : is_late(l, &f->st);
}

bool loaded_read(struct loaded *l, struct json *j)
{
    struct buf path = {0};
    bool ok = json_enter(j, '[');
    while (ok && json_item(j)) {
        buf_clear(&path);
        ok = json_string(j, &path) && l->n < MAX_FILES;
        if (ok)
            add(l, buf_view(&path));
    }
    buf_release(&path);
    return ok && !j->bad;
}

bool loaded_same(const struct loaded *l)
{
    for (size_t i = 0; !l->raced && i < l->n; i++) {
        const struct loaded_file *f = &l->items[i];
        struct io_stat now = io_stat_path(f->path);
        bool listed = now.kind == IO_DIR && f->st.kind == IO_DIR && hash128_eq(listing_of(f->path), f->listing);
        if (!listed && !io_stat_same(&now, &f->st))
            return false;
    }
    return !l->raced;
}

void loaded_release(struct loaded *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i].path);
    free(l->items);
    memset(l, 0, sizeof *l);
}
