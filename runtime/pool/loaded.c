#include "runtime/pool/loaded.h"

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

static void add(struct loaded *l, struct str path)
{
    l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
    struct loaded_file *f = &l->items[l->n++];
    f->path = xmalloc(path.n + 1);
    memcpy(f->path, path.n ? path.p : "", path.n);
    f->path[path.n] = '\0';
    f->st = io_stat_path(f->path);
    l->raced |= f->st.ctime_ns > l->started_ns - clock_grain_ns;
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
        struct io_stat now = io_stat_path(l->items[i].path);
        if (!io_stat_same(&now, &l->items[i].st))
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
