#include "generator/collect/discover_state.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Directory by directory, names compared byte by byte; a package's __init__.py is first, and before pytest 8
 * the files of a directory (pathlib.py: visit). */
static int compare_paths(struct str a, struct str b, bool files_first)
{
    for (;;) {
        size_t i = str_chr(a, '/'), k = str_chr(b, '/');
        struct str x = str_slice(a, 0, i), y = str_slice(b, 0, k);
        if (!str_eq(x, y)) {
            if (str_eq(x, STR("__init__.py")))
                return -1;
            if (str_eq(y, STR("__init__.py")))
                return 1;
            if (files_first && (i == a.n) != (k == b.n))
                return i == a.n ? -1 : 1;
            return str_cmp(x, y);
        }
        if (i == a.n || k == b.n)
            return a.n < b.n ? -1 : a.n > b.n;
        a = str_slice(a, i + 1, a.n);
        b = str_slice(b, k + 1, b.n);
    }
}

static int by_path(const void *a, const void *b)
{
    return compare_paths(*(const struct str *)a, *(const struct str *)b, false);
}

static int by_path_files_first(const void *a, const void *b)
{
    return compare_paths(*(const struct str *)a, *(const struct str *)b, true);
}

struct ranked { struct str path; size_t argument, at; };

static int by_argument(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->argument != y->argument)
        return x->argument < y->argument ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

void discover_order_files(struct discover_state *s)
{
    struct ranked *r = xmalloc((s->files.n + 1) * sizeof *r);
    qsort(s->files.items, s->files.n, sizeof *s->files.items,
          s->out->config.pytest < 800 ? by_path_files_first : by_path);
    for (size_t i = 0; i < s->files.n; i++)
        r[i] = (struct ranked){s->files.items[i], arguments_of_file(&s->arguments, s->files.items[i]), i};
    qsort(r, s->files.n, sizeof *r, by_argument);
    for (size_t i = 0; i < s->files.n; i++)
        s->files.items[i] = r[i].path;
    free(r);
}

static bool has_conftest(struct discover_state *s, struct str dir)
{
    return dir_kind(dirs_open(&s->dirs, dir), STR("conftest.py")) == IO_FILE;
}

/* conftest.py of the directories from confcutdir down to dir. */
static struct folder *folder_of(struct discover_state *s, struct str dir)
{
    struct dir *d = dirs_open(&s->dirs, dir);
    bool added;
    uintptr_t *slot = map_put(&s->folders, d->path, &added);
    if (!added)
        return (struct folder *)*slot;
    struct folder *f = arena_alloc(&s->dirs.arena, sizeof *f);
    *slot = (uintptr_t)f;
    const struct probe *p = &s->out->config.probe;
    struct str chain[128], cut = p->cutdir;
    size_t n = 0;
    for (struct str up = d->path; n < 128 && !probe_is(p->noconftest); up = path_dir(up)) {
        if (cut.n && !str_eq(cut, up) && path_under(cut, up.n ? up : STR("/")))
            break;
        if (has_conftest(s, up.n ? up : STR("/")))
            chain[n++] = dirs_join(&s->dirs, up, STR("conftest.py"));
        if (up.n <= 1)
            break;
    }
    while (n > 0)
        strs_add(&f->conftests, chain[--n]);
    return f;
}

/* With prepend and append, what pytest puts on sys.path: the first directory that is no package. */
static void add_root(struct discover_state *s, struct str dir)
{
    while (dir.n > 1 && dirs_open(&s->dirs, dir)->package)
        dir = path_dir(dir);
    if (!strs_has(&s->roots, dir))
        strs_add(&s->roots, dirs_open(&s->dirs, dir)->path);
}

void discover_make_units(struct discover_state *s)
{
    const struct probe *p = &s->out->config.probe;
    bool prepend = !str_eq(p->import_mode, STR("importlib"));
    struct str last = STR("");
    s->units = xmalloc((s->files.n + 1) * sizeof *s->units);
    for (size_t i = 0; i < s->files.n; i++) {
        struct buf rel = {0};
        struct unit *u = &s->units[s->n_units++];
        struct str dir = path_dir(s->files.items[i]);
        *u = (struct unit){.path = s->files.items[i]};
        path_relative(&rel, u->path, p->root);
        u->relative = (struct str){arena_dup(&s->dirs.arena, rel.p, rel.n), rel.n};
        u->conftests = &folder_of(s, dir)->conftests;
        if (prepend && !str_eq(dir, last))
            add_root(s, dir);
        last = dir;
        buf_release(&rel);
    }
    for (size_t i = 0; i < s->folders.cap && prepend; i++) {
        const struct folder *f = (const struct folder *)s->folders.slots[i].value;
        for (size_t k = 0; f && k < f->conftests.n; k++)
            add_root(s, path_dir(f->conftests.items[k]));
    }
}

void discover_drop_ignored(struct discover_state *s, const struct strs *paths, const struct strs *globs)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_units; i++) {
        bool ignored = false;
        for (size_t k = 0; k < paths->n && !ignored; k++)
            ignored = path_under(s->units[i].path, paths->items[k]);
        for (struct str up = s->units[i].path; up.n > 1 && !ignored && globs->n; up = path_dir(up))
            for (size_t k = 0; k < globs->n && !ignored; k++) {
                char *path = arena_dup(&s->dirs.arena, up.p, up.n);
                char *glob = arena_dup(&s->dirs.arena, globs->items[k].p, globs->items[k].n);
                ignored = fnmatch(glob, path, FNM_NOESCAPE) == 0;
            }
        for (size_t a = 0; a < s->out->config.probe.args.n && ignored; a++) /* an argument always counts */
            ignored = !str_eq(s->out->config.probe.args.items[a], s->units[i].path);
        if (!ignored)
            s->units[n++] = s->units[i];
    }
    s->n_units = n;
}
