#include "generator/collect/scan.h"

#include "generator/files/tree.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
    const struct probe *p;
    struct dirs *d;
    struct strs *out;
    struct strs pending;   /* directories, last first */
    struct strs links;  /* real paths of the linked directories on the way to pending's top */
    bool old_venv;      /* pytest 7: a virtual environment is what has bin/activate */
};

static const char *z(struct walk *w, struct str s)
{
    return arena_dup(&w->d->arena, s.p ? s.p : "", s.n);
}

/* _pytest.pathlib.fnmatch_ex: a pattern with a slash is matched against the path's end. */
static bool matches(struct walk *w, struct str pattern, struct str path)
{
    bool whole = str_chr(pattern, '/') < pattern.n;
    struct buf b = {0};
    if (whole && pattern.p[0] != '/')
        buf_z(&b, "*/");
    buf_str(&b, pattern);
    bool yes = fnmatch(b.p ? b.p : "", z(w, whole ? path : path_base(path)), FNM_NOESCAPE) == 0;
    buf_release(&b);
    return yes;
}

static bool matches_any(struct walk *w, const struct strs *patterns, struct str path)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (matches(w, patterns->items[i], path))
            return true;
    return false;
}

static bool is_ignored(struct walk *w, struct str path)
{
    if (strs_has(&w->p->ignore, path))
        return true;
    for (size_t i = 0; i < w->p->ignore_glob.n; i++)
        if (fnmatch(z(w, w->p->ignore_glob.items[i]), z(w, path), FNM_NOESCAPE) == 0)
            return true;
    return false;
}

static bool is_module(struct walk *w, struct str path)
{
    if (str_ends(path, STR(".py")))
        return probe_is(w->p->doctest_modules) || matches_any(w, &w->p->python_files, path);
    return matches_any(w, &w->p->doctest_glob, path);
}

static bool is_venv(struct walk *w, struct dir *dir)
{
    if (probe_is(w->p->in_venv) || !tree_is_venv(w->d, dir))
        return false;
    if (!w->old_venv)
        return true;
    struct dir *bin = dirs_open(w->d, dirs_join(w->d, dir->path, STR("bin")));
    return dir_kind(bin, STR("activate")) == IO_FILE;
}

/* pytest follows links to directories; one that leads to where we came from would never end. */
static bool is_loop(struct walk *w, struct str path)
{
    char *real = realpath(z(w, path), NULL), *here = realpath(z(w, path_dir(path)), NULL);
    bool loop = !real || !here || path_under(str_z(here), str_z(real));
    size_t depth = 0;
    for (size_t i = 0; !loop && i < w->links.n; i++) {
        struct str link = w->links.items[i];
        size_t tab = str_chr(link, '\n');
        if (path_under(path, str_slice(link, 0, tab)))
            loop = str_eq(str_slice(link, tab + 1, link.n), str_z(real)) || ++depth > 16;
    }
    if (!loop) {
        struct buf b = {0};
        buf_str(&b, path);
        buf_char(&b, '\n');
        buf_z(&b, real);
        strs_add(&w->links, (struct str){z(w, buf_view(&b)), b.n});
        buf_release(&b);
    }
    free(real);
    free(here);
    return loop;
}

static bool is_link(struct walk *w, struct str path)
{
    struct stat st;
    return lstat(z(w, path), &st) == 0 && S_ISLNK(st.st_mode);
}

static void visit_entry(struct walk *w, struct dir *dir, const struct io_entry *e)
{
    struct str name = str_z(e->name);
    bool unsure = e->kind == IO_ABSENT;
    enum io_kind kind = dir_kind(dir, name);
    if (kind != IO_FILE && kind != IO_DIR)
        return;
    if (str_eq(name, STR("__pycache__")) || str_eq(name, STR(".fastest")))
        return;
    struct str path = dirs_join(w->d, dir->path, name);
    if (is_ignored(w, path))
        return;
    if (kind == IO_FILE) {
        if (is_module(w, path))
            strs_add(w->out, path);
        return;
    }
    if (matches_any(w, &w->p->norecurse, path) || (unsure && is_link(w, path) && is_loop(w, path)))
        return;
    if (!is_venv(w, dirs_open(w->d, path)))
        strs_add(&w->pending, path);
}

static void visit_dir(struct walk *w, struct str path)
{
    struct dir *dir = dirs_open(w->d, path);
    for (size_t i = 0; i < dir->list.n; i++) {
        struct io_entry e = dir->list.items[i];
        visit_entry(w, dir, &e);
    }
}

static bool visit_arg(struct walk *w, struct str path, struct str text, struct err *err)
{
    struct io_stat st = io_stat_path(z(w, path));
    if (st.kind == IO_ABSENT)
        return err_set(err, "file or directory not found: %s", z(w, text));
    if (st.kind == IO_FILE) {
        bool doc = str_ends(path, STR(".txt")) || str_ends(path, STR(".rst"));
        if (str_ends(path, STR(".py")) || doc || is_module(w, path))
            strs_add(w->out, path);
        return true;
    }
    strs_add(&w->pending, path);
    while (w->pending.n)
        visit_dir(w, w->pending.items[--w->pending.n]);
    return true;
}

bool scan_modules(const struct probe *p, struct dirs *d, struct strs *out, struct err *err)
{
    struct walk w = {.p = p, .d = d, .out = out};
    w.old_venv = str_starts(p->pytest, STR("7.")) || str_starts(p->pytest, STR("6."));
    bool ok = true;
    for (size_t i = 0; ok && i < p->args.n; i++) {
        struct str text = i < p->arg_texts.n ? p->arg_texts.items[i] : p->args.items[i];
        ok = visit_arg(&w, p->args.items[i], text, err);
    }
    strs_sort(out);
    strs_unique(out);
    strs_release(&w.pending);
    strs_release(&w.links);
    return ok;
}
