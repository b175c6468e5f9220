#include "generator/graph/stale.h"

#include "generator/files/pyname.h"
#include "generator/files/tree.h"
#include "generator/graph/executed.h"
#include "generator/graph/record.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct str keep(struct arena *a, struct buf *b)
{
    struct str s = {arena_dup(a, b->p ? b->p : "", b->n), b->n};
    buf_release(b);
    return s;
}

/* The record's head, from the index while the file is the same. */
static struct index_record *load_head(struct stale *s, const struct plan_module *m, struct io_near *near)
{
    struct index *x = s->sources->index;
    struct index_record *r = index_record(x, m->record);
    struct io_stat st = io_stat_near(near, m->record.p);
    struct record rec;
    r->used = true;
    if (io_stat_same(&st, &r->st))
        return r;
    if (st.kind == IO_FILE && record_load(&rec, m->record.p, s->plan->root, true)) {
        index_record_set(x, r, &rec, &st);
        record_release(&rec);
        return r;
    }
    struct record none = {0};
    index_record_set(x, r, &none, &st);
    return r;
}

/* Names the first file of the closure that is not what it was in the last scan. */
static struct str changed_source(struct stale *s, const struct plan_module *m)
{
    struct buf b = {0};
    if (!hash128_eq(s->last_environment, s->plan->environment)) {
        buf_z(&b, "the environment or the configuration changed");
        return keep(&s->plan->arena, &b);
    }
    for (uint32_t i = 0; i < m->n_files; i++) {
        const struct node *n = &s->graph->nodes[m->files[i]];
        if (!n->file->changed)
            continue;
        buf_z(&b, "changed ");
        buf_str(&b, pyname_below(n->path, s->plan->root));
        return keep(&s->plan->arena, &b);
    }
    buf_z(&b, "its sources changed");
    return keep(&s->plan->arena, &b);
}

static struct str changed_input(struct stale *s, const struct index_record *r)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < r->n_deps; i++) {
        if (source_dep_holds(s->sources, r->deps[i]))
            continue;
        buf_z(&b, "input ");
        buf_str(&b, pyname_below(s->sources->index->deps[r->deps[i]].dep.path, s->plan->root));
        buf_z(&b, " changed");
        return keep(&s->plan->arena, &b);
    }
    return STR("");
}

/* A reason found by comparing with the last scan is kept until the key changes again. */
static struct str source_reason(struct stale *s, const struct plan_module *m,
                                struct index_record *r)
{
    if (!hash128_eq(r->last_key, m->key) || !r->why.n) {
        struct str why = changed_source(s, m);
        r->why = (struct str){arena_dup(&s->sources->index->arena, why.p, why.n), why.n};
        r->last_key = m->key;
        s->sources->index->dirty = true;
    }
    return (struct str){arena_dup(&s->plan->arena, r->why.p, r->why.n), r->why.n};
}

static void name_nodes(struct stale *s)
{
    if (s->by_rel.n)
        return;
    for (size_t i = 0; i < s->graph->n; i++)
        *map_put(&s->by_rel, pyname_below(s->graph->nodes[i].path, s->plan->root), NULL) = i;
}

/* A file of the closure has another text: what has run of it is in the record. */
static void look_into_record(struct stale *s, const struct plan_module *m, struct index_executed *e, const struct index_file *now)
{
    struct record rec;
    struct buf b = {0};
    e->state = 2;
    buf_z(&b, "changed ");
    buf_str(&b, e->path);
    if (now && record_load(&rec, m->record.p, s->plan->root, true)) {
        for (uint32_t i = 0; i < rec.n_executed; i++) {
            if (!str_eq(rec.executed[i].path, e->path))
                continue;
            if (executed_holds(&rec.executed[i], now))
                e->state = 1;
            else
                executed_why(&b, &rec.executed[i], now);
        }
        record_release(&rec);
    }
    e->why = keep(&s->plan->arena, &b);
}

/* What modules have executed of a source is often the same: it is looked at once. */
static void look_at(struct stale *s, const struct plan_module *m, struct index_executed *e)
{
    name_nodes(s);
    const uintptr_t *node = map_get(&s->by_rel, e->path);
    const struct index_file *now = node ? s->graph->nodes[*node].file : NULL;
    if (now && hash128_eq(now->semantic, e->semantic))
        e->state = 1;
    else
        look_into_record(s, m, e, now);
}

/* With another key, but only the texts of sources changed: has anything changed of what ran? *why says what. */
static bool executed_same(struct stale *s, const struct plan_module *m, struct index_record *r, struct str *why)
{
    struct index_executed *e;
    bool same = true;
    *why = STR("");
    if (!(r->flags & REC_TRACED) || !hash128_eq(r->loose, m->loose))
        return false;
    if (hash128_eq(r->held, m->key))
        return true;
    for (size_t i = 0; same && (e = index_executed_of(s->sources->index, r, i)); i++) {
        if (!e->state)
            look_at(s, m, e);
        same = e->state == 1;
        *why = e->why;
    }
    if (same) {
        r->held = m->key;
        s->sources->index->dirty = true;
    }
    return same;
}

bool stale_always(const struct strs *always, struct str rel)
{
    struct buf name = {0}, glob = {0};
    bool found = false;
    for (struct str part = rel; !found && part.n; part = path_dir(part)) {
        buf_clear(&name);
        buf_str(&name, part);
        for (size_t i = 0; !found && i < always->n; i++) {
            buf_clear(&glob);
            buf_str(&glob, always->items[i]);
            found = fnmatch(glob.n ? glob.p : "", name.p, 0) == 0;
        }
    }
    buf_release(&name);
    buf_release(&glob);
    return found;
}

