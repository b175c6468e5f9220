#include "generator/affected.h"

#include "generator/files/pyname.h"
#include "generator/graph/executed.h"
#include "generator/graph/graph.h"
#include "generator/source/token.h"
#include "runtime/base/io.h"

#include <string.h>

void change_set_old(struct change *c, struct str text, const struct generate_options *o, struct arena *a)
{
    struct buf b = {0};
    c->known = true;
    c->old.content = hash128_of(text.p ? text.p : "", text.n);
    c->old.semantic = c->old.content;
    if (!str_ends(c->path, STR(".py")))
        return;
    c->old.semantic = token_hash(text, !o->ignore_lines);
    blocks_pack(&b, text, !o->ignore_lines, !o->ignore_docstrings);
    c->old.blocks = (struct str){arena_dup(a, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
}

void affected_init(struct affected *a, const struct look *l, struct change *changes, size_t n)
{
    *a = (struct affected){.look = l, .changes = changes, .n = n};
    for (size_t i = 0; i < n; i++)
        if (!map_get(&a->by_path, changes[i].path))
            *map_put(&a->by_path, changes[i].path, NULL) = i + 1;
}

void affected_release(struct affected *a)
{
    map_release(&a->by_path);
    arena_release(&a->arena);
}

static struct str say(struct affected *a, const char *what, const struct change *c)
{
    struct buf b = {0};
    struct str path = pyname_below(c->path, a->look->plan->root);
    buf_printf(&b, "%s %.*s", what, (int)path.n, path.p);
    struct str out = {arena_dup(&a->arena, b.p, b.n), b.n};
    buf_release(&b);
    return out;
}

static const struct change *change_of(const struct affected *a, struct str path)
{
    const uintptr_t *at = map_get(&a->by_path, path);
    return at ? &a->changes[*at - 1] : NULL;
}

static bool is_python(struct str path)
{
    return str_ends(path, STR(".py")) || str_ends(path, STR(".pyi"));
}

/* ---- is the record of the tree as it is, or as it was? ---- */

static bool executed_all_hold(struct affected *a, const struct record *r, bool before)
{
    const struct graph *g = a->look->graph;
    struct buf b = {0};
    bool all = true;
    for (uint32_t i = 0; all && i < r->n_executed; i++) {
        buf_clear(&b);
        path_join(&b, a->look->plan->root, r->executed[i].path);
        const uintptr_t *slot = map_get(&g->by_path, buf_view(&b));
        const struct index_file *f = slot ? g->nodes[*slot].file : NULL;
        const struct change *c = before ? change_of(a, buf_view(&b)) : NULL;
        if (c)
            f = c->known ? &c->old : NULL;
        all = f && executed_holds(&r->executed[i], f);
    }
    buf_release(&b);
    return all;
}

static bool is_whole(const struct record *r)
{
    return !(r->flags & (REC_PARTIAL | REC_CHANGED));
}

static bool tells_executed(struct affected *a, const struct plan_module *m, const struct record *r)
{
    return is_whole(r) && r->flags & REC_TRACED && hash128_eq(r->loose, m->loose) &&
           (executed_all_hold(a, r, false) || executed_all_hold(a, r, true));
}

/* ---- sources ---- */

static bool same_executed(const struct change *c, const struct record_executed *e, const struct index_file *now)
{
    struct blocks old, new;
    struct hash128 x, y;
    if (!c->known || !c->is)
        return false;
    if (hash128_eq(c->old.semantic, now->semantic))
        return true;
    return !hash128_is_zero(e->hash) && blocks_open(&old, c->old.blocks) && blocks_open(&new, now->blocks) &&
           blocks_hash(&old, e->choice, &x) && blocks_hash(&new, e->choice, &y) && hash128_eq(x, y);
}

static struct str executed_why_not_same(struct affected *a, const struct record *r)
{
    const struct graph *g = a->look->graph;
    struct buf b = {0};
    struct str why = STR("");
    for (uint32_t i = 0; !why.n && i < r->n_executed; i++) {
        buf_clear(&b);
        path_join(&b, a->look->plan->root, r->executed[i].path);
        const struct change *c = change_of(a, buf_view(&b));
        const uintptr_t *slot = map_get(&g->by_path, buf_view(&b));
        if (c && !(slot && same_executed(c, &r->executed[i], g->nodes[*slot].file)))
            why = say(a, "it executes code of", c);
    }
    buf_release(&b);
    return why;
}

static struct str closure_why(struct affected *a, const struct plan_module *m)
{
    const struct plan *p = a->look->plan;
    for (uint32_t i = 0; i < m->n_files; i++) {
        const struct change *c = change_of(a, p->files[m->files[i]].path);
        if (!c)
            continue;
        const struct index_file *now = a->look->graph->nodes[m->files[i]].file;
        if (!(c->known && c->is && hash128_eq(c->old.semantic, now->semantic)))
            return say(a, str_eq(c->path, m->path) ? "it is" : "it may import", c);
    }
    return STR("");
}

static bool has_part(struct str dotted, struct str part)
{
    struct str rest = dotted, one;
    while (str_next(&rest, '.', &one))
        if (str_eq(one, part))
            return true;
    return false;
}

/* A source that is gone is in nobody's closure: whoever names it may have loaded it. */
static bool names(const struct facts *f, struct str stem)
{
    struct unpack u = {.p = (const unsigned char *)f->imports.p, .n = f->imports.n};
    struct import im;
    if (f->flags & (FACT_DYNAMIC | FACT_SYS_PATH | FACT_RESOURCES))
        return true;
    while (facts_next(&u, &im))
        if (has_part(im.module, stem) || has_part(im.name, stem) || str_eq(im.name, STR("*")))
            return true;
    return false;
}

static struct str gone_why(struct affected *a, const struct plan_module *m)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct change *c = &a->changes[i];
        struct str base = path_base(c->path), dir = path_dir(c->path);
        if (c->is || !is_python(c->path))
            continue;
        struct str stem = str_eq(base, STR("__init__.py")) ? path_base(dir) : str_slice(base, 0, str_chr(base, '.'));
        if (str_eq(base, STR("conftest.py")) && path_under(m->path, dir))
            return say(a, "it was below", c);
        for (uint32_t k = 0; k < m->n_files; k++)
            if (names(&a->look->graph->nodes[m->files[k]].file->facts, stem))
                return say(a, "it may have imported", c);
    }
    return STR("");
}

