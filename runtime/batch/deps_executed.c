#include "runtime/batch/deps.h"

#include "generator/files/pyname.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t name_lines(const struct blocks *b, const struct code_lines *l, uint64_t *names)
{
    size_t n = 0;
    for (size_t i = 0; l && i < l->n; i++) {
        uint32_t at = l->items[i] ? blocks_at(b, l->items[i]) : b->n;
        if (at < b->n)
            names[n++] = blocks_get(b, at).name;
    }
    return n;
}

static size_t count(const struct code_lines *l)
{
    return l ? l->n : 0;
}

/* The blocks that begin on these lines, or around them, and those of another choice. */
static void choose(const struct blocks *b, const struct code_lines *l, const struct code_lines *before, struct str old,
                   struct buf *choice)
{
    uint64_t *names = xmalloc((count(l) + count(before) + old.n / BLOCKS_CHOICE_BYTES + 1) * sizeof *names);
    size_t n = 0;
    while (blocks_chosen(&old, &names[n]))
        n++;
    n += name_lines(b, l, names + n);
    n += name_lines(b, before, names + n);
    if (n)
        qsort(names, n, sizeof *names, by_value);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || names[i] != names[i - 1])
            blocks_choose(b, names[i], choice);
    free(names);
}

static struct str keep(struct record *r, struct str s)
{
    return (struct str){arena_dup(&r->arena, s.p ? s.p : "", s.n), s.n};
}

/* False: the file was not loaded. old: what an earlier run executed of it, or NULL. */
static bool fill_executed(const struct deps *d, const struct plan_file *f, struct str packed,
                          const struct record_executed *old, struct record *r, struct record_executed *e)
{
    const struct code_lines *l = code_find(&d->reads.code, f->path), *before = code_find(&d->common->before.code, f->path);
    struct blocks b;
    struct buf choice = {0};
    bool loaded = l || before || code_has_base(&d->reads.code, f->path) || code_has_base(&d->common->before.code, f->path);
    bool seen = count(l) || count(before);
    bool told = old && !hash128_is_zero(old->hash);
    if (!(f->flags & FILE_WHOLE) && !loaded && !old)
        return false;
    bool whole = f->flags & FILE_WHOLE || d->reads.blind || d->common->before.blind || (d->unites && old && !told);
    if (!whole && (loaded ? seen : told) && blocks_open(&b, packed)) {
        choose(&b, l, before, told ? old->choice : STR(""), &choice);
        blocks_hash(&b, buf_view(&choice), &e->hash);
        e->choice = keep(r, buf_view(&choice));
    }
    buf_release(&choice);
    return true;
}

bool deps_executed(const struct deps *d, const struct record *last, struct record *r)
{
    const struct plan *plan = d->plan;
    const struct plan_module *module = d->module;
    struct deps_common *common = d->common;
    const struct executed_blocks *x = &common->blocks;
    struct map before = {0};
    for (uint32_t i = 0; i < module->n_files; i++)
        if (plan->files[module->files[i]].flags & FILE_OPAQUE)
            return false;
    if (!d->traced || !(code_find(&d->reads.code, module->path) || code_find(&common->before.code, module->path)))
        return false;
    if (!common->asked)
        common->loaded = executed_load(&common->blocks, plan);
    common->asked = true;
    if (!common->loaded)
        return false;
    for (uint32_t i = 0; (d->reads.random || d->unites) && last && i < last->n_executed; i++)
        *map_put(&before, last->executed[i].path, NULL) = (uintptr_t)&last->executed[i];
    r->executed = arena_array(&r->arena, module->n_files, sizeof *r->executed);
    for (uint32_t i = 0; i < module->n_files; i++) {
        uint32_t file = module->files[i];
        struct record_executed *e = &r->executed[r->n_executed];
        struct str path = pyname_below(plan->files[file].path, plan->root);
        const uintptr_t *old = map_get(&before, path);
        if (!x->packed[file].n || !fill_executed(d, &plan->files[file], x->packed[file],
                                                old ? (const struct record_executed *)*old : NULL, r, e))
            continue;
        e->path = keep(r, path);
        e->semantic = x->semantic[file];
        r->n_executed++;
    }
    map_release(&before);
    return true;
}