static struct str reason(struct stale *s, const struct plan_module *m, struct index_record *r)
{
    if (r->st.kind == IO_ABSENT)
        return STR("new");
    if (hash128_is_zero(r->key))
        return STR("its record is damaged or of another version");
    struct str why;
    if (!hash128_eq(r->key, m->key) && !executed_same(s, m, r, &why))
        return why.n ? why : source_reason(s, m, r);
    if (r->flags & REC_PARTIAL)
        return STR("not finished last time");
    if (r->flags & REC_CHANGED)
        return STR("a source changed while it ran");
    if (!(r->flags & REC_PASSED))
        return r->flags & REC_FLAKY ? STR("a test was flaky last time") : STR("failed last time");
    struct str input = changed_input(s, r);
    if (input.n)
        return input;
    if (r->flags & REC_ALWAYS || stale_always(s->always, m->rel))
        return STR("it always runs");
    return s->all ? STR("--no-cache") : STR("");
}

static void set_why(struct plan_module *m, struct str why)
{
    m->why = why;
    m->stale = why.n > 0;
}

/* Every first-party source that is known: the graph's, and all below rootdir; or every file below it. */
static struct hash128 all_sources(struct stale *s, bool every)
{
    struct strs files = {0};
    struct hasher *h = hasher_new();
    if (every)
        tree_files(s->dirs, s->plan->root, &files);
    else
        tree_python_files(s->dirs, s->plan->root, &files);
    for (size_t i = 0; i < s->graph->n; i++)
        strs_add(&files, s->graph->nodes[i].path);
    strs_sort(&files);
    strs_unique(&files);
    for (size_t i = 0; i < files.n; i++) {
        struct index_file *f = source_check(s->sources, files.items[i], false);
        hasher_str(h, pyname_below(files.items[i], s->plan->root));
        hasher_hash(h, f->semantic);
    }
    strs_release(&files);
    return hasher_done(h);
}

/* Modules of one dotted name cannot be imported into one session (pytest's "import file
 * mismatch"): which of them fails depends on what else runs, so they run together. */
static struct str module_name(struct stale *s, struct str path, struct buf *b)
{
    struct str dir = path_dir(path);
    while (dir.n > 1 && dirs_open(s->dirs, dir)->package)
        dir = path_dir(dir);
    buf_clear(b);
    buf_str(b, pyname_below(path, dir));
    return buf_view(b);
}

static void join_namesakes(struct stale *s)
{
    struct map first = {0};
    struct buf b = {0};
    struct plan *p = s->plan;
    uint32_t *leader = arena_array(&p->arena, p->n_modules, sizeof *leader);
    bool *stale = arena_array(&p->arena, p->n_modules, sizeof *stale);
    for (uint32_t i = 0; i < p->n_modules; i++) {
        struct str name = module_name(s, p->modules[i].path, &b);
        uintptr_t *slot = map_get(&first, name);
        if (!slot) {
            struct str key = {arena_dup(&p->arena, name.p, name.n), name.n};
            slot = map_put(&first, key, NULL);
            *slot = i;
        }
        leader[i] = (uint32_t)*slot;
        s->namesake[i] = leader[i] != i;
        s->namesake[leader[i]] = s->namesake[leader[i]] || leader[i] != i;
        stale[leader[i]] = stale[leader[i]] || p->modules[i].stale;
    }
    for (uint32_t i = 0; i < p->n_modules; i++)
        if (stale[leader[i]] && !p->modules[i].stale) {
            set_why(&p->modules[i], STR("another module of the same name runs"));
            if (!s->dry)
                unlink(p->modules[i].record.p); /* else its batch would find it valid */
        }
    map_release(&first);
    buf_release(&b);
}

void stale_check(struct stale *s)
{
    struct plan *p = s->plan;
    struct index_record **records = xmalloc(((size_t)p->n_modules + 1) * sizeof *records);
    bool need = p->other && !s->dry; /* of the records that this run writes */
    uint32_t flags = 0;
    struct io_near near = {0};
    s->namesake = arena_array(&p->arena, p->n_modules, sizeof *s->namesake);
    for (uint32_t i = 0; i < p->n_modules; i++) {
        records[i] = load_head(s, &p->modules[i], &near);
        p->modules[i].took_ms = records[i]->took_ms;
        p->modules[i].record_st = records[i]->st;
        set_why(&p->modules[i], reason(s, &p->modules[i], records[i]));
        need = need || (p->modules[i].stale && !s->dry);
        flags |= records[i]->flags;
    }
    io_near_release(&near);
    if (need || flags & REC_ALL_SOURCES)
        p->sources = all_sources(s, false);
    if (flags & REC_ALL_FILES)
        p->contents = all_sources(s, true);
    for (uint32_t i = 0; i < p->n_modules; i++)
        if (!p->modules[i].stale && !plan_sources_hold(p, records[i]->flags, records[i]->sources))
            set_why(&p->modules[i], records[i]->flags & REC_ALL_FILES
                                        ? STR("a file changed, and what it reads cannot be seen")
                                        : STR("a source changed, and it starts processes or threads"));
    if (s->prepend)
        join_namesakes(s);
    map_release(&s->by_rel);
    free(records);
}