/* ---- what it reads ---- */

/* What has come to be where nothing was, or is no longer where something was: for a directory, the files in it. */
static const struct change *come_or_gone(struct affected *a, const struct record_dep *d)
{
    bool none = d->kind == DEP_ABSENT, folder = d->kind == DEP_LOOK && d->hash.lo == IO_DIR;
    for (size_t i = 0; i < a->n; i++) {
        const struct change *c = &a->changes[i];
        bool there = str_eq(c->path, d->path);
        if (c->was == c->is || !path_under(c->path, d->path))
            continue;
        if (there || (none && c->is) || (folder && !c->is && !record_dep_holds(d)))
            return c;
    }
    return NULL;
}

static struct str read_why(struct affected *a, const struct record *r)
{
    for (uint32_t i = 0; i < r->n_deps; i++) {
        const struct record_dep *d = &r->deps[i];
        bool look = d->kind == DEP_LOOK || d->kind == DEP_ABSENT;
        const struct change *c = look ? come_or_gone(a, d) : change_of(a, d->path);
        if (c)
            return say(a, look ? "it looks for" : "it reads", c);
        for (size_t k = 0; d->kind == DEP_DIR && k < a->n; k++)
            if (a->changes[k].was != a->changes[k].is && str_eq(path_dir(a->changes[k].path), d->path))
                return say(a, "it lists the directory of", &a->changes[k]);
    }
    for (size_t k = 0; r->flags & REC_ALL_SOURCES && k < a->n; k++)
        if (r->flags & REC_ALL_FILES || is_python(a->changes[k].path))
            return say(a, "it starts processes or threads, which may use", &a->changes[k]);
    return STR("");
}

/* No record says what it reads. */
static struct str unknown_why(struct affected *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (!is_python(a->changes[i].path))
            return say(a, "no run has told whether it reads", &a->changes[i]);
    return STR("");
}

static struct str settings_why(struct affected *a)
{
    for (size_t i = 0; i < a->look->settings->n; i++) {
        const struct change *c = change_of(a, a->look->settings->items[i]);
        if (c && !is_python(c->path))
            return say(a, "the configuration is read from", c);
    }
    return STR("");
}

struct str affected_why(struct affected *a, uint32_t module)
{
    const struct plan_module *m = &a->look->plan->modules[module];
    struct record r;
    struct str why = settings_why(a);
    if (why.n)
        return why;
    if (!record_load(&r, m->record.p, a->look->plan->root, true)) {
        why = closure_why(a, m);
        why = why.n ? why : gone_why(a, m);
        return why.n ? why : unknown_why(a);
    }
    bool told = tells_executed(a, m, &r);
    why = told ? executed_why_not_same(a, &r) : closure_why(a, m);
    why = why.n ? why : gone_why(a, m);
    if (!why.n)
        why = told || (is_whole(&r) && hash128_eq(r.key, m->key)) ? read_why(a, &r) : unknown_why(a);
    record_release(&r);
    return why;
}
