#include "generator/files/dirs.h"

#include <errno.h>
#include <string.h>

void dirs_release(struct dirs *d)
{
    for (size_t i = 0; i < d->by_path.cap; i++)
        if (d->by_path.slots[i].value && !d->shared)
            io_list_release(&((struct dir *)d->by_path.slots[i].value)->list);
    map_release(&d->by_path);
    strs_release(&d->third);
    strs_release(&d->owned);
    arena_release(&d->arena);
}

static bool under_any(const struct strs *l, struct str path)
{
    for (size_t i = 0; i < l->n; i++)
        if (path_under(path, l->items[i]))
            return true;
    return false;
}

bool dirs_is_third(const struct dirs *d, struct str path)
{
    return under_any(&d->third, path) && !under_any(&d->owned, path);
}

void shared_dirs_release(struct shared_dirs *d)
{
    dirs_release(&d->own);
    pthread_mutex_destroy(&d->lock);
}

static struct dir *list(struct dirs *d, struct str path)
{
    struct dir *dir = arena_alloc(&d->arena, sizeof *dir);
    dir->path = (struct str){arena_dup(&d->arena, path.p, path.n), path.n};
    dir->third = dirs_is_third(d, path);
    if (!io_listdir(dir->path.p, &dir->list)) {
        dir->hidden = errno != ENOENT && errno != ENOTDIR;
        memset(&dir->list, 0, sizeof dir->list);
    }
    dir->package = dir_kind(dir, STR("__init__.py")) == IO_FILE;
    return dir;
}

static struct dir *shared_open(struct shared_dirs *shared, struct str path)
{
    const uintptr_t *known = shared->first ? map_get(&shared->first->by_path, path) : NULL;
    if (known)
        return (struct dir *)*known;
    pthread_mutex_lock(&shared->lock);
    struct dir *dir = dirs_open(&shared->own, path);
    pthread_mutex_unlock(&shared->lock);
    return dir;
}

struct dir *dirs_open(struct dirs *d, struct str path)
{
    if (!path.n)
        path = STR("/"); /* path_dir of a file in the root directory */
    uintptr_t *known = map_get(&d->by_path, path);
    if (known)
        return (struct dir *)*known;
    struct dir *dir = d->shared ? shared_open(d->shared, path) : list(d, path);
    *map_put(&d->by_path, dir->path, NULL) = (uintptr_t)dir;
    return dir;
}

size_t dir_lower(const struct dir *dir, struct str name)
{
    size_t lo = 0, hi = dir->list.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (str_cmp(str_z(dir->list.items[mid].name), name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

enum io_kind dir_kind(const struct dir *dir, struct str name)
{
    size_t i = dir_lower(dir, name);
    bool listed = i < dir->list.n && str_eq(str_z(dir->list.items[i].name), name);
    if (!listed && !dir->hidden)
        return IO_ABSENT;
    if (listed && dir->list.items[i].kind != IO_ABSENT)
        return dir->list.items[i].kind;
    struct buf b = {0}; /* a link, or a file system without types */
    path_join(&b, dir->path, name);
    enum io_kind kind = io_stat_path(b.p).kind;
    buf_release(&b);
    return kind == IO_ABSENT && listed ? IO_OTHER : kind; /* dangling */
}

struct str dirs_join(struct dirs *d, struct str dir, struct str name)
{
    bool slash = dir.n == 0 || dir.p[dir.n - 1] != '/';
    char *p = arena_alloc(&d->arena, dir.n + name.n + 2);
    memcpy(p, dir.p, dir.n);
    if (slash)
        p[dir.n] = '/';
    memcpy(p + dir.n + slash, name.p, name.n);
    return (struct str){p, dir.n + name.n + slash};
}

/* An argument inside a site directory: its top-level package is what is under test. */
static void own_argument(struct dirs *d, struct str path)
{
    struct str best = STR("");
    for (size_t i = 0; i < d->third.n; i++)
        if (path_under(path, d->third.items[i]) && path.n > d->third.items[i].n && d->third.items[i].n > best.n)
            best = d->third.items[i];
    if (!best.n)
        return;
    struct str rest = str_slice(path, best.n + 1, path.n);
    strs_add(&d->owned, str_slice(path, 0, best.n + 1 + str_chr(rest, '/')));
}

void dirs_set_up(struct dirs *d, const struct strs *third, const struct strs *args)
{
    for (size_t i = 0; i < third->n; i++)
        strs_add(&d->third, third->items[i]);
    for (size_t i = 0; i < args->n; i++)
        own_argument(d, args->items[i]);
}
