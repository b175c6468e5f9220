#include "runtime/batch/deps.h"

#include <stdlib.h>
#include <string.h>

struct settling {
    struct deps *d;
    struct map reached; /* sources that were loaded for the module, beside its closure */
    struct map planned; /* test modules; once it is dynamic */
    struct map looks;   /* paths that were looked at */
    bool *taken[2];     /* of d->common->before, and of d->reads */
    bool dynamic;       /* what code loaded may be the module's, whoever asked */
};

static struct reads *part(const struct settling *s, int i)
{
    return i == 0 ? &s->d->common->before : &s->d->reads;
}

static void become_dynamic(struct settling *s)
{
    const struct plan *p = s->d->plan;
    for (uint32_t i = 0; !s->dynamic && i < p->n_modules; i++)
        *map_put(&s->planned, p->modules[i].path, NULL) = 1;
    s->dynamic = true;
}

static bool asks_for_it(struct settling *s, struct str asker)
{
    return !asker.n || !s->d->module || map_get(&s->d->closure, asker) || map_get(&s->reached, asker) ||
           (s->dynamic && !map_get(&s->planned, asker));
}

static void add(struct settling *s, const struct read *item)
{
    struct deps *d = s->d;
    bool added = true;
    if (item->kind == DEP_LOOK || item->kind == DEP_ABSENT) /* what it was first, not what the module made of it */
        map_put(&s->looks, item->path, &added);
    if (!added)
        return;
    d->items = xgrow(d->items, &d->cap, d->n + 1, sizeof *d->items);
    d->items[d->n++] = (struct record_dep){
        .path = item->path, .kind = item->kind, .hash.lo = item->kind == DEP_LOOK ? item->seen : 0};
}

static void take(struct settling *s, const struct read *item)
{
    if (item->source && map_get(&s->d->closure, item->path))
        return;
    add(s, item);
    if (item->source)
        *map_put(&s->reached, item->path, NULL) = 1;
    if (item->source && item->late)
        become_dynamic(s);
}

/* What code of a source that was taken has asked for is taken, too. */
static void take_all(struct settling *s)
{
    for (bool more = true; more;) {
        more = false;
        for (int p = 0; p < 2; p++)
            for (size_t i = 0; i < part(s, p)->n; i++) {
                if (s->taken[p][i] || !asks_for_it(s, part(s, p)->items[i].asker))
                    continue;
                s->taken[p][i] = more = true;
                take(s, &part(s, p)->items[i]);
            }
    }
}

/* Is it a source of the plan, maybe by another name, behind a symbolic link? */
static bool in_plan(const struct deps *d, struct str path)
{
    struct map *known = &d->common->sources;
    bool first = known->n == 0;
    for (uint32_t i = 0; first && i < d->plan->n_files; i++) {
        *map_put(known, d->plan->files[i].path, NULL) = 1;
        *map_put(known, code_base(d->plan->files[i].path), NULL) = 1;
    }
    return map_get(known, path) || map_get(known, code_base(path));
}

static void take_beside(struct settling *s, const struct code *code)
{
    struct deps *d = s->d;
    for (size_t i = 0; i < code->paths.cap; i++) {
        struct str path = code->paths.slots[i].key;
        if (!code->paths.slots[i].value || map_get(&d->closure, path) || (s->dynamic && map_get(&s->planned, path)))
            continue;
        if (s->dynamic || !in_plan(d, path))
            add(s, &(struct read){.path = path, .kind = DEP_FILE});
    }
}

void deps_settle(struct deps *d)
{
    struct settling s = {.d = d};
    const struct plan_module *m = d->module;
    for (int p = 0; p < 2; p++)
        s.taken[p] = arena_array(&d->arena, part(&s, p)->n, sizeof *s.taken[p]);
    for (uint32_t i = 0; m && i < m->n_files; i++)
        if (d->plan->files[m->files[i]].flags & FILE_DYNAMIC)
            become_dynamic(&s);
    take_all(&s);
    for (int p = 0; m && p < 2; p++)
        take_beside(&s, &part(&s, p)->code);
    map_release(&s.reached);
    map_release(&s.planned);
    map_release(&s.looks);
}

static int by_path(const void *a, const void *b)
{
    const struct record_dep *x = a, *y = b;
    int c = str_cmp(x->path, y->path);
    return c ? c : (x->kind > y->kind) - (x->kind < y->kind);
}

/* Is it no longer what the module saw? */
static bool has_changed(const struct record_dep *dep, uint32_t kind, int64_t since_ns)
{
    if (kind == DEP_LOOK)
        return dep->st.kind != dep->hash.lo;
    if (kind == DEP_LINK)
        return false;
    if (kind == DEP_ABSENT && dep->st.kind == IO_ABSENT)
        return false;
    if (dep->kind == DEP_DIR)
        return !record_dep_listed_since(dep, since_ns);
    return (kind == DEP_ABSENT || dep->kind != DEP_ABSENT) && dep->st.ctime_ns > since_ns;
}

/* The same kind and path once. */
static uint32_t without_doubles(struct record_dep *deps, uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || by_path(&deps[kept - 1], &deps[i]) != 0)
            deps[kept++] = deps[i];
    return kept;
}

bool deps_fill(struct deps *d, int64_t since_ns, struct record *r)
{
    bool changed = false, unseen = d->reads.unseen || d->common->before.unseen;
    r->deps = arena_array(&r->arena, d->n, sizeof *r->deps);
    for (size_t i = 0; i < d->n; i++) {
        r->deps[i] = d->items[i];
        r->deps[i].path.p = arena_dup(&r->arena, d->items[i].path.p, d->items[i].path.n);
    }
    if (d->n)
        qsort(r->deps, d->n, sizeof *r->deps, by_path);
    r->n_deps = without_doubles(r->deps, (uint32_t)d->n);
    for (uint32_t i = 0; i < r->n_deps; i++) {
        uint32_t kind = r->deps[i].kind;
        record_dep_fill(&r->deps[i]);
        changed = changed || has_changed(&r->deps[i], kind, since_ns);
    }
    if (d->reads.spawned || d->common->before.spawned)
        r->flags |= REC_ALL_SOURCES;
    if (unseen) {
        r->flags |= REC_ALL_SOURCES | REC_ALL_FILES;
        r->sources = d->plan->contents;
    }
    return changed;
}
